// From a folder of pictures to masks for new ones, as a person goes.
#include <gmock/gmock.h>

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
using testing::Not;
using Json = nlohmann::json;

Json read_json(const fs::path& path) {
  return Json::parse(read_file(path));
}

TEST(Workflow, InitTrainEvalPredictDescribe) {
  const fs::path folder = fresh_folder("workflow");
  const fs::path data = folder / "data", run_folder = folder / "run", json = folder / "out.json";
  write_tiny_scenes(data);

  const Outcome init = run({"init", data, "--json", json});
  EXPECT_EQ(init.status, 0) << init.err;
  EXPECT_THAT(init.out, AllOf(HasSubstr("8 classes: sky, building"), HasSubstr("64x48"),
                              HasSubstr("Wrote " + (data / "dataset.toml").string())));
  EXPECT_EQ(read_json(json).at("splits").at("train"), 8);

  const Outcome training =
      run(tiny_training(data / "dataset.toml", run_folder, 8, {"--json", json, "--seed", "3"}));
  EXPECT_EQ(training.status, 0) << training.err;
  EXPECT_EQ(training.err, "");
  EXPECT_THAT(training.out, AllOf(HasSubstr("epoch 2 of 2"), HasSubstr("mean IoU"),
                                  Not(HasSubstr("\r")), Not(HasSubstr("\x1b"))));
  for (const char* file : {"config.toml", "log.jsonl", "best.segmentum", "report.html"}) {
    EXPECT_TRUE(fs::exists(run_folder / file)) << file;
  }
  EXPECT_EQ(read_json(json).at("steps"), 8);
  EXPECT_THAT(read_file(run_folder / "config.toml"), HasSubstr("seed = 3"));

  const std::string model = run_folder / "best.segmentum";
  const Outcome eval = run({"eval", model, data, "--split", "test", "--report", folder / "scores",
                            "--json", json, "--csv", folder / "images.csv", "--rand", "road"});
  EXPECT_EQ(eval.status, 0) << eval.err;
  EXPECT_THAT(eval.out, AllOf(HasSubstr("mean IoU"), HasSubstr("pole"), HasSubstr("Rand error")));
  EXPECT_EQ(read_json(json).at("pictures"), 3);
  EXPECT_TRUE(read_json(json).at("scores").is_object());
  EXPECT_THAT(read_file(folder / "scores" / "report.html"), HasSubstr("</html>"));
  EXPECT_EQ(line_count(read_file(folder / "scores" / "images.csv")), 4);
  EXPECT_EQ(read_file(folder / "images.csv"), read_file(folder / "scores" / "images.csv"));

  const Outcome predict = run({"predict", model, data / "test", "--out", folder / "masks",
                               "--overlay", "--probabilities", "--json", json});
  EXPECT_EQ(predict.status, 0) << predict.err;
  EXPECT_EQ(read_json(json).at("written"), 3);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "masks"), {}), 9);

  const Outcome describe = run({"describe", model, "--size", "48x64", "--json", json});
  EXPECT_EQ(describe.status, 0) << describe.err;
  EXPECT_THAT(describe.out, AllOf(HasSubstr("logits 1x8x48x64"), HasSubstr("pavement")));
  EXPECT_EQ(read_json(json).at("classes").size(), 8);

  const Outcome selftest = run({"describe", "--selftest", model, "--json", json});
  EXPECT_EQ(selftest.status, 0) << selftest.err;
  EXPECT_THAT(selftest.out, HasSubstr("self-test passed"));
  EXPECT_EQ(read_json(json).at("passed"), true);
}

TEST(Workflow, MasksHaveExactlyThePicturesSize) {
  const fs::path folder = fresh_folder("sizes");
  const fs::path model = tiny_model(folder);
  const std::vector<std::pair<int, int>> sizes{{1, 1}, {1, 9}, {7, 5}, {33, 41}, {64, 63}};
  for (const auto& [h, w] : sizes) {
    const std::string name = std::to_string(h) + "x" + std::to_string(w) + ".png";
    write_png(folder / "in" / name, Image(h, w, 3));
  }
  const Outcome outcome = run({"predict", model, folder / "in", "--out", folder / "out", "--values",
                               "source", "--flip", "--tile", "32"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  for (const auto& [h, w] : sizes) {
    const ImageSize size =
        image_size(folder / "out" / (std::to_string(h) + "x" + std::to_string(w) + ".png"));
    EXPECT_EQ(size.height, h);
    EXPECT_EQ(size.width, w);
  }
}

TEST(Workflow, InitKeepsWhatAPersonDecided) {
  const fs::path folder = fresh_folder("init_again");
  write_tiny_scenes(folder);
  EXPECT_EQ(run({"init", folder}).status, 0);
  const Outcome again = run({"init", folder});
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.err, AllOf(HasSubstr("is already there"), HasSubstr("--force")));
  EXPECT_EQ(run({"init", folder, "--force"}).status, 0);
}

TEST(Workflow, DataThatMayNotBeWrittenTo) {
  const fs::path folder = fresh_folder("read_only");
  const fs::path data = folder / "data", description = folder / "elsewhere" / "data.toml";
  write_tiny_scenes(data);
  fs::permissions(data, fs::perms::owner_read | fs::perms::owner_exec);
  const Outcome refused = run({"init", data});
  const Outcome outside = run({"init", data, "--out", description});
  const Outcome training = run(tiny_training(description, folder / "run", 2));
  const bool untouched = !fs::exists(data / "dataset.toml");
  fs::permissions(data, fs::perms::owner_all);

  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("is read-only"), HasSubstr("--out")));
  EXPECT_TRUE(untouched);
  EXPECT_EQ(outside.status, 0) << outside.err;
  EXPECT_EQ(training.status, 0) << training.err;
}

TEST(Workflow, ASeedChoosesTheSplit) {
  const fs::path folder = fresh_folder("seeded");
  write_tiny_scenes(folder / "scenes");
  fs::create_directories(folder / "data");
  fs::rename(folder / "scenes" / "train", folder / "data" / "images");
  fs::rename(folder / "scenes" / "trainannot", folder / "data" / "masks");
  const auto split = [&](const std::string& seed) {
    const fs::path file = folder / ("seed" + seed + ".toml");
    EXPECT_EQ(run({"init", folder / "data", "--out", file, "--seed", seed, "--force"}).status, 0);
    return read_file(file);
  };
  EXPECT_EQ(split("1"), split("1"));
  EXPECT_NE(split("1").substr(split("1").find("[splits]")),
            split("2").substr(split("2").find("[splits]")));
}

TEST(Workflow, ABarOnATerminal) {
  const fs::path folder = fresh_folder("terminal");
  write_tiny_scenes(folder / "data");
  const Outcome outcome = run_on_terminal(
      tiny_training(folder / "data", folder / "run", 400, {"--set", "validate_every=50"}), 100);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("\r\x1b[Ktrain  "), HasSubstr("█"),
                                 HasSubstr("\r\x1b[Kepoch 100 of 100")));
}

}  // namespace
}  // namespace segmentum
