#include "metrics/mask_precision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

/// A mask of `height` rows at (top, left), marked everywhere.
Mask full(int top, int left, int height, int width) {
  return {top, left, height, width,
          std::vector<std::uint8_t>(static_cast<std::size_t>(height * width), 1)};
}

// 1 1 2 2
// 1 1 2 2
// 0 0 2 i
LabelMap two_instances() {
  LabelMap ids(3, 4);
  for (const int y : {0, 1}) {
    for (const int x : {0, 1}) ids(y, x) = 1;
    for (const int x : {2, 3}) ids(y, x) = 2;
  }
  ids(2, 2) = 2;
  ids(2, 3) = kIgnoreLabel;
  return ids;
}

TEST(MaskOverlap, CountsPixels) {
  const LabelMap ids = two_instances();
  const auto sizes = instance_sizes(ids);
  EXPECT_EQ(sizes[1], 4);
  EXPECT_EQ(sizes[2], 5);
  EXPECT_EQ(sizes[0], 0);
  // Three of the first instance's columns: 2 + 2 of it, 1 + 1 of the second.
  const auto overlaps = mask_overlaps(full(0, 0, 2, 3), ids, sizes);
  ASSERT_EQ(overlaps.size(), 2u);
  EXPECT_EQ(overlaps[0].id, 1);
  EXPECT_DOUBLE_EQ(overlaps[0].iou, 4.0 / 6);
  EXPECT_DOUBLE_EQ(overlaps[1].iou, 2.0 / (6 + 5 - 2));
  EXPECT_EQ(mask_iou(full(2, 0, 1, 2), ids, sizes, 1), 0);
  Mask some = full(0, 0, 3, 4);
  some.marks[0] = 0;
  EXPECT_DOUBLE_EQ(mask_iou(some, ids, sizes, 1), 3.0 / 11);  // 10 others, the ignored one left out
}

TEST(MaskOverlap, IgnoredPixelsAreInNeither) {
  const LabelMap ids = two_instances();
  const auto sizes = instance_sizes(ids);
  EXPECT_DOUBLE_EQ(mask_iou(full(0, 2, 3, 2), ids, sizes, 2), 1);
  EXPECT_THROW(mask_overlaps(full(2, 3, 1, 2), ids, sizes), Error);
}

ScoredMask claim(double score, int picture, std::uint16_t id, double iou) {
  return {score, picture, {{id, iou}}};
}

// Four instances; in the order of scores: right, wrong, right, wrong (taken), right.
// Precision where recall rises: 1, 2/3, 3/5. Made to fall: the same. AP = (1 + 2/3 + 3/5) / 4.
TEST(AveragePrecision, AsByHand) {
  const std::vector<ScoredMask> masks{claim(0.5, 0, 2, 0.9), claim(0.9, 0, 1, 0.6),
                                      claim(0.8, 0, 2, 0.4), claim(0.6, 0, 1, 0.95),
                                      claim(0.7, 1, 1, 0.5)};
  EXPECT_DOUBLE_EQ(*average_precision(masks, 4, 0.5), (1 + 2.0 / 3 + 3.0 / 5) / 4);
  // At 0.7 only 0.9 at the fourth place (0.6: the instance is free now) and the fifth count:
  // 0.9 wrong, 0.8 wrong, 0.7 wrong, 0.6 right, 0.5 right: precision 1/4, 2/5, made to fall 2/5.
  EXPECT_DOUBLE_EQ(*average_precision(masks, 4, 0.7), 2 * (2.0 / 5) / 4);
}

TEST(AveragePrecision, EachMaskClaimsTheInstanceThatItOverlapsMost) {
  // The second mask prefers instance 1, which is taken: it does not get instance 2.
  const std::vector<ScoredMask> masks{{0.9, 0, {{1, 0.8}}}, {0.8, 0, {{1, 0.7}, {2, 0.6}}}};
  EXPECT_DOUBLE_EQ(*average_precision(masks, 2, 0.5), 0.5);
}

TEST(AveragePrecision, Ends) {
  EXPECT_EQ(average_precision({}, 0, 0.5), std::nullopt);
  EXPECT_EQ(average_precision({}, 3, 0.5), 0.0);
  EXPECT_EQ(average_precision({{0.9, 0, {}}}, 3, 0.5), 0.0);
  EXPECT_EQ(average_precision({claim(0.1, 0, 7, 1)}, 1, 0.7), 1.0);
}

}  // namespace
}  // namespace segmentum
