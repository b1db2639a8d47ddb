#include "annotations/coco.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "data/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kStart =
    R"({"categories": [{"id": 7, "name": "cat", "color": [1, 2, 3]}, {"id": 3, "name": "dog"}],
        "images": [{"id": 10, "file_name": "a.jpg", "height": 4, "width": 6},
                   {"id": 11, "file_name": "b.jpg", "height": 2, "width": 2}], "annotations": [)";

std::vector<std::uint16_t> values(const LabelMap& map) {
  return {map.labels().begin(), map.labels().end()};
}

Labelling painted(const DrawnSet& set, std::size_t picture, Overlap overlap = Overlap::later) {
  const DrawnPicture& drawn = set.pictures[picture];
  return paint(drawn, drawn.height, drawn.width, set.classes, overlap);
}

TEST(Coco, PolygonsRunLengthsAndCompressedOnes) {
  // The same pixels, x 1 to 2 and y 1 to 2 of 6x4, three times: by columns 4 + 1 outside, 2 inside,
  // 2 outside, 2 inside, and 13 outside.
  for (const char* segmentation :
       {R"([[1, 1, 3, 1, 3, 3, 1, 3]])", R"({"size": [4, 6], "counts": [5, 2, 2, 2, 13]})",
        R"({"size": [4, 6], "counts": "5220;"})"}) {
    const DrawnSet set =
        parse_coco(std::string(kStart) + R"({"image_id": 10, "category_id": 7, "segmentation": )" +
                   segmentation + "}]}");
    EXPECT_THAT(set.classes, ElementsAre(ClassInfo{"dog", {0, 0, 0}}, ClassInfo{"cat", {1, 2, 3}}));
    ASSERT_THAT(set.pictures, SizeIs(2));
    EXPECT_THAT(set.pictures[1].objects, IsEmpty());
    const Labelling labelling = painted(set, 0);
    constexpr std::uint16_t o = kUncovered;
    EXPECT_THAT(values(labelling.labels), ElementsAre(o, o, o, o, o, o,  //
                                                      o, 1, 1, o, o, o,  //
                                                      o, 1, 1, o, o, o,  //
                                                      o, o, o, o, o, o))
        << segmentation;
    EXPECT_EQ(labelling.instances(1, 1), 1);
  }
}

TEST(Coco, PolygonsOfAnObjectAreUnited) {
  const DrawnSet set = parse_coco(std::string(kStart) +
                                  R"({"image_id": 11, "category_id": 3, "segmentation":
                                      [[0, 0, 2, 0, 2, 1, 0, 1], [0, 0, 1, 0, 1, 2, 0, 2]]}]})");
  EXPECT_THAT(values(painted(set, 1).labels), ElementsAre(0, 0, 0, kUncovered));
}

TEST(Coco, WhereObjectsOverlap) {
  const DrawnSet set =
      parse_coco(std::string(kStart) +
                 R"({"image_id": 11, "category_id": 3, "segmentation": [[0, 0, 1, 0, 1, 1, 0, 1]]},
                                     {"image_id": 11, "category_id": 7, "segmentation": [[0, 0, 2, 0, 2, 1, 0, 1]]}]})");
  const Labelling later = painted(set, 1);
  EXPECT_THAT(values(later.labels), ElementsAre(1, 1, kUncovered, kUncovered));
  EXPECT_THAT(values(later.instances), ElementsAre(2, 2, 0, 0));
  EXPECT_EQ(later.overlapping, 1);
  EXPECT_THAT(values(painted(set, 1, Overlap::smaller).labels),
              ElementsAre(0, 1, kUncovered, kUncovered));
  EXPECT_THAT(values(painted(set, 1, Overlap::ignore).labels),
              ElementsAre(kIgnoreLabel, 1, kUncovered, kUncovered));
}

TEST(Coco, CrowdsHaveAClassButNoNumber) {
  const DrawnSet set = parse_coco(std::string(kStart) +
                                  R"({"image_id": 11, "category_id": 7, "iscrowd": 1,
                                      "segmentation": {"size": [2, 2], "counts": [0, 4]}}]})");
  const Labelling labelling = painted(set, 1);
  EXPECT_THAT(values(labelling.labels), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(values(labelling.instances), ElementsAre(0, 0, 0, 0));
}

TEST(Coco, BoxesAloneAreToldOf) {
  const DrawnSet set = parse_coco(std::string(kStart) +
                                  R"({"image_id": 11, "category_id": 7, "bbox": [0, 0, 1, 1]}]})");
  EXPECT_THAT(set.notes, ElementsAre("1 of the annotations have no segmentation and are left out"));
}

TEST(Coco, LinesAndEmptyListsCoverNothing) {
  const DrawnSet set = parse_coco(std::string(kStart) + R"(
      {"image_id": 11, "category_id": 7, "segmentation": [[]]},
      {"image_id": 11, "category_id": 7, "segmentation": [[0, 0, 1, 1], [0, 0, 1, 0, 1, 1, 0, 1]]}]})");
  EXPECT_THAT(set.notes, ElementsAre("1 of the annotations have no segmentation and are left out"));
  EXPECT_THAT(values(painted(set, 1).labels), ElementsAre(1, kUncovered, kUncovered, kUncovered));
}

TEST(Coco, WhatIsWrongIsToldInOneLine) {
  const auto error = [](const std::string& annotation) {
    return error_of([&] { parse_coco(kStart + annotation + "]}"); });
  };
  EXPECT_EQ(error(R"({"image_id": 12, "category_id": 7})"),
            "annotation 1: its image_id 12 is not among the images");
  EXPECT_EQ(error(R"({"image_id": 10, "category_id": 8})"),
            "annotation 1: its category_id 8 is not among the categories");
  EXPECT_EQ(error(R"({"image_id": 10, "category_id": 7, "segmentation": [[1, 2, 3]]})"),
            "annotation 1: a polygon is expected to be a list of x, y pairs");
  EXPECT_EQ(error(R"({"image_id": 10, "category_id": 7, "segmentation": [[1, 2, 3, 4, 5, "x"]]})"),
            "annotation 1: y is no number");
  EXPECT_EQ(
      error(
          R"({"image_id": 10, "category_id": 7, "segmentation": {"size": [4, 0], "counts": [0]}})"),
      "annotation 1: states a picture of 0x4 pixels (width x height), which is none");
  EXPECT_THAT(
      error(
          R"({"image_id": 10, "category_id": 7, "segmentation": {"size": [1, 2147483648], "counts": [0]}})"),
      testing::HasSubstr(
          "states a picture of 2147483648x1 pixels (width x height), which is none"));
  EXPECT_THAT(
      error(
          R"({"image_id": 10, "category_id": 7, "segmentation": {"size": [40000, 40000], "counts": [0]}})"),
      testing::HasSubstr("whose labels would take 6400 MB, over the limit of 4295 MB"));
  EXPECT_THAT(error_of([] { parse_coco("{\"a\": "); }), testing::StartsWith("is not JSON: "));
  EXPECT_EQ(error_of([] { parse_coco("[]"); }), "is JSON, but no {object} as annotations are");
  EXPECT_EQ(error_of([] { parse_coco("{}"); }), "there is no \"categories\"");
  EXPECT_EQ(error_of([] {
              parse_coco(R"({"a": )" + std::string(100, '[') + std::string(100, ']') + "}");
            }),
            "is nested too deeply for a file of annotations");
  const DrawnSet other = parse_coco(std::string(kStart) +
                                    R"({"image_id": 10, "category_id": 7,
                                        "segmentation": {"size": [2, 2], "counts": [4]}}]})");
  EXPECT_EQ(error_of([&] { painted(other, 0); }),
            "its run lengths are of a picture of 2x2, but it is 6x4 (width x height)");
}

TEST(CocoPanoptic, IdsAreBytesOfThePixels) {
  const PanopticSet set = parse_coco_panoptic(
      R"({"categories": [{"id": 1, "name": "person"}, {"id": 90, "name": "sky"}],
          "images": [{"id": 1, "file_name": "a.jpg", "height": 1, "width": 4}],
          "annotations": [{"image_id": 1, "file_name": "a.png", "segments_info": [
            {"id": 66051, "category_id": 90}, {"id": 5, "category_id": 1, "iscrowd": 1}]}]})");
  ASSERT_THAT(set.pictures, SizeIs(1));
  // 66051 = 3 + 256 * 2 + 65536 * 1
  RawMask mask{make_image<std::uint8_t>(1, 4, 3, {3, 2, 1, 5, 0, 0, 0, 0, 0, 3, 2, 1}), {}};
  const Labelling labelling = panoptic_labelling(set.pictures[0], mask);
  EXPECT_THAT(values(labelling.labels), ElementsAre(1, 0, kIgnoreLabel, 1));
  EXPECT_THAT(values(labelling.instances), ElementsAre(1, 0, 0, 1));
  mask.values.row<std::uint8_t>(0)[0] = 4;
  EXPECT_EQ(error_of([&] { panoptic_labelling(set.pictures[0], mask); }),
            "holds the segment 66052 at x=0 y=0, which the annotations do not have");
}

/// The same pictures as panoptic PNG and as run lengths, written by COCO's own tools.
TEST(CocoReal, RunLengthsAreThePanopticSegments) {
  const auto folder = real_data("coco_ade_samples/coco_panoptic");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "coco_ade_samples is not there";
  const PanopticSet panoptic = parse_coco_panoptic(read_file(folder / "panoptic_examples.json"));
  const DrawnSet runs = parse_coco(read_file(folder / "panoptic_coco_detection_format.json"));
  ASSERT_THAT(panoptic.pictures, SizeIs(2));
  ASSERT_EQ(panoptic.classes, runs.classes);
  EXPECT_THAT(runs.classes, SizeIs(133));
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_EQ(panoptic.pictures[i].file, runs.pictures[i].file);
    const Labelling segments =
        panoptic_labelling(panoptic.pictures[i],
                           read_mask(folder / "panoptic_examples" / panoptic.pictures[i].segments));
    LabelMap labels = painted(runs, i).labels;
    std::ranges::replace(labels.labels(), kUncovered, kIgnoreLabel);
    EXPECT_EQ(labels, segments.labels);
    // Written again, the run lengths are COCO's own to the letter.
    for (const DrawnObject& object : runs.pictures[i].objects) {
      const RunLengths& stored = object.runs;
      EXPECT_EQ(encode_runs(decode_runs(stored), stored.height, stored.width).counts,
                stored.counts);
    }
  }
}

/// LabelMe's polygons of three photos beside the masks that its own tool drew of them. That tool
/// also draws the outline, half a pixel around, so borders differ.
TEST(CocoReal, PolygonsAreTheMasksButForTheirOutlines) {
  const auto folder = real_data("voc_style/labelme_voc2011");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "voc_style is not there";
  const DrawnSet set = parse_coco(read_file(folder / "coco_annotations.json"));
  ASSERT_THAT(set.pictures, SizeIs(3));
  std::int64_t pixels = 0, same = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    LabelMap labels = painted(set, i).labels;
    std::ranges::replace(labels.labels(), kUncovered, std::uint16_t{0});
    const auto stem = std::filesystem::path(set.pictures[i].file).stem().string();
    const RawMask mask = read_mask(folder / "SegmentationClass" / (stem + ".png"));
    for (int y = 0; y < labels.height(); ++y) {
      const auto* expected = mask.values.row<std::uint8_t>(y);
      for (int x = 0; x < labels.width(); ++x) {
        if (expected[x] == 255) continue;  // __ignore__, which the COCO file leaves out
        ++pixels;
        same += labels(y, x) == expected[x];
      }
    }
  }
  EXPECT_GT(static_cast<double>(same), 0.98 * static_cast<double>(pixels))
      << same << " of " << pixels;
}

}  // namespace
}  // namespace segmentum
