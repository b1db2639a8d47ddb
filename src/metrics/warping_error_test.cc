#include "metrics/warping_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/random.h"
#include "metrics/segments.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

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

std::int64_t mismatches(const std::vector<std::string>& prediction,
                        const std::vector<std::string>& truth) {
  return warping_error(drawing(prediction), drawing(truth), 1).mismatches;
}

int segments(const LabelMap& map, std::uint16_t interior) {
  const auto roots = segments_of(map, map, interior);
  int count = 0;
  for (std::size_t i = 0; i < roots.size(); ++i) count += roots[i] == static_cast<std::int32_t>(i);
  return count;
}

/// The number of components of the ring around a pixel that hold `value` and touch the pixel.
int ring_components(unsigned neighbours, bool value, bool diagonal) {
  constexpr std::array<std::pair<int, int>, 8> kPlaces{
      {{1, 0}, {1, -1}, {0, -1}, {-1, -1}, {-1, 0}, {-1, 1}, {0, 1}, {1, 1}}};
  std::array<int, 8> group{};
  for (int d = 0; d < 8; ++d) group[d] = (neighbours >> d & 1U) == value ? d : -1;
  for (int round = 0; round < 8; ++round) {
    for (int a = 0; a < 8; ++a) {
      for (int b = 0; b < 8; ++b) {
        const int dx = std::abs(kPlaces[a].first - kPlaces[b].first);
        const int dy = std::abs(kPlaces[a].second - kPlaces[b].second);
        const bool joined = diagonal ? std::max(dx, dy) == 1 : dx + dy == 1;
        if (joined && group[a] >= 0 && group[b] >= 0) {
          group[a] = group[b] = std::min(group[a], group[b]);
        }
      }
    }
  }
  int count = 0;
  for (int root = 0; root < 8; ++root) {
    bool touches = false;
    for (int d = 0; d < 8; ++d) touches = touches || (group[d] == root && (diagonal || d % 2 == 0));
    count += touches;
  }
  return count;
}

// The definition (Bertrand): one component of either kind in the ring that touches the pixel.
TEST(SimplePoint, IsWhatTheDefinitionSays) {
  for (unsigned neighbours = 0; neighbours < 256; ++neighbours) {
    const bool expected = ring_components(neighbours, true, false) == 1 &&
                          ring_components(neighbours, false, true) == 1;
    EXPECT_EQ(is_simple_point(neighbours), expected) << neighbours;
  }
}

TEST(WarpingError, DisplacedBordersAreForgiven) {
  EXPECT_EQ(mismatches({"...###", "...###"}, {".#####", ".#####"}), 0);
  EXPECT_EQ(mismatches({"#...##", "#...##"}, {"###.##", "###.##"}), 0);
  EXPECT_EQ(mismatches({"###.##", "###.##"}, {"##.###", "##.###"}), 0);
  // Where old and new border do not touch, one joins what the other cuts.
  EXPECT_EQ(mismatches({"####.#"}, {"##.###"}), 2);
}

// A border of three pixels between two cells; the prediction has a hole of one pixel in it.
TEST(WarpingError, AMergeCostsThePixelsThatMakeIt) {
  const std::vector<std::string> truth{"##.##", "##.##", "##.##"};
  EXPECT_EQ(mismatches({"##.##", "#####", "##.##"}, truth), 1);
  // All of it gone: each of its pixels would join the cells.
  EXPECT_EQ(mismatches({"#####", "#####", "#####"}, truth), 3);
}

TEST(WarpingError, CellsAndHolesThatAreLostOrInvented) {
  EXPECT_EQ(mismatches({"...", "...", "..."}, {"...", ".#.", "..."}), 1);
  EXPECT_EQ(mismatches({".....", ".###.", "....."}, {".....", ".....", "....."}), 3);
  EXPECT_EQ(mismatches({".....", ".....", "....."}, {".....", ".###.", "....."}), 1);  // shrunk
  EXPECT_EQ(mismatches({"###", "#.#", "###"}, {"###", "###", "###"}), 1);
}

TEST(WarpingError, LimitsAndShare) {
  const LabelMap truth = drawing({"##.?", "##.?"});
  const WarpingError same = warping_error(truth, truth, 1);
  EXPECT_EQ(same.mismatches, 0);
  EXPECT_EQ(same.pixels, 6);
  const WarpingError lost = warping_error(LabelMap(2, 4), truth, 1);
  EXPECT_DOUBLE_EQ(lost.share(), 1.0 / 6);
  EXPECT_EQ(warping_error(LabelMap(1, 1), drawing({"?"}), 1).share(), 0);
  EXPECT_THAT([] { warping_error(LabelMap(2, 3), LabelMap(2, 2), 1); },
              testing::Throws<Error>(testing::Property(
                  &Error::what, testing::HasSubstr("is 3x2 but the labels are 2x2"))));
}

TEST(WarpingError, PredictionsUnderIgnoredPixelsChangeNoNumber) {
  RandomStream random(3, 0, 0);
  LabelMap truth(30, 40), prediction(30, 40);
  for (auto& label : prediction.labels()) label = random.chance(0.6);
  for (auto& label : truth.labels()) {
    label = random.chance(0.2) ? kIgnoreLabel : static_cast<std::uint16_t>(random.chance(0.7));
  }
  const WarpingError before = warping_error(prediction, truth, 1);
  for (std::size_t i = 0; i < truth.labels().size(); ++i) {
    if (truth.labels()[i] == kIgnoreLabel) prediction.labels()[i] ^= 1;
  }
  const WarpingError after = warping_error(prediction, truth, 1);
  EXPECT_EQ(before.mismatches, after.mismatches);
  EXPECT_EQ(before.pixels, after.pixels);
}

// Never more than the pixels that differ, and at least one where the numbers of cells differ.
TEST(WarpingError, LiesBetweenTopologyAndPixels) {
  RandomStream random(4, 0, 0);
  for (int round = 0; round < 20; ++round) {
    LabelMap truth(12, 14), prediction(12, 14);
    for (auto& label : truth.labels()) label = random.chance(0.6);
    for (auto& label : prediction.labels()) label = random.chance(0.6);
    std::int64_t different = 0;
    for (std::size_t i = 0; i < truth.labels().size(); ++i) {
      different += truth.labels()[i] != prediction.labels()[i];
    }
    const WarpingError error = warping_error(prediction, truth, 1);
    EXPECT_LE(error.mismatches, different);
    if (segments(truth, 1) != segments(prediction, 1)) {
      EXPECT_GE(error.mismatches, 1);
    }
  }
}

}  // namespace
}  // namespace segmentum
