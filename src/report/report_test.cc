#include "report/report.h"

#include <gmock/gmock.h>

#include <regex>
#include <set>

#include "base/file.h"
#include "base/random.h"
#include "image/testing.h"
#include "model_file/model.h"
#include "report/sections.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::filesystem::path test_file(const std::string& name) {
  return std::filesystem::path(SEGMENTUM_BINARY_DIR) / "test_files" / "report" / name;
}

/// Three classes: of 8 pixels of sky 6 are right and 2 road, of 2 of road 1 is right and 1 sky; no
/// tree anywhere. IoU: sky 6/9, road 1/4. Accuracy: sky 6/8, road 1/2. Precision: 6/7, 1/3.
EvaluationPart small_part() {
  ConfusionMatrix matrix(3);
  matrix.add(0, 0, 6);
  matrix.add(0, 1, 2);
  matrix.add(1, 1, 1);
  matrix.add(1, 0, 1);
  return {.data = "garden & street, split test",
          .classes = {{"sky", {70, 130, 180}}, {"<road>", {128, 64, 128}}, {"tree", {0, 128, 0}}},
          .evaluation = {.matrix = matrix, .images = {{"one", scores(matrix)}}, .failures = {}}};
}

ReportPicture small_picture(const std::string& name) {
  LabelMap truth(20, 30, 0);
  for (int x = 0; x < 30; ++x) truth(0, x) = kIgnoreLabel;
  return {.name = name,
          .picture = Image(20, 30, 3),
          .prediction = LabelMap(20, 30, 1),
          .truth = truth,
          .score = 0.125};
}

std::string html_of(EvaluationPart part) {
  return report_html({.title = "t", .evaluation = std::move(part)});
}

TEST(Report, ScoresByHand) {
  const std::string html = html_of(small_part());
  EXPECT_THAT(html, HasSubstr("<b>garden &amp; street, split test</b>"));
  EXPECT_THAT(html, HasSubstr("1 picture · 10 labelled pixels · 3 classes"));
  EXPECT_THAT(html, HasSubstr("<b>45.83<small>%"));  // (6/9 + 1/4) / 2
  EXPECT_THAT(html, HasSubstr("<b>70.00<small>%"));  // 7/10
  EXPECT_THAT(html, HasSubstr("<b>62.50<small>%"));  // (6/8 + 1/2) / 2
  EXPECT_THAT(html, HasSubstr("<b>58.33<small>%"));  // (8 * 6/9 + 2 * 1/4) / 10
  EXPECT_THAT(html, HasSubstr("<b>60.00<small>%"));  // (12/15 + 2/5) / 2
  EXPECT_THAT(html, HasSubstr("<span>66.67</span>"));
  for (const char* cell : {">80.00<", ">75.00<", ">85.71<"}) EXPECT_THAT(html, HasSubstr(cell));
}

TEST(Report, AbsentClassHasNoScore) {
  const std::string html = html_of(small_part());
  const std::string row = html.substr(html.find("</i>tree"), 300);
  EXPECT_THAT(row, HasSubstr("<td class=\"none\"><span>–</span>"));
  EXPECT_THAT(row, HasSubstr("<td class=\"none\">–</td>"));
  EXPECT_THAT(html, HasSubstr("A class without pixels"));
}

TEST(Report, NoScoreWhereEverythingIsIgnored) {
  EvaluationPart part = small_part();
  part.evaluation.matrix = ConfusionMatrix(3);
  EXPECT_THAT(html_of(std::move(part)),
              AllOf(HasSubstr("<b>–<small>%"), Not(HasSubstr("<b>0.00<small>%"))));
}

TEST(Report, ConfusionIsNormalisedByRows) {
  const std::string html = html_of(small_part());
  EXPECT_THAT(html, HasSubstr("title=\"sky predicted as &lt;road&gt;: 2 pixels, 25.00 %\">25<"));
  EXPECT_THAT(html, HasSubstr("title=\"sky predicted as sky: 6 pixels, 75.00 %\">75<"));
  EXPECT_THAT(html, HasSubstr("25.0 % of sky, 66.7 % of all errors"));
  EXPECT_THAT(html, HasSubstr("50.0 % of &lt;road&gt;, 33.3 % of all errors"));
}

TEST(Report, ManyClassesGiveOnePicture) {
  EvaluationPart part{.evaluation = {.matrix = ConfusionMatrix(200), .images = {}, .failures = {}}};
  for (int k = 0; k < 200; ++k) {
    part.classes.push_back({"class " + std::to_string(k), {}});
    part.evaluation.matrix.add(k, k, 10);
    part.evaluation.matrix.add(k, 0, 1);
  }
  const std::string html = html_of(std::move(part));
  EXPECT_THAT(html, HasSubstr("<img class=\"matrix\""));
  EXPECT_THAT(html, Not(HasSubstr("<table class=\"confusion\"")));
  EXPECT_LT(html.size(), 300'000u);
}

// One picture, one border: both boundary scores are 100 %, and each has its interval.
TEST(Report, BordersWithIntervals) {
  EvaluationPart part = small_part();
  LabelMap truth(1, 2);
  truth(0, 1) = 1;
  part.boundary.emplace(3, BoundaryTolerance::pixels(0));
  part.boundary->add(truth, truth);
  part.boundary_intervals = BoundaryIntervals{.mean_f = ScoreInterval{0.25, 1},
                                              .mean_f_of_pictures = ScoreInterval{0.5, 1},
                                              .f = {},
                                              .f_of_pictures = {}};
  EXPECT_THAT(
      html_of(std::move(part)),
      AllOf(HasSubstr("<small>25.00 to 100.00</small>"), HasSubstr("boundary F, within 0 px"),
            HasSubstr("<small>50.00 to 100.00</small>"), HasSubstr("(BF)")));
}

TEST(Report, ProtocolScoresCellsByThresholdAndExchangedClasses) {
  EvaluationPart part = small_part();
  part.classes = {{"background", {}}, {"foreground", {}}};
  part.evaluation.matrix = ConfusionMatrix(2);
  part.evaluation.matrix.add(0, 0, 9);
  part.evaluation.matrix.add(1, 1, 1);
  part.protocol = find_protocol("isbi2012");
  part.more_scores = {{"thinned Rand F-score", 0.875}};
  Probabilities probabilities(2, 1, 3);
  LabelMap truth(1, 3, 1);
  for (float& p : probabilities.values()) p = 0.5f;
  part.sweep.emplace(1);
  part.sweep->add(probabilities, truth);
  EXPECT_EQ(protocol_scores(part).front(),
            (std::pair<std::string, double>("thinned Rand F-score", 0.875)));
  EXPECT_THAT(html_of(std::move(part)),
              AllOf(HasSubstr("Cells by threshold"), HasSubstr("thinned Rand F-score 0.8750"),
                    HasSubstr("takes for cells, covers 10.0 % of the labelled pixels")));
}

TEST(Report, ProtocolBoundaryFIsThatOfPicturesFirst) {
  EvaluationPart part = small_part();
  LabelMap truth(1, 2), large(3, 2);
  truth(0, 1) = 1;
  for (int y = 0; y < 3; ++y) large(y, 1) = 1;
  part.boundary.emplace(3, BoundaryTolerance::pixels(0));
  part.boundary->add(truth, truth);
  part.boundary->add(LabelMap(3, 2), large);
  part.protocol = find_protocol("camvid11");
  const auto scores = protocol_scores(part);
  ASSERT_EQ(scores.size(), 5U);
  EXPECT_EQ(scores[3], (std::pair<std::string, double>("boundary F, mean of pictures", 0.5)));
  EXPECT_EQ(scores[4].first, "boundary F");
  EXPECT_DOUBLE_EQ(scores[4].second, 0.4);  // 2 * 1/4 / (5/4) for either class
}

TEST(Report, TextIsEscaped) {
  EvaluationPart part = small_part();
  part.evaluation.failures = {"a<b>.png: broken & torn"};
  part.more_scores = {{"Rand <error>", 0.0834}};
  part.worst = {small_picture("x\"><script>alert(1)</script>")};
  ModelFacts model{.architecture = "unet<1>",
                   .parameters = 1944049,
                   .provenance = {{"data", "<camvid>"}, {"training_pictures", "367"}}};
  TrainingRun run;
  run.config_text = "data = \"<&>\"";
  const std::string html = report_html({.title = "<title>",
                                        .subtitle = "</p>",
                                        .evaluation = part,
                                        .training = run,
                                        .model = model});
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  for (const char* raw : {"<b>.png", "<error>", "unet<1>", "<camvid>", "\"<&>\"", "<title><title>",
                          "</p></p>", "<road>"}) {
    EXPECT_THAT(html, Not(HasSubstr(raw)));
  }
  EXPECT_THAT(html, HasSubstr("a&lt;b&gt;.png: broken &amp; torn"));
  EXPECT_THAT(html, HasSubstr("1,944,049 parameters"));
  EXPECT_THAT(html, HasSubstr("<dt>training pictures</dt>\n<dd>367</dd>"));
  EXPECT_THAT(html, HasSubstr("<b>0.0834</b>"));
}

/// A report with all its parts, and a curve of each kind.
Report full_report() {
  EvaluationPart part = small_part();
  part.best = {small_picture("best.png")};
  part.worst = {small_picture("worst.png")};
  TrainingRun run;
  run.settings = {{"steps", "300"}};
  run.config_text = "steps = 300\n";
  run.classes = {"sky", "<road>", "tree"};
  for (int i = 1; i <= 30; ++i) run.steps.push_back({.step = 10 * i, .loss = 2.0 / i, .lr = 1e-3});
  for (int i = 1; i <= 3; ++i) {
    Scores scores;
    scores.mean_iou = 0.2 * i;
    scores.classes = {{.iou = 0.3 * i}, {.iou = 0.1 * i}, {}};
    run.validations.push_back({.step = 100 * i, .epoch = i, .scores = scores, .best = i == 2});
  }
  return {.title = "U-Net",
          .evaluation = part,
          .training = run,
          .model = ModelFacts{.architecture = "unet"}};
}

TEST(Report, LoadsNothingFromOutside) {
  const std::string html = report_html(full_report());
  EXPECT_THAT(html, Not(HasSubstr("http:")));
  EXPECT_THAT(html, Not(HasSubstr("https:")));
  EXPECT_THAT(html, HasSubstr("content=\"default-src &#39;none&#39;; img-src data:;"));
  for (const char* loader :
       {"<link", "<script", "<iframe", "<object", "@import", "url(", "href=", "srcset="}) {
    EXPECT_THAT(html, Not(HasSubstr(loader))) << loader;
  }
  const std::regex source("src=\"([^\"]{0,22})");
  int pictures = 0;
  for (std::sregex_iterator found(html.begin(), html.end(), source), end; found != end; ++found) {
    EXPECT_THAT((*found)[1].str(), testing::StartsWith("data:image/"));
    ++pictures;
  }
  EXPECT_EQ(pictures, 8);  // two rows of source, truth, prediction, errors
}

TEST(Report, EveryElementIsClosed) {
  const std::string html = report_html(full_report());
  const std::set<std::string> empty_elements{"img", "meta"};
  std::vector<std::string> open;
  const std::regex tag("<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*?)(/?)>");
  for (std::sregex_iterator found(html.begin(), html.end(), tag), end; found != end; ++found) {
    const std::string name = (*found)[2];
    if ((*found)[1].length() > 0) {
      ASSERT_FALSE(open.empty()) << name;
      ASSERT_EQ(open.back(), name) << "near character " << found->position();
      open.pop_back();
    } else if ((*found)[4].length() == 0 && !empty_elements.contains(name)) {
      open.push_back(name);
    }
  }
  EXPECT_THAT(open, testing::IsEmpty());
}

TEST(Report, Curves) {
  const std::string html = report_html(full_report());
  for (const char* title :
       {"Training loss", "Validation scores", "Learning rate", "Pictures a second"}) {
    EXPECT_THAT(html, HasSubstr("<h3>" + std::string(title) + "</h3>"));
  }
  EXPECT_THAT(html, HasSubstr(">best 0.400<"));
  EXPECT_THAT(html, HasSubstr("300 steps"));
  EXPECT_THAT(html, HasSubstr("best mean IoU 40.00 % at step 200"));
  EXPECT_THAT(html, HasSubstr("<td>90.00</td>\n<td>90.00</td>"));  // sky: last and highest
  EXPECT_THAT(html, HasSubstr("<td>–</td>\n<td>–</td>"));          // tree
}

TEST(Report, PartsMayBeMissing) {
  EXPECT_THAT(report_html({.title = "nothing"}), Not(HasSubstr("<section")));
  const std::string training = report_html({.title = "t", .training = full_report().training});
  EXPECT_THAT(training, HasSubstr("id=\"training\""));
  EXPECT_THAT(training, Not(HasSubstr("id=\"scores\"")));
  EXPECT_THAT(report_html({.title = "t", .training = TrainingRun{}}), Not(HasSubstr("<svg")));
}

TEST(Report, RefusesClassesThatDoNotFit) {
  EvaluationPart part = small_part();
  part.classes.pop_back();
  EXPECT_EQ(error_of([&] { html_of(part); }),
            "a report needs a name for each class: the confusion matrix has 3, the list of classes "
            "2");
}

TEST(Report, IsWrittenToAFile) {
  const Report report = full_report();
  write_report(test_file("full.html"), report);
  EXPECT_EQ(read_file(test_file("full.html")), report_html(report));
  const EvaluationPart part = small_part();
  write_image_scores_csv(test_file("images.csv"), part.evaluation.images, part.classes);
  EXPECT_EQ(read_file(test_file("images.csv")),
            "image,pixels,pixel_accuracy,mean_iou,iou sky,iou <road>,iou tree\n"
            "one,10,0.700000,0.458333,0.666667,0.250000,\n");
}

// Harder for JPEG than photographs are: eight pictures of noise, with masks of small squares.
TEST(Report, StaysSmall) {
  EvaluationPart part = small_part();
  RandomStream random(1, 2, 3);
  for (int i = 0; i < 8; ++i) {
    Image noise(960, 960, 3);
    auto* sample = noise.row<std::uint8_t>(0);
    for (int j = 0; j < 3 * 960 * 960; ++j) sample[j] = static_cast<std::uint8_t>(random.bits());
    LabelMap truth(960, 960), prediction(960, 960);
    for (int y = 0; y < 960; ++y) {
      for (int x = 0; x < 960; ++x) {
        truth(y, x) = static_cast<std::uint16_t>((x / 32 + y / 32) % 3);
        prediction(y, x) = static_cast<std::uint16_t>((x / 32 + y / 64) % 3);
      }
    }
    part.best.push_back(shrunk("noise", noise, prediction, truth));
  }
  EXPECT_LT(html_of(std::move(part)).size(), 3'000'000u);
}

// 4 kernels of 3x3x3 with biases, and 4 scales and shifts of the norm; its statistics are not
// learnt.
TEST(ModelFacts, CountsWhatIsLearnt) {
  GraphBuilder g("toy");
  const ValueId image = g.input("image", {.channels = 3});
  const ValueId conv = g.conv("conv", image, {.channels = 4, .kernel = 3, .bias = true});
  g.output("logits", g.batch_norm("norm", conv));
  Model model;
  model.graph = std::move(g).build();
  model.provenance = {{"seed", "1"}};
  const ModelFacts facts = facts_of(model);
  EXPECT_EQ(facts.architecture, "toy");
  EXPECT_EQ(facts.parameters, 4 * 27 + 4 + 8);
  EXPECT_THAT(facts.provenance, testing::ElementsAre(testing::Pair("seed", "1")));
}

TEST(Grouped, Thousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(-123456), "-123,456");
}

}  // namespace
}  // namespace segmentum
