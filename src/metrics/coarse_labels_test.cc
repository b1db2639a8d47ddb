#include "metrics/coarse_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/resize.h"
#include "metrics/confusion_matrix.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::uint16_t kVoid = kIgnoreLabel;

LabelMap label_map(int height, int width, const std::vector<std::uint16_t>& labels) {
  LabelMap map(height, width);
  std::ranges::copy(labels, map.labels().begin());
  return map;
}

// Cells of 2x2, cut off at the right and at the bottom; the centre is the cell's pixel (1, 1).
TEST(CoarseLabels, NearestTakesTheCentre) {
  const LabelMap labels = label_map(3, 5,
                                    {0, 1, 2, 2, 3,  //
                                     0, 4, 2, 5, 6,  //
                                     7, 8, 9, 9, 1});
  EXPECT_EQ(coarsened(labels, 2, CoarseRule::nearest), label_map(3, 5,
                                                                 {4, 4, 5, 5, 6,  //
                                                                  4, 4, 5, 5, 6,  //
                                                                  8, 8, 9, 9, 1}));
  EXPECT_EQ(coarsened(labels, 1, CoarseRule::nearest), labels);
  EXPECT_EQ(coarsened(labels, 100, CoarseRule::nearest), LabelMap(3, 5, 1));
}

TEST(CoarseLabels, MajorityTakesTheMostFrequent) {
  const LabelMap labels = label_map(2, 4,
                                    {3, 3, kVoid, kVoid,  //
                                     1, 2, kVoid, 5});
  EXPECT_EQ(coarsened(labels, 2, CoarseRule::majority), label_map(2, 4,
                                                                  {3, 3, 5, 5,  //
                                                                   3, 3, 5, 5}));
  EXPECT_EQ(coarsened(label_map(1, 2, {4, 2}), 2, CoarseRule::majority), LabelMap(1, 2, 2));
}

// A cell answers with what it knows; a cell that knows nothing counts nowhere anyhow.
TEST(CoarseLabels, IgnoredPixelsAreNotChosen) {
  const LabelMap labels = label_map(4, 4,
                                    {0, 0, 0, 2,          //
                                     0, 0, 1, kVoid,      //
                                     0, 0, kVoid, kVoid,  //
                                     kVoid, 0, 0, kVoid});
  // The centre (2, 2) is ignored; (1, 2) is the first of those one pixel away.
  EXPECT_EQ(coarsened(labels, 4, CoarseRule::nearest), LabelMap(4, 4, 1));
  const LabelMap nothing(3, 3, kVoid);
  for (CoarseRule rule : {CoarseRule::nearest, CoarseRule::majority}) {
    EXPECT_EQ(coarsened(nothing, 2, rule), nothing);
    ConfusionMatrix matrix(3);
    EXPECT_NO_THROW(matrix.add(coarsened(labels, 2, rule), labels));
  }
}

TEST(CoarseLabels, NearestIsTheImageResizeAtWholeFactors) {
  LabelMap labels(24, 36);
  for (int y = 0; y < 24; ++y) {
    for (int x = 0; x < 36; ++x) labels(y, x) = static_cast<std::uint16_t>((7 * y + 5 * x) % 11);
  }
  for (int factor : {2, 3, 4, 6, 12}) {
    const LabelMap small = resize_nearest(labels, 24 / factor, 36 / factor);
    EXPECT_EQ(coarsened(labels, factor, CoarseRule::nearest), resize_nearest(small, 24, 36));
  }
}

TEST(CoarseLabels, RulesByName) {
  EXPECT_EQ(coarse_rule("nearest"), CoarseRule::nearest);
  EXPECT_EQ(coarse_rule("majority"), CoarseRule::majority);
  EXPECT_FALSE(coarse_rule("mean"));
  EXPECT_THROW(coarsened(LabelMap(1, 1), 0, CoarseRule::nearest), Error);
}

}  // namespace
}  // namespace segmentum
