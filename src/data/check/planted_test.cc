// Every fault planted into real pictures, and nothing found in them as they are.
#include <cmath>

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
  static PatientData nuts() { return PatientData::real_folder("voc_style/nuts"); }

  /// The one error of a data set: it is found, it stops a training, and where nobody described the
  /// data it is still found after `init` did.
  static void expect_error(const PatientData& data, Fault fault, int count) {
    EXPECT_THAT(findings_of(data.root()), HasOnly(fault, Severity::error, count));
    expect_no_training(data, fault);
  }
  static void expect_no_training(const PatientData& data, Fault fault) {
    try {
      EXPECT_THAT(findings_before_training(data.root()), Has(fault, Severity::error, ""));
    } catch (const Error&) {  // so it cannot even be opened
    }
    if (!description_of(data.root()).empty()) return;
    EXPECT_THAT(describe(data.root()).obstacles, testing::Not(testing::IsEmpty()));
    EXPECT_THAT(findings_of(data.root()), Has(fault, Severity::error, ""));
    data.remove("dataset.toml");
  }
};

using Clean = testing::TestWithParam<const char*>;

TEST_P(Clean, NothingIsFound) {
  const fs::path folder = real_data(GetParam());
  if (!fs::exists(folder)) GTEST_SKIP() << "no real data (SEGMENTUM_DATA)";
  EXPECT_THAT(findings_of(folder), IsHealthy());
  EXPECT_THAT(findings_before_training(folder), IsHealthy());
  EXPECT_THAT(quick_check(open_dataset(folder), {.splits = {}}).findings, IsHealthy());
  Inspection inspection = inspect_folder(folder);
  const LabelEncoding encoding = inspection.dataset.encoding;
  check_inspection(inspection);
  EXPECT_THAT(inspection.obstacles, testing::IsEmpty());
  EXPECT_EQ(inspection.dataset.encoding, encoding);
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
  // Before a training its header alone is read.
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::unreadable_picture, Severity::error, 1));
}

TEST_F(Planted, TruncatedMask) {
  const auto data = nuclei();
  const std::string whole = read_file(data / data.masks[2]);
  data.write(data.masks[2], whole.substr(0, whole.size() / 2));
  expect_error(data, Fault::unreadable_mask, 1);
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
  expect_error(data, Fault::wrong_pair, 2);
}

TEST_F(Planted, MaskAtHalfTheSize) {
  const auto data = camvid();
  const Image mask = data.mask(3).values;
  data.write(data.masks[3], resize(mask, mask.height() / 2, mask.width() / 2));
  EXPECT_THAT(findings_of(data.root()),
              Has(Fault::size_mismatch, Severity::error, "is 240x180 but its picture"));
  expect_no_training(data, Fault::size_mismatch);
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
  expect_no_training(data, Fault::rotated_picture);
}

TEST_F(Planted, MaskAsColours) {
  const auto data = camvid();
  data.paint(4, 3, camvid_colour);
  expect_error(data, Fault::mixed_encodings, 1);
}

TEST_F(Planted, MaskAsColoursWithAlpha) {
  const auto data = camvid();
  data.paint(4, 4, [](int value) {
    auto colour = camvid_colour(value);
    colour.push_back(255);
    return colour;
  });
  expect_error(data, Fault::mixed_encodings, 1);
}

TEST_F(Planted, LabelsInTheAlphaChannel) {
  const auto data = camvid();
  data.paint(4, 2, [](int value) { return std::vector{0, value}; });
  expect_error(data, Fault::alpha_mask, 1);
}

TEST_F(Planted, PaletteInAnotherOrder) {
  const auto data = nuts();
  const fs::path path = "SegmentationClass/000002.png";
  const RawMask mask = read_mask(data / path);
  Palette palette = Palette::voc(4);
  std::swap(palette.colours[0], palette.colours[3]);
  const LabelEncoding exchanged{.to_class = {{0, 3}, {1, 1}, {2, 2}, {3, 0}}};
  const LabelMap labels = decode_labels(mask, exchanged);
  data.remove(path);
  write_label_png(data / path, labels, palette);
  expect_error(data, Fault::palette_order, 1);
}

TEST_F(Planted, PaletteTurnedGrey) {
  const auto data = nuts();
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
  expect_error(data, Fault::grey_of_colours, 18);
}

TEST_F(Planted, SixteenBits) {
  const auto data = camvid();
  data.change_all_values([](int value) { return 257 * value; }, PixelType::u16);
  expect_error(data, Fault::wide_mask, 14);
}

TEST_F(Planted, OneMaskInSixteenBits) {
  const auto data = camvid();
  data.change_values(
      6, [](int value) { return 256 * value; }, PixelType::u16);
  expect_error(data, Fault::wide_mask, 1);
}

TEST_F(Planted, MasksAsJpeg) {
  const auto two = membranes();
  two.write(two.masks[3], encode_jpeg(two.mask(3).values, 90));
  expect_error(two, Fault::jpeg_mask, 1);
  const auto many = camvid();
  many.write(many.masks[3], encode_jpeg(many.painted(3, 3, camvid_colour), 95));
  expect_error(many, Fault::jpeg_mask, 1);
  const auto grey = camvid();
  grey.write(grey.masks[3], encode_jpeg(grey.mask(3).values, 95));
  expect_error(grey, Fault::jpeg_mask, 1);
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
  expect_error(data, Fault::soft_edges, 1);
}

TEST_F(Planted, InterpolatedLabels) {
  const auto data = camvid();
  data.write(data.masks[6], interpolated(data.mask(6).values));
  expect_error(data, Fault::interpolated_labels, 1);
}

/// Colours of the nuts' masks, as VOC has them, blurred over 3x3 pixels.
Image softened(const RawMask& mask) {
  const Palette palette = Palette::voc(4);
  const int height = mask.values.height(), width = mask.values.width();
  Image soft(height, width, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      int red = 0, green = 0;
      for (int dy : {-1, 0, 1}) {
        const auto* row = mask.values.row<std::uint8_t>(std::clamp(y + dy, 0, height - 1));
        for (int dx : {-1, 0, 1}) {
          const Rgb colour = palette.colours[row[std::clamp(x + dx, 0, width - 1)]];
          red += colour.r;
          green += colour.g;
        }
      }
      soft.row<std::uint8_t>(y)[3 * x] = static_cast<std::uint8_t>(red / 9);
      soft.row<std::uint8_t>(y)[3 * x + 1] = static_cast<std::uint8_t>(green / 9);
    }
  }
  return soft;
}

TEST_F(Planted, SoftEdgesOfColoursWithoutALegend) {
  const auto data = nuts();
  data.remove("classes.txt");
  for (const auto& entry : fs::directory_iterator(data / "SegmentationClass")) {
    const fs::path path = fs::path("SegmentationClass") / entry.path().filename();
    data.write(path, softened(read_mask(data / path)));
  }
  expect_error(data, Fault::soft_edges, 18);
  const CheckResult sick = check_dataset(data.root());
  std::vector<std::string> names;
  for (const ClassInfo& info : sick.checkup.dataset.classes) names.push_back(info.name);
  EXPECT_THAT(names, testing::ElementsAre("colour_000000", "colour_008000", "colour_800000",
                                          "colour_808000"));
  const TemporaryFolder folder;
  repair_dataset(sick, {.folder = folder / "fixed"});
  EXPECT_THAT(findings_of(folder / "fixed"), IsHealthy());
}

TEST_F(Planted, SharpColoursWithoutALegendAreClasses) {
  const auto data = camvid();
  data.remove("classes.csv");
  for (std::size_t i = 0; i < data.masks.size(); ++i) data.paint(i, 3, camvid_colour);
  EXPECT_THAT(findings_of(data.root()), IsHealthy());
  EXPECT_EQ(check_dataset(data.root()).checkup.dataset.class_count(), 12);
}

TEST_F(Planted, ValuesOutOfRange) {
  const auto data = camvid();
  data.change_values(6, [](int value) { return value == 3 ? 37 : value; });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::unknown_values, Severity::warning, 1));
  EXPECT_THAT(findings_of(data.root()),
              Has(Fault::unknown_values, Severity::warning, "training ignores them"));
}

TEST_F(Planted, ManyValuesOutOfRange) {
  const auto data = camvid();
  data.change_all_values([](int value) { return value == 3 ? 37 : value; });
  expect_error(data, Fault::unknown_values, 14);
}

/// Class numbers made so large that people can tell them apart.
struct Scaling {
  const char* name;
  std::function<int(int value)> scaled;
  bool has_void = true;
  friend std::ostream& operator<<(std::ostream& out, const Scaling& scaling) {
    return out << scaling.name;
  }
};

class ScaledValues : public Planted, public testing::WithParamInterface<Scaling> {};

TEST_P(ScaledValues, InAllMasks) {
  const auto data = camvid();
  if (!GetParam().has_void) data.change_all_values([](int value) { return value % 11; });
  const TemporaryFolder folder;
  repair_dataset(check_dataset(data.root()), {.folder = folder / "before"});
  data.change_all_values(GetParam().scaled);
  expect_error(data, Fault::scaled_values, 14);
  repair_dataset(check_dataset(data.root()), {.folder = folder / "fixed"});
  EXPECT_THAT(findings_of(folder / "fixed"), IsHealthy());
  const Dataset before = open_dataset(folder / "before"), fixed = open_dataset(folder / "fixed");
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(read_labels(before, before.split("train")[i]),
              read_labels(fixed, fixed.split("train")[i]));
  }
}

TEST_P(ScaledValues, InOneMask) {
  const auto data = camvid();
  if (!GetParam().has_void) data.change_values(6, [](int value) { return value % 11; });
  data.change_values(6, GetParam().scaled);
  expect_error(data, Fault::scaled_values, 1);
}

// Value 11 is void, which has no place beyond 255. NumPy rounds halves to even numbers.
INSTANTIATE_TEST_SUITE_P(
    RealData, ScaledValues,
    testing::Values(
        Scaling{"Times20", [](int value) { return 20 * value; }},
        Scaling{"Times23", [](int value) { return 23 * value; }},
        Scaling{"OverAllWithVoid", [](int value) { return value * 255 / 11; }},
        Scaling{"OverAllRoundedUp", [](int value) { return (value * 255 + 10) / 11; }},
        Scaling{"OverAllWithoutVoid",
                [](int value) { return static_cast<int>(std::nearbyint(value * 25.5)); }, false}),
    [](const auto& instance) { return instance.param.name; });

TEST_F(Planted, ZeroAndOneAmongZeroAnd255) {
  const auto data = membranes();
  data.change_values(2, [](int value) { return value / 255; });
  expect_error(data, Fault::zero_one_255, 1);
}

TEST_F(Planted, ForegroundIgnored) {
  const auto data = nuclei();
  data.describe({"background", "nucleus"}, 0, "ignore = [255]");
  expect_error(data, Fault::zero_one_255, 14);
}

TEST_F(Planted, LabelsThatCountFromOne) {
  const auto data = camvid();
  data.change_all_values([](int value) { return value + 1; });
  expect_error(data, Fault::one_based, 14);
}

TEST_F(Planted, OneMaskThatCountsFromOne) {
  const auto data = camvid();
  data.change_values(6, [](int value) { return value + 1; });
  expect_error(data, Fault::one_based, 1);
}

TEST_F(Planted, NutsThatCountFromOne) {
  const auto data = nuts();
  for (const auto& entry : fs::directory_iterator(data / "SegmentationClass")) {
    const fs::path path = fs::path("SegmentationClass") / entry.path().filename();
    const LabelMap labels =
        decode_labels(read_mask(data / path), {.to_class = {{0, 1}, {1, 2}, {2, 3}, {3, 4}}});
    data.remove(path);
    write_label_png(data / path, labels, Palette::voc(5));
  }
  expect_error(data, Fault::one_based, 18);
  const TemporaryFolder folder;
  repair_dataset(check_dataset(data.root()), {.folder = folder / "fixed"});
  EXPECT_THAT(findings_of(folder / "fixed"), IsHealthy());
  const Dataset fixed = open_dataset(folder / "fixed");
  ASSERT_EQ(fixed.class_count(), 4);
  EXPECT_EQ(fixed.classes[0].name, "background");
  EXPECT_EQ(fixed.classes[1].name, "date");
}

TEST_F(Planted, CityscapesLabelIds) {
  // Sky, building, pole, road, pavement, tree, sign, fence, car, pedestrian, bicyclist, void.
  constexpr int kLabelIds[] = {23, 11, 17, 7, 8, 21, 20, 13, 26, 24, 33, 0};
  const auto data = camvid();
  data.change_all_values([&](int value) { return kLabelIds[value]; });
  std::vector<std::string> names;
  for (int k = 0; k < 19; ++k) names.push_back("class" + std::to_string(k));
  data.describe(names, 0, "ignore = [255]");
  expect_error(data, Fault::label_ids, 14);
  data.remove("dataset.toml");
  std::string legend = "id,name\n";
  for (int k = 0; k < 19; ++k) legend += std::to_string(k) + "," + names[k] + "\n";
  data.write("classes.csv", legend);
  expect_error(data, Fault::label_ids, 14);
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

TEST_F(Planted, ManyConstantMasks) {
  const auto data = camvid();
  for (const std::size_t i : {1, 2, 3, 4, 5, 6}) data.change_values(i, [](int) { return 3; });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::constant_mask, Severity::warning, 6));
}

TEST_F(Planted, ConstantMasksThroughout) {
  const auto data = camvid();
  data.change_all_values([](int value) { return value == 11 ? 11 : 3; });
  expect_error(data, Fault::constant_mask, 10);
  EXPECT_THAT(findings_of(data.root()), Has(Fault::constant_mask, Severity::error, "Road"));
  const auto empty = tiles();
  empty.change_all_values([](int) { return 0; });
  EXPECT_THAT(findings_of(empty.root()), HasOnly(Fault::cannot_train, Severity::error, 0));
  EXPECT_THAT(describe(empty.root()).obstacles, testing::Not(testing::IsEmpty()));
  expect_error(empty, Fault::constant_mask, 18);
}

TEST_F(Planted, NothingIsLabelled) {
  const auto data = camvid();
  data.change_all_values([](int) { return 11; });
  expect_error(data, Fault::mostly_ignored, 10);
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
  expect_error(data, Fault::same_file, 1);
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
