#include "annotations/region.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

LabelMap map_of(int height, int width, std::initializer_list<int> labels) {
  LabelMap map(height, width);
  std::ranges::transform(labels, map.labels().begin(),
                         [](int label) { return static_cast<std::uint16_t>(label); });
  return map;
}

TEST(Region, SpansThatTouchBecomeOne) {
  const Region region = region_of({{1, 4, 6}, {0, 2, 2}, {1, 0, 2}, {1, 2, 5}, {0, 3, 4}});
  EXPECT_THAT(region, ElementsAre(Span{0, 3, 4}, Span{1, 0, 6}));
  EXPECT_EQ(pixel_count(region), 7);
  EXPECT_EQ(bounds_of(region), (RegionBounds{0, 0, 2, 6}));
  EXPECT_EQ(bounds_of({}), RegionBounds{});
}

TEST(Region, PartsHangTogetherBySides) {
  //  ##.#      The two upper pieces meet below; the corner pixel on the right is alone.
  //  #..#
  //  ####
  //  ....#
  const Region region{{0, 0, 2}, {0, 3, 4}, {1, 0, 1}, {1, 3, 4}, {2, 0, 4}, {3, 4, 5}};
  const std::vector<Region> parts = connected_parts(region);
  ASSERT_THAT(parts, SizeIs(2));
  EXPECT_EQ(pixel_count(parts[0]), 9);
  EXPECT_THAT(parts[1], ElementsAre(Span{3, 4, 5}));
  EXPECT_THAT(connected_parts({}), IsEmpty());
}

TEST(ObjectsOf, PartsOrClasses) {
  const LabelMap labels = map_of(2, 4,
                                 {1, 0, 1, 1,  //
                                  1, 0, 0, kIgnoreLabel});
  const auto parts = objects_of(labels, {}, ObjectRule::parts);
  ASSERT_THAT(parts, SizeIs(4));
  EXPECT_EQ(parts[0].label, 0);
  EXPECT_EQ(parts[1].label, 1);
  EXPECT_THAT(parts[1].region, ElementsAre(Span{0, 0, 1}, Span{1, 0, 1}));
  EXPECT_THAT(parts[2].region, ElementsAre(Span{0, 2, 4}));
  EXPECT_EQ(parts[3].label, kIgnoreLabel);
  EXPECT_THAT(objects_of(labels, {}, ObjectRule::classes), SizeIs(3));
}

TEST(ObjectsOf, NumbersMakeObjects) {
  const LabelMap labels = map_of(1, 6, {1, 1, 1, 0, 1, 2});
  const LabelMap numbers = map_of(1, 6, {7, 3, 3, 0, 7, 0});
  const auto objects = objects_of(labels, numbers, ObjectRule::classes);
  ASSERT_THAT(objects, SizeIs(4));  // background, 3, 7 in two parts, the class 2 without number
  EXPECT_THAT(objects[1].region, ElementsAre(Span{0, 1, 3}));
  EXPECT_THAT(objects[2].region, ElementsAre(Span{0, 0, 1}, Span{0, 4, 5}));
  EXPECT_EQ(objects[3].label, 2);
  EXPECT_EQ(error_of([&] { objects_of(labels, LabelMap(1, 5), ObjectRule::parts); }),
            "the map of objects is 5x1 but the labels are 6x1");
}

}  // namespace
}  // namespace segmentum
