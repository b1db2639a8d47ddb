#include "configure/data_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "image/codec.h"
#include "segmentum/error.h"
#include "train/tiny_dataset.h"

namespace segmentum {
namespace {

using testing::ElementsAre;

TEST(TypicalObject, HoldsHalfOfTheObjectPixels) {
  EXPECT_EQ(typical_object_px({}), 0);
  EXPECT_EQ(typical_object_px({64}), 8);
  // 4 x 4 + 16 + 32 pixels: the small ones hold half of the 64 with the one of 16.
  EXPECT_EQ(typical_object_px({32, 4, 4, 4, 16, 4}), 4);
  EXPECT_EQ(typical_object_px({36, 4, 4, 4, 16}), 6);  // here they do not
}

class Profile : public testing::Test {
 protected:
  /// A picture of 8 wide and 4 high: a square of class 1, 2 pixels on a side; grey, or red.
  void write(const std::string& name, bool red, std::uint8_t light) {
    Image image(4, 8, 3);
    LabelMap labels(4, 8);
    for (int y = 0; y < 4; ++y) {
      for (int i = 0; i < 24; ++i) {
        image.row<std::uint8_t>(y)[i] = red && i % 3 > 0 ? std::uint8_t{0} : light;
      }
    }
    labels(1, 3) = labels(1, 4) = labels(2, 3) = labels(2, 4) = 1;
    labels(0, 0) = kIgnoreLabel;
    write_png(dataset_.root / (name + ".png"), image);
    write_label_png(dataset_.root / (name + "_mask.png"), labels, palette_of(dataset_.classes));
    dataset_.splits["train"].push_back(
        {.name = name, .image = name + ".png", .mask = name + "_mask.png"});
  }

  TemporaryFolder folder_{"profile"};
  Dataset dataset_ = [this] {
    Dataset dataset = make_tiny_dataset(folder_.path());
    dataset.splits["train"].clear();
    return dataset;
  }();
  RecordingSink sink_;
};

TEST_F(Profile, CountsWhatThePicturesShow) {
  write("a", false, 50);
  write("b", true, 150);  // of three channels, one: 50 on the mean
  write("c", false, 50);
  dataset_.splits["train"].push_back({.name = "unlabelled", .image = "a.png"});
  const DataProfile profile = profile_data(dataset_, "train", sink_);
  EXPECT_EQ(profile.pictures, 3);
  EXPECT_EQ(profile.looked_at, 3);
  EXPECT_EQ(profile.height, 4);
  EXPECT_EQ(profile.width, 8);
  EXPECT_EQ(profile.picture_pixels, 32);
  EXPECT_EQ(profile.class_count(), 3);
  EXPECT_THAT(profile.class_shares, ElementsAre(27.0 / 31, 4.0 / 31, 0.0));
  EXPECT_THAT(profile.class_pictures, ElementsAre(1.0, 1.0, 0.0));
  EXPECT_EQ(profile.object_px, 2);
  EXPECT_EQ(profile.object_spread, 1);  // in every picture
  // Pixel (2, 2) of each cell of 4x4 and its like: background left, background right.
  EXPECT_DOUBLE_EQ(profile.kept_at_4, 27.0 / 31 / 2);
  EXPECT_TRUE(profile.coloured);
  EXPECT_NEAR(profile.brightness_spread, 0, 1e-12);
  EXPECT_EQ(profile.orientation.pictures, 3);
}

TEST_F(Profile, BrightnessSpreadIsRelative) {
  write("a", false, 50);
  write("b", false, 150);
  const DataProfile profile = profile_data(dataset_, "train", sink_);
  EXPECT_NEAR(profile.brightness_spread, 0.5, 1e-12);  // 100 +- 50
  EXPECT_FALSE(profile.coloured);
}

TEST_F(Profile, ObjectsDifferFromPictureToPicture) {
  write("a", false, 50);
  write("b", false, 50);
  LabelMap labels = read_labels(dataset_, dataset_.split("train")[1]);
  for (int x = 0; x < 8; ++x) labels(1, x) = labels(2, x) = 1;  // 16 pixels, where there were 4
  write_label_png(dataset_.root / "b_mask.png", labels, palette_of(dataset_.classes));
  // Of 2 and of 4 pixels: a factor of the root of 2 from the middle.
  EXPECT_NEAR(profile_data(dataset_, "train", sink_).object_spread, std::sqrt(2), 1e-12);
}

TEST_F(Profile, LooksAtAPartOfALargeSplit) {
  for (const char* name : {"a", "b", "c", "d"}) write(name, false, 50);
  EXPECT_EQ(profile_data(dataset_, "train", sink_, 2).looked_at, 2);
  EXPECT_EQ(profile_data(dataset_, "train", sink_, 2).pictures, 4);
  EXPECT_EQ(profile_data(dataset_, "train", sink_, 96, 33).looked_at,
            2);  // pictures have 32 pixels
}

TEST_F(Profile, OfNothing) {
  EXPECT_EQ(profile_data(dataset_, "train", sink_).looked_at, 0);
  EXPECT_THROW(profile_data(dataset_, "learn", sink_), Error);
}

TEST_F(Profile, LeavesOutWhatCannotBeRead) {
  for (const char* name : {"a", "b"}) write(name, false, 50);
  std::filesystem::remove(dataset_.root / "a_mask.png");
  const DataProfile profile = profile_data(dataset_, "train", sink_);
  EXPECT_EQ(profile.looked_at, 1);
  EXPECT_EQ(profile.pictures, 2);
}

TEST_F(Profile, StopsWhenAsked) {
  write("a", false, 50);
  RecordingSink stop(0);
  EXPECT_THROW(profile_data(dataset_, "train", stop), Interrupted);
}

}  // namespace
}  // namespace segmentum
