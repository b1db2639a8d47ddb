#include "train/optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/threads.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Tensor tensor(std::initializer_list<float> values) {
  Tensor result({static_cast<std::int64_t>(values.size())});
  std::ranges::copy(values, result.data());
  return result;
}

ParameterStore weight_and_bias() {
  ParameterStore store;
  store.add("conv.weight", ParameterRole::weight, tensor({1}));
  store.add("conv.bias", ParameterRole::bias, tensor({1}));
  store.add("bn.running_mean", ParameterRole::running_mean, tensor({7}));
  return store;
}

Gradients halves() {
  Gradients gradients;
  gradients.emplace("conv.weight", tensor({0.5f}));
  gradients.emplace("conv.bias", tensor({0.5f}));
  return gradients;
}

TEST(Optimizer, SgdByHand) {
  ParameterStore store = weight_and_bias();
  Optimizer sgd({.kind = OptimizerKind::sgd, .weight_decay = 0.1, .momentum = 0.9}, store);
  sgd.step(store, halves(), 0.1);
  EXPECT_FLOAT_EQ(store.value("conv.weight").data()[0], 0.94f);  // 1 - 0.1 * (0.5 + 0.1 * 1)
  EXPECT_FLOAT_EQ(store.value("conv.bias").data()[0], 0.95f);    // biases do not decay
  sgd.step(store, halves(), 0.1);
  // v = 0.9 * 0.6 + (0.5 + 0.1 * 0.94) = 1.134
  EXPECT_FLOAT_EQ(store.value("conv.weight").data()[0], 0.8266f);
  EXPECT_EQ(store.value("bn.running_mean").data()[0], 7);
  EXPECT_EQ(sgd.steps(), 2);
}

TEST(Optimizer, NesterovLooksAhead) {
  ParameterStore store = weight_and_bias();
  Optimizer sgd({.kind = OptimizerKind::sgd, .weight_decay = 0, .momentum = 0.9, .nesterov = true},
                store);
  sgd.step(store, halves(), 0.1);
  EXPECT_FLOAT_EQ(store.value("conv.weight").data()[0], 0.905f);  // 1 - 0.1 * (0.5 + 0.9 * 0.5)
}

TEST(Optimizer, AdamwsFirstStepIsTheLearningRate) {
  ParameterStore store = weight_and_bias();
  Optimizer adamw({.kind = OptimizerKind::adamw, .weight_decay = 0.1}, store);
  adamw.step(store, halves(), 0.1);
  // Corrected mean / root of the corrected square = 0.5 / 0.5, whatever the gradient.
  EXPECT_FLOAT_EQ(store.value("conv.weight").data()[0], 1 - 0.1f * 0.1f - 0.1f);
  EXPECT_FLOAT_EQ(store.value("conv.bias").data()[0], 0.9f);
}

TEST(Optimizer, DecayAllReachesBiases) {
  ParameterStore store = weight_and_bias();
  Optimizer adamw({.kind = OptimizerKind::adamw, .weight_decay = 0.1, .decay_all = true}, store);
  adamw.step(store, halves(), 0.1);
  EXPECT_FLOAT_EQ(store.value("conv.bias").data()[0], 0.89f);
}

// As two parameter groups of PyTorch: the bias at a tenth of the rate.
TEST(Optimizer, PartsHaveLearningRatesOfTheirOwn) {
  const std::map<std::string, double> factors{{"conv", 0.5}, {"*.bias", 0.1}};
  ParameterStore store = weight_and_bias();
  Optimizer sgd({.kind = OptimizerKind::sgd, .weight_decay = 0.1}, store, {.lr_factors = factors});
  sgd.step(store, halves(), 0.1);
  EXPECT_FLOAT_EQ(store.value("conv.weight").data()[0], 0.97f);  // 1 - 0.05 * (0.5 + 0.1 * 1)
  EXPECT_FLOAT_EQ(store.value("conv.bias").data()[0], 0.995f);   // 1 - 0.01 * 0.5
  ParameterStore other = weight_and_bias();
  Optimizer adamw({.weight_decay = 0.1}, other, {.lr_factors = factors});
  adamw.step(other, halves(), 0.1);
  EXPECT_FLOAT_EQ(other.value("conv.weight").data()[0], 1 - 0.05f * 0.1f - 0.05f);
  EXPECT_FLOAT_EQ(other.value("conv.bias").data()[0], 0.99f);
}

TEST(Optimizer, TheLongestPatternDecides) {
  const std::map<std::string, double> factors{{"encoder", 0.1}, {"encoder.0", 0.01}, {"head", 10}};
  const Parts unet({"encoder.0.conv1.weight", "decoder.0.up.weight", "head.bias"});
  EXPECT_EQ(lr_factor(factors, unet, "encoder.0.conv1.weight"), 0.01);
  EXPECT_EQ(lr_factor(factors, unet, "encoder.1.conv1.weight"), 0.1);
  EXPECT_EQ(lr_factor(factors, unet, "head.bias"), 10);
  EXPECT_EQ(lr_factor(factors, unet, "decoder.0.up.weight"), 1);
}

// Where no part is called head it is all behind the backbone, unless more is said of a part of it.
TEST(Optimizer, TheHeadIsWhatStandsBehindTheBackbone) {
  const std::map<std::string, double> factors{{"backbone", 0.1}, {"fc6", 2}, {"head", 10}};
  const Parts fcn({"conv1_1.weight", "fc6.weight", "score_fr.weight"});
  EXPECT_EQ(lr_factor(factors, fcn, "conv1_1.weight"), 0.1);
  EXPECT_EQ(lr_factor(factors, fcn, "fc6.weight"), 2);
  EXPECT_EQ(lr_factor(factors, fcn, "score_fr.weight"), 10);
}

TEST(Optimizer, FrozenParametersHaveNoState) {
  ParameterStore store = weight_and_bias();
  Optimizer adamw({}, store, {.frozen = {"conv.weight"}});
  EXPECT_EQ(adamw.state().size(), 2u);  // mean and square of the bias
  EXPECT_TRUE(adamw.state().contains("mean.conv.bias"));
}

TEST(Optimizer, MarksParametersAsChanged) {
  ParameterStore store = weight_and_bias();
  const std::uint64_t before = store.at("conv.weight").version;
  Optimizer(OptimizerOptions{}, store).step(store, halves(), 0.1);
  EXPECT_GT(store.at("conv.weight").version, before);
  EXPECT_EQ(store.at("bn.running_mean").version, 0u);
}

TEST(Optimizer, SameBitsForAnyThreadCount) {
  const auto train = [](int count) {
    set_threads(count);
    ParameterStore store;
    Tensor value({100'003});
    Tensor gradient({100'003});
    for (std::int64_t i = 0; i < value.shape().count(); ++i) {
      value.data()[i] = static_cast<float>(i % 101) * 0.01f;
      gradient.data()[i] = static_cast<float>(i % 37 - 18) * 0.1f;
    }
    store.add("w", ParameterRole::weight, std::move(value));
    Gradients gradients;
    gradients.emplace("w", std::move(gradient));
    Optimizer adamw({}, store);
    for (int step = 0; step < 3; ++step) {
      clip_gradients(gradients, 1.0);
      adamw.step(store, gradients, 0.01);
    }
    set_threads(0);
    const auto values = store.value("w").values();
    return std::vector<float>(values.begin(), values.end());
  };
  EXPECT_EQ(train(1), train(3));
}

TEST(Optimizer, RestoreContinuesWhereItWas) {
  ParameterStore unbroken = weight_and_bias();
  Optimizer first({}, unbroken);
  first.step(unbroken, halves(), 0.1);
  ParameterStore resumed = unbroken.clone();
  std::map<std::string, Tensor> state;
  for (const auto& [name, value] : first.state()) state.emplace(name, value.clone());
  Optimizer second({}, resumed);
  second.restore(std::move(state), first.steps());

  first.step(unbroken, halves(), 0.1);
  second.step(resumed, halves(), 0.1);
  EXPECT_EQ(unbroken.value("conv.weight").data()[0], resumed.value("conv.weight").data()[0]);
}

TEST(Optimizer, SaysWhatDoesNotFit) {
  ParameterStore store = weight_and_bias();
  Optimizer adamw({}, store);
  Gradients stranger;
  stranger.emplace("fc.weight", tensor({1, 2}));
  EXPECT_THAT([&] { adamw.step(store, stranger, 0.1); },
              ThrowsMessage<Error>(HasSubstr("no state of shape 2 for the gradient of fc.weight")));
  EXPECT_THAT([&] { adamw.restore({}, 1); },
              ThrowsMessage<Error>(HasSubstr("optimizer state mean.conv.bias is missing")));
}

TEST(ClipGradients, ScalesToTheNorm) {
  Gradients gradients;
  gradients.emplace("a", tensor({3}));
  gradients.emplace("b", tensor({0, 4}));
  EXPECT_DOUBLE_EQ(global_norm(gradients), 5);
  EXPECT_DOUBLE_EQ(clip_gradients(gradients, 10), 5);  // small enough: untouched
  EXPECT_EQ(gradients.at("a").data()[0], 3);
  EXPECT_DOUBLE_EQ(clip_gradients(gradients, 1), 5);
  EXPECT_NEAR(gradients.at("a").data()[0], 0.6, 1e-6);
  EXPECT_NEAR(gradients.at("b").data()[1], 0.8, 1e-6);
}

TEST(ClipGradients, LeavesWhatIsNotFinite) {
  Gradients gradients;
  gradients.emplace("a", tensor({3, std::numeric_limits<float>::infinity()}));
  EXPECT_EQ(clip_gradients(gradients, 1), std::numeric_limits<double>::infinity());
  EXPECT_EQ(gradients.at("a").data()[0], 3);
}

}  // namespace
}  // namespace segmentum
