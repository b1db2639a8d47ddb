#include "data/file_role.h"

#include <gtest/gtest.h>

namespace segmentum {
namespace {

using Kind = FileRole::Kind;

void expect_role(const char* path, Kind kind, const char* split, const char* key) {
  const FileRole role = file_role(path);
  EXPECT_EQ(role.kind, kind) << path;
  EXPECT_EQ(role.split, split) << path;
  EXPECT_EQ(role.key, key) << path;
}

TEST(FileRole, FoldersSayWhatAFileIs) {
  expect_role("images/a.png", Kind::image, "", "a");
  expect_role("masks/a.png", Kind::mask, "", "a");
  expect_role("train/image/0.png", Kind::image, "train", "0");
  expect_role("labels/validation/s1/0.png", Kind::mask, "val", "s1/0");
  expect_role("test_images/0.png", Kind::image, "test", "0");
  expect_role("trainannot/0016E5_04350.png", Kind::mask, "train", "0016e5_04350");
  expect_role("train/0016E5_04350.png", Kind::unknown, "train", "0016e5_04350");
  expect_role("SegmentationClass/7.png", Kind::mask, "", "7");
  expect_role("SegmentationObject/7.png", Kind::other, "", "7");
}

TEST(FileRole, StemsSayItToo) {
  expect_role("plant001_rgb.png", Kind::image, "", "plant001");
  expect_role("plant001_fg.png", Kind::mask, "", "plant001");
  expect_role("data/x_mask.png", Kind::mask, "", "data/x");
  expect_role("a/mask_12.png", Kind::mask, "", "a/12");
  expect_role("images/x_mask.png", Kind::mask, "", "x");
  expect_role("leftImg8bit/train/bonn/bonn_01_leftImg8bit.png", Kind::image, "train",
              "bonn/bonn_01");
  expect_role("gtFine/train/bonn/bonn_01_gtFine_labelIds.png", Kind::mask, "train", "bonn/bonn_01");
  expect_role("gtFine/train/bonn/bonn_01_gtFine_instanceIds.png", Kind::other, "train",
              "bonn/bonn_01");
  expect_role("x/mask.png", Kind::unknown, "", "x/mask");  // nothing would be left
}

TEST(FileRole, WordsOfSingleDataSets) {
  expect_role("701_StillsRaw_full/0001TP_006690.png", Kind::image, "", "0001tp_006690");
  expect_role("LabeledApproved_full/0001TP_006690_L.png", Kind::mask, "", "0001tp_006690");
  expect_role("scans/a_L.png", Kind::unknown, "", "scans/a_l");  // a left one
  expect_role("train-volume.tif", Kind::image, "", "train");
  expect_role("train-labels.tif", Kind::mask, "", "train");
  expect_role("volume_1/images/a.png", Kind::image, "", "volume_1/a");
}

TEST(FileRole, TheLastWordOfAStemNamesTheMask) {
  EXPECT_EQ(file_role("gtFine/train/bonn/bonn_01_gtFine_labelIds.png").word, "labelids");
  EXPECT_EQ(file_role("gtFine/train/bonn/bonn_01_gtFine_labelTrainIds.png").word, "labeltrainids");
}

TEST(FileRole, WordsForClassMasksGoFirst) {
  EXPECT_LT(mask_word_rank("fg"), mask_word_rank("label"));
  EXPECT_LT(mask_word_rank("labelids"), mask_word_rank("gtfine"));
}

}  // namespace
}  // namespace segmentum
