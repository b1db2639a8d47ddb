#include "losses/class_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::HasSubstr;
using testing::Throws;

constexpr double kNoCap = std::numeric_limits<double>::infinity();

auto error_with(const char* text) {
  return Throws<Error>(testing::Property(&Error::what, HasSubstr(text)));
}

TEST(ClassWeights, NoneIsOneForEachClass) {
  const std::vector<std::int64_t> pixels = {5, 0, 7}, pictures = {12, 0, 12};
  EXPECT_THAT(class_weights(WeightRule::none, pixels, pictures, kNoCap), ElementsAre(1, 1, 1));
}

// Two pictures of 100 pixels: class 0 fills half of both, class 1 has 20 pixels of one,
// class 2 has 10 of both together. f = 1/2, 1/5, 1/20; the median is 1/5.
TEST(ClassWeights, MedianFrequencyCountedByHand) {
  const std::vector<std::int64_t> pixels = {100, 20, 10}, pictures = {200, 100, 200};
  EXPECT_THAT(class_weights(WeightRule::median_frequency, pixels, pictures, kNoCap),
              ElementsAre(FloatEq(0.4f), FloatEq(1), FloatEq(4)));
  EXPECT_THAT(class_weights(WeightRule::median_frequency, pixels, pictures, 2.5),
              ElementsAre(FloatEq(0.4f), FloatEq(1), FloatEq(2.5f)));
}

// f = 1/2 and 1/10 of the classes that occur: the median is their mean, 3/10.
TEST(ClassWeights, AbsentClassWeighsNothingAndIsNotInTheMedian) {
  const std::vector<std::int64_t> pixels = {50, 0, 10}, pictures = {100, 0, 100};
  EXPECT_THAT(class_weights(WeightRule::median_frequency, pixels, pictures, kNoCap),
              ElementsAre(FloatEq(0.6f), 0, FloatEq(3)));
}

// ln(1.02 + 0.98) = ln 2; ln(1.02 + 0.02) = ln 1.04.
TEST(ClassWeights, EnetCountedByHand) {
  const std::vector<std::int64_t> pixels = {98, 2, 0}, pictures = {100, 100, 0};
  EXPECT_THAT(class_weights(WeightRule::enet, pixels, pictures, kNoCap),
              ElementsAre(FloatEq(static_cast<float>(1 / std::log(2.0))),
                          FloatEq(static_cast<float>(1 / std::log(1.04))), 0));
}

// beta = 1/2: 1 pixel counts 1, 2 count 1 + 1/2; weights 1 and 2/3, scaled by 6/5.
TEST(ClassWeights, EffectiveNumberCountedByHand) {
  const std::vector<std::int64_t> pixels = {1, 2, 0}, pictures = {3, 3, 0};
  EXPECT_THAT(class_weights(WeightRule::effective_number, pixels, pictures, kNoCap, 0.5),
              ElementsAre(FloatEq(1.2f), FloatEq(0.8f), 0));
  EXPECT_THAT(class_weights(WeightRule::effective_number, pixels, pictures, kNoCap, 0.0),
              ElementsAre(FloatEq(1), FloatEq(1), 0));
}

// By default beta = 1 - 1/n for a mean of n = 10^6 pixels: a class of 100 pixels counts nearly 100,
// one of 2 * 10^6 - 100 counts 10^6 (1 - e^-2).
TEST(ClassWeights, EffectiveNumberOfMillionsOfPixels) {
  const std::vector<std::int64_t> pixels = {1'999'900, 100}, pictures = {2'000'000, 2'000'000};
  const auto weights = class_weights(WeightRule::effective_number, pixels, pictures, kNoCap);
  EXPECT_NEAR(weights[0] + weights[1], 2, 1e-6);
  EXPECT_NEAR(weights[1] / weights[0], 1e6 * (1 - std::exp(-2.0)) / 100, 5);  // of 8647
}

TEST(ClassWeights, NothingLabelledGivesNoWeight) {
  const std::vector<std::int64_t> none = {0, 0};
  EXPECT_THAT(class_weights(WeightRule::median_frequency, none, none, 5), ElementsAre(0, 0));
  EXPECT_THAT(class_weights(WeightRule::enet, none, none, 5), ElementsAre(0, 0));
  EXPECT_THAT(class_weights(WeightRule::effective_number, none, none, 5), ElementsAre(0, 0));
}

TEST(ClassWeights, RejectsCountsThatDisagree) {
  const std::vector<std::int64_t> one = {1}, two = {1, 1}, nine = {9};
  EXPECT_THAT([&] { class_weights(WeightRule::enet, one, two, 5); }, error_with("of 1 classes"));
  EXPECT_THAT([&] { class_weights(WeightRule::enet, nine, one, 5); }, error_with("has 9 pixels"));
  EXPECT_THAT([&] { class_weights(WeightRule::enet, one, one, 0); }, error_with("must be > 0"));
  EXPECT_THAT([&] { class_weights(WeightRule::effective_number, one, one, 5, 1.0); },
              error_with("must be from 0 to below 1"));
}

}  // namespace
}  // namespace segmentum
