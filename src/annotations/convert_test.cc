// Whole data sets from one format to another and back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tiffio.h>

#include <algorithm>
#include <map>
#include <set>

#include "annotations/label_source.h"
#include "annotations/label_writer.h"
#include "base/file.h"
#include "data/dataset.h"
#include "data/instances.h"
#include "data/testing.h"
#include "image/resize.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// Labels by the names of classes, so that sources with other orders can be compared. -1: ignored.
std::vector<int> named_labels(const LabelSource& source, const LabelItem& item,
                              const std::vector<ClassInfo>& order) {
  std::vector<int> to(source.classes.size());
  for (std::size_t k = 0; k < to.size(); ++k) {
    const auto found = std::ranges::find(order, source.classes[k].name, &ClassInfo::name);
    to[k] = found == order.end() ? -2 : static_cast<int>(found - order.begin());
  }
  std::vector<int> labels;
  const Labelling labelling = source.read(item);
  for (const std::uint16_t label : labelling.labels.labels()) {
    labels.push_back(label == kIgnoreLabel ? -1 : to[label]);
  }
  return labels;
}

const LabelItem& item_of(const LabelSource& source, const std::string& name) {
  const auto found = std::ranges::find(source.items, name, &LabelItem::name);
  if (found == source.items.end()) throw Error("no item " + name);
  return *found;
}

/// Writes `source` as `format`, reads that, and expects the same labels for every picture.
void expect_round_trip(const LabelSource& source, const char* format, const fs::path& out) {
  const WriteSummary summary =
      write_labels(source, {.format = label_format(format), .out = out, .link = true});
  EXPECT_THAT(summary.failures, IsEmpty()) << format;
  EXPECT_EQ(summary.pictures, source.items.size()) << format;
  const LabelSource back = open_label_source(out, {});
  ASSERT_EQ(back.items.size(), source.items.size()) << format;
  for (const LabelItem& item : source.items) {
    const LabelItem& again = item_of(back, item.name);
    EXPECT_EQ(again.split, item.split) << format;
    EXPECT_EQ(fs::canonical(again.image), fs::canonical(item.image)) << format;
    EXPECT_EQ(named_labels(back, again, source.classes), named_labels(source, item, source.classes))
        << format << " " << item.name;
  }
}

/// A description of some pairs of a real data set.
void describe(const TemporaryFolder& folder, const fs::path& root, const std::string& classes,
              const std::string& splits) {
  folder.text("dataset.toml", "root = \"" + fs::canonical(root).string() + "\"\n" + classes +
                                  "\n[splits]\n" + splits);
}

std::string toml_classes(std::initializer_list<const char*> names) {
  std::string text;
  int value = 0;
  for (const char* name : names) {
    text += "[[classes]]\nname = \"" + std::string(name) + "\"\nvalues = [" +
            std::to_string(value++) + "]\n";
  }
  return text;
}

TEST(ConvertReal, CamVidWithItsVoidGoesThroughEveryFormatThatKnowsIgnored) {
  const fs::path camvid = real_data("camvid");
  if (!fs::exists(camvid)) GTEST_SKIP() << "camvid is not there";
  const TemporaryFolder folder;
  describe(folder, camvid,
           "[masks]\nignore = [11]\n" +
               toml_classes({"Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol",
                             "Fence", "Car", "Pedestrian", "Bicyclist"}),
           "train = [[\"train/0001TP_006690.jpg\", \"trainannot/0001TP_006690.png\"]]\n"
           "test = [[\"test/Seq05VD_f00060.png\", \"testannot/Seq05VD_f00060.png\"]]\n");
  const LabelSource source = open_label_source(folder.path(), {});
  for (const char* format : {"coco", "coco-polygons", "labelme", "geojson"}) {
    expect_round_trip(source, format, folder / format);
  }
}

TEST(ConvertReal, NutsGoThroughYoloWithTheirObjects) {
  const fs::path nuts = real_data("voc_style/nuts");
  if (!fs::exists(nuts)) GTEST_SKIP() << "voc_style/nuts is not there";
  const TemporaryFolder folder;
  describe(folder, nuts, toml_classes({"background", "date", "fig", "hazelnut"}),
           "train = [[\"JPEGImages/000003.jpg\", \"SegmentationClass/000003.png\"]]\n"
           "val = [[\"JPEGImages/000001.jpg\", \"SegmentationClass/000001.png\"]]\n");
  const LabelSource source = open_label_source(folder.path(), {});
  EXPECT_TRUE(source.has_objects);  // SegmentationObject lies beside
  for (const char* format : {"yolo", "coco"}) expect_round_trip(source, format, folder / format);
  const auto numbers = [](const LabelSource& labels) {
    const LabelMap map = labels.read(item_of(labels, "000003")).instances;
    return std::set<int>(map.labels().begin(), map.labels().end()).size();
  };
  EXPECT_EQ(numbers(open_label_source(folder / "yolo", {})), numbers(source));
}

TEST(ConvertReal, Ade20kLabelMapsAsRunLengths) {
  const fs::path ade = real_data("coco_ade_samples/ade20k");
  if (!fs::exists(ade)) GTEST_SKIP() << "coco_ade_samples is not there";
  const LabelSource source = open_label_source(ade, {});
  ASSERT_THAT(source.items, SizeIs(3));
  EXPECT_THAT(source.classes, SizeIs(150));
  EXPECT_EQ(source.classes[2].name, "sky");  // value 3
  const TemporaryFolder folder;
  expect_round_trip(source, "coco", folder / "coco");
}

TEST(ConvertReal, PanopticBecomesADataSet) {
  const fs::path coco = real_data("coco_ade_samples/coco_panoptic");
  if (!fs::exists(coco)) GTEST_SKIP() << "coco_ade_samples is not there";
  EXPECT_THAT(error_of([&] { detect_format(coco); }),
              HasSubstr("several formats (coco, panoptic)"));
  const TemporaryFolder folder;
  const LabelSource source = open_label_source(coco / "panoptic_examples.json", {});
  ASSERT_THAT(source.items, SizeIs(2));
  write_labels(source, {.out = folder / "street", .link = true});
  const Dataset dataset = open_dataset(folder / "street");
  EXPECT_EQ(dataset.class_count(), 133);
  const Sample& sample = dataset.split("train")[0];
  const Labelling expected = source.read(item_of(source, sample.name));
  EXPECT_EQ(read_labels(dataset, sample), expected.labels);
  const RawMask objects = read_mask(dataset.root / sample.instances);
  for (int y = 0; y < expected.instances.height(); ++y) {
    const auto* row = objects.values.row<std::uint16_t>(y);
    ASSERT_TRUE(std::equal(row, row + expected.instances.width(), expected.instances.row(y))) << y;
  }
}

TEST(ConvertReal, OneMaskForEachNucleus) {
  const fs::path nuclei = real_data("dsb2018_nuclei");
  if (!fs::exists(nuclei)) GTEST_SKIP() << "dsb2018_nuclei is not there";
  EXPECT_EQ(detect_format(nuclei / "kaggle_layout_sample"), "objects");
  EXPECT_EQ(detect_format(nuclei), "dataset");  // its lists of pairs
  const LabelSource source = open_label_source(nuclei / "kaggle_layout_sample", {});
  ASSERT_THAT(source.items, SizeIs(1));
  EXPECT_EQ(source.what, "1 picture with 27 objects, a mask file each");
  const Labelling labelling = source.read(source.items[0]);
  std::set<int> numbers(labelling.instances.labels().begin(), labelling.instances.labels().end());
  EXPECT_THAT(numbers, SizeIs(28));
  // Where our own joined files have the picture, they agree: the same pixels, the same objects.
  const fs::path joined = nuclei / "instances" / (source.items[0].name + ".png");
  if (!fs::exists(joined)) return;
  const RawMask mask = read_mask(joined);
  std::map<int, std::set<int>> pairs;
  for (int y = 0; y < labelling.labels.height(); ++y) {
    for (int x = 0; x < labelling.labels.width(); ++x) {
      pairs[labelling.instances(y, x)].insert(mask.values.row<std::uint16_t>(y)[x]);
    }
  }
  for (const auto& [number, others] : pairs) EXPECT_THAT(others, SizeIs(1)) << number;
}

// ---- made by hand -------------------------------------------------------------------------------

void write_stack(const fs::path& file, int pages, int (*value)(int page, int x)) {
  fs::create_directories(file.parent_path());
  TIFF* tiff = TIFFOpen(file.c_str(), "w");
  for (int page = 0; page < pages; ++page) {
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 4);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, 1);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 1);
    std::uint8_t row[4];
    for (int x = 0; x < 4; ++x) row[x] = static_cast<std::uint8_t>(value(page, x));
    TIFFWriteScanline(tiff, row, 0, 0);
    TIFFWriteDirectory(tiff);
  }
  TIFFClose(tiff);
}

TEST(Convert, StacksBecomePictures) {
  const TemporaryFolder folder;
  write_stack(folder / "isbi/train-volume.tif", 6, [](int page, int x) { return 10 * page + x; });
  write_stack(folder / "isbi/train-labels.tif", 6,
              [](int page, int x) { return x == page % 4 ? 0 : 255; });
  EXPECT_EQ(detect_format(folder / "isbi"), "stack");
  const LabelSource source = open_label_source(folder / "isbi", {});
  EXPECT_EQ(source.what, "6 pages of 1 TIFF stack");
  write_labels(source, {.out = folder / "out"});
  const RawMask page = read_mask(folder / "out/images/train-volume_002.png");
  EXPECT_THAT(samples_of<std::uint8_t>(page.values), ElementsAre(20, 21, 22, 23));
  const RawMask mask = read_mask(folder / "out/masks/train-volume_002.png");
  EXPECT_THAT(samples_of<std::uint8_t>(mask.values), ElementsAre(1, 1, 0, 1));
  const Dataset dataset = open_dataset(folder / "out");
  EXPECT_EQ(dataset.split("train").size() + dataset.split("val").size(), 6u);
  write_stack(folder / "isbi/train-labels.tif", 5, [](int, int) { return 0; });
  EXPECT_THAT(error_of([&] { open_label_source(folder / "isbi", {}); }),
              HasSubstr("train-labels.tif: has 5 pages, but"));
}

/// A 1x1 grey PNG of the value 255.
constexpr const char* kWhitePixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg==";

std::string labelme_with(const std::string& data) {
  return R"({"imagePath": "a.png", "imageData": ")" + data +
         R"(", "shapes": [{"label": "x", "points": [[0, 0], [1, 0], [1, 1], [0, 1]]}]})";
}

TEST(Convert, LabelMeHoldsThePictureItself) {
  const TemporaryFolder folder;
  folder.text("in/a.json", labelme_with(kWhitePixel));
  const LabelSource source = open_label_source(folder / "in", {});
  EXPECT_THAT(source.notes,
              Contains("1 picture not there, taken out of the annotations (imageData)"));
  write_labels(source, {.out = folder / "out"});
  EXPECT_THAT(samples_of<std::uint8_t>(read_image(folder / "out/images/a.png")), ElementsAre(255));
  EXPECT_TRUE(fs::exists(folder / "out/masks/a.png"));
  // A file that is there goes before it.
  folder.grey("in/a.png", {7});
  write_labels(open_label_source(folder / "in", {}), {.out = folder / "beside"});
  EXPECT_THAT(samples_of<std::uint8_t>(read_image(folder / "beside/images/a.png")), ElementsAre(7));
}

TEST(Convert, APictureInLabelMeThatIsNoneIsToldOf) {
  const TemporaryFolder folder;
  const auto failure = [&](const std::string& data) {
    folder.text("in/a.json", labelme_with(data));
    return error_of(
        [&] { write_labels(open_label_source(folder / "in", {}), {.out = folder / "out"}); });
  };
  EXPECT_THAT(failure("***"), HasSubstr("a.json: \"imageData\" is no base64"));
  EXPECT_THAT(failure("aGVsbG8="), HasSubstr("\"imageData\": is no picture that we know"));
  EXPECT_THAT(failure("SUkqAAAA"), HasSubstr("is a TIFF file, PNG or JPEG was expected"));
}

TEST(ConvertReal, NutsOfLabelMeComeWithTheirPictures) {
  const fs::path folder = real_data("voc_style/nuts/labelme_json");
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there";
  const TemporaryFolder out;
  const WriteSummary summary = write_labels(open_label_source(folder, {}), {.out = out / "nuts"});
  EXPECT_EQ(summary.pictures, 6u);
  EXPECT_THAT(summary.failures, IsEmpty());
  for (int i = 0; i < 6; ++i) {
    const std::string name = std::to_string(i);
    EXPECT_EQ(image_size(out / ("nuts/images/" + name + ".jpg")),
              (ImageSize{600, 800, 3, PixelType::u8}));
    // The photo beside the masks, which LabelMe compressed anew: within 2 of 255 when shrunk.
    const auto shrunk = [](const fs::path& file) {
      return samples_of<std::uint8_t>(resize(read_image(file), 6, 8, {.antialias = true}));
    };
    const auto held = shrunk(out / ("nuts/images/" + name + ".jpg"));
    const auto photo = shrunk(folder.parent_path() / "JPEGImages" / ("00000" + name + ".jpg"));
    for (std::size_t k = 0; k < photo.size(); ++k) ASSERT_NEAR(held[k], photo[k], 2) << name;
  }
  const Dataset dataset = open_dataset(out / "nuts");
  EXPECT_EQ(dataset.classes.size(), 4u);
  EXPECT_EQ(dataset.split("train").size() + dataset.split("val").size(), 6u);
}

TEST(Convert, ObjectFoldersKeepTheirObjects) {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b"}) {
    const std::string place = std::string("stage1_train/") + name + "/";
    folder.grey(place + "images/" + name + ".png", {9, 8, 7, 6, 5});
    folder.grey(place + "masks/one.png", {255, 255, 0, 0, 0});
    folder.grey(place + "masks/two.png", {0, 255, 0, 255, 0});
  }
  const LabelSource source = open_label_source(folder.path(), {});
  const WriteSummary summary = write_labels(source, {.out = folder / "out"});
  EXPECT_EQ(summary.overlapping, 2);
  const Dataset dataset = open_dataset(folder / "out");
  const Sample& sample = dataset.split("train")[0];
  const LabelMap labels = read_labels(dataset, sample);
  EXPECT_THAT(std::vector<int>(labels.labels().begin(), labels.labels().end()),
              ElementsAre(1, 1, 0, 1, 0));
  const LabelMap objects = read_instances(dataset, sample, labels);
  EXPECT_THAT(std::vector<int>(objects.labels().begin(), objects.labels().end()),
              ElementsAre(1, 2, 0, 2, 0));
  folder.grey("stage1_train/b/masks/two.png", {0, 255});
  const WriteSummary partly = write_labels(source, {.out = folder / "partly"});
  EXPECT_EQ(partly.pictures, 1u);
  EXPECT_THAT(partly.failures, ElementsAre(HasSubstr("two.png: is 2x1, but its picture is 5x1")));
}

TEST(Convert, PredictedLabelMapsAsAnnotations) {
  const TemporaryFolder folder;
  folder.palette("predicted/a.png", {0, 1, 1, 255, 2});
  folder.colours("predicted/a.overlay.png", {{1, 2, 3}});
  folder.grey("new/a.png", {1, 2, 3, 4, 5});
  folder.text("names.csv", "id,name,r,g,b\n0,background,0,0,0\n1,road,1,2,3\n2,car,4,5,6\n");
  EXPECT_EQ(detect_format(folder / "predicted"), "labels");
  const LabelSource source = open_label_source(
      folder / "predicted", {.images = folder / "new", .classes = folder / "names.csv"});
  EXPECT_THAT(source.notes, ElementsAre("1 colour picture beside the label maps left out"));
  for (const char* format : {"labelme", "coco", "geojson"})
    expect_round_trip(source, format, folder / format);
  EXPECT_THAT(read_file(folder / "labelme/images/a.json"), HasSubstr("\"imagePath\": \"a.png\""));
  write_stack(folder / "streamed/a.tif", 1, [](int, int x) { return x; });
  EXPECT_EQ(detect_format(folder / "streamed"), "labels");
  const LabelSource bare = open_label_source(folder / "predicted", {});
  EXPECT_EQ(bare.classes[2], (ClassInfo{"class_2", {0, 128, 0}}));
  const WriteSummary yolo =
      write_labels(bare, {.format = LabelFormat::yolo, .out = folder / "yolo"});
  EXPECT_EQ(yolo.ignored, 1);
  EXPECT_EQ(
      read_file(folder / "yolo/data.yaml"),
      "path: .\ntrain: images\nnames:\n  0: \"class_0\"\n  1: \"class_1\"\n  2: \"class_2\"\n");
}

TEST(Convert, ABadLabelMapIsNamedAndLeftOut) {
  const TemporaryFolder folder;
  folder.palette("predicted/a.png", {0, 1});
  folder.text("predicted/b.png", "no picture");
  const LabelSource source = open_label_source(folder / "predicted", {});
  EXPECT_THAT(source.items, SizeIs(1));
  EXPECT_THAT(source.failures, ElementsAre(HasSubstr("b.png: ")));
  fs::remove(folder / "predicted/a.png");
  EXPECT_THAT(error_of([&] { open_label_source(folder / "predicted", {}); }), HasSubstr("b.png: "));
}

// Both would be images/a.png and masks/a.png.
TEST(Convert, TwoPicturesOfOneNameAreNoDataSet) {
  const TemporaryFolder folder;
  folder.grey("in/a.png", {1, 2});
  for (const char* name : {"one", "two"}) {
    folder.text(std::string("in/") + name + ".json",
                R"({"imagePath": "a.png", "shapes": [
                     {"label": "x", "points": [[0, 0], [1, 0], [1, 1], [0, 1]]}]})");
  }
  EXPECT_THAT(error_of([&] { open_label_source(folder / "in", {}); }),
              HasSubstr("holds two pictures called a.png; convert them one by one"));
}

TEST(Convert, WithoutPicturesNoneIsCopied) {
  const TemporaryFolder folder;
  folder.grey("data/images/a.png", {1, 2});
  folder.grey("data/masks/a.png", {0, 1});
  write_labels(open_label_source(folder / "data", {.pictures = false}), {.out = folder / "out"});
  EXPECT_TRUE(fs::exists(folder / "out/masks/a.png") ||
              fs::exists(folder / "out/masks/train/a.png"));
  EXPECT_FALSE(fs::exists(folder / "out/images"));
}

TEST(Convert, OptionsWithoutUseAreRefused) {
  const TemporaryFolder folder;
  folder.grey("data/images/a.png", {1, 2});
  folder.grey("data/masks/a.png", {0, 1});
  folder.text("names.txt", "sky\nroad\n");
  EXPECT_THAT(
      error_of([&] { open_label_source(folder / "data", {.classes = folder / "names.txt"}); }),
      HasSubstr("the classes of \"dataset\" are in the data; leave out --classes"));
  EXPECT_THAT(error_of([&] { open_label_source(folder / "data", {.images = folder / "data"}); }),
              HasSubstr("the pictures of \"dataset\" lie in the data; leave out --images"));
}

TEST(Convert, CvatBesideItsPictures) {
  const TemporaryFolder folder;
  folder.grey("job/images/a.png", {1, 2, 3});
  folder.text("job/annotations.xml",
              "<annotations><image name=\"a.png\" width=\"3\" height=\"1\">"
              "<polygon label=\"cat\" points=\"1,0;3,0;3,1;1,1\"/></image>"
              "<image name=\"lost.png\" width=\"3\" height=\"1\"/></annotations>");
  EXPECT_EQ(detect_format(folder / "job"), "cvat");
  const LabelSource source = open_label_source(folder / "job", {});
  EXPECT_THAT(source.notes, Contains("1 picture not there and left out, first lost.png"));
  EXPECT_THAT(source.notes, Contains("what no object covers is the class \"background\""));
  EXPECT_THAT(named_labels(source, source.items[0], source.classes), ElementsAre(0, 1, 1));
}

TEST(Convert, ASizeThatIsNotThePicturesIsToldOf) {
  const TemporaryFolder folder;
  folder.grey("a.png", {1, 2, 3});
  folder.text("a.json",
              R"({"imagePath": "a.png", "imageHeight": 3, "imageWidth": 1, "shapes": []})");
  folder.grey("b.png", {1, 2, 3});
  folder.text(
      "b.json",
      R"({"imagePath": "b.png", "shapes": [{"label": "x", "points": [[0, 0], [1, 0], [1, 1]]}]})");
  const LabelSource source = open_label_source(folder.path(), {});
  const WriteSummary summary = write_labels(source, {.out = folder / "out"});
  EXPECT_THAT(
      summary.failures,
      ElementsAre(HasSubstr("a.png: is 3x1, but the annotations say 1x3 (width x height)")));
}

TEST(Convert, NoFileLeavesItsFolder) {
  const TemporaryFolder folder;
  folder.grey("in/a.png", {1, 2, 3});
  folder.text("in/x.json",
              R"({"categories": [{"id": 1, "name": "c"}], "annotations": [],
                  "images": [{"id": 1, "file_name": "../../../in/a.png", "height": 1, "width": 3}]})");
  const LabelSource source = open_label_source(folder / "in/x.json", {});
  EXPECT_EQ(source.items[0].name, "a");
  EXPECT_EQ(source.items[0].image, fs::canonical(folder / "in") / "a.png");
}

TEST(Convert, WhatCannotBeReadOrWrittenIsToldInOneLine) {
  const TemporaryFolder folder;
  folder.text("in/a.json", R"({"shapes": []})");
  folder.text("in/b.txt", "nothing");
  EXPECT_THAT(error_of([&] { open_label_source(folder / "in", {}); }),
              HasSubstr("none is there (first: a); --images DIR says where they lie"));
  EXPECT_THAT(error_of([&] { open_label_source(folder / "in/b.txt", {}); }),
              HasSubstr("is no file of annotations"));
  EXPECT_THAT(error_of([&] { open_label_source(folder / "nowhere", {}); }),
              HasSubstr("does not exist"));
  EXPECT_THAT(error_of([&] { open_label_source(folder / "in", {.from = "pascal"}); }),
              HasSubstr("there is no format \"pascal\" to read; there are dataset, labels, coco"));
  EXPECT_THAT(error_of([] { label_format("pascal"); }),
              HasSubstr("there are masks, coco, coco-polygons"));
  folder.text("bad/a.json", R"({"shapes": [}])");
  EXPECT_THAT(error_of([&] { open_label_source(folder / "bad", {}); }),
              HasSubstr("a.json: is not JSON: "));
  folder.grey("good/images/a.png", {1, 2});
  folder.grey("good/masks/a.png", {0, 1});
  const LabelSource source = open_label_source(folder / "good", {});
  EXPECT_THAT(error_of([&] { write_labels(source, {.out = folder / "good"}); }),
              HasSubstr("is already there and not empty; expected a new folder"));
}

}  // namespace
}  // namespace segmentum
