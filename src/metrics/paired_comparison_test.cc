#include "metrics/paired_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "base/threads.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// A picture of one class with 100 pixels, of which `right` are right and none is invented: its IoU
/// is right / 100.
PictureCounts picture(int right) {
  return {{100, right, right}};
}

// With four pictures of which b is better by 10 in each, all exchanged or none is as far as what
// was found: 2 of 16 permutations.
TEST(PairedTest, CountedByHand) {
  const std::vector<PictureCounts> a(4, picture(50)), b(4, picture(60));
  const PairedTest test = paired_test(a, b, {.permutations = 20000});
  EXPECT_DOUBLE_EQ(test.mean_iou, 0.1);
  EXPECT_DOUBLE_EQ(test.pixel_accuracy, 0.1);
  // The deviation of a share of 1/8 in 20000 draws is 0.0023.
  EXPECT_NEAR(test.p_value, 2.0 / 16, 0.01);
  EXPECT_NEAR(test.mean_iou_interval.low, 0.1, 1e-12);  // the same difference whatever is drawn
  EXPECT_NEAR(test.mean_iou_interval.high, 0.1, 1e-12);
}

TEST(PairedTest, TheSameResultsAreNoDifference) {
  const std::vector<PictureCounts> a{picture(50), picture(70), picture(20)};
  const PairedTest test = paired_test(a, a, {.permutations = 100});
  EXPECT_EQ(test.mean_iou, 0);
  EXPECT_EQ(test.p_value, 1);
  EXPECT_EQ(test.mean_iou_interval.low, 0);
  EXPECT_EQ(test.mean_iou_interval.high, 0);
}

TEST(PairedTest, ManyPicturesMakeItSure) {
  RandomStream random(1, 0, 0);
  std::vector<PictureCounts> a, b;
  for (int i = 0; i < 40; ++i) {
    const int right = 30 + static_cast<int>(random.below(40));
    a.push_back(picture(right));
    b.push_back(picture(right + 1 + static_cast<int>(random.below(8))));
  }
  const PairedTest test = paired_test(a, b, {.permutations = 999});
  EXPECT_EQ(test.p_value, 0.001);
  EXPECT_GT(test.mean_iou_interval.low, 0);
  EXPECT_LT(test.mean_iou_interval.low, test.mean_iou);
  EXPECT_GT(test.mean_iou_interval.high, test.mean_iou);
}

TEST(PairedTest, ExchangingTheModelsTurnsTheSign) {
  const std::vector<PictureCounts> a{picture(50), picture(70), picture(20), picture(90)},
      b{picture(60), picture(65), picture(30), picture(91)};
  const PairedTest ab = paired_test(a, b, {.permutations = 500});
  const PairedTest ba = paired_test(b, a, {.permutations = 500});
  EXPECT_EQ(ab.mean_iou, -ba.mean_iou);
  EXPECT_EQ(ab.p_value, ba.p_value);
  EXPECT_NEAR(ab.mean_iou_interval.low, -ba.mean_iou_interval.high, 1e-12);
}

TEST(PairedTest, SameBitsForAnyThreads) {
  const std::vector<PictureCounts> a{picture(50), picture(70), picture(20)},
      b{picture(60), picture(65), picture(30)};
  const auto run = [&](int count) {
    const ThreadsInScope scope(count);
    return paired_test(a, b, {.permutations = 200});
  };
  EXPECT_EQ(run(1).p_value, run(3).p_value);
  EXPECT_EQ(run(1).mean_iou_interval.low, run(3).mean_iou_interval.low);
}

TEST(PairedTest, RejectsWhatIsNoPair) {
  const auto error_with = [](const char* text) {
    return testing::Throws<Error>(testing::Property(&Error::what, testing::HasSubstr(text)));
  };
  const std::vector<PictureCounts> one{picture(1)}, two{picture(1), picture(2)},
      other{{{1, 1, 1}, {1, 1, 1}}};
  EXPECT_THAT([&] { paired_test(one, two, {}); }, error_with("of 1 and 2 pictures"));
  EXPECT_THAT([&] { paired_test({}, {}, {}); }, error_with("at least one"));
  EXPECT_THAT([&] { paired_test(one, other, {}); }, error_with("with 1 and with 2 classes"));
  EXPECT_THAT([&] { paired_test(one, one, {.permutations = 0}); }, error_with("of 0 permutations"));
}

}  // namespace
}  // namespace segmentum
