#include "metrics/boundary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/random.h"
#include "base/threads.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::HasSubstr;

constexpr std::uint16_t kVoid = kIgnoreLabel;

LabelMap label_map(int height, int width, const std::vector<std::uint16_t>& labels) {
  LabelMap map(height, width);
  std::ranges::copy(labels, map.labels().begin());
  return map;
}

LabelMap row(const std::vector<std::uint16_t>& labels) {
  return label_map(1, static_cast<int>(labels.size()), labels);
}

BoundaryCounts counted(const LabelMap& prediction, const LabelMap& truth, int classes, double px) {
  BoundaryCounts counts(classes, BoundaryTolerance::pixels(px));
  counts.add(prediction, truth);
  return counts;
}

std::string complaint(const std::function<void()>& call) {
  try {
    call();
    return "none";
  } catch (const Error& error) {
    return error.what();
  }
}

// The border of 0 is pixel 2, that of 1 pixel 3; predicted are 3 and 4.
TEST(Boundary, ABorderOnePixelAway) {
  const LabelMap truth = row({0, 0, 0, 1, 1, 1}), prediction = row({0, 0, 0, 0, 1, 1});
  for (const double px : {0.0, 0.9}) {
    const BoundaryCounts missed = counted(prediction, truth, 2, px);
    EXPECT_EQ(missed.classes()[0], (BorderPixels{1, 0, 1, 0}));
    EXPECT_EQ(missed.classes()[1], (BorderPixels{1, 0, 1, 0}));
    EXPECT_EQ(scores(missed).mean_f, 0);
  }
  const BoundaryCounts found = counted(prediction, truth, 2, 1);
  EXPECT_EQ(found.classes()[0], (BorderPixels{1, 1, 1, 1}));
  EXPECT_EQ(scores(found).mean_f, 1);
}

// All five pixels of the cross are border: four of class 0 and one of class 1. The prediction has
// the one pixel of class 1 at a corner, where two pixels of class 0 touch it.
TEST(Boundary, PrecisionAndRecallByHand) {
  const LabelMap truth = label_map(3, 3, {0, 0, 0, 0, 1, 0, 0, 0, 0});
  const LabelMap prediction = label_map(3, 3, {1, 0, 0, 0, 0, 0, 0, 0, 0});
  const BoundaryCounts exact = counted(prediction, truth, 3, 0);
  EXPECT_EQ(exact.classes()[0], (BorderPixels{4, 2, 2, 2}));
  EXPECT_EQ(exact.classes()[1], (BorderPixels{1, 0, 1, 0}));
  const BoundaryScores of = scores(exact);
  EXPECT_EQ(of.classes[0].precision, 1);
  EXPECT_EQ(of.classes[0].recall, 0.5);
  EXPECT_DOUBLE_EQ(*of.classes[0].f, 2.0 / 3);
  EXPECT_EQ(of.classes[1].f, 0);
  EXPECT_FALSE(of.classes[2].precision || of.classes[2].recall || of.classes[2].f);
  EXPECT_DOUBLE_EQ(*of.mean_f, 1.0 / 3);
  // From corner to centre it is the square root of 2.
  EXPECT_EQ(counted(prediction, truth, 3, 1.414).classes()[1], (BorderPixels{1, 0, 1, 0}));
  EXPECT_EQ(counted(prediction, truth, 3, 1.415).classes()[1], (BorderPixels{1, 1, 1, 1}));
}

TEST(Boundary, AClassPredictedButAbsentScoresZero) {
  const BoundaryScores of = scores(counted(row({0, 1}), row({0, 0}), 2, 5));
  EXPECT_EQ(of.classes[1].precision, 0);
  EXPECT_FALSE(of.classes[1].recall);
  EXPECT_EQ(of.classes[1].f, 0);
  EXPECT_FALSE(scores(counted(row({0, 0}), row({0, 0}), 2, 5)).mean_f);
}

TEST(Boundary, IgnoredPixelsTakeNoPart) {
  // What lies behind the ignored pixel is nobody's neighbour, whatever was predicted there.
  const LabelMap truth = row({0, 0, kVoid, 1, 1});
  for (const std::uint16_t under : {0, 1, 7, 65535}) {
    EXPECT_EQ(counted(row({0, 0, under, 1, 1}), truth, 2, 9).classes(),
              std::vector<BorderPixels>(2));
  }
}

TEST(Boundary, PixelsAreSummedOverPicturesNotScores) {
  BoundaryCounts counts(2, BoundaryTolerance::pixels(0));
  const LabelMap small = row({0, 1});
  counts.add(small, small);
  const LabelMap large = label_map(3, 2, {0, 1, 0, 1, 0, 1});
  counts.add(LabelMap(3, 2, 0), large);
  // Class 1: one of four true border pixels found, the one predicted is right. A mean of the two
  // pictures would be (1 + 0) / 2.
  EXPECT_EQ(counts.classes()[1], (BorderPixels{4, 1, 1, 1}));
  EXPECT_DOUBLE_EQ(*scores(counts).classes[1].f, 2 * 0.25 / 1.25);
  BoundaryCounts sum = counted(small, small, 2, 0);
  sum += counted(LabelMap(3, 2, 0), large, 2, 0);
  EXPECT_EQ(sum.classes(), counts.classes());
}

// SegNet's BF of the same two pictures. In the first both classes are right: 1. In the second class
// 1 is missed, and class 0 has three true border pixels but no predicted one: 0. A third has no
// border.
TEST(Boundary, MeansOfPicturesByHand) {
  BoundaryCounts counts(3, BoundaryTolerance::pixels(0));
  const LabelMap small = row({0, 1});
  counts.add(small, small);
  counts.add(LabelMap(3, 2, 0), label_map(3, 2, {0, 1, 0, 1, 0, 1}));
  counts.add(LabelMap(2, 2, 0), LabelMap(2, 2, 0));
  const BoundaryScores of = scores(counts);
  EXPECT_DOUBLE_EQ(*of.mean_f_of_pictures, 0.5);
  EXPECT_DOUBLE_EQ(*of.classes[1].f_of_pictures, 0.5);
  EXPECT_FALSE(of.classes[2].f_of_pictures);
  EXPECT_DOUBLE_EQ(*of.mean_f, (2 * 0.25 / 1.25 + 2 * 0.25 / 1.25) / 2);
}

// A class that is in no truth of a picture has no part in its mean; summed, it has F = 0.
TEST(Boundary, APictureIsScoredByItsTrueClasses) {
  // True borders: pixels 1 and 2. Predicted: those, and 3 of class 0 beside 4 of class 2.
  const BoundaryCounts counts = counted(row({0, 0, 1, 1, 2}), row({0, 0, 1, 1, 1}), 3, 0);
  EXPECT_EQ(counts.classes()[1], (BorderPixels{1, 1, 2, 1}));
  const BoundaryScores of = scores(counts);
  EXPECT_DOUBLE_EQ(*of.mean_f_of_pictures, (1 + 2.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(*of.mean_f, (1 + 2.0 / 3 + 0) / 3);
}

TEST(Boundary, SomePicturesSeveralTimes) {
  BoundaryCounts counts = counted(row({0, 1}), row({0, 1}), 2, 0);
  counts += counted(LabelMap(1, 2, 0), row({0, 1}), 2, 0);
  ASSERT_EQ(counts.pictures().size(), 2U);
  const std::uint32_t drawn[] = {0, 1, 1};
  const BoundaryScores of = scores(counts, drawn);
  EXPECT_DOUBLE_EQ(*of.classes[1].recall, 1.0 / 3);
  EXPECT_DOUBLE_EQ(*of.mean_f, 0.5);  // 2 * (1/3) / (4/3)
  EXPECT_DOUBLE_EQ(*of.mean_f_of_pictures, 1.0 / 3);
  counts += counts;
  EXPECT_EQ(counts.pictures().size(), 4U);
}

LabelMap noise(int height, int width, std::uint32_t seed, bool with_void) {
  RandomStream random(3, 0, seed);
  LabelMap map(height, width);
  for (std::uint16_t& label : map.labels()) {
    label = static_cast<std::uint16_t>(random.below(3) / 2 + random.below(2));
    if (with_void && random.chance(0.1)) label = kVoid;
  }
  return map;
}

bool is_border(const LabelMap& labels, const LabelMap& truth, int y, int x) {
  if (truth(y, x) == kVoid) return false;
  for (int v = 0; v < labels.height(); ++v) {
    for (int u = 0; u < labels.width(); ++u) {
      const bool neighbours = std::abs(v - y) + std::abs(u - x) == 1;
      if (neighbours && truth(v, u) != kVoid && labels(v, u) != labels(y, x)) return true;
    }
  }
  return false;
}

TEST(Boundary, EqualsASearchOverAllPixels) {
  for (std::uint32_t seed = 0; seed < 6; ++seed) {
    const LabelMap truth = noise(9, 13, seed, true), prediction = noise(9, 13, seed + 50, false);
    const double px = 0.7 * seed;
    std::vector<BorderPixels> expected(3);
    const auto found = [&](const LabelMap& others, int y, int x, std::uint16_t label) {
      for (int v = 0; v < 9; ++v) {
        for (int u = 0; u < 13; ++u) {
          const bool same = is_border(others, truth, v, u) && others(v, u) == label;
          if (same && std::hypot(v - y, u - x) <= px) return true;
        }
      }
      return false;
    };
    for (int y = 0; y < 9; ++y) {
      for (int x = 0; x < 13; ++x) {
        if (is_border(truth, truth, y, x)) {
          ++expected[truth(y, x)].truth;
          expected[truth(y, x)].truth_found += found(prediction, y, x, truth(y, x));
        }
        if (is_border(prediction, truth, y, x)) {
          ++expected[prediction(y, x)].predicted;
          expected[prediction(y, x)].predicted_right += found(truth, y, x, prediction(y, x));
        }
      }
    }
    EXPECT_EQ(counted(prediction, truth, 3, px).classes(), expected) << "tolerance " << px;
  }
}

TEST(Boundary, ThreadsChangeNothing) {
  const LabelMap truth = noise(70, 20, 1, true), prediction = noise(70, 20, 2, false);
  const auto on = [&](int count) {
    const ThreadsInScope scope(count);
    return counted(prediction, truth, 3, 2).classes();
  };
  EXPECT_EQ(on(1), on(4));
}

TEST(Boundary, TolerancesInWords) {
  // 3-4-5: the diagonal of 300x400 is 500 px.
  EXPECT_DOUBLE_EQ(BoundaryTolerance().in_pixels(300, 400), 3.75);
  EXPECT_EQ(BoundaryTolerance().text(), "0.75 % of the diagonal");
  EXPECT_EQ(BoundaryTolerance::parse("0.75%"), BoundaryTolerance());
  EXPECT_EQ(BoundaryTolerance::parse("2"), BoundaryTolerance::pixels(2));
  EXPECT_EQ(BoundaryTolerance::parse("1.5px").in_pixels(300, 400), 1.5);
  EXPECT_EQ(BoundaryTolerance::pixels(1.5).text(), "1.5 px");
  for (const char* text : {"", "px", "-1", "nan", "inf", "3 cm", "1%%"}) {
    EXPECT_THAT(complaint([&] { BoundaryTolerance::parse(text); }),
                HasSubstr("expected pixels, such as 3"))
        << text;
  }
  EXPECT_THAT(complaint([] { BoundaryTolerance::pixels(-1); }), HasSubstr("expected 0 or more"));
  EXPECT_THROW(BoundaryTolerance::of_diagonal(std::nan("")), Error);
}

TEST(Boundary, ErrorsSayWhatIs) {
  BoundaryCounts counts(2);
  EXPECT_THAT(complaint([&] { counts.add(LabelMap(2, 3), LabelMap(3, 2)); }),
              HasSubstr("the prediction is 3x2 but the labels are 2x3"));
  EXPECT_THAT(complaint([&] { counts.add(LabelMap(1, 1, 2), LabelMap(1, 1)); }),
              HasSubstr("predicted class 2 at x=0, y=0, but there are 2 classes"));
  EXPECT_THAT(complaint([&] { counts += BoundaryCounts(2, BoundaryTolerance::pixels(3)); }),
              HasSubstr("0.75 % of the diagonal and of 2 classes within 3 px cannot be added"));
  EXPECT_THROW(BoundaryCounts(0), Error);
}

}  // namespace
}  // namespace segmentum
