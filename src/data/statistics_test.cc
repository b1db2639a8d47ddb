#include "data/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;

LabelMap row_of(std::initializer_list<int> labels) {
  LabelMap map(1, static_cast<int>(labels.size()));
  auto* out = map.row(0);
  for (const int label : labels) *out++ = static_cast<std::uint16_t>(label);
  return map;
}

// Two pictures: 6 of class 0 and 2 of class 1; then 2 of class 0, 1 of class 2, 1 ignored.
ClassFrequencies two_pictures() {
  ClassFrequencies frequencies(4);
  frequencies.add(row_of({0, 0, 0, 0, 0, 0, 1, 1}));
  frequencies.add(row_of({0, 0, 2, kIgnoreLabel}));
  return frequencies;
}

TEST(Statistics, PixelsAreCountedWithThePicturesThatShowTheClass) {
  const ClassFrequencies frequencies = two_pictures();
  EXPECT_THAT(frequencies.pixels, ElementsAre(8, 2, 1, 0));
  EXPECT_THAT(frequencies.picture_pixels, ElementsAre(11, 8, 3, 0));
}

TEST(Statistics, ALabelThatIsNoClassIsAnError) {
  ClassFrequencies frequencies(2);
  EXPECT_EQ(error_of([&] { frequencies.add(row_of({0, 2})); }), "label 2 is no class; there are 2");
}

}  // namespace
}  // namespace segmentum
