// The dense CRF from outside: on files of any origin, behind a model, and searched for.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "image/codec.h"
#include "model_file/model.h"
#include "program.h"
#include "tiny_scenes.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Json = nlohmann::json;

Json read_json(const fs::path& path) {
  return Json::parse(read_file(path));
}

void expect_failure(const std::vector<std::string>& arguments, int status,
                    const std::string& message) {
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.status, status) << outcome.out;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("segmentum: "), HasSubstr(message)));
}

/// 16x24: dark left, bright right; labels 0 and 1 whose border lies `off` pixels from the edge.
void write_two_parts(const fs::path& picture, const fs::path& labels, int off) {
  Image image(16, 24, 3), mask(16, 24, 1);
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 24; ++x) {
      for (int c = 0; c < 3; ++c) image.row<std::uint8_t>(y)[3 * x + c] = x < 12 ? 40 : 180;
      mask.row<std::uint8_t>(y)[x] = x < 12 + off ? 0 : 1;
    }
  }
  write_png(picture, image);
  write_png(labels, mask);
}

TEST(Crf, OnePictureWithAPageAboutIt) {
  const fs::path folder = fresh_folder("crf_one");
  write_two_parts(folder / "a.png", folder / "labels.png", 2);
  write_two_parts(folder / "a.png", folder / "truth.png", 0);
  const Outcome outcome =
      run({"crf", folder / "a.png", folder / "labels.png", "--out", folder / "refined.png",
           "--iterations", "5", "--confidence", "0.8", "--report", folder / "crf.html", "--truth",
           folder / "truth.png", "--json", folder / "crf.json"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("1 of 1 picture refined"), HasSubstr("crf.html")));
  EXPECT_EQ(read_file(folder / "refined.png"), read_file(folder / "truth.png"));
  const Json json = read_json(folder / "crf.json");
  EXPECT_EQ(json.at("settings").at("iterations"), 5);
  EXPECT_EQ(json.at("settings").at("bilateral_sigma_px"), 80);
  EXPECT_EQ(json.at("written"), 1);
  EXPECT_THAT(read_file(folder / "crf.html"),
              AllOf(HasSubstr("after 5 iterations · mean IoU 100.00 %"), HasSubstr("Free energy"),
                    HasSubstr("before, this picture"), HasSubstr("</html>")));
}

TEST(Crf, AFolderWithABadFile) {
  const fs::path folder = fresh_folder("crf_folder");
  write_two_parts(folder / "in" / "a.png", folder / "labels" / "a.png", 2);
  write_two_parts(folder / "in" / "b.png", folder / "labels" / "b.png", 2);
  write_png(folder / "in" / "c.png", Image(5, 6, 3));
  write_png(folder / "labels" / "c.png", Image(6, 5, 1));
  write_file(folder / "labels" / "b.png", "no picture");
  const Outcome outcome =
      run({"crf", folder / "in", folder / "labels", "--out", folder / "out", "--overlay"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out, HasSubstr("1 of 3 pictures refined"));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("labels/b.png: "),
                                 HasSubstr("c.png: the picture is 6x5 but the labels are 5x6"),
                                 HasSubstr("2 of 3 pictures failed")));
  EXPECT_TRUE(fs::exists(folder / "out" / "a.png"));
  EXPECT_TRUE(fs::exists(folder / "out" / "a.overlay.png"));
  EXPECT_FALSE(fs::exists(folder / "out" / "b.png"));
}

TEST(Crf, WhatCannotWork) {
  const fs::path folder = fresh_folder("crf_bad");
  const fs::path a = folder / "a.png", labels = folder / "labels.png", out = folder / "o.png";
  write_two_parts(a, labels, 0);
  expect_failure({"crf", a}, 2, "LABELS|PROBABILITIES is required");
  expect_failure({"crf", a, labels, "--out", out, "--bilateral-sigma", "0"}, 2,
                 "--bilateral-sigma is \"0\"; expected a number from 0.001");
  expect_failure({"crf", a, labels, "--out", out, "--spatial-weight", "-1"}, 2,
                 "--spatial-weight is \"-1\"");
  expect_failure({"crf", a, labels, "--out", out, "--normalisation", "both"}, 2,
                 "expected symmetric, before, after or none");
  expect_failure({"crf", a, labels, "--out", out, "--truth", labels}, 2, "--report");
  expect_failure({"crf", a, folder / "none.png", "--out", out}, 1, "none.png");
  expect_failure({"crf", folder / "none.png", labels, "--out", out}, 1, "none.png");
  expect_failure({"crf", a, labels, "--out", labels}, 1, "would be replaced");
  expect_failure({"crf", a, labels, "--out", out, "--confidence", "0.1"}, 1, "0.1");
  expect_failure({"crf", a, labels, "--out", out, "--model", a}, 1, "a.png");
  EXPECT_FALSE(fs::exists(out));
}

// A report, a JSON file or a page once took the place of what they were made from.
TEST(Crf, NoResultTakesThePlaceOfAnInput) {
  const fs::path folder = fresh_folder("crf_kept");
  const fs::path a = folder / "a.png", labels = folder / "labels.png", out = folder / "o.png",
                 truth = folder / "truth.png", model = folder / "m.segmentum";
  write_two_parts(a, labels, 2);
  write_two_parts(a, truth, 0);
  write_file(model, "stands for a model");
  const std::string given[] = {read_file(a), read_file(labels), read_file(truth)};
  const auto refused = [&](const std::vector<std::string>& more, const std::string& what) {
    std::vector<std::string> words{"crf", a, labels, "--out", out};
    words.insert(words.end(), more.begin(), more.end());
    expect_failure(words, 1, what);
  };
  refused({"--report", a}, "a.png: would be replaced by a result");
  refused({"--json", labels}, "labels.png: would be replaced");
  refused({"--report", folder / "r.html", "--truth", truth, "--json", truth},
          "truth.png: would be replaced");
  refused({"--report", out}, "o.png: would hold two results");
  refused({"--report", folder / "r", "--json", folder / "r"}, "r: would hold two results");
  refused({"--overlay", "--json", folder / "o.overlay.png"}, "o.overlay.png: would hold two");
  EXPECT_EQ(read_file(a), given[0]);
  EXPECT_EQ(read_file(labels), given[1]);
  EXPECT_EQ(read_file(truth), given[2]);
  EXPECT_FALSE(fs::exists(out));
}

TEST(Crf, OptionsThatSayNothingAreToldOf) {
  const fs::path folder = fresh_folder("crf_unused");
  const fs::path a = folder / "a.png", labels = folder / "labels.png", out = folder / "o.png";
  write_two_parts(a, labels, 2);
  EXPECT_EQ(run({"crf", a, labels, "--out", folder / "p.png", "--probabilities"}).status, 0);
  const Outcome outcome = run({"crf", a, folder / "p.npy", "--out", out, "--confidence", "0.9",
                               "--fill-ignored", "--iterations", "1"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("--confidence, --fill-ignored are for labels and said nothing "
                                     "of the probabilities of 1 picture"));
  expect_failure({"crf", a, labels, "--out", out, "--confidence", "1"}, 2,
                 "--confidence is 1; it must lie between");
}

// Matrices of 2000 x 2000 for each of 40 bands would take gigabytes.
TEST(Crf, APageOfManyClassesCountsThoseThatOccur) {
  const fs::path folder = fresh_folder("crf_many");
  write_two_parts(folder / "a.png", folder / "labels.png", 2);
  write_two_parts(folder / "a.png", folder / "truth.png", 0);
  const Outcome outcome = run({"crf", folder / "a.png", folder / "labels.png", "--out",
                               folder / "o.png", "--classes", "300", "--iterations", "2",
                               "--report", folder / "crf.html", "--truth", folder / "truth.png"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(read_file(folder / "crf.html"), HasSubstr("before · mean IoU 84."));
}

TEST(Crf, BehindAModelAndSearchedFor) {
  const fs::path folder = fresh_folder("crf_model");
  const fs::path model = tiny_model(folder), json = folder / "out.json";
  const std::string before = read_file(model);
  expect_failure({"crf", model, model, "--out", folder / "x.png", "--model", model}, 1,
                 "holds no settings of a CRF; segmentum crf-search finds some");

  // The pictures' probabilities as files, and the same CRF on them: the same labels.
  const fs::path pictures = folder / "data" / "test";
  const Outcome plain = run({"predict", model, pictures, "--out", folder / "p", "--probabilities"});
  EXPECT_EQ(plain.status, 0) << plain.err;
  const Outcome behind = run({"predict", model, pictures, "--out", folder / "behind", "--crf"});
  EXPECT_EQ(behind.status, 0) << behind.err;
  EXPECT_THAT(behind.err, HasSubstr("CRF: 10 iterations, spatial 3 px weight 3, bilateral 80 px 13 "
                                    "levels weight 10 (the defaults"));
  const Outcome alone = run({"crf", pictures, folder / "p", "--out", folder / "alone"});
  EXPECT_EQ(alone.status, 0) << alone.err;
  int compared = 0;
  for (const auto& entry : fs::directory_iterator(folder / "alone")) {
    const RawMask a = read_mask(entry.path());
    const RawMask b = read_mask(folder / "behind" / entry.path().filename());
    ASSERT_EQ(a.values.height(), b.values.height());
    EXPECT_TRUE(std::equal(a.values.data(), a.values.data() + 48 * 64, b.values.data()));
    ++compared;
  }
  EXPECT_EQ(compared, 3);
  EXPECT_EQ(read_file(model), before);

  const Outcome search = run({"crf-search", model, folder / "data", "--limit", "1", "--refine", "4",
                              "--json", json, "--report", folder / "search.html"});
  EXPECT_EQ(search.status, 0) << search.err;
  EXPECT_THAT(search.out,
              AllOf(HasSubstr("1 picture, "), HasSubstr("without a CRF"), HasSubstr("boundary F")));
  const Json found = read_json(json);
  EXPECT_GT(found.at("trials").size(), 128u);
  EXPECT_THAT(read_file(folder / "search.html"),
              AllOf(HasSubstr("Search: "), HasSubstr("</html>")));
  const bool improves = found.at("improves").get<bool>();
  EXPECT_EQ(load_crf_settings(model).has_value(), improves);
  EXPECT_EQ(read_file(model) == before, !improves);
  EXPECT_THAT(search.out, HasSubstr(improves ? "wrote the settings into" : "nothing was written"));
}

TEST(Crf, ASearchTellsWhatBecomesOfStoredSettings) {
  const fs::path folder = fresh_folder("crf_search_stored");
  const fs::path model = tiny_model(folder), json = folder / "out.json";
  const CrfSettings settings{.iterations = 3, .bilateral_sigma_colour = 400};
  store_crf_settings(model, settings);
  const std::string before = read_file(model);
  const std::vector<std::string> words{"crf-search", model, folder / "data", "--limit", "1",
                                       "--refine",   "0",   "--json"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), words.begin(), words.end());
    return more;
  };
  expect_failure(with({model}), 1, "best.segmentum: would be replaced by a result");
  const fs::path mask = folder / "data" / "testannot" / "scene_00000.png";
  expect_failure(with({json, "--report", mask}), 1, "scene_00000.png: would be replaced");
  EXPECT_EQ(read_file(model), before);
  const Outcome search = run(with({json}));
  EXPECT_EQ(search.status, 0) << search.err;
  const Json found = read_json(json);
  EXPECT_EQ(found.at("stored").at("settings").at("bilateral_sigma_colour"), 400);
  const double none = found.at("before").at("mean_iou"),
               stored = found.at("stored").at("scores").at("mean_iou");
  if (found.at("improves").get<bool>()) {
    EXPECT_THAT(search.out, HasSubstr("wrote the settings into"));
  } else if (stored < none) {
    EXPECT_THAT(search.out, HasSubstr("%) were taken out. A CRF does not help"));
    EXPECT_EQ(load_crf_settings(model), std::nullopt);
  } else {
    EXPECT_THAT(search.out, HasSubstr("%) remain. A CRF does not help"));
    EXPECT_EQ(load_crf_settings(model), settings);
  }
}

TEST(Crf, BehindANetworkThatHasOneInside) {
  const fs::path folder = fresh_folder("crf_second");
  write_tiny_scenes(folder / "data");
  const Outcome training = run({"train", folder / "data", "--out", folder / "run", "--model",
                                "fcn32s", "--steps", "1", "--set", "model.width=2", "model.crf=rnn",
                                "model.crf_iterations=1", "crop=32", "batch=1"});
  ASSERT_EQ(training.status, 0) << training.err;
  const fs::path model = folder / "run" / "best.segmentum", pictures = folder / "data" / "test";
  const auto said = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"predict", model, pictures, "--out", folder / "out"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.err;
  };
  EXPECT_THAT(said({}), Not(HasSubstr("CRF")));
  EXPECT_THAT(said({"--crf"}), HasSubstr("this one is a second, on top of it"));
  EXPECT_THAT(said({"--tile", "32"}), HasSubstr("--tile is not used"));
}

TEST(Crf, StoredSettingsAreUsedAndShown) {
  const fs::path folder = fresh_folder("crf_stored");
  const fs::path model = tiny_model(folder), json = folder / "out.json";
  store_crf_settings(model, {.iterations = 2, .bilateral_sigma_px = 17.5f});
  EXPECT_THAT(run({"describe", model}).out, HasSubstr("2 iterations, spatial 3 px weight 3, "
                                                      "bilateral 17.5 px 13 levels weight 10"));
  EXPECT_EQ(run({"describe", "--selftest", model}).status, 0);
  const Outcome eval = run({"eval", model, folder / "data", "--crf", "--boundary", "--trimap",
                            "--json", json, "--report", folder / "scores"});
  EXPECT_EQ(eval.status, 0) << eval.err;
  EXPECT_THAT(eval.err, HasSubstr("bilateral 17.5 px 13 levels weight 10 (from the model file)"));
  EXPECT_THAT(eval.out, AllOf(HasSubstr("mean boundary F"), HasSubstr("within 0.75 % of the"),
                              HasSubstr("band around borders")));
  EXPECT_EQ(read_json(json).at("crf"), true);
  EXPECT_EQ(read_json(json).at("trimap").size(), 40u);
  EXPECT_TRUE(read_json(json).at("boundary").at("mean_f").is_number());
  EXPECT_THAT(read_file(folder / "scores" / "report.html"),
              AllOf(HasSubstr("boundary F"), HasSubstr("Near borders")));
  const Outcome alone =
      run({"crf", folder / "data" / "test", folder / "data" / "testannot", "--out",
           folder / "alone", "--model", model, "--iterations", "1", "--json", json});
  EXPECT_EQ(alone.status, 0) << alone.err;
  EXPECT_EQ(read_json(json).at("settings").at("bilateral_sigma_px"), 17.5);
  EXPECT_EQ(read_json(json).at("settings").at("iterations"), 1);
}

TEST(Crf, BoundaryToleranceInWords) {
  const fs::path folder = fresh_folder("tolerance");
  const fs::path model = tiny_model(folder);
  const Outcome eval = run({"eval", model, folder / "data", "--boundary-tolerance", "2"});
  EXPECT_EQ(eval.status, 0) << eval.err;
  EXPECT_THAT(eval.out, HasSubstr("within 2 px"));
  EXPECT_THAT(run({"eval", model, folder / "data"}).out, Not(HasSubstr("boundary")));
  expect_failure({"eval", model, folder / "data", "--boundary-tolerance", "two"}, 2,
                 "a boundary tolerance is \"two\"; expected pixels, such as 3");
}

}  // namespace
}  // namespace segmentum
