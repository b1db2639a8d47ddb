// Scores that one can trust: protocols, intervals, several seeds, two models compared.
#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "image/codec.h"
#include "program.h"
#include "tiny_scenes.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using Json = nlohmann::json;

Json read_json(const fs::path& path) {
  return Json::parse(read_file(path));
}

TEST(Scores, IntervalsCellsObjectsCalibration) {
  const fs::path folder = fresh_folder("scores");
  const fs::path model = tiny_model(folder), json = folder / "out.json";
  const Outcome eval =
      run({"eval", model, folder / "data", "--bootstrap", "50", "--seed", "7", "--rand", "road",
           "--objects", "--calibration", "--json", json, "--report", folder / "report"});
  EXPECT_EQ(eval.status, 0) << eval.err;
  EXPECT_THAT(eval.out, AllOf(HasSubstr("95 % of 50 resamples of pictures, seed 7"),
                              HasSubstr("adapted Rand error"), HasSubstr("warping error"),
                              HasSubstr("objects, IoU above"), HasSubstr("(ECE)")));
  const Json result = read_json(json);
  const auto interval = result.at("intervals").at("mean_iou").get<std::vector<double>>();
  const double mean_iou = result.at("scores").at("mean_iou");
  ASSERT_EQ(interval.size(), 2U);
  EXPECT_LE(interval[0], interval[1]);
  EXPECT_LE(interval[0], mean_iou + 0.05);
  EXPECT_EQ(result.at("images").size(), 3U);
  EXPECT_TRUE(result.at("objects").at("precision").contains("0.75"));
  EXPECT_EQ(result.at("calibration").at("bins").size(), 15U);
  EXPECT_THAT(read_file(folder / "report" / "report.html"),
              AllOf(HasSubstr("resamples"), HasSubstr("Calibration"), HasSubstr("Objects")));
}

TEST(Scores, IntervalsOfBordersAndCalibration) {
  const fs::path folder = fresh_folder("border_intervals");
  const fs::path model = tiny_model(folder), json = folder / "out.json";
  const Outcome eval = run({"eval", model, folder / "data", "--bootstrap", "20", "--boundary",
                            "--trimap", "--calibration", "--json", json});
  EXPECT_EQ(eval.status, 0) << eval.err;
  EXPECT_THAT(eval.out, AllOf(HasSubstr("mean of pictures (BF)"), HasSubstr("intervals of both"),
                              HasSubstr("(ECE)")));
  const Json result = read_json(json);
  const auto around = [](const Json& interval, const Json& score) {
    // Resamples of three pictures; the split itself may be an end.
    return interval.at(0).get<double>() <= score.get<double>() + 0.05 &&
           interval.at(1).get<double>() >= score.get<double>() - 0.05;
  };
  const Json& boundary = result.at("boundary");
  for (const char* name : {"mean_f", "mean_f_of_pictures"}) {
    EXPECT_TRUE(around(boundary.at("intervals").at(name), boundary.at(name))) << boundary;
  }
  const Json& band = result.at("trimap").at(2);
  EXPECT_TRUE(around(band.at("intervals").at("mean_iou"), band.at("mean_iou"))) << band;
  const Json& calibration = result.at("calibration");
  EXPECT_TRUE(around(calibration.at("intervals").at("ece"), calibration.at("ece")));
}

/// Slices that look as those of ISBI 2012 do: cells, 255, of 15x15 between lines of membrane, 0.
void write_slices(const fs::path& folder, bool exchanged) {
  for (const char* name : {"image", "label"}) fs::create_directories(folder / "train" / name);
  for (int i = 0; i < 2; ++i) {
    Image image(512, 512, 1), label(512, 512, 1);
    for (int y = 0; y < 512; ++y) {
      for (int x = 0; x < 512; ++x) {
        const bool cell = y % 16 != 0 && (x + 3 * i) % 16 != 0;
        image.row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(cell ? 200 - y % 8 : 40 + x % 8);
        label.row<std::uint8_t>(y)[x] = cell != exchanged ? 255 : 0;
      }
    }
    const std::string name = std::to_string(i) + ".png";
    write_png(folder / "train/image" / name, image);
    write_png(folder / "train/label" / name, label);
    write_file(folder / (i == 0 ? "train.txt" : "val.txt"),
               "train/image/" + name + " train/label/" + name + '\n');
  }
}

TEST(Scores, CellsAtThresholdsAsTheChallengeOf2012) {
  const fs::path folder = fresh_folder("isbi"), json = folder / "out.json";
  write_slices(folder / "data", false);
  write_slices(folder / "exchanged", true);
  std::vector<std::string> training = tiny_training(folder / "data", folder / "run", 2);
  training.insert(training.end(), {"batch=1", "check=off"});
  ASSERT_EQ(run(training).status, 0);
  const fs::path model = folder / "run" / "best.segmentum";
  const auto eval = [&](const fs::path& data) {
    return run({"eval", model, data, "--split", "val", "--protocol", "isbi2012", "--bootstrap",
                "10", "--json", json, "--report", folder / "report"});
  };
  const Outcome right = eval(folder / "data");
  EXPECT_EQ(right.status, 0) << right.err;
  EXPECT_THAT(right.err, HasSubstr("\"background\" instead of \"membrane\": are they the same?"));
  EXPECT_THAT(right.out, AllOf(HasSubstr("cells above, in %"), HasSubstr("thinned Rand F-score"),
                               testing::Not(HasSubstr("are the classes exchanged?"))));
  const Json result = read_json(json);
  ASSERT_EQ(result.at("thresholds").size(), 9U);
  double best = 0;
  for (const Json& at : result.at("thresholds")) {
    best = std::max(best, at.at("thinned_rand_f").get<double>());
  }
  EXPECT_DOUBLE_EQ(result.at("protocol").at("scores").at("thinned Rand F-score"), best);
  EXPECT_TRUE(result.at("more_intervals").contains("thinned information F-score"));
  EXPECT_THAT(read_file(folder / "report" / "report.html"), HasSubstr("Cells by threshold"));

  const Outcome exchanged = eval(folder / "exchanged");
  EXPECT_EQ(exchanged.status, 0) << exchanged.err;
  EXPECT_THAT(exchanged.out, AllOf(HasSubstr("takes for cells, covers 12"),
                                   HasSubstr("are the classes exchanged?")));
  EXPECT_TRUE(read_json(json).at("protocol").contains("warning"));

  ASSERT_EQ(run({"init", folder / "exchanged"}).status, 0);
  const fs::path description = folder / "exchanged" / "dataset.toml";
  std::string text = read_file(description);
  text.replace(text.find("background"), 10, "cells");
  text.replace(text.find("foreground"), 10, "membrane");
  write_file(description, text);
  const Outcome named = eval(folder / "exchanged");
  EXPECT_EQ(named.status, 1);
  EXPECT_THAT(named.err, HasSubstr("class 0 is \"cells\", but in the protocol isbi2012 class 0 is "
                                   "membrane and class 1 is cells"));
}

TEST(Scores, AProtocolThatDoesNotFitIsOneLine) {
  const fs::path folder = fresh_folder("protocol");
  const fs::path model = tiny_model(folder);
  const Outcome other = run({"eval", model, folder / "data", "--protocol", "camvid11"});
  EXPECT_EQ(other.status, 1);
  EXPECT_EQ(other.out, "");
  EXPECT_THAT(other.err, HasSubstr("the data set has 8 classes, the protocol camvid11 scores 11"));
  const Outcome unknown = run({"eval", model, folder / "data", "--protocol", "coco"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, HasSubstr("there is no protocol \"coco\""));
  const Outcome both =
      run({"eval", model, folder / "data", "--protocol", "camvid11", "--boundary-tolerance", "3"});
  EXPECT_EQ(both.status, 2);
  EXPECT_THAT(both.err, HasSubstr("fixes what --boundary-tolerance says"));
}

TEST(Scores, SeveralSeedsStoppedAndGoneOnWith) {
  const fs::path folder = fresh_folder("seeds");
  write_tiny_scenes(folder / "data");
  const fs::path json = folder / "out.json";
  const auto training = [&](const std::vector<std::string>& more) {
    return run(tiny_training(folder / "data", folder / "runs", 4, more));
  };
  const Outcome first = training({"--seeds", "1"});
  EXPECT_EQ(first.status, 0) << first.err;
  const std::string weights = read_file(folder / "runs" / "seed1" / "best.segmentum");
  EXPECT_EQ(training({"--seeds", "2"}).status, 1);  // seed1 is there
  const Outcome both = training({"--seeds", "2", "--resume", "--json", json});
  EXPECT_EQ(both.status, 0) << both.err;
  EXPECT_THAT(both.out, AllOf(HasSubstr("Seed 2: "), HasSubstr("mean IoU"), HasSubstr("±")));
  EXPECT_EQ(read_file(folder / "runs" / "seed1" / "best.segmentum"), weights);
  const Json result = read_json(json);
  EXPECT_EQ(result, read_json(folder / "runs" / "seeds.json"));
  ASSERT_EQ(result.at("runs").size(), 2U);
  const double one = result.at("runs")[0].at("mean_iou"), two = result.at("runs")[1].at("mean_iou");
  EXPECT_NEAR(result.at("mean_iou").at("mean").get<double>(), (one + two) / 2, 1e-9);
  EXPECT_THAT(read_file(folder / "runs" / "seed2" / "config.toml"), HasSubstr("seed = 2"));

  const Outcome together =
      run({"compare", folder / "runs", folder / "runs" / "seed1", "--data", folder / "data"});
  EXPECT_EQ(together.status, 1);
  EXPECT_THAT(together.err,
              HasSubstr("holds 2 trainings (seed1, seed2); name one of them, such as " +
                        (folder / "runs" / "seed1").string() + "\n"));
}

TEST(Scores, TwoModelsCompared) {
  const fs::path folder = fresh_folder("compare");
  const fs::path a = tiny_model(folder), data = folder / "data", json = folder / "out.json";
  ASSERT_EQ(run(tiny_training(data, folder / "b", 6, {"--seed", "5"})).status, 0);
  for (const std::string name : {"a", "b"}) {
    const fs::path model = name == "a" ? a : folder / "b" / "best.segmentum";
    ASSERT_EQ(run({"eval", model, data, "--json", folder / (name + ".json")}).status, 0);
  }
  const Outcome of_results = run({"compare", folder / "a.json", folder / "b.json", "--json", json,
                                  "--report", folder / "report", "--permutations", "200"});
  EXPECT_EQ(of_results.status, 0) << of_results.err;
  EXPECT_THAT(of_results.out,
              AllOf(HasSubstr("3 pictures"), HasSubstr("p-value"), HasSubstr("Changed most")));
  EXPECT_THAT(read_file(folder / "report" / "report.html"),
              AllOf(HasSubstr("only B is right"), HasSubstr("</html>")));
  const Json first = read_json(json);
  EXPECT_EQ(first.at("images").size(), 3U);

  const Outcome of_runs =
      run({"compare", a, folder / "b", "--data", data, "--json", json, "--permutations", "200"});
  EXPECT_EQ(of_runs.status, 0) << of_runs.err;
  EXPECT_EQ(read_json(json).at("mean_iou_difference"), first.at("mean_iou_difference"));
  EXPECT_EQ(read_json(json).at("p_value"), first.at("p_value"));

  const Outcome without = run({"compare", a, folder / "b"});
  EXPECT_EQ(without.status, 2);
  EXPECT_THAT(without.err, HasSubstr("--data says on which pictures"));
  EXPECT_EQ(run({"compare", a, json, "--data", data}).status, 1);
}

}  // namespace
}  // namespace segmentum
