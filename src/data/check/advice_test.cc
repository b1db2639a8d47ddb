#include "data/check/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::HasSubstr;

std::vector<ClassInfo> classes(const std::vector<std::string>& names) {
  std::vector<ClassInfo> list;
  for (const std::string& name : names) list.push_back({name, {}});
  return list;
}

std::vector<std::string> settings(const std::vector<Advice>& advice) {
  std::vector<std::string> list;
  for (const Advice& each : advice) list.push_back(each.settings);
  return list;
}

TEST(Advice, NothingWhereNoClassIsRare) {
  const auto two = classes({"background", "cell"});
  EXPECT_TRUE(
      imbalance_advice(two, std::vector<std::int64_t>{60, 40}, std::vector{5, 5}, 5).empty());
  const auto three = classes({"a", "b", "c"});
  EXPECT_TRUE(imbalance_advice(three, std::vector<std::int64_t>{80, 15, 5}, std::vector{5, 5, 5}, 5)
                  .empty());
  // A class without pixels is missing, not rare.
  EXPECT_TRUE(imbalance_advice(three, std::vector<std::int64_t>{50, 50, 0}, std::vector{5, 5, 0}, 5)
                  .empty());
}

TEST(Advice, TwoClasses) {
  const auto two = classes({"background", "nucleus"});
  const auto some = imbalance_advice(two, std::vector<std::int64_t>{90, 10}, std::vector{8, 8}, 8);
  EXPECT_THAT(settings(some), testing::ElementsAre("loss=cross_entropy+dice"));
  EXPECT_THAT(some[0].why, HasSubstr("nucleus is 10 % of the pixels"));
  const auto few = imbalance_advice(two, std::vector<std::int64_t>{995, 5}, std::vector{8, 2}, 8);
  EXPECT_THAT(settings(few),
              testing::ElementsAre("loss=cross_entropy+dice", "loss=cross_entropy+tversky",
                                   "augment.class_crop=0.5"));
  EXPECT_THAT(few[2].why, HasSubstr("nucleus is 0.5 % of the pixels and in 25 % of the pictures"));
}

TEST(Advice, ManyClassesNameTheRare) {
  const auto street = classes({"road", "sky", "pole", "sign"});
  const auto advice = imbalance_advice(street, std::vector<std::int64_t>{600, 380, 15, 5},
                                       std::vector{9, 9, 9, 3}, 9);
  ASSERT_EQ(advice.size(), 3U);
  EXPECT_EQ(advice[0].settings, "loss=cross_entropy+lovasz");
  EXPECT_THAT(advice[0].why, HasSubstr("rare: sign (0.5 %), pole (1.5 %);"));
  EXPECT_EQ(advice[1].settings,
            "loss=cross_entropy class_weights=effective_number class_weight_cap=10");
  EXPECT_EQ(advice[2].settings, "augment.class_crop=0.3");
  EXPECT_THAT(advice[2].why, HasSubstr("train chooses it by itself"));
}

TEST(Advice, NumbersThatDisagree) {
  EXPECT_THAT(
      [] {
        imbalance_advice(classes({"a", "b"}), std::vector<std::int64_t>{1}, std::vector{1, 1}, 1);
      },
      testing::Throws<Error>(
          testing::Property(&Error::what, HasSubstr("advice for 2 classes from pixels of 1"))));
}

}  // namespace
}  // namespace segmentum
