// CRF-as-RNN from end to end: a network and the CRF behind it learn together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "model_file/model.h"
#include "segmentum/error.h"
#include "train/tiny_dataset.h"
#include "train/trainer.h"

namespace segmentum {
namespace {

using testing::Contains;
using testing::HasSubstr;

class CrfTraining : public testing::Test {
 protected:
  static TrainConfig config(int steps, const std::string& crf) {
    TrainConfig config = tiny_config(steps);
    config.architecture = "fcn8s";
    config.model = {{"width", "2"}, {"fc_channels", "4"},    {"dropout", "0"},
                    {"crf", crf},   {"crf_iterations", "3"}, {"crf_bilateral_sigma", "10"}};
    config.log_every = 1;
    return config;
  }
  Model run(const std::string& name, const TrainConfig& config) {
    return load_model(train(dataset_, config, folder_ / name, false, *executor_, sink_).model);
  }
  std::vector<double> losses(const std::string& name) {
    std::ifstream file(folder_ / name / "log.jsonl");
    std::vector<double> values;
    for (std::string line; std::getline(file, line);) {
      const auto json = nlohmann::json::parse(line);
      if (json.contains("loss")) values.push_back(json.at("loss"));
    }
    return values;
  }

  TemporaryFolder folder_{"crf"};
  Dataset dataset_ = make_tiny_dataset(folder_ / "data");
  std::unique_ptr<Executor> executor_ = make_cpu_executor();
  RecordingSink sink_;
};

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

TEST_F(CrfTraining, TheLossFallsAndTheFieldLearns) {
  const Model model = run("a", config(40, "rnn"));
  const std::vector<double> loss = losses("a");
  ASSERT_EQ(loss.size(), 40u);
  EXPECT_LT(mean_of(std::span(loss).last(8)), 0.8 * mean_of(std::span(loss).first(8)));
  const ParameterStore start = initialise(model.graph, 1);
  for (const char* name : {"crf.spatial", "crf.bilateral", "crf.compatibility"}) {
    EXPECT_FALSE(
        std::ranges::equal(model.parameters.value(name).values(), start.value(name).values()))
        << name;
  }
  const auto& field = std::get<op::MeanField>(model.graph.node(model.graph.output("logits")).op);
  EXPECT_THAT(field.levels, testing::ElementsAre(25.5f, 25.5f, 25.5f));  // 255 * the data's 0.1
}

TEST_F(CrfTraining, GoesOnFromThePlainNetwork) {
  const Model plain = run("plain", config(4, "none"));
  TrainConfig staged = config(1, "rnn");
  staged.init = (folder_ / "plain/best.segmentum").string();
  staged.model = {{"crf", "rnn"}};  // all else is the plain network's
  staged.freeze = "backbone,fc*,bn*,score*,upscore*";
  const Model refined = run("refined", staged);
  EXPECT_EQ(refined.settings.at("width"), "2");
  EXPECT_THAT(sink_.messages, Contains(HasSubstr("re-initialised, not in that model: crf")));
  for (const auto& [name, parameter] : plain.parameters.all()) {
    EXPECT_TRUE(
        std::ranges::equal(parameter.value.values(), refined.parameters.value(name).values()))
        << name;
  }
}

TEST_F(CrfTraining, PostLeavesItsNumbersInTheModelFile) {
  TrainConfig post = config(1, "post");
  post.model["crf_iterations"] = "4";
  const Model model = run("post", post);
  EXPECT_EQ(model.crf, (CrfSettings{.iterations = 4, .bilateral_sigma_px = 10}));
  EXPECT_FALSE(model.parameters.contains("crf.compatibility"));
  EXPECT_EQ(run("rnn", config(1, "rnn")).crf, std::nullopt);
}

// Two classes have one logit, against which the background's is zero.
TEST_F(CrfTraining, OneClassHeadsHaveTwoLabels) {
  dataset_ = make_tiny_dataset(folder_ / "two", 2);
  const Model model = run("two", config(30, "rnn"));
  EXPECT_TRUE(model.one_class_head());
  EXPECT_EQ(model.parameters.value("crf.compatibility").shape(), Shape({2, 2}));
  const std::vector<double> loss = losses("two");
  EXPECT_LT(mean_of(std::span(loss).last(6)), 0.8 * mean_of(std::span(loss).first(6)));
}

}  // namespace
}  // namespace segmentum
