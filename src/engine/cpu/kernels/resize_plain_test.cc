#include "engine/cpu/kernels/resize_plain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segmentum::cpu {
namespace {

using testing::ElementsAre;

// Two pixels to four, half-pixel centred: at -0.25, 0.25, 0.75 and 1.25 of the source.
const std::vector<ResizeTap> kTwoToFour = resize_taps(2, 4, Interpolation::bilinear, false);

TEST(ResizePlain, RunsLieBetweenTheSamePixels) {
  const ResizeRuns runs = resize_runs(kTwoToFour);
  EXPECT_THAT(runs.weights, ElementsAre(0.0f, 0.25f, 0.75f, 0.25f));
  ASSERT_EQ(runs.runs.size(), 2U);
  EXPECT_EQ(runs.runs[0].begin, 0);
  EXPECT_EQ(runs.runs[0].end, 3);
  EXPECT_EQ(runs.runs[0].second, 1);
  EXPECT_EQ(runs.runs[1].first, 1);  // beyond the last centre: the last pixel alone
  EXPECT_EQ(runs.runs[1].second, 1);
}

TEST(ResizePlain, SharesOfARowSumToWhatItGave) {
  const auto shares = row_shares(kTwoToFour, 2);
  ASSERT_EQ(shares.size(), 2U);
  const auto weights = [](const std::vector<RowShare>& of) {
    std::vector<float> all;
    for (const RowShare& share : of) all.push_back(share.weight);
    return all;
  };
  EXPECT_THAT(weights(shares[0]), ElementsAre(1.0f, 0.75f, 0.25f));
  EXPECT_THAT(weights(shares[1]), ElementsAre(0.0f, 0.25f, 0.75f, 1.0f));
}

}  // namespace
}  // namespace segmentum::cpu
