#include "losses/hard_pixels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "segmentum/error.h"
#include "segmentum/image.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using Labels = std::vector<std::uint16_t>;
constexpr std::uint16_t kIgnored = kIgnoreLabel;

/// One row of a one-class head whose pixels are of class 1 with these probabilities.
Tensor logits_of(const std::vector<float>& probabilities) {
  Tensor logits({1, 1, 1, static_cast<std::int64_t>(probabilities.size())});
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    logits.data()[i] = std::log(probabilities[i] / (1 - probabilities[i]));
  }
  return logits;
}

// All are of class 1; below 0.7 are 0.1 and 0.5.
TEST(HardPixels, BelowTheThreshold) {
  const Tensor logits = logits_of({0.9f, 0.1f, 0.5f, 0.8f, 0.3f});
  const Labels labels{1, 1, 1, 1, kIgnored};
  EXPECT_THAT(hard_labels(logits.view(), labels, 0.7, 0),
              ElementsAre(kIgnored, 1, 1, kIgnored, kIgnored));
  // Three quarters of the four labelled pixels: 0.8 as well.
  EXPECT_THAT(hard_labels(logits.view(), labels, 0.7, 0.75),
              ElementsAre(kIgnored, 1, 1, 1, kIgnored));
}

TEST(HardPixels, TopK) {
  const Tensor logits = logits_of({0.9f, 0.1f, 0.5f, 0.8f});
  EXPECT_THAT(hard_labels(logits.view(), Labels{1, 1, 1, 1}, 0, 0.25),
              ElementsAre(kIgnored, 1, kIgnored, kIgnored));
  // As class 0 the first is the least likely; at least one pixel is kept.
  EXPECT_THAT(hard_labels(logits.view(), Labels{0, 0, 0, 0}, 0, 0),
              ElementsAre(0, kIgnored, kIgnored, kIgnored));
}

TEST(HardPixels, SoftmaxAndEquals) {
  Tensor logits({1, 3, 1, 3});  // equal probabilities of 1/3: all are as hard as any
  EXPECT_THAT(hard_labels(logits.view(), Labels{0, 1, 2}, 0, 0.3), ElementsAre(0, 1, 2));
  logits.data()[0] = 9;
  EXPECT_THAT(hard_labels(logits.view(), Labels{0, 1, 2}, 0, 0.3), ElementsAre(kIgnored, 1, 2));
}

TEST(HardPixels, WhatIsNoNumberIsTheHardest) {
  Tensor logits = logits_of({0.9f, 0.5f});
  logits.data()[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(hard_labels(logits.view(), Labels{1, 1}, 0, 0.5), ElementsAre(1, kIgnored));
  EXPECT_THAT(hard_labels(logits.view(), Labels{kIgnored, kIgnored}, 0.7, 0.5),
              ElementsAre(kIgnored, kIgnored));
}

TEST(HardPixels, RejectsWhatIsNoShare) {
  const Tensor logits = logits_of({0.9f});
  EXPECT_THAT([&] { hard_labels(logits.view(), Labels{1}, 1.5, 0.5); },
              testing::Throws<Error>(
                  testing::Property(&Error::what, testing::HasSubstr("both lie between 0 and 1"))));
}

}  // namespace
}  // namespace segmentum
