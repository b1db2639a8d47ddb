// LabelMe, CVAT, YOLO and GeoJSON, as texts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "annotations/cvat.h"
#include "annotations/geojson.h"
#include "annotations/labelme.h"
#include "annotations/yolo.h"
#include "base/file.h"
#include "data/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

std::vector<ClassInfo> classes_of(const DrawnSet& set) {
  std::vector<ClassInfo> classes = set.classes;
  std::erase_if(classes, [](const ClassInfo& info) { return info.name == "__ignore__"; });
  return classes;
}

/// The labels of the first picture, row by row; what no object covers is '.'.
std::string painted(const DrawnSet& set, int height, int width) {
  const Labelling labelling =
      paint(set.pictures[0], height, width, classes_of(set), Overlap::later);
  std::string text;
  for (const std::uint16_t label : labelling.labels.labels()) {
    text += label == kUncovered     ? '.'
            : label == kIgnoreLabel ? '-'
                                    : static_cast<char>('0' + label);
  }
  return text;
}

// ---- LabelMe ------------------------------------------------------------------------------------

TEST(LabelMe, ShapesGroupsAndIgnored) {
  const DrawnSet set =
      parse_labelme(R"({"version": "5.0.1", "imagePath": "..\\p\\a.jpg", "imageHeight": 2,
    "imageWidth": 6, "imageData": null, "shapes": [
      {"label": "cat", "points": [[0, 0], [2, 0], [2, 1], [0, 1]], "group_id": 4, "shape_type": "polygon"},
      {"label": "dog", "points": [[3, 2], [2, 0]], "group_id": null, "shape_type": "rectangle"},
      {"label": "cat", "points": [[4, 0], [5, 0], [5, 1], [4, 1]], "group_id": 4},
      {"label": "__ignore__", "points": [[5, 1], [6, 1], [6, 2], [5, 2]], "shape_type": "polygon"},
      {"label": "dog", "points": [[0, 0], [5, 1]], "shape_type": "line"}]})");
  EXPECT_EQ(set.pictures[0].file, "../p/a.jpg");
  EXPECT_EQ(set.pictures[0].width, 6);
  EXPECT_EQ(painted(set, 2, 6),
            "001.0."
            "..1..-");
  const Labelling labelling = paint(set.pictures[0], 2, 6, classes_of(set), Overlap::later);
  EXPECT_EQ(labelling.instances(0, 0), labelling.instances(0, 4));
  EXPECT_EQ(labelling.instances(0, 2), 2);
  EXPECT_EQ(labelling.instances(1, 5), 0);
  EXPECT_THAT(
      set.notes,
      ElementsAre("1 shape of type \"line\" left out: it covers no pixels that we know of"));
}

TEST(LabelMe, ACircleIsAsLargeAsItShouldBe) {
  const DrawnSet set = parse_labelme(R"({"shapes": [
      {"label": "cell", "points": [[50, 50], [80, 50]], "shape_type": "circle"}]})");
  // pi 30^2 = 2827.4; a polygon of 72 corners inside of it has 0.13 % less.
  const double pixels = static_cast<double>(
      pixel_count(fill_polygon(set.pictures[0].objects[0].polygons[0], 100, 100)));
  EXPECT_NEAR(pixels, 2824, 12);
}

TEST(LabelMe, WhatIsWrongIsToldInOneLine) {
  EXPECT_EQ(error_of([] { parse_labelme("{}"); }), "there is no \"shapes\"");
  EXPECT_EQ(error_of([] {
              parse_labelme(R"({"shapes": [{"label": "a", "points": [[1, 2], [3, 4]]}]})");
            }),
            "shape 1: a polygon has 2 points; expected 3 or more");
  EXPECT_EQ(
      error_of([] { parse_labelme(R"({"shapes": [{"label": "a", "points": [[1, 2], [3]]}]})"); }),
      "shape 1: point 2: is expected to be [x, y]");
  EXPECT_EQ(error_of([] { parse_labelme(R"({"shapes": [{"points": []}]})"); }),
            "shape 1: there is no \"label\"");
}

/// Six photos of nuts: our pixels beside masks that were drawn of the same polygons with their
/// outlines (see polygon.h for ours).
TEST(LabelMeReal, NutsAreTheMasksButForTheirOutlines) {
  const auto folder = real_data("voc_style/nuts");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "voc_style/nuts is not there";
  const std::vector<ClassInfo> classes{
      {"_background_", {}}, {"date", {}}, {"fig", {}}, {"hazelnut", {}}};
  std::int64_t same = 0;
  for (int i = 0; i < 2; ++i) {
    const DrawnSet set =
        parse_labelme(read_file(folder / "labelme_json" / (std::to_string(i) + ".json")));
    const Labelling labelling = paint(set.pictures[0], 600, 800, classes, Overlap::later);
    const RawMask mask =
        read_mask(folder / "SegmentationClass" / ("00000" + std::to_string(i) + ".png"));
    for (int y = 0; y < 600; ++y) {
      const auto* expected = mask.values.row<std::uint8_t>(y);
      for (int x = 0; x < 800; ++x) {
        const std::uint16_t label = labelling.labels(y, x);
        same += (label == kUncovered ? 0 : label) == expected[x];
      }
    }
  }
  EXPECT_GT(same, 2 * 600 * 800 * 0.99);
}

// ---- CVAT ---------------------------------------------------------------------------------------

constexpr const char* kCvat = R"(<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
  <meta><task><labels>
    <label><name>road</name><color>#804080</color></label>
    <label><name>car &amp; van</name><color>#000080</color></label></labels></task></meta>
  <image id="0" name="street/a.png" subset="Validation" width="6" height="3">
    <polygon label="car &amp; van" occluded="0" points="0.00,0.00;2.00,0.00;2.00,2.00;0.00,2.00" z_order="1"/>
    <box label="road" xtl="0" ytl="1" xbr="6" ybr="3" z_order="0"><attribute name="wet">no</attribute></box>
    <mask label="car &amp; van" rle="1, 2, 2, 1" left="3" top="0" width="3" height="2" z_order="2"/>
    <polyline label="road" points="0,0;1,1" z_order="0"/>
    <tag label="day"/>
  </image>
  <image id="1" name="b.png" width="2" height="2"/>
</annotations>)";

TEST(Cvat, ShapesInTheOrderOfTheirDepth) {
  const DrawnSet set = parse_cvat(kCvat);
  EXPECT_THAT(set.classes,
              ElementsAre(ClassInfo{"road", {128, 64, 128}}, ClassInfo{"car & van", {0, 0, 128}}));
  ASSERT_THAT(set.pictures, SizeIs(2));
  EXPECT_EQ(set.pictures[0].file, "street/a.png");
  EXPECT_EQ(set.pictures[0].split, "val");
  // The mask's rows are .## and ..#.
  EXPECT_EQ(painted(set, 3, 6),
            "11..11"
            "110001"
            "000000");
  EXPECT_THAT(set.pictures[1].objects, IsEmpty());
  EXPECT_THAT(set.notes,
              ElementsAre("1 shape left out: <polyline> covers no pixels that we know of"));
}

// A box of 4x2 pixels around (3, 3) is 2 wide and 4 high after a quarter turn; a flat ellipse runs
// from the upper left to the lower right after half of one.
TEST(Cvat, BoxesAndEllipsesAreTurned) {
  const auto labels = [](const std::string& shape) {
    const DrawnSet set = parse_cvat("<annotations><image name=\"a\" width=\"6\" height=\"6\">" +
                                    shape + "</image></annotations>");
    return painted(set, 6, 6);
  };
  const std::string box =
      R"(<box label="x" xtl="1" ytl="2" xbr="5" ybr="4" rotation="90.00" z_order="0"/>)";
  const std::string upright = R"(<box label="x" xtl="2" ytl="1" xbr="4" ybr="5"/>)";
  EXPECT_EQ(labels(box), labels(upright));
  const std::string slanted =
      labels(R"(<ellipse label="x" cx="3" cy="3" rx="3" ry="0.6" rotation="45"/>)");
  EXPECT_EQ(slanted[6 * 1 + 1], '0');
  EXPECT_EQ(slanted[6 * 1 + 4], '.');
  EXPECT_EQ(slanted[6 * 4 + 4], '0');
}

TEST(Cvat, WhatIsWrongIsToldInOneLine) {
  EXPECT_THAT(error_of([] { parse_cvat("<annotations><image></annotations>"); }),
              StartsWith("is not XML: "));
  EXPECT_THAT(error_of([] { parse_cvat(""); }), StartsWith("is not XML: "));
  EXPECT_EQ(error_of([] { parse_cvat("<annotation/>"); }),
            "holds no CVAT annotations: no <annotations>");
  const auto error = [](const std::string& shape) {
    return error_of([&] {
      parse_cvat("<annotations><image name=\"a\" width=\"4\" height=\"4\">" + shape +
                 "</image></annotations>");
    });
  };
  EXPECT_EQ(error("<polygon label=\"x\" points=\"1,2;3,4\"/>"),
            "image 1 (a): shape 1 (polygon): a polygon has 2 points; expected 3 or more");
  EXPECT_EQ(error("<polygon label=\"x\" points=\"1,2;3;4,5\"/>"),
            "image 1 (a): shape 1 (polygon): points has \"3\"; expected x,y;x,y;...");
  EXPECT_EQ(error("<polygon points=\"1,2\"/>"),
            "image 1 (a): shape 1 (polygon): there is no label=\"...\"");
  EXPECT_EQ(error("<mask label=\"x\" rle=\"9\" left=\"2\" top=\"0\" width=\"3\" height=\"3\"/>"),
            "image 1 (a): shape 1 (mask): the mask lies outside of the picture");
  EXPECT_EQ(error("<mask label=\"x\" rle=\"5\" left=\"0\" top=\"0\" width=\"3\" height=\"3\"/>"),
            "image 1 (a): shape 1 (mask): rle covers 5 pixels of the mask's 3x3");
  EXPECT_EQ(error("<box label=\"x\" xtl=\"0\" ytl=\"0\" xbr=\"1\" ybr=\"1\" z_order=\"nan\"/>"),
            "image 1 (a): shape 1 (box): z_order is \"nan\"; expected a number");
}

// ---- YOLO ---------------------------------------------------------------------------------------

TEST(Yolo, NamesInAllTheirForms) {
  EXPECT_THAT(parse_yolo_names("path: .\nnames: [road, 'car']\nnc: 2\n"),
              ElementsAre("road", "car"));
  EXPECT_THAT(parse_yolo_names("names:\n  0: road\n  1: \"car, van\"\nval: x\n"),
              ElementsAre("road", "car, van"));
  EXPECT_THAT(parse_yolo_names("names:\n- a\n# no class\n- b  # last\n"), ElementsAre("a", "b"));
  EXPECT_THAT(parse_yolo_names("names: [a,\n  b]\n"), ElementsAre("a", "b"));
  EXPECT_THAT(parse_yolo_names("names: {0: a, 1: b}"), ElementsAre("a", "b"));
  for (const char* text : {"", "names:", "names: [a", "nc: 2\n"}) {
    EXPECT_NE(error_of([&] { parse_yolo_names(text); }), "") << text;
  }
}

TEST(Yolo, NumbersAreSharesOfTheSides) {
  DrawnSet set;
  set.classes = {{"a", {}}, {"b", {}}};
  set.pictures.push_back(
      {.objects = parse_yolo("1 0.25 0 0.75 0 0.75 0.5 0.25 0.5\n\n", {"a", "b"}, 2, 4)});
  EXPECT_EQ(painted(set, 2, 4),
            ".11."
            "....");
}

TEST(Yolo, WhatIsWrongIsToldWithItsLine) {
  const auto error = [](const char* text) {
    return error_of([&] { parse_yolo(text, {"a"}, 4, 4); });
  };
  EXPECT_EQ(
      error("0 0 0 1 0 1 1\n0 0.5 0.5 1 1\n"),
      "line 2: four numbers are a box, not an outline; polygons are \"class x y x y x y ...\"");
  EXPECT_EQ(error("1 0 0 1 0 1 1"), "line 1: class 1 has no name; there are 1 name, from 0");
  EXPECT_EQ(error("0 0 0 1 0 1"),
            "line 1: 5 numbers behind the class; expected x y pairs, three or more");
  EXPECT_EQ(error("0 0 zero"), "line 1: \"zero\" is no number");
  EXPECT_EQ(error("nan 0 0 1 0 1 1"), "line 1: class nan has no name; there are 1 name, from 0");
  EXPECT_EQ(error("0 0 0 1 0 1 inf"), "line 1: the point (4, inf) lies in no picture");
}

// ---- GeoJSON ------------------------------------------------------------------------------------

TEST(GeoJson, HolesPartsAndClasses) {
  const DrawnSet set = parse_geojson(R"({"type": "FeatureCollection", "features": [
    {"type": "Feature", "properties": {"classification": {"name": "tumour", "color": [1, 2, 3]}},
     "geometry": {"type": "Polygon", "coordinates":
       [[[0, 0], [3, 0], [3, 3], [0, 3], [0, 0]], [[1, 1], [1, 2], [2, 2], [2, 1], [1, 1]]]}},
    {"type": "Feature", "properties": {"class": "vessel"}, "geometry": {"type": "MultiPolygon", "coordinates":
       [[[[3, 0], [4, 0], [4, 1], [3, 1], [3, 0]]], [[[3, 2, 0], [4, 2, 0], [4, 3, 0], [3, 3, 0], [3, 2, 0]]]]}},
    {"type": "Feature", "properties": {"class": "vessel"}, "geometry": {"type": "Point", "coordinates": [1, 1]}}]})");
  EXPECT_EQ(painted(set, 3, 4),
            "0001"
            "0.0."
            "0001");
  EXPECT_THAT(set.notes, ElementsAre("1 feature of type \"Point\" left out"));
}

TEST(GeoJson, WhatIsWrongIsToldInOneLine) {
  const auto error = [](const std::string& feature) {
    return error_of([&] { parse_geojson("{\"features\": [" + feature + "]}"); });
  };
  EXPECT_EQ(
      error(R"({"geometry": {"type": "Polygon", "coordinates": []}})"),
      "feature 1: it has no class: expected properties.classification.name, or properties.class");
  EXPECT_EQ(
      error(
          R"({"properties": {"class": "a"}, "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}})"),
      "feature 1: a ring is expected to be a list of at least four positions");
}

}  // namespace
}  // namespace segmentum
