// The losses for rare classes: by hand, against PyTorch, against finite differences.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "base/threads.h"
#include "losses/loss.h"
#include "losses/region_losses.h"
#include "segmentum/error.h"
#include "segmentum/image.h"

namespace segmentum {
namespace {

using Labels = std::vector<std::uint16_t>;

constexpr const char* kAll[] = {"focal",    "dice", "tversky", "lovasz",
                                "boundary", "ohem", "top_k",   "0.5*focal+dice+0.25*boundary"};

/// Two classes of equal probability where the logits are 0, one row of pixels.
Tensor undecided(std::int64_t pixels) {
  return Tensor({1, 2, 1, pixels});
}

double loss_of(const char* text, ConstTensorView logits, const Targets& targets,
               TensorView gradient = {}) {
  return segmentation_loss(logits, targets, {.terms = parse_loss(text)}, gradient).value;
}

// p = 1/2 everywhere. Class 0: 1 true pixel, I = 1/2, P = 3/2; class 1: 2, I = 1, P = 3/2.
TEST(RegionLosses, DiceCountedByHand) {
  const Tensor logits = undecided(4);
  const Labels labels{0, 1, 1, kIgnoreLabel};
  const double first = 1 - 2 * 0.5 / (1.5 + 1), second = 1 - 2 * 1 / (1.5 + 2);
  EXPECT_NEAR(loss_of("dice", logits.view(), labels), (first + second) / 2, 1e-7);
}

// False positives P - I = 1 and 1/2, false negatives T - I = 1/2 and 1.
TEST(RegionLosses, TverskyCountedByHand) {
  const Tensor logits = undecided(3);
  const Labels labels{0, 1, 1};
  const double first = 1 - 0.5 / (0.5 + 0.3 * 1 + 0.7 * 0.5);
  const double second = 1 - 1 / (1 + 0.3 * 0.5 + 0.7 * 1);
  EXPECT_NEAR(loss_of("tversky", logits.view(), labels), (first + second) / 2, 1e-7);
}

// Errors are 1/2 throughout, so the rises of 1 - IoU add up to 1 for each class.
TEST(RegionLosses, LovaszCountedByHand) {
  const Tensor logits = undecided(3);
  EXPECT_NEAR(loss_of("lovasz", logits.view(), Labels{0, 1, 1}), 0.5, 1e-7);
  // One labelled pixel of p = 1/4: its class is there alone, and all of its IoU is at stake.
  Tensor sure = undecided(2);
  sure.data()[2] = std::log(3.0f);
  EXPECT_NEAR(loss_of("lovasz", sure.view(), Labels{0, kIgnoreLabel}), 0.75, 1e-6);
}

// The Lovász extension equals 1 - IoU where every pixel is decided.
TEST(RegionLosses, LovaszOfDecidedPixelsIsTheJaccardLoss) {
  Tensor logits = undecided(4);
  const Labels predicted{0, 0, 1, 1}, labels{0, 1, 1, 1};
  for (std::size_t i = 0; i < 4; ++i) logits.data()[4 * predicted[i] + i] = 100;
  EXPECT_NEAR(loss_of("lovasz", logits.view(), labels), (1 - 1.0 / 2 + 1 - 2.0 / 3) / 2, 1e-6);
  EXPECT_NEAR(loss_of("lovasz", logits.view(), predicted), 0, 1e-6);
  EXPECT_NEAR(loss_of("dice", logits.view(), predicted), 0, 1e-6);
}

// Against the definition, sorted by comparing. Logits of three values make many equal errors, of
// which the earlier pixel comes first.
TEST(RegionLosses, LovaszOfManyPixelsIsThatOfTheDefinition) {
  constexpr std::int64_t kPictures = 3, kClasses = 5, kPlane = std::int64_t{37} * 41;
  RandomStream random(5, 0, 0);
  Tensor logits({kPictures, kClasses, 37, 41});
  for (float& logit : logits.values()) logit = static_cast<float>(random.below(3));
  Labels labels(kPictures * kPlane);
  for (auto& label : labels) label = static_cast<std::uint16_t>(random.below(kClasses));
  for (std::size_t i = 0; i < labels.size(); i += 7) labels[i] = kIgnoreLabel;
  const ClassProbabilities p(logits.view(), labels);
  Tensor slopes(p.shape()), expected(p.shape());
  const double value = lovasz_loss(p, slopes.view(), 1);
  double sum = 0;
  for (int k = 0; k < kClasses; ++k) {
    std::vector<std::pair<float, std::int64_t>> errors;
    double truth = 0, seen = 0, others = 0, before = 0;
    for (std::int64_t i = 0; i < kPictures * kPlane; ++i) {
      const std::uint16_t label = labels[static_cast<std::size_t>(i)];
      if (label == kIgnoreLabel) continue;
      const float of_class = p.of(i / kPlane, k)[i % kPlane];
      errors.emplace_back(label == k ? 1 - of_class : of_class, i);
      truth += label == k;
    }
    std::ranges::stable_sort(errors, std::greater{}, &std::pair<float, std::int64_t>::first);
    for (const auto& [error, i] : errors) {
      const bool is_true = labels[static_cast<std::size_t>(i)] == k;
      (is_true ? seen : others) += 1;
      const double rise = 1 - (truth - seen) / (truth + others) - before;
      before += rise;
      sum += error * rise / kClasses;
      expected.data()[(i / kPlane * kClasses + k) * kPlane + i % kPlane] =
          static_cast<float>((is_true ? -rise : rise) / kClasses);
    }
  }
  EXPECT_NEAR(value, sum, 1e-9);
  for (std::size_t i = 0; i < expected.values().size(); ++i) {
    ASSERT_NEAR(slopes.values()[i], expected.values()[i], 1e-9) << i;
  }
}

// Row 0 0 1 1: distances of class 0 are -1, 0, +1, +2 and those of class 1 the other way round, all
// with p = 1/2, over 4 pixels and 2 classes.
TEST(RegionLosses, BoundaryCountedByHand) {
  Tensor logits = undecided(4);
  Tensor gradient(logits.shape());
  EXPECT_NEAR(loss_of("boundary", logits.view(), Labels{0, 0, 1, 1}, gradient.view()),
              2 * 0.5 * (-1 + 0 + 1 + 2) / 8, 1e-7);
  // dL/dp differs by -1 - 2 at the first pixel, and p (1 - p) = 1/4.
  EXPECT_NEAR(gradient.data()[0], 0.25 * (-1 - 2) / 8, 1e-7);
  // An ignored pixel makes no border but keeps its place: distances -2, -1 and +2 of class 0.
  EXPECT_NEAR(loss_of("boundary", logits.view(), Labels{0, 0, kIgnoreLabel, 1}),
              (0.5 * (-2 - 1 + 2) + 0.5 * (3 + 2 - 1)) / 6, 1e-7);
  EXPECT_EQ(loss_of("boundary", logits.view(), Labels{1, 1, 1, 1}), 0);  // no border
}

// p = 1/2: (1/2)^2 ln 2.
TEST(FocalLoss, CountedByHand) {
  const Tensor logits = undecided(2);
  EXPECT_NEAR(loss_of("focal", logits.view(), Labels{0, 1}), 0.25 * std::log(2.0), 1e-7);
  const LossOptions plain{.terms = parse_loss("focal"), .focal_gamma = 0};
  EXPECT_NEAR(segmentation_loss(logits.view(), Labels{0, 1}, plain, {}).value, std::log(2.0), 1e-7);
}

TEST(FocalLoss, GammaZeroIsCrossEntropy) {
  for (const Shape& shape : {Shape{2, 3, 4, 5}, Shape{2, 1, 4, 5}}) {
    RandomStream random(1, 0, 0);
    Tensor logits(shape), focal(shape), entropy(shape);
    for (float& x : logits.values()) x = static_cast<float>(random.normal() * 30);
    Labels labels(40);
    for (auto& label : labels) label = static_cast<std::uint16_t>(random.below(2));
    const LossOptions options{.terms = parse_loss("focal"), .focal_gamma = 0};
    const double value = segmentation_loss(logits.view(), labels, options, focal.view()).value;
    EXPECT_EQ(value, loss_of("cross_entropy", logits.view(), labels, entropy.view()));
    EXPECT_TRUE(std::ranges::equal(focal.values(), entropy.values()));
  }
}

TEST(ImbalanceLosses, EqualPyTorch) {
  std::ifstream file(SEGMENTUM_SOURCE_DIR "/tests/golden/imbalance_losses.json");
  int cases = 0;
  for (const auto& golden : nlohmann::json::parse(file)) {
    const auto text = golden.at("loss").get<std::string>();
    const auto extents = golden.at("shape").get<std::vector<std::int64_t>>();
    SCOPED_TRACE(text + (extents[1] > 1 ? ", softmax" : ", sigmoid"));
    const Shape shape{extents[0], extents[1], extents[2], extents[3]};
    Tensor logits(shape), gradient(shape);
    std::ranges::copy(golden.at("logits").get<std::vector<float>>(), logits.data());
    const auto labels = golden.at("labels").get<Labels>();
    const LossOptions options{.class_weights = golden.at("weights").get<std::vector<float>>(),
                              .terms = parse_loss(text)};
    const double value = segmentation_loss(logits.view(), labels, options, gradient.view()).value;
    EXPECT_NEAR(value, golden.at("value").get<double>(), 1e-6);  // theirs is in double precision
    const auto expected = golden.at("gradient").get<std::vector<float>>();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(gradient.data()[i], expected[i], 1e-6) << i;
    }
    ++cases;
  }
  EXPECT_EQ(cases, 16);
}

struct Problem {
  Tensor logits;
  Labels labels;
};

Problem random_problem(const Shape& shape, double ignored, std::uint64_t seed) {
  RandomStream random(seed, 0, 0);
  Problem problem{Tensor(shape),
                  Labels(static_cast<std::size_t>(shape.n() * shape.h() * shape.w()))};
  for (float& x : problem.logits.values()) x = static_cast<float>(random.normal() * 2);
  const auto values = static_cast<std::uint32_t>(std::max<std::int64_t>(shape.c(), 2));
  for (auto& label : problem.labels) {
    label = static_cast<std::uint16_t>(random.below(values));
    if (random.chance(ignored)) label = kIgnoreLabel;
  }
  return problem;
}

TEST(ImbalanceLosses, GradientEqualsFiniteDifferences) {
  // Not those that choose or sort pixels: their slopes jump where the order changes.
  for (const char* text : {"focal", "dice", "tversky", "boundary", "cross_entropy+0.5*dice"}) {
    for (const Shape& shape : {Shape{2, 4, 3, 3}, Shape{2, 1, 3, 3}}) {
      Problem problem = random_problem(shape, 0.2, 3);
      Tensor gradient(shape);
      loss_of(text, problem.logits.view(), problem.labels, gradient.view());
      for (std::int64_t i = 0; i < shape.count(); ++i) {
        float& x = problem.logits.data()[i];
        const float middle = x, step = 1.0f / 32;
        x = middle + step;
        const double above = loss_of(text, problem.logits.view(), problem.labels);
        x = middle - step;
        const double below = loss_of(text, problem.logits.view(), problem.labels);
        x = middle;
        // Central differences err by step^2/6 of the third derivative, and by rounding, 1e-7/step.
        EXPECT_NEAR(gradient.data()[i], (above - below) / (2 * step), 1e-4)
            << text << " " << shape.to_string() << " at " << i;
      }
    }
  }
}

TEST(ImbalanceLosses, NothingUnderIgnoredPixelsCounts) {
  const float wild[] = {1e30f, -1e30f, std::numeric_limits<float>::quiet_NaN(),
                        std::numeric_limits<float>::infinity()};
  for (const char* text : kAll) {
    for (const Shape& shape : {Shape{2, 5, 9, 13}, Shape{2, 1, 9, 13}}) {
      Problem problem = random_problem(shape, 0.3, 4);
      Tensor before(shape), after(shape);
      const double first = loss_of(text, problem.logits.view(), problem.labels, before.view());
      const std::int64_t plane = shape.h() * shape.w();
      for (std::int64_t i = 0; i < shape.count(); ++i) {
        const std::int64_t pixel = i / (plane * shape.c()) * plane + i % plane;
        if (problem.labels[static_cast<std::size_t>(pixel)] != kIgnoreLabel) continue;
        EXPECT_EQ(before.data()[i], 0) << text;
        problem.logits.data()[i] = wild[i % 4];
      }
      EXPECT_EQ(first, loss_of(text, problem.logits.view(), problem.labels, after.view())) << text;
      EXPECT_TRUE(std::ranges::equal(before.values(), after.values())) << text;
    }
  }
}

TEST(ImbalanceLosses, NoLabelledPixelIsZeroAndNotANumberIsNotHidden) {
  for (const char* text : kAll) {
    Problem problem = random_problem({1, 3, 4, 4}, 1.0, 5);
    Tensor gradient = random_problem({1, 3, 4, 4}, 0, 6).logits.clone();
    EXPECT_EQ(loss_of(text, problem.logits.view(), problem.labels, gradient.view()), 0) << text;
    for (const float g : gradient.values()) EXPECT_EQ(g, 0) << text;
    problem = random_problem({1, 3, 4, 4}, 0, 5);
    problem.logits.data()[5] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(loss_of(text, problem.logits.view(), problem.labels))) << text;
  }
}

TEST(ImbalanceLosses, SameBitsForAnyThreadCount) {
  for (const char* text : kAll) {
    const Problem problem = random_problem({3, 6, 37, 41}, 0.1, 8);
    Tensor one({3, 6, 37, 41}), three({3, 6, 37, 41});
    const auto run = [&](int count, Tensor& gradient) {
      const ThreadsInScope scope(count);
      return loss_of(text, problem.logits.view(), problem.labels, gradient.view());
    };
    EXPECT_EQ(run(1, one), run(3, three)) << text;
    EXPECT_TRUE(std::ranges::equal(one.values(), three.values())) << text;
  }
}

TEST(ImbalanceLosses, AStepDownhillLowersEachOfThem) {
  for (const char* text : kAll) {
    Problem problem = random_problem({2, 4, 8, 8}, 0.1, 9);
    Tensor gradient(problem.logits.shape());
    const double before = loss_of(text, problem.logits.view(), problem.labels, gradient.view());
    double squares = 0;
    for (const float g : gradient.values()) squares += static_cast<double>(g) * g;
    const double step = 0.05 / squares;  // lowers a straight loss by 0.05
    for (std::int64_t i = 0; i < gradient.shape().count(); ++i) {
      problem.logits.data()[i] -= static_cast<float>(0.02 * step * gradient.data()[i]);
    }
    EXPECT_LT(loss_of(text, problem.logits.view(), problem.labels), before) << text;
  }
}

TEST(ImbalanceLosses, RejectWhatMakesNoSense) {
  const auto error_with = [](const char* text) {
    return testing::Throws<Error>(testing::Property(&Error::what, testing::HasSubstr(text)));
  };
  const Tensor logits = undecided(2);
  const auto loss = [&](const LossOptions& options, const Labels& labels) {
    return [&logits, options, labels] { segmentation_loss(logits.view(), labels, options, {}); };
  };
  EXPECT_THAT(loss({.terms = {}}, {0, 1}), error_with("a loss without terms"));
  EXPECT_THAT(loss({.terms = parse_loss("focal"), .focal_gamma = -1}, {0, 1}),
              error_with("the gamma of a focal loss is -1"));
  EXPECT_THAT(loss({.terms = parse_loss("tversky"), .tversky_beta = 0}, {0, 1}),
              error_with("expected alpha >= 0 and beta > 0"));
  for (const char* text : kAll) {
    EXPECT_THAT(loss({.terms = parse_loss(text)}, {0, 2}), error_with("label 2 at x=1, y=0"));
    EXPECT_THAT(loss({.terms = parse_loss(text)}, {0}), error_with("1 labels for logits"));
  }
}

}  // namespace
}  // namespace segmentum
