#include "data/dataset_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::SizeIs;
using testing::StartsWith;

constexpr const char* kHead = R"(root = "."
channels = 1
mean = [0.25]
std = [0.5]
)";
constexpr const char* kClasses = R"([[classes]]
name = "ground"
values = [0, 2]
[[classes]]
name = "thing"
colour = "#ff8000"
values = [1]
)";
constexpr const char* kSplits = R"([splits]
train = [["images/a.png", "masks/a.png"], ["images/b.png"]]
)";

// The error of a dataset.toml of this content, without the folder's name.
std::string error_in(const TemporaryFolder& folder, const std::string& content) {
  folder.text("dataset.toml", content);
  const std::string error = error_of([&] { read_dataset_file(folder / "dataset.toml"); });
  const std::string start = (folder / "dataset.toml").string();
  EXPECT_THAT(error, StartsWith(start));
  return error.substr(std::min(error.size(), start.size()));
}

TEST(DatasetFile, ReadsAllOfIt) {
  const TemporaryFolder folder;
  folder.text("lists/val.txt", "images/c.png masks/c.png more\n");
  folder.text("dataset.toml", std::string(kHead) + "[masks]\nignore = [9, 255]\n" + kClasses +
                                  kSplits + "val = \"lists/val.txt\"\n");
  const Dataset dataset = read_dataset_file(folder / "dataset.toml");
  EXPECT_TRUE(std::filesystem::equivalent(dataset.root, folder.path()));
  EXPECT_EQ(dataset.channels, 1);
  EXPECT_THAT(dataset.mean, ElementsAre(0.25f));
  EXPECT_THAT(dataset.std, ElementsAre(0.5f));
  ASSERT_EQ(dataset.class_count(), 2);
  EXPECT_EQ(dataset.classes[0].name, "ground");
  EXPECT_EQ(dataset.classes[0].colour, (Rgb{0, 0, 0}));  // VOC's, as none is given
  EXPECT_EQ(dataset.classes[1].colour, (Rgb{255, 128, 0}));
  EXPECT_THAT(dataset.encoding.to_class,
              ElementsAre(Pair(0, 0), Pair(1, 1), Pair(2, 0), Pair(9, kIgnoreLabel),
                          Pair(255, kIgnoreLabel)));
  EXPECT_EQ(dataset.encoding.ignore_value, 9u);
  ASSERT_THAT(dataset.split("train"), SizeIs(2));
  EXPECT_EQ(dataset.split("train")[0].name, "a");
  EXPECT_EQ(dataset.split("train")[0].mask, "masks/a.png");
  EXPECT_TRUE(dataset.split("train")[1].mask.empty());
  EXPECT_EQ(dataset.split("val")[0].mask, "masks/c.png");
  EXPECT_THAT(error_of([&] { dataset.split("test"); }),
              HasSubstr("has no split \"test\"; there are: train (2 pictures), val (1 picture)"));
}

TEST(DatasetFile, NamesBecomePathsByPatterns) {
  const TemporaryFolder folder;
  folder.text("ImageSets/val.txt", "2007\n");
  folder.text(
      "dataset.toml",
      std::string(kHead) + "image_pattern = \"JPEGImages/{}.jpg\"\n" +
          "mask_pattern = \"Masks/{}.png\"\n" + kClasses +
          "[splits]\ntrain = [\"01\", [\"x.png\", \"y.png\"]]\nval = \"ImageSets/val.txt\"\n");
  const Dataset dataset = read_dataset_file(folder / "dataset.toml");
  EXPECT_EQ(dataset.split("train")[0].image, "JPEGImages/01.jpg");
  EXPECT_EQ(dataset.split("train")[0].mask, "Masks/01.png");
  EXPECT_EQ(dataset.split("train")[1].image, "x.png");
  EXPECT_EQ(dataset.split("val")[0].mask, "Masks/2007.png");
}

TEST(DatasetFile, WhatIsWrittenReadsBack) {
  const TemporaryFolder folder;
  Dataset dataset;
  dataset.root = folder.path();
  dataset.classes = {{"a \"quoted\" name", {1, 2, 3}}, {"b\\c", {255, 254, 253}}};
  dataset.encoding = {.kind = LabelEncoding::Kind::colour,
                      .to_class = {{0x010203, 0}, {0xfffefd, 1}, {0, kIgnoreLabel}},
                      .ignore_value = 0};
  dataset.channels = 2;
  dataset.mean = {0.1234f, 0.5f};
  dataset.std = {0.25f, 1};
  dataset.splits["train"] = {{.name = "a", .image = "i/a.png", .mask = "m/a.png"},
                             {.name = "z", .image = "z.png"}};
  dataset.splits["fold 1"] = {{.name = "b", .image = "i/b.png", .mask = "m/b.png"}};
  dataset.splits["cells"] = {
      {.name = "c", .image = "i/c.png", .mask = "m/c.png", .instances = "n/c.png"}};
  const std::string text =
      dataset_file_text(dataset, {.folder = folder.path(),
                                  .patterns = {.image = "i/{}.png", .mask = "m/{}.png"},
                                  .notes = {"a note\nwith a line break"},
                                  .questions = {"what is b?"}});
  EXPECT_THAT(text, HasSubstr("# - a note with a line break\n"));
  EXPECT_THAT(text, HasSubstr("# - what is b?\n"));
  EXPECT_THAT(text, HasSubstr("root = \".\"\n"));
  EXPECT_THAT(text, HasSubstr("train = [  # 2 pictures\n  \"a\",\n  [\"z.png\"],\n]\n"));
  folder.text("dataset.toml", text);
  const Dataset again = read_dataset_file(folder / "dataset.toml");
  EXPECT_EQ(again.classes, dataset.classes);
  EXPECT_EQ(again.encoding.kind, dataset.encoding.kind);
  EXPECT_EQ(again.encoding.to_class, dataset.encoding.to_class);
  EXPECT_EQ(again.encoding.ignore_value, 0u);
  EXPECT_EQ(again.mean, dataset.mean);
  EXPECT_EQ(again.std, dataset.std);
  EXPECT_EQ(again.split("train")[0].mask, "m/a.png");
  EXPECT_EQ(again.split("train")[1].image, "z.png");
  EXPECT_EQ(again.split("fold 1")[0].name, "b");
  EXPECT_EQ(again.split("cells")[0].mask, "m/c.png");
  EXPECT_EQ(again.split("cells")[0].instances, "n/c.png");
}

TEST(DatasetFile, MayLieElsewhere) {
  const TemporaryFolder folder;
  Dataset dataset;
  dataset.root = folder / "data";
  std::filesystem::create_directories(dataset.root);
  dataset.classes = {{"a", {}}, {"b", {}}};
  dataset.encoding.to_class = {{0, 0}, {1, 1}};
  dataset.mean = dataset.std = {1, 1, 1};
  EXPECT_THAT(dataset_file_text(dataset, {.folder = folder.path()}),
              HasSubstr("root = \"data\"\n"));
  const std::string text = dataset_file_text(dataset, {.folder = folder / "runs"});
  EXPECT_THAT(text, HasSubstr("root = \"" + dataset.root.generic_string() + "\"\n"));
  folder.text("runs/my.toml", text);
  EXPECT_TRUE(
      std::filesystem::equivalent(read_dataset_file(folder / "runs/my.toml").root, dataset.root));
}

TEST(DatasetFile, ErrorsNameTheLine) {
  const TemporaryFolder folder;
  const std::string rest = std::string(kClasses) + kSplits;
  EXPECT_THAT(error_in(folder, "root = \n"), StartsWith(":1: "));
  EXPECT_THAT(error_in(folder, "root = \".\"\nchanels = 3\n" + rest),
              StartsWith(":2: unknown key \"chanels\"; known here: root, channels"));
  EXPECT_THAT(error_in(folder, "channels = 3\nmean = [0.5]\n" + rest),
              StartsWith(":2: mean has 1 numbers; expected one for each of 3 channels"));
  EXPECT_THAT(error_in(folder, "channels = 1\nstd = [0]\n" + rest), HasSubstr("std is expected"));
  EXPECT_THAT(error_in(folder, "image_pattern = \"a.png\"\n" + rest),
              StartsWith(":1: image_pattern is expected to hold {}"));
  EXPECT_THAT(error_in(folder, "[masks]\nkind = \"rgb\"\n" + rest),
              StartsWith(":2: kind is \"rgb\"; expected \"value\" or \"colour\""));
  EXPECT_THAT(error_in(folder, "root = \"absent\"\n" + rest), HasSubstr("is no folder"));
  EXPECT_THAT(error_in(folder, kSplits), HasSubstr("has no classes"));
  EXPECT_THAT(error_in(folder, kClasses), HasSubstr("has no [splits]"));
}

TEST(DatasetFile, ErrorsOfClassesNameTheLine) {
  const TemporaryFolder folder;
  const auto with = [&](const std::string& extra) {
    return error_in(folder, std::string(kClasses) + extra);  // `extra` starts in line 8
  };
  EXPECT_THAT(with("[[classes]]\nname = \"x\"\n" + std::string(kSplits)),
              StartsWith(":8: this class has no values"));
  EXPECT_THAT(with("[[classes]]\nname = \"x\"\nvalues = [2]\n" + std::string(kSplits)),
              StartsWith(":10: value 2 is already in class ground"));
  EXPECT_THAT(with("[[classes]]\nname = \"thing\"\nvalues = [3]\n"),
              StartsWith(":9: there are two classes \"thing\"; to merge them"));
  EXPECT_THAT(with("[[classes]]\nname = \"x\"\nvalues = [\"#000000\"]\n"),
              StartsWith(":10: a mask value is expected to be a whole number"));
  EXPECT_THAT(with("[masks]\nignore = [1]\n" + std::string(kSplits)),
              StartsWith(":9: value 1 is already in class thing"));
  EXPECT_THAT(with("[masks]\nkind = \"colour\"\n"), HasSubstr("a colour is expected to be a text"));
  EXPECT_THAT(with("[[classes]]\nname = \"x\"\nvalues = [4]\n[masks]\nthreshold = 128\n"),
              HasSubstr("a threshold makes exactly two"));
  EXPECT_THAT(with("[splits]\ntrain = \"absent.txt\"\n"), StartsWith(":9: there is no list file"));
  EXPECT_THAT(with("[splits]\ntrain = [[\"a\", \"b\", \"c\", \"d\"]]\n"),
              StartsWith(":9: a sample is expected to be a name, [\"image\""));
  EXPECT_THAT(with("[splits]\ntrain = [\"a.png\", \"a.png\"]\n"),
              StartsWith(":9: a.png is listed twice"));
}

TEST(Dataset, AMaskOfAnotherSizeIsNamedWithBothSizes) {
  const TemporaryFolder folder;
  folder.grey("images/a.png", {1, 2, 3});
  folder.grey("masks/a.png", {0, 1});
  folder.text("dataset.toml", std::string(kHead) + kClasses + kSplits);
  const Dataset dataset = open_dataset(folder.path());
  EXPECT_THAT(error_of([&] { read_labels(dataset, dataset.split("train")[0]); }),
              HasSubstr("masks/a.png: is 2x1 but its picture images/a.png is 3x1"));
  EXPECT_THAT(error_of([&] { read_labelled(dataset, dataset.split("train")[1]); }),
              HasSubstr("images/b.png: has no mask"));
}

TEST(Dataset, PicturesLoseTheirAlpha) {
  const TemporaryFolder folder;
  Image image(1, 2, 4);
  for (int i = 0; i < 8; ++i) image.row<std::uint8_t>(0)[i] = static_cast<std::uint8_t>(i);
  folder.png("a.png", image);
  Dataset dataset;
  dataset.root = folder.path();
  const Image read = read_picture(dataset, {.image = "a.png"});
  ASSERT_EQ(read.channels(), 3);
  const auto* row = read.row<std::uint8_t>(0);
  EXPECT_THAT(std::vector<int>(row, row + 6), ElementsAre(0, 1, 2, 4, 5, 6));
}

TEST(Dataset, OpenNamesWhatIsNoDataSet) {
  const TemporaryFolder folder;
  folder.grey("a.png", {1});
  EXPECT_THAT(error_of([&] { open_dataset(folder / "absent"); }), HasSubstr("does not exist"));
  EXPECT_THAT(error_of([&] { open_dataset(folder / "a.png"); }), HasSubstr("is a picture"));
  EXPECT_THAT(error_of([&] { open_dataset(folder.path()); }),
              HasSubstr("no picture has a mask that can be told by its name"));
}

}  // namespace
}  // namespace segmentum
