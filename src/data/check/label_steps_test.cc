#include "data/check/label_steps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/label_values.h"
#include "image/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;

LabelEncoding encoding_to(std::uint16_t greatest) {
  LabelEncoding encoding;
  for (std::uint16_t value = 0; value <= greatest; ++value) encoding.to_class[value] = value;
  return encoding;
}

RawMask row_of(std::initializer_list<std::uint8_t> values) {
  return {make_image<std::uint8_t>(1, static_cast<int>(values.size()), 1, values), {}};
}

LabelSteps steps_of(const RawMask& mask) {
  return count_steps(mask, decode_known_labels(mask, encoding_to(9)));
}

TEST(LabelSteps, SharpBordersAndRamps) {
  // 1 to 4 at once; then down to 0 through 3 and 1, in order.
  const LabelSteps steps = steps_of(row_of({1, 1, 1, 4, 4, 4, 3, 1, 0, 0, 0}));
  EXPECT_EQ(steps.sharp, 1);
  EXPECT_EQ(steps.ramps, 1);
}

TEST(LabelSteps, WhatIsNotBetweenIsNoRamp) {
  EXPECT_EQ(steps_of(row_of({0, 0, 0, 7, 4, 4, 4})).ramps, 0);        // 7 is above both
  EXPECT_EQ(steps_of(row_of({0, 0, 0, 2, 1, 4, 4, 4})).ramps, 0);     // not in order
  EXPECT_EQ(steps_of(row_of({0, 0, 0, 2, 2, 2, 4, 4, 4})).ramps, 0);  // a class of its own
  EXPECT_EQ(steps_of(row_of({0, 0, 0, 1, 1, 1})).sharp, 0);           // nothing lies between
  EXPECT_EQ(steps_of(row_of({0, 0, 0, 2, 200, 4, 4, 4})).ramps, 0);   // 200 is no class
  EXPECT_EQ(steps_of(row_of({0, 0, 1, 4, 4})).ramps, 0);              // too short to tell
}

TEST(LabelSteps, ColumnsCountLikeRows) {
  const RawMask column{make_image<std::uint8_t>(7, 1, 1, {0, 0, 0, 2, 4, 4, 4}), {}};
  EXPECT_EQ(steps_of(column).ramps, 1);
}

TEST(LabelSteps, RampsAreForgottenAndFilled) {
  const RawMask mask = row_of({0, 0, 0, 1, 3, 4, 4, 4});
  LabelMap labels = decode_known_labels(mask, encoding_to(9));
  forget_ramps(mask, labels);
  EXPECT_EQ(labels(0, 3), kUnknownLabel);
  EXPECT_EQ(labels(0, 4), kUnknownLabel);
  fill_unknown(labels, 2);
  EXPECT_THAT(labels.labels(), ElementsAre(0, 0, 0, 0, 4, 4, 4, 4));
}

TEST(LabelSteps, UnknownPixelsBeyondTheReachAreIgnored) {
  LabelMap labels(1, 6, kUnknownLabel);
  labels(0, 0) = 3;
  fill_unknown(labels, 2);
  EXPECT_THAT(labels.labels(), ElementsAre(3, 3, 3, kIgnoreLabel, kIgnoreLabel, kIgnoreLabel));
  LabelMap empty(1, 2, kUnknownLabel);
  fill_unknown(empty, 5);
  EXPECT_THAT(empty.labels(), ElementsAre(kIgnoreLabel, kIgnoreLabel));
}

}  // namespace
}  // namespace segmentum
