#include "report/notable_pictures.h"

#include <gmock/gmock.h>

#include "image/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;

std::vector<std::string> names(const std::vector<ReportPicture>& pictures) {
  std::vector<std::string> result;
  for (const ReportPicture& picture : pictures) result.push_back(picture.name);
  return result;
}

/// Ten labelled pixels of one row, all of class 0; the first `right` are predicted so.
void add(NotablePictures& notable, const std::string& name, int right) {
  LabelMap prediction(1, 10, 1);
  for (int x = 0; x < right; ++x) prediction(0, x) = 0;
  notable.add(name, Image(1, 10, 1), prediction, LabelMap(1, 10, 0));
}

TEST(NotablePictures, KeepsTheBestAndTheWorst) {
  NotablePictures notable(2, 2);
  const int right[] = {5, 9, 1, 7, 10, 3, 6};
  for (int i = 0; i < 7; ++i) add(notable, "p" + std::to_string(right[i]), right[i]);
  EXPECT_THAT(names(notable.best()), ElementsAre("p10", "p9"));
  EXPECT_THAT(names(notable.worst()), ElementsAre("p1", "p3"));
  // Class 0: 9 of 10 pixels; class 1 is predicted but absent: 0.
  EXPECT_DOUBLE_EQ(notable.best()[1].score, 0.45);
}

TEST(NotablePictures, FewPicturesAreShownOnce) {
  NotablePictures notable(2, 4);
  EXPECT_TRUE(notable.best().empty());
  for (int right : {4, 4, 4, 9, 4}) add(notable, "p" + std::to_string(right), right);
  EXPECT_THAT(names(notable.best()), ElementsAre("p9", "p4", "p4"));
  EXPECT_THAT(names(notable.worst()), ElementsAre("p4", "p4"));
}

TEST(NotablePictures, OfEqualScoresTheEarlierIsTheBetter) {
  NotablePictures notable(2, 1);
  for (const char* name : {"a", "b", "c"}) add(notable, name, 5);
  EXPECT_THAT(names(notable.best()), ElementsAre("a"));
  EXPECT_THAT(names(notable.worst()), ElementsAre("c"));
}

TEST(NotablePictures, IgnoredPicturesHaveNoScore) {
  NotablePictures notable(2);
  notable.add("void", Image(2, 2, 3), LabelMap(2, 2), LabelMap(2, 2, kIgnoreLabel));
  EXPECT_TRUE(notable.best().empty());
  EXPECT_TRUE(notable.worst().empty());
}

TEST(Shrunk, LongestSideIsBounded) {
  const ReportPicture small =
      shrunk("wide", Image(300, 960, 1, PixelType::u16), LabelMap(300, 960, 1), LabelMap(300, 960));
  EXPECT_EQ(small.picture.height(), 150);
  EXPECT_EQ(small.picture.width(), 480);
  EXPECT_EQ(small.picture.channels(), 3);
  EXPECT_EQ(small.picture.type(), PixelType::u8);
  EXPECT_EQ(small.prediction, LabelMap(150, 480, 1));
  EXPECT_EQ(shrunk("thin", Image(1, 5000, 3), LabelMap(1, 5000), LabelMap(1, 5000)).truth.height(),
            1);
  EXPECT_EQ(shrunk("small", Image(7, 9, 3), LabelMap(7, 9), LabelMap(7, 9)).picture.width(), 9);
}

TEST(NotablePictures, Refuses) {
  EXPECT_EQ(error_of([] { shrunk("a.png", Image(2, 2, 3), LabelMap(2, 2), LabelMap(2, 3)); }),
            "picture, prediction and mask of a.png differ in size");
  EXPECT_EQ(error_of([] { NotablePictures(2, 0); }),
            "notable pictures need at least one class and one picture to keep");
}

}  // namespace
}  // namespace segmentum
