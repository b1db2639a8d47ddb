#include "metrics/border_thinning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "metrics/segments.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Segments are letters, '.' is border, '?' ignored; what becomes of them.
std::vector<std::string> thinned(const std::vector<std::string>& rows) {
  LabelMap truth(static_cast<int>(rows.size()), static_cast<int>(rows[0].size()));
  std::vector<std::int32_t> segments;
  for (int y = 0; y < truth.height(); ++y) {
    for (int x = 0; x < truth.width(); ++x) {
      const char c = rows[y][x];
      if (c == '?') truth(y, x) = kIgnoreLabel;
      segments.push_back(c == '.' || c == '?' ? kNoSegment : c);
    }
  }
  thin_borders(segments, truth);
  std::vector<std::string> result = rows;
  for (int y = 0; y < truth.height(); ++y) {
    for (int x = 0; x < truth.width(); ++x) {
      const std::int32_t s = segments[static_cast<std::size_t>(y * truth.width() + x)];
      result[y][x] = truth(y, x) == kIgnoreLabel ? '?'
                     : s == kNoSegment           ? '.'
                                                 : static_cast<char>(s);
    }
  }
  return result;
}

using Rows = std::vector<std::string>;

TEST(BorderThinning, ALineOfOnePixelStays) {
  EXPECT_EQ(thinned({"A.B"}), (Rows{"A.B"}));
  EXPECT_EQ(thinned({"AA.", "A.B", ".BB"}), (Rows{"AA.", "A.B", ".BB"}));
}

TEST(BorderThinning, ThickBordersShrinkFromBothSides) {
  EXPECT_EQ(thinned({"A...B"}), (Rows{"AA.BB"}));
  EXPECT_EQ(thinned({"A....B"}), (Rows{"AAA.BB"}));  // of two, the one that is reached later
  EXPECT_EQ(thinned({"A..B"}), (Rows{"AA.B"}));
  EXPECT_EQ(thinned({"..A...B."}), (Rows{"AAAA.BBB"}));
}

TEST(BorderThinning, WhatSeparatesNothingVanishes) {
  EXPECT_EQ(thinned({"AAAAA", "AA..A", "AAAAA", "....."}),
            (Rows{"AAAAA", "AAAAA", "AAAAA", "AAAAA"}));
  EXPECT_EQ(thinned({"...", "..."}), (Rows{"...", "..."}));  // no segment to grow
}

// Four cells meet: all corners are reached at once, and the centre from no side.
TEST(BorderThinning, WhereCellsMeetTheLineHoldsTogether) {
  EXPECT_EQ(thinned({"A.B", "...", "C.D"}), (Rows{"A.B", "...", "C.D"}));
  EXPECT_EQ(thinned({"A...B", ".....", ".....", ".....", "C...D"}),
            (Rows{"AA.BB", "AA.BB", ".....", "CC.DD", "CC.DD"}));
}

TEST(BorderThinning, IgnoredPixelsAreNotCrossed) {
  EXPECT_EQ(thinned({"A.?.."}), (Rows{"AA?.."}));
  EXPECT_EQ(thinned({"A.?..B"}), (Rows{"AA?BBB"}));
}

// Whatever the borders: segments keep their pixels and number, none touches another one, each hangs
// together, and every pixel of border that is left separates two of them or lies within the line.
TEST(BorderThinning, NeitherJoinsNorCuts) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    RandomStream random(seed, 0, 0);
    constexpr int kHeight = 19, kWidth = 23;
    LabelMap labels(kHeight, kWidth);
    for (auto& label : labels.labels()) label = random.chance(0.15 + 0.03 * seed);
    const std::vector<std::int32_t> before = segments_of(labels, labels, 1);
    std::vector<std::int32_t> after = before;
    thin_borders(after, labels);
    LabelMap grown(kHeight, kWidth);
    for (std::size_t i = 0; i < after.size(); ++i) {
      EXPECT_TRUE(before[i] == kNoSegment || after[i] == before[i]) << seed;
      grown.labels()[i] = after[i] != kNoSegment;
    }
    const std::vector<std::int32_t> apart = segments_of(grown, grown, 1);
    const auto count = [](const std::vector<std::int32_t>& all) {
      return std::set<std::int32_t>(all.begin(), all.end()).size();
    };
    ASSERT_THAT(before, testing::Contains(kNoSegment));
    std::set<std::pair<std::int32_t, std::int32_t>> pairs;
    for (std::size_t i = 0; i < after.size(); ++i) {
      if (after[i] != kNoSegment) pairs.insert({after[i], apart[i]});
    }
    EXPECT_EQ(pairs.size(), count(before) - 1) << seed;  // each is one component, and alone in it
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        if (after[static_cast<std::size_t>(y * kWidth + x)] != kNoSegment) continue;
        std::set<std::int32_t> around;
        const auto look = [&](int v, int u) {
          if (v < 0 || v >= kHeight || u < 0 || u >= kWidth) return;
          const std::int32_t s = after[static_cast<std::size_t>(v * kWidth + u)];
          if (s != kNoSegment) around.insert(s);
        };
        look(y - 1, x), look(y + 1, x), look(y, x - 1), look(y, x + 1);
        EXPECT_NE(around.size(), 1U) << seed << ": " << y << ", " << x;
      }
    }
  }
}

TEST(BorderThinning, RejectsOtherSizes) {
  std::vector<std::int32_t> segments(5);
  EXPECT_THAT(
      [&] { thin_borders(segments, LabelMap(2, 3)); },
      testing::Throws<Error>(testing::Property(
          &Error::what, testing::HasSubstr("segments of 5 pixels, but the labels are 3x2"))));
}

}  // namespace
}  // namespace segmentum
