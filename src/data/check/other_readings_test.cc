#include "data/check/other_readings.h"

#include <gtest/gtest.h>

#include "data/cityscapes.h"
#include "data/label_values.h"
#include "image/testing.h"

namespace segmentum {
namespace {

/// Classes "a", "b", ... of values `first`, `first` + 1, ... in VOC's colours.
Dataset dataset_of(int classes, int first = 0) {
  Dataset dataset;
  const Palette colours = Palette::voc(classes);
  for (int k = 0; k < classes; ++k) {
    dataset.classes.push_back({std::string(1, static_cast<char>('a' + k)), colours.colours[k]});
    dataset.encoding.to_class[static_cast<std::uint32_t>(first + k)] =
        static_cast<std::uint16_t>(k);
  }
  return dataset;
}

template <typename T>
MaskContent content_of(std::initializer_list<T> values, int channels = 1) {
  const int width = static_cast<int>(values.size()) / channels;
  return mask_content({make_image<T>(1, width, channels, values), {}}, {});
}

/// The faults of all readings that explain a mask.
std::vector<Fault> explanations(const Dataset& dataset, const MaskContent& mask) {
  std::vector<Fault> faults;
  for (const OtherReading& reading : other_readings(dataset)) {
    if (explains(reading, mask)) faults.push_back(reading.fault);
  }
  return faults;
}

TEST(OtherReadings, ExplainTheUsualMistakes) {
  using U8 = std::uint8_t;
  using U16 = std::uint16_t;
  using Faults = std::vector<Fault>;
  EXPECT_EQ(explanations(dataset_of(4), content_of<U8>({1, 2, 3, 4})), Faults{Fault::one_based});
  EXPECT_EQ(explanations(dataset_of(4, 1), content_of<U8>({0, 1, 2, 3})),
            Faults{Fault::zero_based});
  EXPECT_EQ(explanations(dataset_of(2), content_of<U8>({0, 255, 0})), Faults{Fault::zero_one_255});
  EXPECT_EQ(explanations(dataset_of(4), content_of<U16>({0, 257, 771})), Faults{Fault::wide_mask});
  EXPECT_EQ(explanations(dataset_of(4), content_of<U16>({0, 256, 512})), Faults{Fault::wide_mask});
  // VOC's first colours are (128,0,0), (0,128,0), (128,128,0): 38.27, 75.14 and 113.41 of
  // brightness
  EXPECT_EQ(explanations(dataset_of(4), content_of<U8>({0, 38, 75, 113})),
            Faults{Fault::grey_of_colours});
  EXPECT_EQ(explanations(dataset_of(4), content_of<U8>({128, 0, 0, 0, 128, 0}, 3)),
            Faults{Fault::mixed_encodings});
  EXPECT_TRUE(explanations(dataset_of(4), content_of<U8>({0, 1, 77})).empty());
}

TEST(OtherReadings, ScaledByAnyStep) {
  using U8 = std::uint8_t;
  // Spread over 0..255 with 3 or 4 parts, rounded in several ways; times 20; 16 bits; not times 20.
  for (const MaskContent& mask :
       {content_of<U8>({0, 85, 170, 255}), content_of<U8>({0, 63, 127, 191}),
        content_of<U8>({0, 64, 128, 192}), content_of<U8>({0, 20, 40, 60}),
        content_of<std::uint16_t>({0, 21845, 43690})}) {
    const std::vector<Fault> faults = explanations(dataset_of(4), mask);
    ASSERT_FALSE(faults.empty());
    EXPECT_EQ(faults[0], Fault::scaled_values);
  }
  EXPECT_TRUE(explanations(dataset_of(4), content_of<U8>({0, 20, 40, 65})).empty());
}

TEST(OtherReadings, FewValuesAreNoEvidence) {
  const Dataset dataset = dataset_of(5);
  const MaskContent two = content_of<std::uint8_t>({0, 41}),
                    all = content_of<std::uint8_t>({41, 82, 123});
  const MaskContent* masks[] = {&two, &all};
  int explaining = 0;
  for (const OtherReading& reading : other_readings(dataset)) {
    if (!explains(reading, two)) continue;
    EXPECT_FALSE(shows_enough(reading, std::span(masks, 1))) << reading.what;
    if (!explains(reading, all)) continue;
    ++explaining;
    EXPECT_TRUE(shows_enough(reading, masks)) << reading.what;  // 0, 41, 82 and 123
  }
  EXPECT_EQ(explaining, 1);
}

TEST(OtherReadings, CityscapesInBothDirections) {
  Dataset train_ids = dataset_of(19);
  const MaskContent ids = content_of<std::uint8_t>({7, 8, 11, 26, 33, 0, 4});
  EXPECT_EQ(explanations(train_ids, ids), std::vector<Fault>{Fault::label_ids});
  Dataset label_ids = train_ids;
  label_ids.encoding.to_class.clear();
  for (std::uint32_t id = 0; id < kCityscapesIds; ++id) {
    label_ids.encoding.to_class[id] = cityscapes_train_id(id);
  }
  const auto faults = explanations(label_ids, content_of<std::uint8_t>({0, 1, 18, 255}));
  EXPECT_EQ(faults, std::vector<Fault>{Fault::label_ids});
  EXPECT_EQ(cityscapes_train_id(7), 0);
  EXPECT_EQ(cityscapes_train_id(33), 18);
  EXPECT_EQ(cityscapes_train_id(9), kIgnoreLabel);
  EXPECT_EQ(cityscapes_train_id(34), kIgnoreLabel);
}

TEST(OtherReadings, ColoursWithRedAndBlueExchanged) {
  Dataset dataset = dataset_of(4);
  dataset.encoding = {.kind = LabelEncoding::Kind::colour};
  for (std::uint16_t k = 0; k < 4; ++k) {
    dataset.encoding.to_class[packed(dataset.classes[k].colour)] = k;
  }
  EXPECT_EQ(explanations(dataset, content_of<std::uint8_t>({0, 0, 128, 0, 128, 128}, 3)),
            std::vector<Fault>{Fault::swapped_colours});
}

TEST(OtherReadings, LabelsInTheAlphaChannel) {
  const MaskContent mask = content_of<std::uint8_t>({0, 0, 0, 1, 0, 3}, 2);
  for (const OtherReading& reading : other_readings(dataset_of(4))) {
    if (reading.from_alpha) {
      EXPECT_TRUE(explains(reading, mask));
    }
  }
}

TEST(OtherReadings, SharesAndDisagreement) {
  const Dataset dataset = dataset_of(2);
  const MaskContent mask = content_of<std::uint8_t>({0, 1, 1, 9});
  EXPECT_DOUBLE_EQ(unknown_share(mask, dataset.encoding), 0.25);
  LabelEncoding threshold;
  threshold.threshold = 1;
  EXPECT_DOUBLE_EQ(unknown_share(mask, threshold), 0);
  EXPECT_DOUBLE_EQ(disagreement(mask, dataset.encoding, threshold), 0.25);
  EXPECT_DOUBLE_EQ(unknown_share(mask, dataset.encoding, true), 1);  // there is no alpha
}

}  // namespace
}  // namespace segmentum
