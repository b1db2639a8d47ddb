// What is written is what is read.
#include "annotations/annotation_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "annotations/coco.h"
#include "annotations/geojson.h"
#include "annotations/labelme.h"
#include "annotations/yolo.h"
#include "data/testing.h"

namespace segmentum {
namespace {

using testing::HasSubstr;

const std::vector<ClassInfo> kClasses{
    {"background", {}}, {"big \"cat\"", {1, 2, 3}}, {"dög", {4, 5, 6}}};

AnnotatedPicture picture_of(const LabelMap& labels) {
  AnnotatedPicture picture{.file = "a.png", .height = labels.height(), .width = labels.width()};
  picture.objects = objects_of(labels, {}, ObjectRule::parts);
  std::erase_if(picture.objects, [](const LabelledObject& object) { return object.label == 0; });
  return picture;
}

LabelMap random_labels(int height, int width, bool ignored) {
  std::mt19937 random(5);
  LabelMap labels(height, width);
  for (std::uint16_t& label : labels.labels()) {
    const unsigned drawn = random() % (ignored ? 7 : 6);
    label = drawn == 6 ? kIgnoreLabel : static_cast<std::uint16_t>(drawn % 3);
  }
  return labels;
}

LabelMap painted(const DrawnPicture& picture, const LabelMap& like) {
  LabelMap labels = paint(picture, like.height(), like.width(), kClasses, Overlap::later).labels;
  std::ranges::replace(labels.labels(), kUncovered, std::uint16_t{0});
  return labels;
}

TEST(AnnotationText, EveryFormatGivesBackEveryPixel) {
  for (const bool ignored : {false, true}) {
    const LabelMap labels = random_labels(23, 37, ignored);
    const AnnotatedPicture picture = picture_of(labels);
    for (const CocoShape shape : {CocoShape::runs, CocoShape::polygons}) {
      CocoText coco(kClasses, shape);
      coco.add(picture);
      EXPECT_EQ(painted(parse_coco(coco.text()).pictures[0], labels), labels);
    }
    EXPECT_EQ(painted(parse_labelme(labelme_text(picture, kClasses)).pictures[0], labels), labels);
    EXPECT_EQ(painted(parse_geojson(geojson_text(picture, kClasses)).pictures[0], labels), labels);
  }
  const LabelMap labels = random_labels(23, 37, false);
  const DrawnPicture drawn{.objects = parse_yolo(yolo_text(picture_of(labels), {-1, 0, 1}),
                                                 {kClasses[1].name, kClasses[2].name}, 23, 37)};
  EXPECT_EQ(painted(drawn, labels), labels);
}

TEST(AnnotationText, CocoByHand) {
  LabelMap labels(2, 3);
  labels(0, 1) = labels(1, 1) = 1;
  CocoText coco(kClasses, CocoShape::polygons);
  coco.add(picture_of(labels));
  EXPECT_EQ(coco.text(), R"({"categories": [
  {"id": 1, "name": "background", "color": [0, 0, 0]},
  {"id": 2, "name": "big \"cat\"", "color": [1, 2, 3]},
  {"id": 3, "name": "dög", "color": [4, 5, 6]}],
"images": [
  {"id": 1, "file_name": "a.png", "height": 2, "width": 3}],
"annotations": [
  {"id": 1, "image_id": 1, "category_id": 2, "iscrowd": 0, "area": 2, "bbox": [1, 0, 1, 2], "segmentation": [[1, 0, 2, 0, 2, 2, 1, 2]]}]}
)");
}

TEST(AnnotationText, AnObjectInTwoPartsStaysOne) {
  LabelMap labels(1, 5), instances(1, 5);
  for (const int x : {0, 1, 4}) {
    labels(0, x) = 1;
    instances(0, x) = 9;
  }
  AnnotatedPicture picture{.file = "a.png", .height = 1, .width = 5};
  picture.objects = objects_of(labels, instances, ObjectRule::parts);
  std::erase_if(picture.objects, [](const LabelledObject& object) { return object.label == 0; });
  ASSERT_EQ(picture.objects.size(), 1u);
  const auto numbers = [&](const DrawnPicture& drawn) {
    return paint(drawn, 1, 5, kClasses, Overlap::later).instances;
  };
  LabelMap expected(1, 5);
  for (const int x : {0, 1, 4}) expected(0, x) = 1;
  CocoText coco(kClasses, CocoShape::polygons);
  coco.add(picture);
  EXPECT_EQ(numbers(parse_coco(coco.text()).pictures[0]), expected);
  EXPECT_EQ(numbers(parse_labelme(labelme_text(picture, kClasses)).pictures[0]), expected);
  EXPECT_EQ(numbers(parse_geojson(geojson_text(picture, kClasses)).pictures[0]), expected);
  EXPECT_EQ(numbers({.objects =
                         parse_yolo(yolo_text(picture, {-1, 0, 1}), {"big \"cat\"", "dög"}, 1, 5)}),
            expected);
}

TEST(AnnotationText, GeoJsonClosesItsRings) {
  EXPECT_THAT(geojson_text({"a", 1, 1, {{1, {{0, 0, 1}}}}}, kClasses),
              HasSubstr(R"("coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]])"));
}

TEST(JsonString, EscapesAndReplaces) {
  EXPECT_EQ(json_string("a\"\\\n\x01"), R"("a\"\\\u000a\u0001")");
  EXPECT_EQ(json_string("ö€😀"), "\"ö€😀\"");
  EXPECT_EQ(json_string("\xff\xc3("), "\"\xEF\xBF\xBD\xEF\xBF\xBD(\"");
  EXPECT_EQ(json_string("\xe2\x82"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");  // cut off
  EXPECT_EQ(json_string("\xed\xa0\x80"),
            "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // a surrogate
}

}  // namespace
}  // namespace segmentum
