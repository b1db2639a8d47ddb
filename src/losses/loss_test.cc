#include "losses/loss.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "base/threads.h"
#include "segmentum/error.h"
#include "segmentum/image.h"

namespace segmentum {
namespace {

using testing::HasSubstr;
using testing::Throws;
using Labels = std::vector<std::uint16_t>;

auto error_with(const char* text) {
  return Throws<Error>(testing::Property(&Error::what, HasSubstr(text)));
}

Tensor filled(const Shape& shape, std::vector<float> values) {
  Tensor tensor(shape);
  std::ranges::copy(values, tensor.data());
  return tensor;
}

struct Problem {
  Tensor logits;
  Labels labels;
  LossOptions options;
};

Problem random_problem(const Shape& shape, double ignored, std::uint64_t seed) {
  RandomStream random(seed, 0, 0);
  Problem problem{Tensor(shape), Labels(shape.n() * shape.h() * shape.w()), {}};
  for (float& x : problem.logits.values()) x = static_cast<float>(random.normal() * 2);
  const auto values = static_cast<std::uint32_t>(std::max<std::int64_t>(shape.c(), 2));
  for (auto& label : problem.labels) {
    label = static_cast<std::uint16_t>(random.below(values));
    if (random.chance(ignored)) label = kIgnoreLabel;
  }
  for (std::uint32_t k = 0; k < values; ++k) {
    problem.options.class_weights.push_back(static_cast<float>(random.uniform(0.2, 3)));
  }
  return problem;
}

// p = 1/4, 3/4 in both pixels: -log p = ln 4 for label 0 and ln 4/3 for label 1; dL/dx = (p - y)/2.
TEST(CrossEntropy, CountedByHand) {
  const float ln3 = std::log(3.0f);
  const Tensor logits = filled({1, 2, 1, 2}, {0, 0, ln3, ln3});
  Tensor gradient(logits.shape());
  const LossResult result = cross_entropy(logits.view(), Labels{0, 1}, {}, gradient.view());
  EXPECT_EQ(result.pixels, 2);
  EXPECT_NEAR(result.value, (std::log(4.0) + std::log(4.0 / 3)) / 2, 1e-7);
  const float expected[] = {-0.375f, 0.125f, 0.375f, -0.125f};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(gradient.data()[i], expected[i], 1e-7);

  // Weights 3 and 1: (3 ln 4 + ln 4/3) / 4; the shares of the pixels are 3/4 and 1/4.
  const LossResult weighted =
      cross_entropy(logits.view(), Labels{0, 1}, {.class_weights = {3, 1}}, gradient.view(), 10);
  EXPECT_NEAR(weighted.value, (3 * std::log(4.0) + std::log(4.0 / 3)) / 4, 1e-7);
  EXPECT_NEAR(gradient.data()[0], 10 * 0.75 * -0.75, 1e-6);
  EXPECT_NEAR(gradient.data()[1], 10 * 0.25 * 0.25, 1e-6);
}

// p = 1/4, 3/4 in both pixels. Class weights 3 and 1, of which the second pixel has 4 more: shares
// of 3/8 and 5/8.
TEST(CrossEntropy, AddedWeightsCountedByHand) {
  const float ln3 = std::log(3.0f);
  const Tensor logits = filled({1, 2, 1, 3}, {0, 0, 0, ln3, ln3, ln3});
  Tensor gradient(logits.shape());
  const Labels labels{0, 1, kIgnoreLabel};
  const std::vector<float> added{0, 4, 9};  // that of the ignored pixel counts nowhere
  const LossResult result =
      cross_entropy(logits.view(), {labels, added}, {.class_weights = {3, 1}}, gradient.view());
  EXPECT_EQ(result.pixels, 2);
  EXPECT_NEAR(result.value, 3 / 8.0 * std::log(4.0) + 5 / 8.0 * std::log(4.0 / 3), 1e-7);
  const double expected[] = {3 / 8.0 * -0.75, 5 / 8.0 * 0.25,  0,
                             3 / 8.0 * 0.75,  5 / 8.0 * -0.25, 0};
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(gradient.data()[i], expected[i], 1e-7);
}

TEST(BinaryCrossEntropy, AddedWeightsCountedByHand) {
  const float ln3 = std::log(3.0f);
  const Tensor logits = filled({1, 1, 1, 2}, {ln3, ln3});
  Tensor gradient(logits.shape());
  const Labels labels{1, 0};
  const std::vector<float> added{1, 5};  // 2 and 6 of 8
  const LossResult result = segmentation_loss(logits.view(), {labels, added}, {}, gradient.view());
  EXPECT_NEAR(result.value, 0.25 * std::log(4.0 / 3) + 0.75 * std::log(4.0), 1e-7);
  EXPECT_NEAR(gradient.data()[0], 0.25 * -0.25, 1e-7);
  EXPECT_NEAR(gradient.data()[1], 0.75 * 0.75, 1e-7);
}

TEST(Loss, AddedWeightsThatCannotBeAreRefused) {
  const Tensor logits({1, 2, 1, 2});
  const Labels labels{0, 1};
  const auto loss = [&](const std::vector<float>& added) {
    cross_entropy(logits.view(), {labels, added}, {}, {});
  };
  EXPECT_THAT([&] { loss({1}); },
              error_with("1 weights for logits of 1x2x1x2, which have 2 pixels"));
  EXPECT_THAT([&] { loss({1, -1}); }, error_with("the added weight of pixel 1 is -1"));
}

// sigmoid(ln 3) = 3/4.
TEST(BinaryCrossEntropy, CountedByHand) {
  const float ln3 = std::log(3.0f);
  const Tensor logits = filled({1, 1, 1, 3}, {ln3, ln3, 5});
  Tensor gradient(logits.shape());
  const Labels labels = {1, 0, kIgnoreLabel};
  const LossResult result = segmentation_loss(logits.view(), labels, {}, gradient.view());
  EXPECT_EQ(result.pixels, 2);
  EXPECT_NEAR(result.value, (std::log(4.0 / 3) + std::log(4.0)) / 2, 1e-7);
  EXPECT_NEAR(gradient.data()[0], -0.125, 1e-7);
  EXPECT_NEAR(gradient.data()[1], 0.375, 1e-7);
  EXPECT_EQ(gradient.data()[2], 0);
}

TEST(Loss, EqualsPyTorch) {
  std::ifstream file(SEGMENTUM_SOURCE_DIR "/tests/golden/loss.json");
  for (const auto& golden : nlohmann::json::parse(file)) {
    SCOPED_TRACE(golden.at("name").get<std::string>());
    const auto extents = golden.at("shape").get<std::vector<std::int64_t>>();
    const Shape shape{extents[0], extents[1], extents[2], extents[3]};
    const Tensor logits = filled(shape, golden.at("logits").get<std::vector<float>>());
    const auto expected = golden.at("gradient").get<std::vector<float>>();
    const auto labels = golden.at("labels").get<Labels>();
    const LossOptions options{golden.at("weights").get<std::vector<float>>()};
    Tensor gradient(shape);
    const LossResult result = segmentation_loss(logits.view(), labels, options, gradient.view());
    const double loss = golden.at("loss").get<double>();
    EXPECT_NEAR(result.value, loss, 1e-6 * loss);  // theirs is a sum in single precision
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(gradient.data()[i], expected[i], 1e-7) << i;  // about one ulp of the largest
    }
  }
}

TEST(Loss, GradientEqualsFiniteDifferences) {
  for (const Shape& shape : {Shape{2, 4, 3, 3}, Shape{2, 1, 3, 3}}) {
    Problem problem = random_problem(shape, 0.2, 3);
    Tensor gradient(shape);
    segmentation_loss(problem.logits.view(), problem.labels, problem.options, gradient.view());
    for (std::int64_t i = 0; i < shape.count(); ++i) {
      float& x = problem.logits.data()[i];
      const float middle = x, step = 1.0f / 64;
      const auto value_at = [&](float position) {
        x = position;
        return segmentation_loss(problem.logits.view(), problem.labels, problem.options, {}).value;
      };
      const double slope = (value_at(middle + step) - value_at(middle - step)) / (2 * step);
      x = middle;
      // Central differences err by step^2/6 of the third derivative (< 1/8 times the share), and
      // by the rounding of the logits and sums, 1e-7 over the step.
      EXPECT_NEAR(gradient.data()[i], slope, 2e-5) << shape.to_string() << " at " << i;
    }
  }
}

TEST(Loss, NothingUnderIgnoredPixelsCounts) {
  for (const Shape& shape : {Shape{2, 5, 9, 13}, Shape{2, 1, 9, 13}}) {
    Problem problem = random_problem(shape, 0.3, 4);
    Tensor before(shape), after(shape);
    const LossResult first =
        segmentation_loss(problem.logits.view(), problem.labels, problem.options, before.view());
    const std::int64_t plane = shape.h() * shape.w();
    const float wild[] = {1e30f, -1e30f, std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity()};
    for (std::int64_t i = 0; i < shape.count(); ++i) {
      const std::int64_t pixel = i / (plane * shape.c()) * plane + i % plane;
      if (problem.labels[pixel] != kIgnoreLabel) continue;
      EXPECT_EQ(before.data()[i], 0);
      problem.logits.data()[i] = wild[i % 4];
    }
    const LossResult second =
        segmentation_loss(problem.logits.view(), problem.labels, problem.options, after.view());
    EXPECT_EQ(first.value, second.value);
    EXPECT_EQ(first.pixels, second.pixels);
    EXPECT_TRUE(std::ranges::equal(before.values(), after.values()));
  }
}

TEST(Loss, NoLabelledPixelIsZero) {
  Problem problem = random_problem({1, 3, 4, 4}, 1.0, 5);
  Tensor gradient = random_problem({1, 3, 4, 4}, 0, 6).logits.clone();
  const LossResult result =
      cross_entropy(problem.logits.view(), problem.labels, problem.options, gradient.view());
  EXPECT_EQ(result.value, 0);
  EXPECT_EQ(result.pixels, 0);
  for (float g : gradient.values()) EXPECT_EQ(g, 0);
}

TEST(Loss, SameBitsForAnyThreadCount) {
  for (const Shape& shape : {Shape{3, 6, 37, 41}, Shape{3, 1, 37, 41}}) {
    const Problem problem = random_problem(shape, 0.1, 8);
    Tensor one(shape), three(shape);
    const int before = threads();
    set_threads(1);
    const double value_of_one =
        segmentation_loss(problem.logits.view(), problem.labels, problem.options, one.view()).value;
    set_threads(3);
    const double value_of_three =
        segmentation_loss(problem.logits.view(), problem.labels, problem.options, three.view())
            .value;
    set_threads(before);
    EXPECT_EQ(value_of_one, value_of_three);
    EXPECT_TRUE(std::ranges::equal(one.values(), three.values()));
  }
}

TEST(Loss, LargeLogitsStayFinite) {
  const Tensor logits = filled({1, 2, 1, 2}, {1e4f, -1e4f, -1e4f, 1e4f});
  Tensor gradient(logits.shape());
  const LossResult result = cross_entropy(logits.view(), Labels{1, 1}, {}, gradient.view());
  EXPECT_EQ(result.value, 1e4);  // (2e4 + 0) / 2
  EXPECT_EQ(gradient.data()[0], 0.5f);
  EXPECT_EQ(gradient.data()[2], -0.5f);
}

TEST(Loss, NotANumberIsNotHidden) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor logits = filled({1, 3, 1, 1}, {0, nan, 0});
  EXPECT_TRUE(std::isnan(cross_entropy(logits.view(), Labels{0}, {}, {}).value));
}

TEST(Loss, RejectsWhatDoesNotFit) {
  const Tensor logits({1, 3, 2, 2});
  const auto loss = [&](const Labels& labels, const LossOptions& options, TensorView gradient) {
    return [&logits, labels, options, gradient] {
      cross_entropy(logits.view(), labels, options, gradient);
    };
  };
  Tensor wrong({1, 3, 2, 1});
  EXPECT_THAT(loss({0, 1, 2, 3}, {}, {}), error_with("label 3 at x=1, y=1 of picture 0"));
  EXPECT_THAT(loss({0, 1, 2}, {}, {}), error_with("3 labels for logits of 1x3x2x2"));
  EXPECT_THAT(loss({0, 1, 2, 0}, {{1, 1}}, {}), error_with("2 class weights for 3 classes"));
  EXPECT_THAT(loss({0, 1, 2, 0}, {{1, -1, 1}}, {}), error_with("a class weight is -1"));
  EXPECT_THAT(loss({0, 1, 2, 0}, {}, wrong.view()), error_with("the gradient is 1x3x2x1"));
  EXPECT_THAT(
      [&] {
        binary_cross_entropy(logits.view(), Labels{0, 1, 1, 0}, {}, {});
      },
      error_with("needs [N,1,H,W]"));
}

}  // namespace
}  // namespace segmentum
