#include "metrics/segments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/random.h"
#include "metrics/rand_error.h"
#include "metrics/variation_of_information.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::UnorderedElementsAre;
using Segments = std::vector<std::int32_t>;
constexpr std::int32_t kNone = kNoSegment;

// '#' is interior (1), '.' the rest (0), '?' ignored.
LabelMap drawing(const std::vector<std::string>& rows) {
  LabelMap map(static_cast<int>(rows.size()), static_cast<int>(rows[0].size()));
  for (int y = 0; y < map.height(); ++y) {
    for (int x = 0; x < map.width(); ++x) {
      map(y, x) = rows[y][x] == '#' ? 1 : rows[y][x] == '?' ? kIgnoreLabel : 0;
    }
  }
  return map;
}

Segments random_segments(int pixels, int segments, std::uint64_t seed) {
  RandomStream random(seed, 0, 0);
  Segments result;
  for (int i = 0; i < pixels; ++i) {
    result.push_back(static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(segments))));
  }
  return result;
}

TEST(Segments, FourConnectedAndCutByWhatIsIgnored) {
  const LabelMap truth = drawing({"##?#", "#.#."});
  EXPECT_EQ(segments_of(drawing({"####", "#.#."}), truth, 1),
            (Segments{0, 0, kNone, 3, 0, kNone, 6, kNone}));
  EXPECT_THAT([] { segments_of(LabelMap(2, 3), LabelMap(2, 2), 1); },
              testing::Throws<Error>(testing::Property(
                  &Error::what, testing::HasSubstr("is 3x2 but the labels are 2x2"))));
}

// Of six pixels of two true segments (4 and 2), the prediction cuts the first into 3 and a gap.
TEST(SegmentOverlaps, CountedByHand) {
  const Segments truth{7, 7, 7, 7, 9, 9, kNone}, predicted{1, 1, 1, kNone, 2, kNone, 1};
  const SegmentOverlaps apart = segment_overlaps(predicted, truth, Gap::own_segments);
  EXPECT_EQ(apart.pixels, 6);
  EXPECT_THAT(apart.common, UnorderedElementsAre(3, 1, 1, 1));
  EXPECT_THAT(apart.predicted, UnorderedElementsAre(3, 1, 1, 1));
  EXPECT_THAT(apart.truth, UnorderedElementsAre(4, 2));
  const SegmentOverlaps together = segment_overlaps(predicted, truth, Gap::one_segment);
  EXPECT_THAT(together.common, UnorderedElementsAre(3, 1, 1, 1));
  EXPECT_THAT(together.predicted, UnorderedElementsAre(3, 1, 2));
}

// Pairs of different pixels: 6 + 1 in true segments, 3 + 1 (the gap) in predicted ones, of which 3
// are in both.
TEST(AdaptedRand, CountedByHand) {
  const Segments truth{7, 7, 7, 7, 9, 9}, predicted{1, 1, 1, kNone, 2, kNone};
  const auto scores = adapted_rand(segment_overlaps(predicted, truth, Gap::one_segment));
  ASSERT_TRUE(scores);
  EXPECT_DOUBLE_EQ(scores->precision, 3.0 / 4);
  EXPECT_DOUBLE_EQ(scores->recall, 3.0 / 7);
  EXPECT_DOUBLE_EQ(scores->error, 1 - 6.0 / 11);
}

TEST(AdaptedRand, Limits) {
  const Segments one(4, 0), each{0, 1, 2, 3};
  const auto same = adapted_rand(segment_overlaps(one, one, Gap::one_segment));
  EXPECT_EQ(same->error, 0);
  const auto split = adapted_rand(segment_overlaps(each, one, Gap::one_segment));
  EXPECT_EQ(split->recall, 0);
  EXPECT_EQ(split->precision, 1);  // no predicted pair, so none is wrong
  EXPECT_EQ(split->error, 1);
  EXPECT_EQ(adapted_rand(segment_overlaps(each, each, Gap::one_segment))->error, 0);
  EXPECT_FALSE(adapted_rand(segment_overlaps(Segments{1}, Segments{kNone}, Gap::one_segment)));
}

// Halves cut in two, and quarters joined by halves: one bit each.
TEST(VariationOfInformation, CountedByHand) {
  const Segments whole{0, 0, 0, 0}, halves{0, 0, 1, 1}, crossed{0, 1, 0, 1};
  const auto of = [](const Segments& predicted, const Segments& truth) {
    return *variation_of_information(segment_overlaps(predicted, truth, Gap::one_segment));
  };
  EXPECT_DOUBLE_EQ(of(halves, whole).split_bits, 1);
  EXPECT_DOUBLE_EQ(of(halves, whole).merge_bits, 0);
  EXPECT_DOUBLE_EQ(of(whole, halves).split_bits, 0);
  EXPECT_DOUBLE_EQ(of(whole, halves).merge_bits, 1);
  EXPECT_DOUBLE_EQ(of(crossed, halves).total_bits(), 2);
  EXPECT_EQ(of(crossed, crossed).total_bits(), 0);
  // One pixel of four split off: H = 3/4 log2(4/3) + 1/4 log2(4).
  EXPECT_NEAR(of({0, 0, 0, 1}, whole).split_bits, 0.75 * std::log2(4.0 / 3) + 0.5, 1e-12);
  EXPECT_FALSE(variation_of_information({}));
}

TEST(SegmentScores, ExchangingTheMapsExchangesSplitsAndMerges) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Segments a = random_segments(300, 5, seed), b = random_segments(300, 9, seed + 10);
    const auto ab = segment_overlaps(a, b, Gap::one_segment);
    const auto ba = segment_overlaps(b, a, Gap::one_segment);
    EXPECT_DOUBLE_EQ(adapted_rand(ab)->precision, adapted_rand(ba)->recall);
    EXPECT_DOUBLE_EQ(adapted_rand(ab)->error, adapted_rand(ba)->error);
    EXPECT_DOUBLE_EQ(variation_of_information(ab)->split_bits,
                     variation_of_information(ba)->merge_bits);
    EXPECT_GT(variation_of_information(ab)->total_bits(), 0);
  }
}

// The triangle inequality: the variation of information is a distance.
TEST(VariationOfInformation, IsADistance) {
  const auto distance = [](const Segments& a, const Segments& b) {
    return variation_of_information(segment_overlaps(a, b, Gap::one_segment))->total_bits();
  };
  for (const std::uint64_t seed : {4, 5, 6}) {
    const Segments a = random_segments(200, 4, seed), b = random_segments(200, 3, seed + 10),
                   c = random_segments(200, 6, seed + 20);
    EXPECT_LE(distance(a, c), distance(a, b) + distance(b, c) + 1e-12);
  }
}

}  // namespace
}  // namespace segmentum
