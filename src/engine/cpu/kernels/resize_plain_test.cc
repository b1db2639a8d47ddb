#include "engine/cpu/kernels/resize_plain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "engine/cpu/kernels/testing.h"

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

// Narrower and wider than a vector, magnified and reduced, by ratios whole and not.
TEST(ResizePlain, BlendsRowsThenColumns) {
  const std::array<std::array<std::int64_t, 2>, 8> widths{
      {{1, 4}, {1, 23}, {5, 20}, {7, 21}, {20, 33}, {17, 136}, {40, 40}, {50, 19}}};
  for (const auto& [in, out] : widths) {
    for (const auto mode : {Interpolation::bilinear, Interpolation::nearest}) {
      for (const bool corners : {false, true}) {
        Tensor x = random_tensor({1, 11, 3, in}, 1);
        const Blocked blocked(x);
        Tensor y({1, 11, 5, out});
        resize_to_plain(blocked.view, mode, corners, plain_view(y));
        const auto rows = resize_taps(3, 5, mode, corners);
        const auto columns = resize_taps(in, out, mode, corners);
        for (std::int64_t i = 0; i < 11 * 5 * out; ++i) {
          const ResizeTap& row = rows[static_cast<std::size_t>(i / out % 5)];
          const ResizeTap& column = columns[static_cast<std::size_t>(i % out)];
          const std::int64_t channel = i / out / 5;
          const auto blend = [&](std::int64_t at) {
            const double above = x(0, channel, row.first, at);
            return above + (x(0, channel, row.second, at) - above) * row.weight;
          };
          const double left = blend(column.first), right = blend(column.second);
          ASSERT_NEAR(y.values()[static_cast<std::size_t>(i)],
                      left + (right - left) * column.weight, 2e-6)
              << in << " -> " << out << " at " << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace segmentum::cpu
