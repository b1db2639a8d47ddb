// What the program says about itself, and to those who call it wrongly.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/file.h"
#include "program.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kVerbs[] = {
    "init",     "check",   "convert", "fetch",      "train",  "rerun",  "eval",
    "predict",  "compare", "crf",     "crf-search", "import", "export", "convert-classifier",
    "describe", "bench",   "models",  "ceiling",    "demo",   "version"};

/// One line on standard error, nothing else anywhere.
void expect_refusal(const std::vector<std::string>& arguments, int status,
                    const std::string& message) {
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.status, status);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(line_count(outcome.err), 1) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(StartsWith("segmentum: "), HasSubstr(message)));
}

TEST(Usage, HelpShowsEveryVerbAndAnExample) {
  for (const char* word : {"--help", "-h", "help"}) {
    const Outcome outcome = run({word});
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.err, "");
    EXPECT_THAT(outcome.out, HasSubstr("Example:"));
    for (const char* verb : kVerbs) {
      EXPECT_THAT(outcome.out, HasSubstr("\n  " + std::string(verb) + " "));
    }
  }
}

TEST(Usage, EveryVerbExplainsItself) {
  for (const std::string verb : kVerbs) {
    const Outcome outcome = run({verb, "--help"});
    EXPECT_EQ(outcome.status, 0) << verb;
    EXPECT_EQ(outcome.err, "") << verb;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("Usage: segmentum " + verb),
                                   HasSubstr("Example:\n  segmentum " + verb)));
    EXPECT_EQ(run({"help", verb}).out, outcome.out);
  }
}

TEST(Usage, TrainListsItsSettingsWithDefaults) {
  const std::string help = run({"train", "--help"}).out;
  EXPECT_THAT(help, testing::ContainsRegex("\n  lr +0\\.002 +learning rate\n"));
  EXPECT_THAT(help, testing::ContainsRegex("\n  augment.scale_max +1\\.5 "));
}

TEST(Usage, TrainExplainsSettingsFoldersAndStatus) {
  const std::string help = run({"train", "--help"}).out;
  for (const char* says :
       {"--set takes one or more KEY=VALUE", "(default: 1)", "2,000 steps, and at least 10 epochs",
        "A resumed run keeps its own settings", "--fixed\nchooses nothing",
        "Exit status: 0 trained; 1 failed", "\n  lr.PART ", "\n  model.NAME ", "\n  border_weight ",
        "--init MODEL", "--freeze PARTS"}) {
    EXPECT_THAT(help, HasSubstr(says));
  }
}

TEST(Usage, NothingAtAllIsWrongUsage) {
  const Outcome outcome = run({});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("Usage: segmentum COMMAND"));
}

TEST(Usage, WrongWordsGetASuggestion) {
  expect_refusal({"trian"}, 2, "there is no command \"trian\"; did you mean \"train\"?");
  expect_refusal({"predict", "m", "p", "--out", "o", "--ovrlay"}, 2,
                 "there is no option --ovrlay; did you mean \"--overlay\"?");
  expect_refusal({"train", "data", "--model", "unett"}, 2, "did you mean \"unet\"?");
  expect_refusal({"train", "data", "--set", "learning_rate=1"}, 2, "did you mean lr");
  expect_refusal({"train", "data", "--set", "model.widht=8"}, 2, "did you mean \"width\"?");
}

TEST(Usage, MissingAndMisshapenArguments) {
  expect_refusal({"predict", "m", "p"}, 2, "--out is required");
  expect_refusal({"eval", "m"}, 2, "DATA is required");
  expect_refusal({"version", "all"}, 2, "\"all\" is one argument too many");
  expect_refusal({"models", "unett"}, 2, "there is no network \"unett\"; did you mean \"unet\"?");
  expect_refusal({"import", "a.pth", "--as", "unet"}, 2,
                 "import needs --as NETWORK and --out FILE");
  expect_refusal({"import", "a.pth", "--as", "unett", "--out", "m"}, 2, "did you mean \"unet\"?");
  expect_refusal({"import", "a.pth", "--as", "unet", "--out", "m", "--mean", "1,,2"}, 2,
                 "--mean is \"1,,2\"; expected a number for each channel");
  expect_refusal({"import", "a.onnx", "--as", "unet", "--out", "m"}, 2,
                 "an ONNX file brings its own network; --as is for checkpoints");
  expect_refusal({"import", "a.onnx"}, 2, "import needs --out FILE, or --list");
  expect_refusal({"import", "a.pth", "--as", "unet", "--out", "m", "--output", "y"}, 2,
                 "--output is for ONNX files");
  expect_refusal({"export", "m"}, 2, "FILE is required");
  expect_refusal({"export", "m", "a.onnx", "--size", "360"}, 2, "--size is \"360\"");
  expect_refusal({"export", "m", "a.onnx", "--opset", "9"}, 2, "expected a whole number from 11");
  expect_refusal({"export", "m", "a.onnx", "--argmax", "--all-outputs"}, 2, "exclude each other");
  expect_refusal({"describe", "unet", "--size", "360"}, 2,
                 "--size is \"360\"; expected HEIGHTxWIDTH");
  expect_refusal({"version", "--json"}, 2, "--json");
  expect_refusal({"demo", "--threads", "two"}, 2, "--threads is \"two\"; expected a whole number");
  expect_refusal({"demo", "--steps", "0"}, 2, "--steps is \"0\"; expected a whole number from 1");
  expect_refusal({"train", "data", "--set", "lr"}, 2, "expected KEY=VALUE");
  expect_refusal({"train", "data", "--epochs", "3", "--minutes", "5"}, 2, "give one");
  expect_refusal({"predict", "m", "p", "--out", "o", "--values", "colour"}, 2,
                 "--values is \"colour\"; expected index or source");
  for (const char* wrong : {"1,", "half", "0.75,,1", "0", "20"}) {
    expect_refusal({"eval", "m", "d", "--scales", wrong}, 2, "a number from 0.1 to 10");
  }
  expect_refusal({"predict", "m", "p", "--out", "o", "--boxes", "b.json", "--scales", "1,2"}, 2,
                 "--scales does not go with --boxes");
  expect_refusal({"predict", "m", "p", "--out", "o", "--boxes", "b.json", "--flip"}, 2,
                 "--flip does not go with --boxes");
  expect_refusal({"eval", "m", "d", "--boxes", "ground-truth", "--report", "r"}, 2,
                 "--report does not go with --boxes");
}

TEST(Usage, VersionTellsBuildAndCpu) {
  const auto json = fresh_folder("version") / "version.json";
  const Outcome outcome = run({"version", "--json", json});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("oneDNN "), HasSubstr("Highway "),
                                 testing::ContainsRegex("OpenMP +[3-9]\\.[0-9]\n"),
                                 HasSubstr("compiler "), HasSubstr("threads ")));
  const auto parsed = nlohmann::json::parse(read_file(json));
  EXPECT_THAT(outcome.out, StartsWith("segmentum " + parsed.at("version").get<std::string>()));
  EXPECT_EQ(run({"--version"}).out, outcome.out);
}

#ifndef __SANITIZE_ADDRESS__
TEST(Usage, StartsWithin30MillisecondsOfCpuTime) {
  double best = 1;
  for (int i = 0; i < 5; ++i) best = std::min(best, run({"version"}).cpu_seconds);
  EXPECT_LT(best, 0.030);
}
#endif

TEST(Usage, ModelsAreListedWithSettings) {
  const auto json = fresh_folder("models") / "models.json";
  const Outcome outcome = run({"models", "--json", json});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("unet:"), HasSubstr("fcn8s:"), HasSubstr("width")));
  EXPECT_EQ(nlohmann::json::parse(read_file(json)).at("models").at(0).at("name"), "unet");
}

TEST(Usage, OneModelInColumns) {
  const auto json = fresh_folder("one_model") / "model.json";
  const Outcome outcome = run({"models", "fcn8s", "--json", json});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(StartsWith("fcn8s: "), testing::Not(HasSubstr("fcn16s: "))));
  const auto models = nlohmann::json::parse(read_file(json)).at("models");
  ASSERT_EQ(models.size(), 1u);
  // Meanings stand below each other, whatever the names and defaults before them.
  std::istringstream lines(outcome.out);
  std::string line;
  std::getline(lines, line);
  std::getline(lines, line);  // the paper
  std::set<std::size_t> columns;
  for (const auto& setting : models[0].at("settings")) {
    std::getline(lines, line);
    EXPECT_THAT(line, HasSubstr("    " + setting.at("name").get<std::string>() + " "));
    columns.insert(line.find("  " + setting.at("meaning").get<std::string>() + "; "));
  }
  EXPECT_EQ(columns.size(), 1u);
  EXPECT_FALSE(columns.contains(std::string::npos));
}

TEST(Usage, JsonGoesIntoAFolderThatIsThere) {
  const auto folder = fresh_folder("json_folder");
  const std::string file = folder / "missing" / "a.json";
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"version"}, {"models"}, {"train", "data"}, {"describe", "unet"}}) {
    std::vector<std::string> words = command;
    words.insert(words.end(), {"--json", file});
    expect_refusal(words, 1, file + ": cannot be written: there is no folder");
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "missing"));
}

TEST(Usage, DescribeOfAModelTakesNoOptionsOfArchitectures) {
  // The words are wrong whether the file is there or not.
  const std::string model = "missing.segmentum";
  expect_refusal({"describe", model, "--set", "width=999"}, 2,
                 "--set is for the name of an architecture; missing.segmentum is a model");
  expect_refusal({"describe", model, "--classes", "7"}, 2, "--classes is for");
  expect_refusal({"describe", "--selftest", model, "--channels", "9"}, 2, "--channels is for");
  expect_refusal({"describe", model, "--size", "8x8"}, 1, "missing.segmentum");
}

TEST(Usage, DescribeCountsByHand) {
  // Width 1, depth 1, no norm: 3x3 convolutions with bias 3->1, 1->1, 1->2, 2->2; transposed 2x2
  // 2->1; 3x3 2->1, 1->1; head 1x1 1->5. 28 + 10 + 20 + 38 + 9 + 19 + 10 + 10 = 144 numbers.
  const auto json = fresh_folder("describe") / "unet.json";
  const Outcome outcome = run({"describe", "unet", "--set", "width=1", "depth=1", "norm=none",
                               "--classes", "5", "--size", "7x9", "--json", json});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("logits 1x5x7x9"), HasSubstr("receptive field")));
  const auto content = nlohmann::json::parse(read_file(json));
  EXPECT_EQ(content.at("parameters"), 144);
  // A 2x2 transposed convolution: each pixel of the result comes from one of the input.
  const auto by_phase = content.at("upsampling").at(0).at("overlap").at("by_phase");
  EXPECT_EQ(by_phase, (std::vector<std::vector<int>>{{1, 1}, {1, 1}}));
  expect_refusal({"describe", "unett"}, 2, "did you mean \"unet\"?");
  expect_refusal({"describe", "unet", "--set", "widht=3"}, 2, "did you mean \"width\"?");
  expect_refusal({"describe", "--selftest", "unet"}, 2, "--selftest checks a .segmentum file");
}

TEST(Usage, DescribeTellsWhatIsReadOfABox) {
  const Outcome outcome =
      run({"describe", "hypercolumn_boxes", "--set", "width=2", "side=64", "grid=2"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("logits 1x2x64x64"), HasSubstr(" for 1x3x64x64: one box\n")));
}

}  // namespace
}  // namespace segmentum
