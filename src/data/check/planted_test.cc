// Every fault planted into real pictures, and nothing found in them as they are.
#include "data/check/repair.h"
#include "data/check/testing.h"
#include "data/label_values.h"

namespace segmentum {
namespace {

class Planted : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(real_data("camvid"))) GTEST_SKIP() << "no real data (SEGMENTUM_DATA)";
  }

  static PatientData camvid() {
    return PatientData::real("camvid", {{"train.txt", 10}, {"val.txt", 4}});
  }
  static PatientData membranes() {
    return PatientData::real("isbi2012", {{"train.txt", 8}, {"val.txt", 3}});
  }
  static PatientData nuclei() {
    return PatientData::real("dsb2018_nuclei", {{"train.txt", 10}, {"val.txt", 4}});
  }
  static PatientData tiles() {
    return PatientData::real("magnetic_tile", {{"train.txt", 18}, {"val.txt", 6}});
  }
};

using Clean = testing::TestWithParam<const char*>;

TEST_P(Clean, NothingIsFound) {
  const fs::path folder = real_data(GetParam());
  if (!fs::exists(folder)) GTEST_SKIP() << "no real data (SEGMENTUM_DATA)";
  EXPECT_THAT(findings_of(folder), IsHealthy());
  const CheckResult result = check_dataset(folder);
  std::vector<std::string> splits;
  for (const SplitStatistics& split : result.splits) splits.push_back(split.name);
  EXPECT_THAT(quick_check(result.checkup.dataset, splits), IsHealthy());
}
INSTANTIATE_TEST_SUITE_P(RealData, Clean,
                         testing::Values("isbi2012", "dsb2018_nuclei", "voc_style/nuts",
                                         "voc_style/labelme_voc2011", "cvppp_a1_leaves",
                                         "magnetic_tile", "coco_ade_samples/ade20k"));

TEST_F(Planted, NothingIsFoundInAPartOfCamVid) {
  const auto data = PatientData::real("camvid", {{"train.txt", 24}, {"val.txt", 12}});
  EXPECT_THAT(findings_of(data.root()), IsHealthy());
}

/// CamVid's colours, as its classes.csv has them.
std::vector<int> camvid_colour(int value) {
  constexpr int kColours[][3] = {{128, 128, 128}, {128, 0, 0},   {192, 192, 128}, {128, 64, 128},
                                 {0, 0, 192},     {128, 128, 0}, {192, 128, 128}, {64, 64, 128},
                                 {64, 0, 128},    {64, 64, 0},   {0, 128, 192},   {0, 0, 0}};
  return {kColours[value], kColours[value] + 3};
}

TEST_F(Planted, TruncatedPicture) {
  const auto data = camvid();
  const std::string whole = read_file(data / data.images[1]);
  data.write(data.images[1], whole.substr(0, whole.size() / 2));
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::unreadable_picture, Severity::error, 1));
}

TEST_F(Planted, TruncatedMask) {
  const auto data = nuclei();
  const std::string whole = read_file(data / data.masks[2]);
  data.write(data.masks[2], whole.substr(0, whole.size() / 2));
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::unreadable_mask, Severity::error, 1));
}

TEST_F(Planted, MissingMaskOfAList) {
  const auto data = membranes();
  data.remove(data.masks[5]);
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::missing_file, Severity::warning, 1));
}

TEST_F(Planted, PictureWithoutMask) {
  const auto data = PatientData::real_folder("cvppp_a1_leaves");
  EXPECT_THAT(findings_of(data.root()), IsHealthy());
  for (const auto& entry : fs::directory_iterator(data.root())) {
    if (entry.path().string().ends_with("_label.png")) fs::remove(entry.path());
  }
  data.remove("plant036_fg.png");
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::no_mask, Severity::warning, 1));
}

TEST_F(Planted, MaskWithoutPicture) {
  const auto data = PatientData::real_folder("cvppp_a1_leaves");
  data.remove("plant036_rgb.png");
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::no_picture, Severity::warning, 1));
}

TEST_F(Planted, MasksExchangedInTheList) {
  const auto data = camvid();
  auto pairs = data.pairs("train");
  std::swap(pairs[2].second, pairs[7].second);
  data.write_list("train", pairs);
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::wrong_pair, Severity::error, 2));
}

TEST_F(Planted, MaskAtHalfTheSize) {
  const auto data = camvid();
  const Image mask = data.mask(3).values;
  data.write(data.masks[3], resize(mask, mask.height() / 2, mask.width() / 2));
  EXPECT_THAT(findings_of(data.root()),
              Has(Fault::size_mismatch, Severity::error, "is 240x180 but its picture"));
}

TEST_F(Planted, PhotoTurnedByItsTag) {
  // A real photo with orientation 6: shown 450x600, stored 600x450.
  const fs::path photo = real_data("robustness") / "exif_orientation" / "Landscape_6.jpg";
  if (!fs::exists(photo)) GTEST_SKIP() << photo;
  const auto data = camvid();
  data.write(data.images[0], read_file(photo));
  const ImageSize shown = image_size(photo);
  write_label_png(data / data.masks[0], LabelMap(shown.width, shown.height, 3), Palette::voc(11));
  EXPECT_THAT(findings_of(data.root()),
              Has(Fault::rotated_picture, Severity::error, "orientation 6"));
}

TEST_F(Planted, MaskAsColours) {
  const auto data = camvid();
  data.paint(4, 3, camvid_colour);
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::mixed_encodings, Severity::error, 1));
}

TEST_F(Planted, MaskAsColoursWithAlpha) {
  const auto data = camvid();
  data.paint(4, 4, [](int value) {
    auto colour = camvid_colour(value);
    colour.push_back(255);
    return colour;
  });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::mixed_encodings, Severity::error, 1));
}

TEST_F(Planted, LabelsInTheAlphaChannel) {
  const auto data = camvid();
  data.paint(4, 2, [](int value) { return std::vector{0, value}; });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::alpha_mask, Severity::error, 1));
}

TEST_F(Planted, PaletteInAnotherOrder) {
  const auto data = PatientData::real_folder("voc_style/nuts");
  const fs::path path = "SegmentationClass/000002.png";
  const RawMask mask = read_mask(data / path);
  Palette palette = Palette::voc(4);
  std::swap(palette.colours[0], palette.colours[3]);
  const LabelEncoding exchanged{.to_class = {{0, 3}, {1, 1}, {2, 2}, {3, 0}}};
  const LabelMap labels = decode_labels(mask, exchanged);
  data.remove(path);
  write_label_png(data / path, labels, palette);
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::palette_order, Severity::error, 1));
}

TEST_F(Planted, PaletteTurnedGrey) {
  const auto data = PatientData::real_folder("voc_style/nuts");
  for (const auto& entry : fs::directory_iterator(data / "SegmentationClass")) {
    const fs::path path = fs::path("SegmentationClass") / entry.path().filename();
    const RawMask mask = read_mask(data / path);
    Image grey(mask.values.height(), mask.values.width(), 1);
    constexpr int kBrightness[] = {0, 38, 75, 113};  // of VOC's first colours
    for (int y = 0; y < grey.height(); ++y) {
      for (int x = 0; x < grey.width(); ++x) {
        grey.row<std::uint8_t>(y)[x] =
            static_cast<std::uint8_t>(kBrightness[mask.values.row<std::uint8_t>(y)[x]]);
      }
    }
    data.write(path, grey);
  }
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::grey_of_colours, Severity::error, 18));
}

TEST_F(Planted, SixteenBits) {
  const auto data = camvid();
  data.change_all_values([](int value) { return 257 * value; }, PixelType::u16);
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::wide_mask, Severity::error, 14));
}

TEST_F(Planted, MasksAsJpeg) {
  const auto two = membranes();
  two.write(two.masks[3], encode_jpeg(two.mask(3).values, 90));
  EXPECT_THAT(findings_of(two.root()), HasOnly(Fault::jpeg_mask, Severity::error, 1));
  const auto many = camvid();
  many.write(many.masks[3], encode_jpeg(many.painted(3, 3, camvid_colour), 95));
  EXPECT_THAT(findings_of(many.root()), HasOnly(Fault::jpeg_mask, Severity::error, 1));
  const auto grey = camvid();
  grey.write(grey.masks[3], encode_jpeg(grey.mask(3).values, 95));
  EXPECT_THAT(findings_of(grey.root()), HasOnly(Fault::jpeg_mask, Severity::error, 1));
}

TEST_F(Planted, PngThatWasJpeg) {
  const auto data = membranes();
  const std::string file = encode_jpeg(data.mask(3).values, 50);
  data.write(data.masks[3],
             read_image_memory(std::as_bytes(std::span(file.data(), file.size())), "mask"));
  const auto findings = findings_of(data.root());
  EXPECT_FALSE(testing::Value(findings, IsHealthy()));
}

TEST_F(Planted, SoftEdges) {
  const auto data = nuclei();
  data.write(data.masks[3], interpolated(data.mask(3).values));
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::soft_edges, Severity::warning, 1));
  data.write("dataset.toml",
             "[[classes]]\nname = \"background\"\nvalues = [0]\n[[classes]]\nname = \"nucleus\"\n"
             "values = [255]\n[splits]\ntrain = \"train.txt\"\nval = \"val.txt\"\n");
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::soft_edges, Severity::error, 1));
}

TEST_F(Planted, InterpolatedLabels) {
  const auto data = camvid();
  data.write(data.masks[6], interpolated(data.mask(6).values));
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::interpolated_labels, Severity::error, 1));
}

TEST_F(Planted, ValuesOutOfRange) {
  const auto data = camvid();
  data.change_values(6, [](int value) { return value == 3 ? 37 : value; });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::unknown_values, Severity::warning, 1));
}

TEST_F(Planted, ZeroAndOneAmongZeroAnd255) {
  const auto data = membranes();
  data.change_values(2, [](int value) { return value / 255; });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::zero_one_255, Severity::error, 1));
}

TEST_F(Planted, ForegroundIgnored) {
  const auto data = nuclei();
  data.describe({"background", "nucleus"}, 0, "ignore = [255]");
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::zero_one_255, Severity::error, 14));
}

TEST_F(Planted, LabelsThatCountFromOne) {
  const auto data = camvid();
  data.change_all_values([](int value) { return value + 1; });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::one_based, Severity::error, 14));
}

TEST_F(Planted, CityscapesLabelIds) {
  // Sky, building, pole, road, pavement, tree, sign, fence, car, pedestrian, bicyclist, void.
  constexpr int kLabelIds[] = {23, 11, 17, 7, 8, 21, 20, 13, 26, 24, 33, 0};
  const auto data = camvid();
  data.change_all_values([&](int value) { return kLabelIds[value]; });
  std::vector<std::string> names;
  for (int k = 0; k < 19; ++k) names.push_back("class" + std::to_string(k));
  data.describe(names, 0, "ignore = [255]");
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::label_ids, Severity::error, 14));
}

TEST_F(Planted, LeavesCountedTakenForClasses) {
  const auto data = PatientData::real_folder("cvppp_a1_leaves");
  std::vector<std::string> names;
  std::string train;
  for (const auto& entry : fs::directory_iterator(data.root())) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with("_rgb.png")) {
      train += name + " " + name.substr(0, 8) + "_label.png\n";
    }
  }
  for (int k = 0; k <= 20; ++k) names.push_back("leaf" + std::to_string(k));
  data.write("train.txt", train);
  data.write("val.txt", "# none\n");
  data.describe(names);
  EXPECT_THAT(findings_of(data.root()), Has(Fault::object_numbers, Severity::warning, "0.."));
}

TEST_F(Planted, ConstantMask) {
  const auto data = camvid();
  data.change_values(5, [](int) { return 0; });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::constant_mask, Severity::warning, 1));
}

TEST_F(Planted, ClassOnlyInVal) {
  const auto data = PatientData::real("camvid", {{"train.txt", 24}, {"val.txt", 4}});
  for (std::size_t i = 0; i < 24; ++i) {
    data.change_values(i, [](int value) { return value == 8 ? 11 : value; });  // cars are void
  }
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::missing_class, Severity::warning, 0));
}

TEST_F(Planted, SameFileInTwoSplits) {
  const auto data = tiles();
  auto pairs = data.pairs("train");
  pairs.push_back(data.pairs("val")[2]);
  data.write_list("train", pairs);
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::same_file, Severity::error, 1));
}

TEST_F(Planted, PictureOfValCompressedResizedAndMirroredInTrain) {
  const auto data = camvid();
  auto pairs = data.pairs("train");
  const Image first = data.picture(10), second = data.picture(11);
  data.write("train/a.jpg", encode_jpeg(first, 40));
  data.write("train/b.png", oriented(data.picture(12), 2));
  data.write("train/c.png", resize(second, 300, 400, {.antialias = true}));
  write_label_png(data / "trainannot/c.png", LabelMap(300, 400, 3), Palette::voc(11));
  data.write("trainannot/b.png", oriented(data.mask(12).values, 2));
  pairs.emplace_back("train/a.jpg", data.masks[10]);
  pairs.emplace_back("train/b.png", "trainannot/b.png");
  pairs.emplace_back("train/c.png", "trainannot/c.png");
  data.write_list("train", pairs);
  const auto findings = findings_of(data.root());
  EXPECT_THAT(findings, Has(Fault::duplicate_across_splits, Severity::error, "train/a.jpg"));
  EXPECT_THAT(findings, Has(Fault::duplicate_across_splits, Severity::error, "b.png, mirrored"));
  EXPECT_THAT(findings, Has(Fault::duplicate_across_splits, Severity::error, "train/c.png"));
}

TEST_F(Planted, PictureTwiceInASplit) {
  const auto data = tiles();
  data.write(data.images[1], read_file(data / data.images[0]));
  data.write(data.masks[1], read_file(data / data.masks[0]));
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::duplicate_in_split, Severity::warning, 1));
}

TEST_F(Planted, BlackPicture) {
  const auto data = nuclei();
  const ImageSize size = image_size(data / data.images[3]);
  data.write(data.images[3], Image(size.height, size.width, 3));
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::constant_picture, Severity::warning, 1));
}

TEST_F(Planted, FixedDataAreHealthy) {
  const auto data = camvid();
  data.paint(1, 3, camvid_colour);
  data.write(data.masks[3], encode_jpeg(data.painted(3, 3, camvid_colour), 95));
  data.write(data.masks[6], interpolated(data.mask(6).values));
  data.write(data.images[8], read_file(data / data.images[8]).substr(0, 5000));
  const CheckResult sick = check_dataset(data.root());
  EXPECT_TRUE(sick.training_would_be_wrong());
  const TemporaryFolder folder;
  const RepairSummary summary = repair_dataset(sick, {.folder = folder / "fixed"});
  EXPECT_EQ(summary.written, 13);
  EXPECT_EQ(summary.changed_labels, 3);
  EXPECT_THAT(findings_of(folder / "fixed"), IsHealthy());
}

}  // namespace
}  // namespace segmentum
