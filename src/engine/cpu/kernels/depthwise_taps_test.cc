#include "engine/cpu/kernels/depthwise_taps.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace segmentum::cpu {
namespace {

/// "0: x0*w1 x1*w2; 1: ...": each result, source pixels times the weights they meet.
std::string written_out(const std::vector<TapSeries>& all, std::int64_t count) {
  std::vector<std::string> sums(static_cast<std::size_t>(count));
  for (const TapSeries& series : all) {
    for (const TapStretch& stretch : series.stretches) {
      for (std::int64_t m = stretch.begin; m < stretch.end; ++m) {
        std::string& sum = sums.at(static_cast<std::size_t>(series.start + m * series.spread));
        for (std::int64_t i = stretch.first; i < stretch.last; ++i) {
          const AxisTap& tap = series.taps.at(static_cast<std::size_t>(i));
          sum += " x" + std::to_string(m * series.step + tap.offset);
          sum += "*w" + std::to_string(tap.index);
        }
      }
    }
  }
  std::string text;
  for (std::size_t i = 0; i < sums.size(); ++i) text += std::to_string(i) + ":" + sums[i] + "; ";
  return text;
}

TEST(DepthwiseTaps, ForwardLeavesThePaddingOut) {
  const ConvAxis axis{.in = 3, .out = 3, .kernel = 3, .before = 1};
  EXPECT_EQ(written_out(forward_taps(axis), 3),
            "0: x0*w1 x1*w2; 1: x0*w0 x1*w1 x2*w2; 2: x1*w0 x2*w1; ");
}

TEST(DepthwiseTaps, ForwardWithStrideAndDilation) {
  const ConvAxis axis{.in = 6, .out = 3, .kernel = 2, .stride = 2, .dilation = 3, .before = 1};
  EXPECT_EQ(written_out(forward_taps(axis), 3), "0: x2*w1; 1: x1*w0 x4*w1; 2: x3*w0; ");
}

TEST(DepthwiseTaps, BackwardIsTheTranspose) {
  // y0 = x0*w1 + x1*w2, y1 = x1*w0 + x2*w1 + x3*w2
  const ConvAxis axis{.in = 4, .out = 2, .kernel = 3, .stride = 2, .before = 1};
  EXPECT_EQ(written_out(backward_taps(axis), 4), "0: x0*w1; 1: x0*w2 x1*w0; 2: x1*w1; 3: x1*w2; ");
}

TEST(DepthwiseTaps, BackwardOfAStrideThatADilationSkips) {
  // Stride and dilation 2: odd pixels of the source are never read.
  const ConvAxis axis{.in = 5, .out = 2, .kernel = 2, .stride = 2, .dilation = 2};
  EXPECT_EQ(written_out(backward_taps(axis), 5), "0: x0*w0; 1:; 2: x0*w1 x1*w0; 3:; 4: x1*w1; ");
}

TEST(DepthwiseTaps, StretchesJoinResultsOfTheSameTaps) {
  const ConvAxis axis{.in = 33, .out = 33, .kernel = 3, .dilation = 12, .before = 12};
  const auto series = forward_taps(axis);
  ASSERT_EQ(series.size(), 1U);
  ASSERT_EQ(series[0].stretches.size(), 3U);  // left, middle and right: 12, 9 and 12 results
  EXPECT_EQ(series[0].stretches[1].begin, 12);
  EXPECT_EQ(series[0].stretches[1].end, 21);
}

}  // namespace
}  // namespace segmentum::cpu
