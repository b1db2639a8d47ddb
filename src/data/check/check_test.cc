#include "data/check/check.h"

#include "data/check/testing.h"

namespace segmentum {
namespace {

using testing::HasSubstr;

TEST(Check, GeneratedScenesAreHealthy) {
  const auto data = PatientData::scenes();
  const CheckResult result = check_dataset(data.root());
  EXPECT_THAT(result.checkup.findings, IsHealthy());
  EXPECT_FALSE(result.training_would_be_wrong());
  ASSERT_EQ(result.splits.size(), 2u);
  EXPECT_EQ(result.splits[0].name, "train");
  EXPECT_EQ(result.splits[0].pictures, 10);
  EXPECT_EQ(result.splits[0].labelled(), 10 * 48 * 64);
}

TEST(Check, CountsClassesAndThoseThatOccurTogether) {
  const TemporaryFolder folder;
  folder.grey("images/a.png", {1, 2, 3, 4});
  folder.grey("images/b.png", {4, 3, 9, 1});
  folder.grey("masks/a.png", {0, 0, 1, 9});
  folder.grey("masks/b.png", {0, 2, 2, 2});
  folder.text("train.txt", "images/a.png masks/a.png\nimages/b.png masks/b.png\n");
  folder.text("dataset.toml",
              "channels = 1\n[masks]\nignore = [9]\n[[classes]]\nname = \"x\"\nvalues = [0]\n"
              "[[classes]]\nname = \"y\"\nvalues = [1]\n[[classes]]\nname = \"z\"\nvalues = [2]\n"
              "[splits]\ntrain = \"train.txt\"\n");
  const CheckResult result = check_dataset(folder / "dataset.toml");
  ASSERT_EQ(result.splits.size(), 1u);
  EXPECT_THAT(result.splits[0].class_pixels, testing::ElementsAre(3, 1, 3));
  EXPECT_THAT(result.splits[0].class_pictures, testing::ElementsAre(2, 1, 1));
  EXPECT_EQ(result.splits[0].ignored, 1);
  EXPECT_THAT(result.together, testing::ElementsAre(2, 1, 1, 1, 1, 0, 1, 0, 1));
}

TEST(Check, SplitsCanBeChosenAndMadeOfOthersAreLeftOut) {
  const auto data = PatientData::scenes();
  auto all = data.pairs("train");
  for (const auto& pair : data.pairs("val")) all.push_back(pair);
  data.write_list("trainval", all);
  const CheckResult result = check_dataset(data.root());
  EXPECT_EQ(result.checkup.samples.size(), 14u);
  EXPECT_THAT(result.checkup.findings, IsHealthy());
  EXPECT_EQ(check_dataset(data.root(), {.splits = {"val"}}).checkup.samples.size(), 4u);
  EXPECT_THAT(error_of([&] { check_dataset(data.root(), {.splits = {"vla"}}); }),
              HasSubstr("has no split \"vla\"; there are: train (10 pictures)"));
}

TEST(Check, AFolderThatCannotBeTrainedOn) {
  const TemporaryFolder folder;
  folder.grey("a.png", {1, 2});
  EXPECT_THAT(findings_of(folder.path()),
              Has(Fault::cannot_train, Severity::error, "no picture has a mask"));
  EXPECT_THAT(error_of([&] { check_dataset(folder / "none"); }), HasSubstr("does not exist"));
}

// ---- files --------------------------------------------------------------------------------------

TEST(Check, MissingFiles) {
  const auto data = PatientData::scenes();
  data.remove(data.masks[3]);
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::missing_file, Severity::warning, 1));
  data.describe({"a", "b", "c", "d", "e", "f", "g", "h"});
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::missing_file, Severity::error, 1));
}

TEST(Check, UnreadableFiles) {
  const auto data = PatientData::scenes();
  data.write(data.images[2], read_file(data / data.images[2]).substr(0, 700));
  data.write(data.masks[5], "no picture at all");
  const auto findings = findings_of(data.root());
  EXPECT_THAT(findings, Has(Fault::unreadable_picture, Severity::error, "it ends too early"));
  EXPECT_THAT(findings, Has(Fault::unreadable_mask, Severity::error, "no picture that we know"));
}

TEST(Check, PicturesWithoutMasksAndMasksWithoutPictures) {
  const auto data = PatientData::scenes();
  data.remove("train.txt");
  data.remove("val.txt");
  EXPECT_THAT(findings_of(data.root()), IsHealthy());
  data.remove(data.masks[1]);
  data.remove(data.images[12]);
  const auto findings = findings_of(data.root());
  EXPECT_THAT(findings, Has(Fault::no_mask, Severity::warning, data.images[1].string()));
  EXPECT_THAT(findings, Has(Fault::no_picture, Severity::warning, data.masks[12].string()));
}

TEST(Check, WrongPairs) {
  const auto data = PatientData::scenes();
  auto pairs = data.pairs("train");
  std::swap(pairs[0].second, pairs[1].second);
  data.write_list("train", pairs);
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::wrong_pair, Severity::error, 2));
}

TEST(Check, OneMaskForTwoPictures) {
  const auto data = PatientData::scenes();
  auto pairs = data.pairs("train");
  for (std::size_t i = 0; i < pairs.size(); ++i) {  // names that pair nothing
    const fs::path name = "pictures/p" + std::to_string(100 - i) + ".png";
    data.write(name, read_file(data / pairs[i].first));
    pairs[i].first = name;
  }
  pairs[0].second = pairs[1].second;
  data.write_list("train", pairs);
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::shared_mask, Severity::error, 1));
}

TEST(Check, MasksOfAnotherSize) {
  const auto data = PatientData::scenes();
  LabelMap labels(10, 10, 1);
  write_label_png(data / data.masks[0], labels, Palette::voc(8));
  EXPECT_THAT(findings_of(data.root()),
              Has(Fault::size_mismatch, Severity::error, "is 10x10 but its picture"));
}

/// A JPEG with nothing but an orientation in its EXIF segment.
std::string turned_jpeg(const Image& picture, int orientation) {
  const std::string jpeg = encode_jpeg(picture, 95);
  std::string tiff("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", 18);
  tiff += static_cast<char>(orientation);
  tiff += std::string("\0\0\0\0\0\0\0", 7);
  const std::string body = std::string("Exif\0\0", 6) + tiff;
  std::string segment = "\xff\xe1";
  segment += static_cast<char>((body.size() + 2) >> 8);
  segment += static_cast<char>((body.size() + 2) & 255);
  return jpeg.substr(0, 2) + segment + body + jpeg.substr(2);
}

TEST(Check, PicturesTurnedByTheirTagButNotTheirMasks) {
  for (const int orientation : {6, 8}) {
    const auto data = PatientData::scenes();
    data.write(data.images[4], turned_jpeg(data.picture(4), orientation));
    EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::rotated_picture, Severity::error, 1));
  }
  const auto data = PatientData::scenes();  // of the same size both ways
  data.write(data.images[4], turned_jpeg(data.picture(4), 3));
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::rotated_picture, Severity::warning, 1));
}

TEST(Check, PicturesTurnedByTheirTagAndTheirMasksToo) {
  const auto data = PatientData::scenes();
  // Stored upside down, shown upright, as the mask is drawn.
  data.write(data.images[4], turned_jpeg(oriented(data.picture(4), 3), 3));
  EXPECT_THAT(findings_of(data.root()), IsHealthy());
}

TEST(Check, PicturesOfOtherChannels) {
  const auto data = PatientData::scenes();
  data.describe({"a", "b", "c", "d", "e", "f", "g", "h"}, 0, "", 5);
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::picture_channels, Severity::error, 14));
}

TEST(Check, PicturesThatShowNothing) {
  const auto data = PatientData::scenes();
  data.write(data.images[7], Image(48, 64, 3));
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::constant_picture, Severity::warning, 1));
}

}  // namespace
}  // namespace segmentum
