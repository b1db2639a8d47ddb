#include "data/box_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/instances.h"
#include "data/testing.h"

namespace segmentum {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::SizeIs;

TEST(BoxFile, Json) {
  const TemporaryFolder folder;
  folder.text("b.json", R"([{"image": "a.jpg", "box": [1, 2, 3.5, 4], "score": 0.5, "class": "nut"},
                            {"image": "sub/b", "box": [0, 0, 1, 1], "class": 2},
                            {"image": "a.jpg", "box": [5, 5, 6, 6], "score": null}])");
  const BoxFile file = BoxFile::read(folder / "b.json");
  const auto& a = file.of("somewhere/a.jpg");
  ASSERT_THAT(a, SizeIs(2));
  EXPECT_EQ(a[0].box, (Box{1, 2, 3.5, 4}));
  EXPECT_EQ(a[0].score, 0.5);
  EXPECT_EQ(a[0].class_name, "nut");
  EXPECT_EQ(a[1].score, std::nullopt);
  EXPECT_THAT(file.of("a.png"), SizeIs(0));  // the file says jpg
  ASSERT_THAT(file.of("x/sub/b.tif"), SizeIs(1));
  EXPECT_EQ(file.of("sub/b.tif")[0].class_name, "2");
  EXPECT_THAT(file.of("b.tif"), SizeIs(0));
  EXPECT_THAT(file.of("a.jpg/c.png"), SizeIs(0));
}

TEST(BoxFile, JsonOfOnePicture) {
  const TemporaryFolder folder;
  folder.text("b.json", R"({"image": "a.jpg", "boxes": [{"id": 1, "box": [1, 2, 3, 4]}]})");
  EXPECT_THAT(BoxFile::read(folder / "b.json").of("a.jpg"), SizeIs(1));
}

TEST(BoxFile, Csv) {
  const TemporaryFolder folder;
  folder.text("b.csv",
              "class,image,x0,y0,x1,y1,score\n# a comment\nnut,\"a, b.jpg\",1,2,3,4,0.25\n"
              ",c,-1.5,0,1e2,9,\n");
  const BoxFile file = BoxFile::read(folder / "b.csv");
  ASSERT_THAT(file.of("a, b.jpg"), SizeIs(1));
  EXPECT_EQ(file.of("a, b.jpg")[0].class_name, "nut");
  EXPECT_EQ(file.of("a, b.jpg")[0].score, 0.25);
  ASSERT_THAT(file.of("c.png"), SizeIs(1));
  EXPECT_EQ(file.of("c.png")[0].box, (Box{-1.5, 0, 100, 9}));
  EXPECT_EQ(file.of("c.png")[0].score, std::nullopt);
}

TEST(BoxFile, VocAnnotationsCountFromOneAndIncludeTheLast) {
  const TemporaryFolder folder;
  folder.text(
      "xml/a.xml",
      "<annotation><filename>other.jpg</filename>"
      "<object>\n <name>nut</name><bndbox><xmin>1</xmin><ymin> 3.0 </ymin><xmax>10</xmax>"
      "<ymax>4</ymax></bndbox><part><name>shell</name><bndbox><xmin>2</xmin></bndbox></part>"
      "</object><object><name>fig &amp; "
      "date</name><bndbox><ymin>1</ymin><xmin>2</xmin><ymax>2</ymax>"
      "<xmax>2</xmax></bndbox></object></annotation>");
  folder.text("xml/b.xml", "<annotation><segmented/></annotation>");
  const BoxFile file = BoxFile::read(folder / "xml");
  ASSERT_THAT(file.of("a.jpg"), SizeIs(2));
  EXPECT_EQ(file.of("a.jpg")[0].box, (Box{0, 2, 10, 4}));
  EXPECT_EQ(file.of("a.jpg")[0].class_name, "nut");
  EXPECT_EQ(file.of("a.jpg")[1].box, (Box{1, 0, 2, 2}));
  EXPECT_EQ(file.of("a.jpg")[1].class_name, "fig & date");
  EXPECT_THAT(file.of("b.jpg"), SizeIs(0));
  EXPECT_TRUE(file.pictures().contains("b"));
  EXPECT_THAT(BoxFile::read(folder / "xml/a.xml").of("a.jpg"), SizeIs(2));
}

TEST(BoxFile, BadFilesAndBoxesAreToldInOneLine) {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& name, const std::string& content) {
    folder.text(name, content);
    return error_of([&] { BoxFile::read(folder / name); });
  };
  const auto box = [&](const std::string& sides) {
    return error("b.json",
                 R"([{"image": "a", "box": [0, 0, 1, 1]}, {"image": "a", "box": )" + sides + "}]");
  };
  EXPECT_THAT(box("[3, 0, 3, 1]"),
              EndsWith("b.json: box 2: the box [3, 0, 3, 1) is empty; expected "
                       "[x0, y0, x1, y1) with x0 < x1 and y0 < y1"));
  EXPECT_THAT(box("[3, 0, null, 1]"), EndsWith("box 2: has \"box\" that is no number"));
  EXPECT_THAT(box("[3, 0, 4]"), EndsWith("has no \"box\" of four numbers [x0, y0, x1, y1]"));
  EXPECT_THAT(box("[0, 0, NaN, 1]"), HasSubstr("is not JSON"));
  EXPECT_THAT(error("b.json", "{}"), HasSubstr("holds no list of boxes"));
  EXPECT_THAT(error("b.json", R"([{"box": [0, 0, 1, 1]}])"), EndsWith("box 1: has no \"image\""));
  EXPECT_THAT(error("b.json", std::string(100, '[')), HasSubstr("nested too deeply"));
  const std::string header = "image,x0,y0,x1,y1,score\n";
  EXPECT_THAT(error("b.csv", header + "a,0,0,nan,1,\n"),
              EndsWith("b.csv: line 2: the box [0, 0, nan, 1) has a side that is no number"));
  EXPECT_THAT(error("b.csv", header + "a,0,0,2,1,inf\n"),
              EndsWith("line 2: the score inf is no number"));
  EXPECT_THAT(error("b.csv", header + "a,0,0,2\n"), EndsWith("y1 is \"\"; expected a number"));
  EXPECT_THAT(error("b.csv", "a,0,0,2,3\n"), HasSubstr("line 1: there is no column \"image\""));
  EXPECT_THAT(error("a.xml", "<annotation><object><name>n</name></object></annotation>"),
              EndsWith("a.xml: object 1: has no <bndbox>"));
  EXPECT_THAT(error("a.xml", "<html/>"), EndsWith("is no VOC annotation: no <annotation>"));
  EXPECT_THAT(error("a.xml", "<annotation><object>"), HasSubstr("a.xml: is not XML: "));
  EXPECT_THAT(error("b.txt", ""), HasSubstr("expected .json, .csv, .xml or a folder"));
  EXPECT_THAT(error_of([&] { BoxFile::read(folder / "none.json"); }), HasSubstr("none.json"));
}

// The annotations were made from the same outlines as the instance maps.
TEST(BoxFile, RealAnnotationsLieAroundTheInstances) {
  if (!std::filesystem::exists(real_data("voc_style/nuts"))) GTEST_SKIP() << "no real data";
  const Dataset nuts = open_dataset(real_data("voc_style/nuts"));
  const BoxFile file = BoxFile::read(real_data("voc_style/nuts") / "Annotations");
  const Sample& sample = nuts.split("val").front();
  const auto& boxes = file.of(nuts.root / sample.image);
  const LabelledPicture picture = read_with_instances(nuts, sample);
  const std::vector<Instance> objects = list_instances(picture.instances, picture.labels);
  ASSERT_EQ(boxes.size(), objects.size());
  for (const Instance& object : objects) {
    const auto around = [&](const ListedBox& listed) {
      // The outlines were rounded twice.
      return listed.class_name == nuts.classes[object.label].name &&
             std::abs(listed.box.x0 - object.box.x0) <= 1 &&
             std::abs(listed.box.y0 - object.box.y0) <= 1 &&
             std::abs(listed.box.x1 - object.box.x1) <= 1 &&
             std::abs(listed.box.y1 - object.box.y1) <= 1;
    };
    EXPECT_EQ(std::ranges::count_if(boxes, around), 1) << to_string(object.box);
  }
}

}  // namespace
}  // namespace segmentum
