#include "losses/box_loss.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "image/box.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::HasSubstr;
using Labels = std::vector<std::uint16_t>;

Tensor random_logits(const Shape& shape) {
  Tensor logits(shape);
  RandomStream random(3, 0, 0);
  for (float& value : logits.values()) value = static_cast<float>(3 * random.normal());
  return logits;
}

// log 3 = 1.0986: a probability of 3/4 for being in the object.
TEST(BoxLoss, AsksTheChannelOfTheObject) {
  Tensor logits({2, 2, 1, 2}), gradient(logits.shape());
  logits(0, 0, 0, 0) = std::log(3.0f);  // in: -log 3/4
  logits(0, 0, 0, 1) = std::log(3.0f);  // out: -log 1/4
  logits(1, 1, 0, 0) = std::log(3.0f);  // in
  logits(1, 1, 0, 1) = 77;              // ignored
  logits(1, 0, 0, 0) = 88;              // not this object's channel
  const Labels labels{box_label(0, true), box_label(0, false), box_label(1, true), kIgnoreLabel};
  const LossResult loss = box_loss(std::as_const(logits).view(), labels, gradient.view(), 6);
  EXPECT_EQ(loss.pixels, 3);
  EXPECT_NEAR(loss.value, (2 * std::log(4.0 / 3) + std::log(4.0)) / 3, 1e-6);
  // p - target, times 6 / 3.
  EXPECT_NEAR(gradient(0, 0, 0, 0), -0.5, 1e-6);
  EXPECT_NEAR(gradient(0, 0, 0, 1), 1.5, 1e-6);
  EXPECT_NEAR(gradient(1, 1, 0, 0), -0.5, 1e-6);
  EXPECT_EQ(gradient(1, 1, 0, 1), 0);
  EXPECT_EQ(gradient(1, 0, 0, 0), 0);
  EXPECT_EQ(gradient(0, 1, 0, 0), 0);
}

TEST(BoxLoss, IsBinaryCrossEntropyForOneClass) {
  const Tensor logits = random_logits({2, 1, 5, 7});
  Labels labels(70);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    labels[i] = i % 3 == 2 ? kIgnoreLabel : static_cast<std::uint16_t>(i % 3);
  }
  Tensor a(logits.shape()), b(logits.shape());
  const LossResult boxes = segmentation_loss(logits.view(), labels, {.boxes = true}, a.view());
  const LossResult binary = binary_cross_entropy(logits.view(), labels, {}, b.view());
  EXPECT_NEAR(boxes.value, binary.value, 1e-12);
  EXPECT_EQ(boxes.pixels, binary.pixels);
  for (std::int64_t i = 0; i < 70; ++i) EXPECT_NEAR(a.data()[i], b.data()[i], 1e-9);
}

TEST(BoxLoss, NothingLabelledIsNothingToLearn) {
  const Tensor logits = random_logits({1, 2, 1, 2});
  Tensor gradient(logits.shape());
  gradient.values()[0] = 5;
  const LossResult loss =
      box_loss(logits.view(), Labels{kIgnoreLabel, kIgnoreLabel}, gradient.view());
  EXPECT_EQ(loss.value, 0);
  EXPECT_EQ(loss.pixels, 0);
  EXPECT_THAT(gradient.values(), testing::Each(0));
}

TEST(BoxLoss, RefusesLabelsOfNoClass) {
  const Tensor logits = random_logits({1, 2, 1, 2});
  EXPECT_THAT(
      [&] {
        box_loss(logits.view(), Labels{3, 4}, {});
      },
      testing::ThrowsMessage<Error>(HasSubstr("has label 4, but there are 2 classes")));
  EXPECT_THAT([&] { box_loss(logits.view(), Labels{0}, {}); },
              testing::ThrowsMessage<Error>(HasSubstr("1 labels for logits of 1x2x1x2")));
}

}  // namespace
}  // namespace segmentum
