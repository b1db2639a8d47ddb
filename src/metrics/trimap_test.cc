#include "metrics/trimap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint16_t kVoid = kIgnoreLabel;

LabelMap label_map(int height, int width, const std::vector<std::uint16_t>& labels) {
  LabelMap map(height, width);
  std::ranges::copy(labels, map.labels().begin());
  return map;
}

std::vector<std::int64_t> pixels(const TrimapCounts& counts) {
  std::vector<std::int64_t> numbers;
  for (const TrimapPoint& point : trimap_curve(counts)) numbers.push_back(point.pixels);
  return numbers;
}

// Pixels 3 and 4 touch the border, and pixel 3 is wrong.
TEST(Trimap, CurveByHand) {
  TrimapCounts counts(2, 5);
  counts.add(label_map(1, 7, {0, 0, 0, 1, 1, 1, 1}), label_map(1, 7, {0, 0, 0, 0, 1, 1, 1}));
  const std::vector<TrimapPoint> curve = trimap_curve(counts);
  EXPECT_THAT(pixels(counts), ElementsAre(2, 4, 6, 7, 7));
  EXPECT_DOUBLE_EQ(curve[0].pixel_accuracy, 1.0 / 2);
  EXPECT_DOUBLE_EQ(curve[1].pixel_accuracy, 3.0 / 4);
  EXPECT_DOUBLE_EQ(curve[2].pixel_accuracy, 5.0 / 6);
  EXPECT_DOUBLE_EQ(curve[4].pixel_accuracy, 6.0 / 7);
  EXPECT_DOUBLE_EQ(curve[0].mean_iou, (0.0 + 1.0 / 2) / 2);
  EXPECT_DOUBLE_EQ(curve[1].mean_iou, (1.0 / 2 + 2.0 / 3) / 2);
  EXPECT_EQ(curve[2].width_px, 3);
}

// The centre and its four neighbours touch the border; each corner is one pixel away from two of
// them.
TEST(Trimap, TheRestOfASquareLiesOnePixelAway) {
  const LabelMap truth = label_map(3, 3, {0, 0, 0, 0, 1, 0, 0, 0, 0});
  TrimapCounts counts(2, 2);
  counts.add(truth, truth);
  EXPECT_THAT(pixels(counts), ElementsAre(5, 9));
}

TEST(Trimap, IgnoredPixelsMakeBordersAndAreNotCounted) {
  const LabelMap truth = label_map(1, 5, {0, 0, kVoid, 0, 0});
  TrimapCounts counts(1, 2), same(1, 2);
  counts.add(label_map(1, 5, {0, 0, 0, 0, 0}), truth);
  same.add(label_map(1, 5, {0, 0, 99, 0, 0}), truth);
  EXPECT_THAT(pixels(counts), ElementsAre(2, 4));
  EXPECT_THAT(pixels(same), ElementsAre(2, 4));
}

TEST(Trimap, WithoutBordersThereIsNothing) {
  TrimapCounts counts(2, 3);
  counts.add(LabelMap(4, 4, 1), LabelMap(4, 4, 1));
  EXPECT_THAT(pixels(counts), ElementsAre(0, 0, 0));
}

TEST(Trimap, EqualsASearchOverAllPixels) {
  RandomStream random(9, 0, 0);
  LabelMap truth(17, 23, 0), prediction(17, 23, 0);
  for (int y = 0; y < 17; ++y) {
    for (int x = 0; x < 23; ++x) {
      truth(y, x) = (y / 8 + x / 9) % 2 == 1 ? 1 : 0;
      if (y > 12 && x < 4) truth(y, x) = kVoid;
      prediction(y, x) = static_cast<std::uint16_t>(random.below(2));
    }
  }
  const auto touches = [&](int y, int x) {
    for (const auto& [dy, dx] :
         {std::pair(1, 0), std::pair(-1, 0), std::pair(0, 1), std::pair(0, -1)}) {
      const int v = y + dy, u = x + dx;
      if (v >= 0 && v < 17 && u >= 0 && u < 23 && truth(v, u) != truth(y, x)) return true;
    }
    return false;
  };
  const auto near = [&](int y, int x, int width) {
    for (int v = 0; v < 17; ++v) {
      for (int u = 0; u < 23; ++u) {
        if (std::hypot(v - y, u - x) < width && touches(v, u)) return true;
      }
    }
    return false;
  };
  TrimapCounts counts(2, 8);
  counts.add(prediction, truth);
  for (int width = 1; width <= 8; ++width) {
    ConfusionMatrix expected(2);
    for (int y = 0; y < 17; ++y) {
      for (int x = 0; x < 23; ++x) {
        if (truth(y, x) != kVoid && near(y, x, width))
          expected.add(truth(y, x), prediction(y, x), 1);
      }
    }
    const ConfusionMatrix band = counts.band(width);
    for (int t : {0, 1}) {
      for (int p : {0, 1}) EXPECT_EQ(band(t, p), expected(t, p)) << width;
    }
  }
}

TEST(Trimap, PicturesAddUp) {
  const LabelMap a = label_map(1, 4, {0, 0, 1, 1}), b = label_map(1, 3, {1, 0, 0});
  TrimapCounts both(2, 3), first(2, 3), second(2, 3);
  both.add(a, a);
  both.add(b, b);
  first.add(a, a);
  second.add(b, b);
  first += second;
  EXPECT_EQ(pixels(first), pixels(both));
}

// All of the pictures together make the curve; twice the first makes its own.
TEST(Trimap, SomePicturesSeveralTimes) {
  TrimapCounts counts(2, 3), first(2, 3);
  const LabelMap truth = label_map(1, 6, {0, 0, 0, 1, 1, 1});
  first.add(label_map(1, 6, {0, 0, 1, 1, 1, 1}), truth);
  counts += first;
  counts.add(truth, truth);
  const std::uint32_t both[] = {0, 1}, twice[] = {0, 0};
  const auto expect_same = [](const std::vector<TrimapPoint>& a, const std::vector<TrimapPoint>& b,
                              int times) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].width_px, b[i].width_px);
      EXPECT_EQ(a[i].pixels, times * b[i].pixels);
      EXPECT_DOUBLE_EQ(a[i].pixel_accuracy, b[i].pixel_accuracy);
      EXPECT_DOUBLE_EQ(a[i].mean_iou, b[i].mean_iou);
    }
  };
  expect_same(trimap_curve(counts, both), trimap_curve(counts), 1);
  expect_same(trimap_curve(counts, twice), trimap_curve(first), 2);
  EXPECT_DOUBLE_EQ(trimap_curve(counts, both)[0].pixel_accuracy, 3.0 / 4);
}

TEST(Trimap, ErrorsSayWhatIs) {
  EXPECT_THROW(TrimapCounts(2, 0), Error);
  EXPECT_THROW(TrimapCounts(0, 2), Error);
  TrimapCounts counts(2, 3);
  EXPECT_THROW(counts.add(LabelMap(1, 2), LabelMap(2, 1)), Error);
  EXPECT_THROW(counts += TrimapCounts(2, 4), Error);
  try {
    counts.band(4);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("a trimap of 4 px was not counted; there are 1..3"));
  }
}

}  // namespace
}  // namespace segmentum
