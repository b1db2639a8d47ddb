#include "data/check/check.h"

#include "data/check/testing.h"
#include "data/label_values.h"

namespace segmentum {
namespace {

// The scenes' 8 classes are the values 0..7; most masks show sky, building, road and pavement.

// ---- how masks are stored -----------------------------------------------------------------------

TEST(CheckMasks, ColoursAmongNumbers) {
  const auto data = PatientData::scenes();
  data.paint(3, 3, scene_colour);
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::mixed_encodings, Severity::error, 1));
}

TEST(CheckMasks, NumbersAmongColours) {
  const auto data = PatientData::scenes();
  for (std::size_t i = 1; i < data.masks.size(); ++i) data.paint(i, 3, scene_colour);
  data.change_values(0, [](int value) { return value; });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::mixed_encodings, Severity::error, 1));
}

TEST(CheckMasks, ColoursWithRedAndBlueExchanged) {
  const auto data = PatientData::scenes();
  for (std::size_t i = 0; i < data.masks.size(); ++i) data.paint(i, 3, scene_colour);
  EXPECT_THAT(findings_of(data.root()), IsHealthy());
  const auto exchanged = [](int value) {
    auto colour = scene_colour(value);
    std::swap(colour[0], colour[2]);
    return colour;
  };
  const auto other = PatientData::scenes();
  for (std::size_t i = 0; i < other.masks.size(); ++i) {
    other.paint(i, 3, i == 5 ? std::function<std::vector<int>(int)>(exchanged) : scene_colour);
  }
  EXPECT_THAT(findings_of(other.root()), HasOnly(Fault::swapped_colours, Severity::error, 1));
}

TEST(CheckMasks, PalettesInAnotherOrder) {
  const auto data = PatientData::scenes();
  Palette palette;
  for (const ClassInfo& info : scene_classes()) palette.colours.push_back(info.colour);
  std::ranges::reverse(palette.colours);
  LabelMap labels = decode_known_labels(
      data.mask(2), {.to_class = {{0, 7}, {1, 6}, {2, 5}, {3, 4}, {4, 3}, {5, 2}, {6, 1}, {7, 0}}});
  write_label_png(data / data.masks[2], labels, palette);
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::palette_order, Severity::error, 1));
}

TEST(CheckMasks, LabelsInTheAlphaChannel) {
  const auto data = PatientData::scenes();
  data.paint(6, 2, [](int value) { return std::vector{0, value}; });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::alpha_mask, Severity::error, 1));
}

TEST(CheckMasks, PartlyTransparentMasks) {
  const auto data = PatientData::scenes();
  data.paint(6, 2, [](int value) { return std::vector{value, value == 3 ? 0 : 255}; });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::alpha_mask, Severity::warning, 1));
}

TEST(CheckMasks, ValuesScaledTo16Bits) {
  const auto data = PatientData::scenes();
  data.change_all_values([](int value) { return 257 * value; }, PixelType::u16);
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::wide_mask, Severity::error, 14));
  EXPECT_EQ(findings_of(data.root())[0].files.size(), 14u);  // all are named
  const auto wide = PatientData::scenes();
  wide.change_all_values([](int value) { return value; }, PixelType::u16);
  EXPECT_THAT(findings_of(wide.root()), HasOnly(Fault::wide_mask, Severity::note, 14));
}

TEST(CheckMasks, MasksThatAreJpeg) {
  const auto data = PatientData::scenes();
  data.write(data.masks[1], encode_jpeg(data.painted(1, 3, scene_colour), 90));
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::jpeg_mask, Severity::error, 1));
  const auto grey = PatientData::scenes();
  grey.write(grey.masks[1], encode_jpeg(grey.mask(1).values, 90));
  EXPECT_THAT(findings_of(grey.root()), HasOnly(Fault::jpeg_mask, Severity::error, 1));
}

TEST(CheckMasks, SoftEdgesOfColours) {
  const auto data = PatientData::scenes();
  const Image soft = interpolated(data.painted(3, 3, scene_colour));
  for (std::size_t i = 0; i < data.masks.size(); ++i) data.paint(i, 3, scene_colour);
  data.write(data.masks[3], soft);
  const auto findings = findings_of(data.root());
  EXPECT_THAT(findings, HasOnly(Fault::soft_edges, Severity::error, 1));
}

TEST(CheckMasks, InterpolatedLabels) {
  const auto data = PatientData::scenes();
  data.write(data.masks[9], interpolated(data.mask(9).values));
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::interpolated_labels, Severity::error, 1));
}

// ---- what values mean ---------------------------------------------------------------------------

TEST(CheckMasks, ValuesOfNoClass) {
  const auto data = PatientData::scenes();
  data.change_values(3, [](int value) { return value == 2 ? 37 : value; });
  // Without a dataset.toml values that the legend does not name are ignored.
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::unknown_values, Severity::warning, 1));
  data.describe({"a", "b", "c", "d", "e", "f", "g", "h"});
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::unknown_values, Severity::error, 1));
  EXPECT_THAT(findings_of(data.root()), Has(Fault::unknown_values, Severity::error, "37 ("));
}

TEST(CheckMasks, LabelsThatCountFromOne) {
  const auto data = PatientData::scenes();
  data.change_all_values([](int value) { return value + 1; });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::one_based, Severity::error, 14));
  data.describe({"a", "b", "c", "d", "e", "f", "g", "h"});
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::one_based, Severity::error, 14));
  data.remove("dataset.toml");
  data.remove("classes.csv");
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::one_based, Severity::warning, 0));
}

TEST(CheckMasks, LabelsThatCountFromZeroButAreDescribedFromOne) {
  const auto data = PatientData::scenes();
  data.describe({"a", "b", "c", "d", "e", "f", "g", "h"}, 1);
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::zero_based, Severity::error, 14));
}

TEST(CheckMasks, LabelsSpreadForLookingAt) {
  const auto data = PatientData::scenes();
  data.change_values(2, [](int value) { return (value * 510 + 7) / 14; });  // rounded k * 255 / 7
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::scaled_values, Severity::error, 1));
}

TEST(CheckMasks, BrightnessOfColours) {
  const auto data = PatientData::scenes();
  data.change_values(2, [](int value) {
    const auto colour = scene_colour(value);
    return (299 * colour[0] + 587 * colour[1] + 114 * colour[2] + 500) / 1000;
  });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::grey_of_colours, Severity::error, 1));
}

/// The scenes' classes as Cityscapes' labelIds: sky 23, building 11, road 7, pavement 8,
/// vegetation 21, car 26, pole 17, person 24; and as its trainIds.
constexpr int kLabelIds[] = {23, 11, 7, 8, 21, 26, 17, 24};
constexpr int kTrainIds[] = {10, 2, 0, 1, 8, 13, 5, 11};

std::vector<std::string> nineteen_names() {
  std::vector<std::string> names;
  for (int k = 0; k < 19; ++k) names.push_back("class" + std::to_string(k));
  return names;
}

TEST(CheckMasks, CityscapesIdsOfTheWrongKind) {
  const auto data = PatientData::scenes();
  data.change_all_values([](int value) { return kLabelIds[value]; });
  data.describe(nineteen_names(), 0, "ignore = [255]");
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::label_ids, Severity::error, 14));
  const auto mixed = PatientData::scenes();
  for (std::size_t i = 0; i < mixed.masks.size(); ++i) {
    mixed.change_values(i, [&](int value) { return i < 3 ? kLabelIds[value] : kTrainIds[value]; });
  }
  mixed.describe(nineteen_names(), 0, "ignore = [255]");
  EXPECT_THAT(findings_of(mixed.root()), HasOnly(Fault::label_ids, Severity::error, 3));
}

TEST(CheckMasks, CityscapesLabelIdsAreKnownByTheirNames) {
  const auto data = PatientData::scenes();
  data.change_all_values([](int value) { return kLabelIds[value]; });
  for (const char* split : {"train", "val"}) {
    auto pairs = data.pairs(split);
    for (auto& [image, mask] : pairs) {
      const fs::path name =
          "gtFine" / fs::path(split + ("_" + mask.stem().string()) + "_gtFine_labelIds.png");
      data.write(name, read_file(data / mask));
      mask = name;
    }
    data.write_list(split, pairs);
  }
  data.remove("classes.csv");
  const CheckResult result = check_dataset(data.root());
  for (const Finding& finding : result.checkup.findings) {
    EXPECT_EQ(finding.fault, Fault::missing_class) << finding.what;  // eleven of the nineteen
  }
  EXPECT_EQ(result.checkup.dataset.class_count(), 19);
}

/// 0 and 1: everything or a road.
PatientData two_classes(int foreground) {
  auto data = PatientData::scenes();
  data.change_all_values([=](int value) { return value == 2 ? foreground : 0; });
  data.remove("classes.csv");
  return data;
}

TEST(CheckMasks, OneAnd255ForTheSameClass) {
  const auto data = two_classes(255);
  EXPECT_THAT(findings_of(data.root()), IsHealthy());
  data.change_values(1, [](int value) { return value / 255; });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::zero_one_255, Severity::error, 1));
}

TEST(CheckMasks, TheForegroundIsIgnored) {
  const auto data = two_classes(255);
  data.describe({"other", "road"}, 0, "ignore = [255]");
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::zero_one_255, Severity::error, 14));
}

TEST(CheckMasks, SoftEdgesAndJpegOfTwoClasses) {
  const auto data = two_classes(255);
  data.write(data.masks[2], interpolated(data.mask(2).values));
  data.write(data.masks[4], encode_jpeg(data.mask(4).values, 75));
  const auto found = findings_of(data.root());
  EXPECT_THAT(found, Has(Fault::soft_edges, Severity::warning, data.masks[2].string()));
  EXPECT_THAT(found, Has(Fault::jpeg_mask, Severity::warning, data.masks[4].string()));
  data.describe({"other", "road"});
  data.write("dataset.toml",
             "[[classes]]\nname = \"other\"\nvalues = [0]\n[[classes]]\n"
             "name = \"road\"\nvalues = [255]\n[splits]\ntrain = \"train.txt\"\n"
             "val = \"val.txt\"\n");
  const auto described = findings_of(data.root());
  EXPECT_THAT(described, Has(Fault::soft_edges, Severity::error, data.masks[2].string()));
  EXPECT_THAT(described, Has(Fault::jpeg_mask, Severity::error, data.masks[4].string()));
}

TEST(CheckMasks, NumberedObjectsTakenForClasses) {
  const auto data = PatientData::scenes();
  for (std::size_t i = 0; i < data.masks.size(); ++i) {
    Image mask(48, 64, 1);
    const int objects = 5 + static_cast<int>(i) % 5;
    for (int id = 1; id <= objects; ++id)
      mask.row<std::uint8_t>(id)[2 * id] = static_cast<std::uint8_t>(id);
    data.write(data.masks[i], mask);
  }
  data.remove("classes.csv");
  data.describe({"b", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::object_numbers, Severity::warning, 14));
}

TEST(CheckMasks, ConstantMasks) {
  const auto data = PatientData::scenes();
  data.change_values(8, [](int) { return 1; });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::constant_mask, Severity::warning, 1));
  const auto empty = two_classes(255);
  empty.change_values(8, [](int) { return 0; });
  EXPECT_THAT(findings_of(empty.root()), HasOnly(Fault::empty_masks, Severity::note, 1));
}

TEST(CheckMasks, MostPixelsAreIgnored) {
  const auto data = PatientData::scenes();
  data.change_values(0, [](int) { return 255; });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::mostly_ignored, Severity::warning, 1));
  const auto more = PatientData::scenes();
  more.change_all_values([](int value) { return value == 3 || value == 1 ? value : 255; });
  EXPECT_THAT(findings_of(more.root()), Has(Fault::mostly_ignored, Severity::warning, "% of all"));
}

TEST(CheckMasks, ClassesThatCannotBeLearnt) {
  const auto data = PatientData::scenes();
  data.describe({"a", "b", "c", "d", "e"});
  data.change_all_values([](int value) { return value % 4; });
  data.change_values(12, [](int value) { return value == 2 ? 4 : value; });
  EXPECT_THAT(findings_of(data.root()), HasOnly(Fault::missing_class, Severity::warning, 0));
  EXPECT_THAT(findings_of(data.root()),
              Has(Fault::missing_class, Severity::warning, "others do: e"));
}

}  // namespace
}  // namespace segmentum
