#include "metrics/spread.h"

#include <gtest/gtest.h>

#include <array>

namespace segmentum {
namespace {

// Mean 3, squares 4 + 1 + 9 over 2.
TEST(Spread, CountedByHand) {
  const Spread spread = spread_of(std::array{1.0, 2.0, 6.0});
  EXPECT_EQ(spread.count, 3);
  EXPECT_DOUBLE_EQ(spread.mean, 3);
  EXPECT_DOUBLE_EQ(spread.deviation * spread.deviation, 7);
  EXPECT_EQ(spread.low, 1);
  EXPECT_EQ(spread.high, 6);
}

TEST(Spread, OfOneAndOfNone) {
  EXPECT_EQ(spread_of(std::array{0.5}).deviation, 0);
  EXPECT_EQ(spread_of({}).count, 0);
}

}  // namespace
}  // namespace segmentum
