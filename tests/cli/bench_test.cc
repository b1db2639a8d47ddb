// segmentum bench: what it prints, and that its signature depends on the network alone.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "program.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;

std::string signature(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"bench", "--signature"});
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, MatchesRegex("[0-9a-f]{16}\n"));
  return outcome.out;
}

// Winograd's kernel, our direct one, oneDNN's, and depthwise ones.
TEST(Bench, TheSignatureIsTheSameForAnyNumberOfThreads) {
  const std::vector<std::string> network{"deeplab_v3plus", "--set",     "backbone=mobilenet_v2",
                                         "width=8",        "--classes", "5"};
  const auto with_threads = [&](const std::string& threads) {
    std::vector<std::string> arguments = network;
    arguments.insert(arguments.end(), {"--threads", threads});
    return signature(arguments);
  };
  const std::string one = with_threads("1");
  EXPECT_EQ(with_threads("2"), one);
  EXPECT_EQ(with_threads("3"), one);
}

TEST(Bench, AnotherNetworkHasAnotherSignature) {
  const std::string unet = signature({"unet", "--set", "width=16", "depth=2"});
  EXPECT_NE(signature({"unet", "--set", "width=16", "depth=3"}), unet);
  EXPECT_NE(signature({"unet", "--set", "width=16", "depth=2", "--classes", "3"}), unet);
}

TEST(Bench, NetworksOnBoxesHaveOneToo) {
  signature({"hypercolumn_boxes", "--set", "width=4", "--classes", "1"});
}

TEST(Bench, LayersTimesAndFloors) {
  const auto json = fresh_folder("bench") / "layers.json";
  const Outcome outcome =
      run({"bench", "unet", "--set", "width=4", "depth=1", "--size", "24x40", "--train", "--lean",
           "--repeats", "2", "--threads", "1", "--json", json});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(
      outcome.out,
      AllOf(HasSubstr("unet, training with little memory, 1x3x24x40, 1 thread\n"),
            HasSubstr("floor ms"), HasSubstr("memory of the plan"), HasSubstr("signature: ")));
  const auto content = nlohmann::json::parse(read_file(json));
  double seconds = 0;
  bool backward = false;
  for (const auto& layer : content.at("layers")) {
    seconds += layer.at("seconds").get<double>();
    backward |= layer.at("pass") == "backward";
    EXPECT_GT(layer.at("floor_seconds"), 0);
  }
  EXPECT_TRUE(backward);
  EXPECT_DOUBLE_EQ(content.at("seconds"), seconds);
  EXPECT_GT(content.at("machine").at("fma_gflops"), 1);
  EXPECT_THAT(outcome.out, HasSubstr(content.at("signature").get<std::string>()));
}

TEST(Bench, RefusesWhatMeansNothing) {
  EXPECT_EQ(run({"bench", "unet", "--lean"}).status, 2);
  EXPECT_THAT(run({"bench", "unet", "--lean"}).err, HasSubstr("--lean is for --train"));
  EXPECT_THAT(run({"bench", "unett"}).err, HasSubstr("did you mean \"unet\"?"));
  EXPECT_EQ(run({"bench", "missing.segmentum"}).status, 1);
}

}  // namespace
}  // namespace segmentum
