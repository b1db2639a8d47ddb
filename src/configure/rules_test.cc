#include "configure/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace segmentum {
namespace {

using testing::HasSubstr;

/// 100 pictures of 480x360 with objects of 80 pixels, as alike above as below.
DataProfile cells() {
  DataProfile profile{.pictures = 100,
                      .looked_at = 50,
                      .height = 360,
                      .width = 480,
                      .picture_pixels = 480 * 360,
                      .classes = {"background", "cell"},
                      .class_shares = {0.8, 0.2},
                      .class_pictures = {1, 1},
                      .object_px = 80};
  profile.orientation.pictures = 50;
  return profile;
}

DataProfile street() {
  DataProfile profile = cells();
  profile.classes = {"sky", "road", "pole"};
  profile.class_shares = {0.3, 0.69, 0.01};
  profile.class_pictures = {1, 1, 0.5};
  profile.orientation.labels = {.mean = 0.4, .errors = 20};
  profile.orientation.labels_class = 0;
  profile.brightness_spread = 0.25;
  profile.coloured = true;
  return profile;
}

std::string value_of(const std::vector<Choice>& choices, const std::string& key) {
  const auto found = std::ranges::find(choices, key, &Choice::key);
  return found == choices.end() ? "" : found->value;
}

std::string why_of(const std::vector<Choice>& choices, const std::string& key) {
  const auto found = std::ranges::find(choices, key, &Choice::key);
  return found == choices.end() ? "" : found->why;
}

TEST(CropSide, HoldsAnObjectTwice) {
  DataProfile profile = cells();
  profile.object_px = 90;
  EXPECT_EQ(crop_side(profile).value, 192);  // 180, in 32s
  profile.object_px = 20;
  EXPECT_EQ(crop_side(profile).value, 160);
  profile.object_px = 300;
  EXPECT_EQ(crop_side(profile).value, 256);
  EXPECT_THAT(crop_side(profile).why, HasSubstr("300 pixels across"));
}

TEST(CropSide, IsNoLargerThanThePicture) {
  DataProfile profile = cells();
  profile.height = 100;
  EXPECT_EQ(crop_side(profile).value, 128);
  EXPECT_EQ(crop_side(profile).why, "pictures are 480x100");
  profile.height = 3;
  EXPECT_EQ(crop_side(profile).value, 32);
}

TEST(Architecture, LargeObjectsWithoutFineLabelsNeedDepth) {
  DataProfile profile = street();
  profile.object_px = 100;
  profile.kept_at_4 = 0.9;
  EXPECT_EQ(architecture(profile, 128).value, "hypercolumn");
  EXPECT_THAT(architecture(profile, 128).why, HasSubstr("100 pixels across"));
  EXPECT_EQ(architecture(profile, 96).value, "unet");
  EXPECT_THAT(architecture(profile, 96).why, HasSubstr("96 pixels are too small"));
  profile.kept_at_4 = 0.8;
  EXPECT_EQ(architecture(profile, 128).value, "unet");
  EXPECT_THAT(architecture(profile, 128).why, HasSubstr("every fourth pixel keeps 80 %"));
  profile.kept_at_4 = 0.9;
  profile.object_px = 80;
  EXPECT_EQ(architecture(profile, 128).value, "unet");
  profile.object_px = 100;
  profile.classes.resize(2);
  EXPECT_EQ(architecture(profile, 128).value, "unet");
}

constexpr std::array kReaches{DepthReach{1, 18},  DepthReach{2, 44},  DepthReach{3, 96},
                              DepthReach{4, 200}, DepthReach{5, 408}, DepthReach{6, 824}};

TEST(UnetDepth, SeesAnObjectTwice) {
  DataProfile profile = cells();
  EXPECT_EQ(unet_depth(profile, 256, kReaches).value, 4);  // 200 >= 2 * 80
  profile.object_px = 101;
  EXPECT_EQ(unet_depth(profile, 256, kReaches).value, 5);
  EXPECT_THAT(unet_depth(profile, 256, kReaches).why, HasSubstr("sees 408 pixels"));
  profile.object_px = 4;
  EXPECT_EQ(unet_depth(profile, 256, kReaches).value, 3);  // never less
}

TEST(UnetDepth, LeavesEightPixelsOfACrop) {
  DataProfile profile = cells();
  profile.object_px = 1000;
  EXPECT_EQ(unet_depth(profile, 256, kReaches).value, 5);  // 256 / 32 = 8
  EXPECT_THAT(unet_depth(profile, 256, kReaches).why, HasSubstr("8 pixels wide at the lowest"));
  EXPECT_EQ(unet_depth(profile, 1024, kReaches).value, 6);
  EXPECT_EQ(unet_depth(profile, 32, kReaches).value, 2);
  EXPECT_EQ(unet_depth(profile, 8, kReaches).value, 1);
}

TEST(CropsWithin, NineTenthsOfTheTime) {
  // 0.25 s a crop and 0.5 s for a step of two: 0.5 s each, in 90 of 100 s.
  EXPECT_EQ(crops_within(100, {.crop_seconds = 0.25, .update_seconds = 0.5}, 2), 180);
}

TEST(NetworkWidth, IsTheWidestThatSeesEnough) {
  const double minute = 60;
  // 0.9 * 60 s / 0.005 s are 10,800 crops; 5,400 of the wider network.
  const std::array paces{Pace{8, 0.005, 0}, Pace{16, 0.01, 0}};
  EXPECT_EQ(network_width(paces, minute).value, 8);
  EXPECT_EQ(network_width(paces, minute).why,
            "10800 crops in 1 min here; width 16 would see only 5400");
  EXPECT_EQ(network_width(paces, 2 * minute).value, 16);
  EXPECT_EQ(network_width(paces, minute / 60).value, 8);
  EXPECT_THAT(network_width(paces, minute / 60).why, HasSubstr("180 crops"));
  EXPECT_THAT(network_width(paces, minute / 60).why, HasSubstr("the fastest network"));
}

TEST(CropInTime, IsSmallerWhereThereIsTimeForFew) {
  const Reasoned<int> crop{256, "large objects"};
  EXPECT_EQ(crop_in_time(crop, 6000).value, 256);
  EXPECT_EQ(crop_in_time(crop, 6000).why, "large objects");
  EXPECT_EQ(crop_in_time(crop, 4600).value, 224);  // 256 * sqrt(4600 / 6000) = 224.2
  EXPECT_EQ(crop_in_time(crop, 100).value, 160);
  EXPECT_THAT(crop_in_time(crop, 100).why, HasSubstr("100 crops of 256 pixels would be few"));
  EXPECT_EQ(crop_in_time({64, ""}, 100).value, 64);  // of small pictures
}

TEST(BatchSize, GrowsWithTheNumberOfSteps) {
  EXPECT_EQ(batch_size(100).value, 4);
  EXPECT_EQ(batch_size(47'999).value, 4);
  EXPECT_EQ(batch_size(48'000).value, 8);  // 6,000 steps
  EXPECT_EQ(batch_size(100).why, "25 steps");
}

TEST(Passes, CountPixels) {
  // 450 crops of 192x192 pixels are 16,588,800 of 100 * 172,800.
  EXPECT_DOUBLE_EQ(passes(cells(), 450, 192), 0.96);
}

TEST(Augmentation, TurnsOnlyWhatHasNoUp) {
  const auto of_cells = augmentation(cells(), 10);
  EXPECT_EQ(value_of(of_cells, "augment.flip_vertical"), "0.5");
  EXPECT_EQ(value_of(of_cells, "augment.rotation_degrees"), "90");
  const auto of_street = augmentation(street(), 10);
  EXPECT_EQ(value_of(of_street, "augment.flip_vertical"), "0");
  EXPECT_EQ(value_of(of_street, "augment.rotation_degrees"), "");
  EXPECT_EQ(why_of(of_street, "augment.flip_vertical"), "pictures have an up: sky lies above");
  DataProfile lit = cells();
  lit.orientation.light = {.mean = -0.2, .errors = -4};
  EXPECT_EQ(why_of(augmentation(lit, 10), "augment.flip_vertical"),
            "pictures have an up: they are lighter below");
  DataProfile few = cells();
  few.orientation.pictures = 5;
  EXPECT_EQ(value_of(augmentation(few, 10), "augment.flip_vertical"), "0");
  EXPECT_THAT(why_of(augmentation(few, 10), "augment.flip_vertical"), HasSubstr("5 pictures are"));
}

TEST(Augmentation, StripesAreMirroredButNotTurned) {
  DataProfile stripes = cells();
  stripes.orientation.borders = {.mean = 0.5, .errors = 9};
  EXPECT_EQ(value_of(augmentation(stripes, 10), "augment.flip_vertical"), "0.5");
  EXPECT_EQ(value_of(augmentation(stripes, 10), "augment.rotation_degrees"), "0");
}

TEST(Augmentation, NamesOfSidesForbidMirrors) {
  DataProfile lungs = cells();
  lungs.classes = {"background", "Left lung"};
  EXPECT_EQ(value_of(augmentation(lungs, 10), "augment.flip_horizontal"), "0");
  EXPECT_EQ(value_of(augmentation(lungs, 10), "augment.rotation_degrees"), "0");
  lungs.classes = {"background", "leftover"};
  EXPECT_EQ(value_of(augmentation(lungs, 10), "augment.flip_horizontal"), "0.5");
  lungs.classes = {"background", "upper_jaw"};
  EXPECT_EQ(value_of(augmentation(lungs, 10), "augment.flip_vertical"), "0");
  EXPECT_EQ(value_of(augmentation(lungs, 10), "augment.flip_horizontal"), "0.5");
}

TEST(Augmentation, SizesVaryAsTheObjectsDo) {
  DataProfile profile = cells();
  const auto range = [&](double passes) {
    const auto choices = augmentation(profile, passes);
    return value_of(choices, "augment.scale_min") + " " + value_of(choices, "augment.scale_max");
  };
  EXPECT_EQ(range(1), "0.8 1.25");
  profile.object_spread = 1.2;  // 1.44, and 1 / 1.44
  EXPECT_EQ(range(1), "0.69 1.44");
  profile.object_spread = 2;
  EXPECT_EQ(range(1), "0.5 1.5");
}

TEST(Augmentation, GrowsWithThePasses) {
  EXPECT_EQ(value_of(augmentation(cells(), 1), "augment.rotation_degrees"), "0");
  EXPECT_EQ(value_of(augmentation(cells(), 29), "augment.scale_max"), "1.25");
  EXPECT_EQ(value_of(augmentation(cells(), 30), "augment.scale_min"), "0.71");
  EXPECT_EQ(value_of(augmentation(cells(), 30), "augment.scale_max"), "1.4");
}

TEST(Augmentation, ColoursVaryAsThePicturesDo) {
  EXPECT_EQ(value_of(augmentation(cells(), 10), "augment.brightness"), "0.1");
  EXPECT_EQ(value_of(augmentation(cells(), 10), "augment.saturation"), "");
  EXPECT_EQ(value_of(augmentation(street(), 10), "augment.contrast"), "0.25");
  EXPECT_EQ(value_of(augmentation(street(), 10), "augment.saturation"), "0.25");
}

TEST(LossOfShares, TwoClasses) {
  DataProfile profile = cells();
  EXPECT_EQ(value_of(loss_of_shares(profile), "loss"), "cross_entropy+dice");
  EXPECT_EQ(value_of(loss_of_shares(profile), "augment.class_crop"), "0");
  profile.class_shares = {0.4, 0.6};
  EXPECT_EQ(value_of(loss_of_shares(profile), "loss"), "cross_entropy");
  profile.class_shares = {0.99, 0.01};
  EXPECT_EQ(value_of(loss_of_shares(profile), "augment.class_crop"), "0.5");
  EXPECT_EQ(why_of(loss_of_shares(profile), "loss"),
            "cell is 1 % of the pixels; Dice counts both alike");
}

TEST(LossOfShares, ManyClasses) {
  EXPECT_EQ(value_of(loss_of_shares(street()), "loss"), "cross_entropy+lovasz");
  EXPECT_EQ(value_of(loss_of_shares(street()), "class_weights"), "none");
  EXPECT_EQ(value_of(loss_of_shares(street()), "augment.class_crop"), "0.3");
  DataProfile empty = cells();
  empty.class_shares = {0, 0};
  EXPECT_TRUE(loss_of_shares(empty).empty());
}

TEST(PictureCache, HoldsAllWhereThereIsRoom) {
  DataProfile profile = cells();
  profile.pictures = 10'000;  // of 172,800 pixels of 5 bytes: 8640 MB
  EXPECT_EQ(value_of(picture_cache(profile, 100'000'000'000, 1024), "cache_mb"), "8640");
  EXPECT_EQ(value_of(picture_cache(profile, 4'000'000'000, 1024), "cache_mb"), "2000");
  EXPECT_TRUE(picture_cache(profile, 1'000'000'000, 1024).empty());
  EXPECT_TRUE(picture_cache(cells(), 100'000'000'000, 1024).empty());
}

}  // namespace
}  // namespace segmentum
