#include "data/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset_file.h"
#include "data/testing.h"

namespace segmentum {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

// What is inspected, after it was written to dataset.toml and read back.
Dataset round_trip(const TemporaryFolder& folder, const Inspection& inspection) {
  folder.text("dataset.toml", dataset_toml(inspection, folder.path()));
  return read_dataset_file(folder / "dataset.toml");
}

std::vector<std::string> names(const Dataset& dataset) {
  std::vector<std::string> result;
  for (const ClassInfo& info : dataset.classes) result.push_back(info.name);
  return result;
}

std::vector<std::uint16_t> labels_of(const Dataset& dataset, const Sample& sample) {
  const LabelMap labels = read_labels(dataset, sample);
  return {labels.labels().begin(), labels.labels().end()};
}

TEST(Inspect, AThirdColumnOfPicturesIsTheInstanceMap) {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b"}) {
    folder.grey(std::string("pics/") + name + ".png", {0, 255, 0, 255});
    folder.grey(std::string("lab/") + name + ".png", {0, 255, 255, 0});
    folder.grey(std::string("inst/") + name + ".png", {0, 1, 2, 0});
  }
  folder.text("train.txt", "pics/a.png lab/a.png inst/a.png\n");
  folder.text("val.txt", "pics/b.png lab/b.png inst/missing.png\n");
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(inspection.notes, Contains("train.txt: 1 of them with instance maps (third column)"));
  EXPECT_THAT(inspection.notes, Contains("val.txt: columns after the second are not used"));
  const Dataset dataset = round_trip(folder, inspection);
  EXPECT_EQ(dataset.split("train")[0].instances, "inst/a.png");
}

TEST(Inspect, ListFilesWithALegend) {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b", "c"}) {
    folder.grey(std::string("pics/") + name + ".png", {0, 255, 0, 255});
    folder.grey(std::string("lab/") + name + ".png", {0, 1, 2, 1});
  }
  folder.text("train.txt", "pics/a.png lab/a.png third\npics/b.png lab/b.png third\n");
  folder.text("val.txt", "pics/c.png lab/c.png third\n");
  folder.text("classes.csv", "id,name,r,g,b\n0,Sky,128,128,128\n1,Road,128,64,128\n2,Void,0,0,0\n");
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(inspection.questions, IsEmpty());
  EXPECT_THAT(inspection.obstacles, IsEmpty());
  EXPECT_THAT(inspection.notes, Contains("train.txt: columns after the second are not used"));
  EXPECT_THAT(dataset_toml(inspection, folder.path()), HasSubstr("train = \"train.txt\""));
  const Dataset dataset = round_trip(folder, inspection);
  EXPECT_THAT(names(dataset), ElementsAre("Sky", "Road"));
  EXPECT_THAT(dataset.splits, ElementsAre(Pair("train", SizeIs(2)), Pair("val", SizeIs(1))));
  EXPECT_THAT(labels_of(dataset, dataset.split("val")[0]), ElementsAre(0, 1, kIgnoreLabel, 1));
  EXPECT_EQ(dataset.channels, 1);
  EXPECT_THAT(dataset.mean, ElementsAre(0.5f));
  EXPECT_THAT(dataset.std, ElementsAre(0.5f));
}

TEST(Inspect, ListsWithMissingFilesAreWrittenOut) {
  const TemporaryFolder folder;
  folder.grey("a.png", {1, 2});
  folder.grey("a_mask.png", {0, 255});
  folder.grey("b.png", {1, 2});
  folder.grey("b_mask.png", {0, 255});
  folder.text("train.txt", "a.png a_mask.png\nx.png x_mask.png\n");
  folder.text("val.txt", "b.png b_mask.png\n");
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(inspection.notes, Contains(HasSubstr("1 of 2 lines name no pair of existing files")));
  EXPECT_THAT(inspection.absent, ElementsAre("x.png"));
  EXPECT_THAT(inspection.lists, ElementsAre(Key("val")));
  EXPECT_THAT(round_trip(folder, inspection).split("train"), SizeIs(1));
}

TEST(Inspect, ListsOfAnotherMachineAreReadByTheEndsOfTheirPaths) {
  const TemporaryFolder folder;
  for (const char* name : {"0", "1", "2"}) {
    folder.grey(std::string("train/") + name + ".png", {1, 2});
    folder.grey(std::string("trainannot/") + name + ".png", {0, 1});
  }
  folder.text("train.txt",
              "/SegNet/CamVid/train/0.png /SegNet/CamVid/trainannot/0.png\n"
              "/SegNet/CamVid/train/1.png /SegNet/CamVid/trainannot/1.png\n");
  folder.text("val.txt", "/SegNet/CamVid/train/2.png /SegNet/CamVid/trainannot/2.png\n");
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(inspection.notes, Contains("train.txt: its paths are read without "
                                         "\"/SegNet/CamVid/\", as they exist here"));
  const Dataset dataset = round_trip(folder, inspection);
  EXPECT_THAT(dataset.splits, ElementsAre(Pair("train", SizeIs(2)), Pair("val", SizeIs(1))));
  EXPECT_EQ(dataset.split("val")[0].mask, "trainannot/2.png");
}

TEST(Inspect, NoOtherSplitIsDrawnWhereAListNamesNothingHere) {
  const TemporaryFolder folder;
  for (int i = 0; i < 5; ++i) {
    folder.grey("images/a" + std::to_string(i) + ".png", {1, 2});
    folder.grey("masks/a" + std::to_string(i) + ".png", {0, 255});
  }
  folder.text("train.txt", "/img/b0.png /gt/b0.png\n/img/b1.png /gt/b1.png\n");
  const Inspection inspection = inspect_folder(folder.path());
  const char* what =
      "train.txt: none of its 2 lines names existing files (first: /img/b0.png /gt/b0.png)";
  EXPECT_THAT(inspection.notes, Contains(what));
  EXPECT_THAT(inspection.obstacles,
              ElementsAre(what + std::string("; mend its paths, or take it away to have a split "
                                             "drawn")));
  EXPECT_THAT(inspection.dataset.splits, ElementsAre(Pair("all", SizeIs(5))));
  folder.text("train.txt", "b0\nb1\n");  // names are held to the same
  EXPECT_THAT(inspect_folder(folder.path()).obstacles,
              ElementsAre(HasSubstr("train.txt: none of its 2 lines names a picture with a mask "
                                    "here (first: b0)")));
  folder.text("train.txt", "/img/a0.png /gt/a0.png\n");  // the stems are known, the paths are not
  EXPECT_THAT(inspect_folder(folder.path()).obstacles, SizeIs(1));
}

TEST(Inspect, AHeaderIsNoPair) {
  const TemporaryFolder folder;
  std::string list = "image,mask\n";
  for (const char* name : {"a", "b"}) {
    folder.grey(std::string("i/") + name + ".png", {1, 2});
    folder.grey(std::string("m/") + name + ".png", {0, 255});
    list += std::string("i/") + name + ".png,m/" + name + ".png\n";
  }
  folder.text("train.csv", list);
  folder.text("val.csv", "i/a.png,m/a.png\n");
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(inspection.notes, Not(Contains(HasSubstr("name no pair"))));
  EXPECT_THAT(inspection.notes, Contains("val.csv: 1 picture with masks, split \"val\""));
  EXPECT_THAT(round_trip(folder, inspection).split("train"), SizeIs(2));
}

TEST(Inspect, PicturesWithoutAMaskAreCounted) {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b", "c", "d"}) {
    folder.grey(std::string("images/") + name + ".png", {1, 2});
  }
  folder.grey("masks/a.png", {0, 255});
  folder.grey("masks/d.png", {0, 255});
  EXPECT_THAT(inspect_folder(folder.path()).notes,
              Contains("2 pictures without a mask left out, first images/b.png"));
}

TEST(Inspect, CityscapesHasSeveralMasksForAPicture) {
  const TemporaryFolder folder;
  for (const char* split : {"train", "val"}) {
    const std::string place = std::string("/") + split + "/bonn/bonn_01_";
    folder.grey("leftImg8bit" + place + "leftImg8bit.png", {10, 20});
    folder.grey("gtFine" + place + "gtFine_labelIds.png", {7, 8});
    folder.grey("gtFine" + place + "gtFine_labelTrainIds.png", {0, 1});
    folder.grey("gtFine" + place + "gtFine_instanceIds.png", {7, 8});
  }
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(inspection.obstacles, IsEmpty());
  EXPECT_THAT(inspection.notes, Contains(HasSubstr("other masks are not used: 2 like gtFine/train/"
                                                   "bonn/bonn_01_gtFine_labelIds.png")));
  const Dataset dataset = round_trip(folder, inspection);
  EXPECT_THAT(dataset.splits, ElementsAre(Pair("train", SizeIs(1)), Pair("val", SizeIs(1))));
  EXPECT_THAT(labels_of(dataset, dataset.split("train")[0]), ElementsAre(0, 1));
}

TEST(Inspect, CityscapesLabelIdsBecomeThe19ClassesThatAreTrainedOn) {
  const TemporaryFolder folder;
  for (const char* split : {"train", "val"}) {
    const std::string place = std::string("/") + split + "/bonn/bonn_01_";
    folder.grey("leftImg8bit" + place + "leftImg8bit.png", {10, 20, 30, 40, 50, 60});
    folder.grey("gtFine" + place + "gtFine_labelIds.png", {0, 7, 9, 26, 33, 255});
    folder.grey("gtFine" + place + "gtFine_instanceIds.png", {0, 7, 9, 26, 33, 255});
  }
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(inspection.obstacles, IsEmpty());
  EXPECT_THAT(inspection.questions, IsEmpty());
  EXPECT_THAT(inspection.notes, Contains("Cityscapes' table of labelIds names 19 classes"));
  const Dataset dataset = round_trip(folder, inspection);
  EXPECT_EQ(dataset.classes[0].name, "road");
  EXPECT_EQ(dataset.classes[18], (ClassInfo{"bicycle", {119, 11, 32}}));
  EXPECT_THAT(labels_of(dataset, dataset.split("train")[0]),
              ElementsAre(kIgnoreLabel, 0, kIgnoreLabel, 13, 18, kIgnoreLabel));
}

TEST(Inspect, Ade20kCountsItsClassesFromOne) {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b", "c"}) {
    folder.grey(std::string("images/training/") + name + ".png", {10, 20, 30});
    folder.grey(std::string("annotations/training/") + name + ".png", {0, 1, 3});
  }
  folder.text("objectInfo150.txt",
              "Idx\tRatio\tTrain\tVal\tName\n1\t0.1\t1\t1\twall\n2\t0.1\t1\t1\tbuilding, edifice\n"
              "3\t0.1\t1\t1\tsky\n");
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(inspection.questions, Not(Contains(HasSubstr("ignore"))));
  const Dataset dataset = round_trip(folder, inspection);
  ASSERT_EQ(dataset.class_count(), 3);
  EXPECT_EQ(dataset.classes[1].name, "building, edifice");
  EXPECT_THAT(labels_of(dataset, dataset.split("train")[0]), ElementsAre(kIgnoreLabel, 0, 2));
}

TEST(Inspect, CamVidsOwnColouredMasks) {
  for (const auto& [pictures, masks] : {std::pair{"701_StillsRaw_full/", "LabeledApproved_full/"},
                                        std::pair{"train/", "train_labels/"}}) {
    const TemporaryFolder folder;
    for (const char* name : {"0001TP_006690", "0006R0_f00930", "0016E5_00390"}) {
      folder.grey(std::string(pictures) + name + ".png", {10, 20, 30});
      folder.colours(std::string(masks) + name + "_L.png",
                     {{128, 128, 128}, {0, 0, 0}, {128, 64, 128}});
    }
    folder.text("label_colors.txt", "128 128 128\tSky\n128 64 128\tRoad\n0 0 0\tVoid\n");
    const Dataset dataset = round_trip(folder, inspect_folder(folder.path()));
    ASSERT_EQ(dataset.class_count(), 2) << masks;
    EXPECT_THAT(labels_of(dataset, dataset.split("train")[0]), ElementsAre(0, kIgnoreLabel, 1));
  }
}

TEST(Inspect, ASecondMaskOfAPictureIsNamedAndLeftOut) {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b", "c"}) {
    folder.grey(std::string("images/") + name + ".png", {10, 20});
    folder.grey(std::string("masks/") + name + ".png", {0, 1});
  }
  folder.grey("masks/a_masks.png", {1, 0});
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(inspection.notes,
              Contains(HasSubstr("second masks of a picture are not used: 1 like masks/a_masks")));
}

TEST(Inspect, FolderPairsAreDividedBySeed) {
  const TemporaryFolder folder;
  for (int i = 0; i < 10; ++i) {
    folder.grey("images/" + std::to_string(i) + ".png", {10, 20});
    folder.grey("masks/" + std::to_string(i) + ".png", {0, 255});
  }
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(inspection.notes,
              Contains("no split is given: divided at random (seed 0) into 8 train, 2 val"));
  EXPECT_THAT(inspection.notes, Contains("no groups seen in names such as 0.png: each picture is "
                                         "drawn by itself"));
  const std::string toml = dataset_toml(inspection, folder.path());
  EXPECT_THAT(toml, HasSubstr("image_pattern = \"images/{}.png\""));
  EXPECT_THAT(toml, HasSubstr("mask_pattern = \"masks/{}.png\""));
  EXPECT_EQ(toml, dataset_toml(inspect_folder(folder.path()), folder.path()));
  const Dataset dataset = round_trip(folder, inspection);
  EXPECT_THAT(dataset.splits, ElementsAre(Pair("train", SizeIs(8)), Pair("val", SizeIs(2))));
  EXPECT_THAT(labels_of(dataset, dataset.split("val")[0]), ElementsAre(0, 1));
}

TEST(Inspect, FoldersNamedTrainAndValDivide) {
  const TemporaryFolder folder;
  for (const char* split : {"train", "valid"}) {
    for (const char* name : {"a", "b"}) {
      folder.grey(std::string(split) + "/img/" + name + ".png", {10, 20});
      folder.grey(std::string(split) + "/gt/" + name + ".png", {0, 1});
    }
  }
  const Dataset dataset = round_trip(folder, inspect_folder(folder.path()));
  EXPECT_THAT(dataset.splits, ElementsAre(Pair("train", SizeIs(2)), Pair("val", SizeIs(2))));
  EXPECT_EQ(dataset.split("val")[0].mask, "valid/gt/a.png");
}

TEST(Inspect, CamVidsOwnFolders) {
  const TemporaryFolder folder;
  for (const char* split : {"train", "val"}) {
    folder.grey(std::string(split) + "/s1_01.png", {10, 20, 30});
    folder.grey(std::string(split) + "annot/s1_01.png", {0, 1, 2});
  }
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_EQ(inspection.dataset.split("train")[0].mask, "trainannot/s1_01.png");
  EXPECT_EQ(inspection.dataset.split("val")[0].image, "val/s1_01.png");
}

TEST(Inspect, GroupsOfNamesStayTogether) {
  const TemporaryFolder folder;
  for (const char* sequence : {"A", "B", "C", "D", "E"}) {
    for (int i = 0; i < 4; ++i) {
      const std::string name = std::string(sequence) + "_" + std::to_string(i);
      folder.grey("images/" + name + ".png", {10, 20});
      folder.grey("masks/" + name + ".png", {0, 255});
    }
  }
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(
      inspection.notes,
      Contains("groups of pictures: 5 by what stands before the last number of their names, such "
               "as \"A\" of A_0.png; each is kept together"));
  const auto& val = inspection.dataset.split("val");
  ASSERT_THAT(val, SizeIs(4));
  for (const Sample& sample : val) EXPECT_EQ(sample.image.stem().string()[0], val[0].name[0]);
}

TEST(Inspect, PlatesStayTogetherAndWellsAreAskedAbout) {
  const TemporaryFolder folder;
  for (const char* plate : {"P0", "P1", "P2", "P3"}) {
    for (const char* rest : {"_A00_s0", "_A00_s1", "_A01_s0", "_A01_s1"}) {
      folder.grey(std::string("images/") + plate + rest + ".png", {10, 20});
      folder.grey(std::string("masks/") + plate + rest + ".png", {0, 255});
    }
  }
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(inspection.notes, Contains("groups of pictures: 4 by the first part of their names, "
                                         "such as \"P0\" of P0_A00_s0.png; each is kept together"));
  EXPECT_THAT(inspection.questions,
              ElementsAre(HasSubstr("names can be read otherwise: 8 groups by what stands before "
                                    "the last number of their names, such as \"P0_A00\"")));
  const auto& val = inspection.dataset.split("val");
  ASSERT_THAT(val, SizeIs(4));
  for (const Sample& sample : val) EXPECT_EQ(sample.name.substr(0, 2), val[0].name.substr(0, 2));
}

TEST(Inspect, TwoPatientsAreAskedAbout) {
  const TemporaryFolder folder;
  for (const char* name : {"patient0_a", "patient0_b", "patient1_a", "patient1_b"}) {
    folder.grey(std::string("images/") + name + ".png", {10, 20});
    folder.grey(std::string("masks/") + name + ".png", {0, 255});
  }
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(inspection.notes, Not(Contains(HasSubstr("no groups seen"))));
  EXPECT_THAT(inspection.questions, ElementsAre(HasSubstr("names show 2 groups by the word "
                                                          "\"patient\"")));
}

TEST(Inspect, AFolderWithoutDescriptionIsToldOf) {
  struct Lines : ProgressSink {
    void begin(const std::string&, std::int64_t, const std::string&) override {}
    void update(std::int64_t, const std::string&) override {}
    void end() override {}
    void message(const std::string& line) override { lines.push_back(line); }
    std::vector<std::string> lines;
  } told;
  const TemporaryFolder folder;
  for (const char* name : {"a", "b", "c"}) {
    folder.grey(std::string("images/") + name + ".png", {10, 20});
    folder.grey(std::string("masks/") + name + ".png", {0, 1, 2});
  }
  open_dataset(folder.path(), told);
  EXPECT_THAT(told.lines, Contains("  no split is given: divided at random (seed 0) into 2 train, "
                                   "1 val"));
  EXPECT_THAT(told.lines, Contains("  ? what are the names of the 3 classes?"));
  told.lines.clear();
  folder.text("dataset.toml", dataset_toml(inspect_folder(folder.path()), folder.path()));
  open_dataset(folder.path(), told);  // there it can be read
  EXPECT_THAT(told.lines, IsEmpty());
}

TEST(Inspect, SuffixesAndOtherMasks) {
  const TemporaryFolder folder;
  for (const char* name : {"plant1", "plant2", "plant3"}) {
    folder.grey(std::string(name) + "_rgb.png", {10, 20, 30});
    folder.palette(std::string(name) + "_fg.png", {0, 1, 1});
    folder.palette(std::string(name) + "_label.png", {0, 1, 2});
  }
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(inspection.notes, Contains("other masks are not used: 3 like plant1_label.png"));
  const Dataset dataset = round_trip(folder, inspection);
  EXPECT_EQ(dataset.split("train")[0].mask.filename(),
            dataset.split("train")[0].name.substr(0, 6) + "_fg.png");
  EXPECT_THAT(names(dataset), ElementsAre("background", "foreground"));
}

TEST(Inspect, PhotosBesideTheirMasks) {
  const TemporaryFolder folder;
  for (const char* name : {"x", "y"}) {
    folder.jpeg(std::string("Imgs/") + name + ".jpg", Image(1, 2, 3));
    folder.grey(std::string("Imgs/") + name + ".png", {0, 255});
  }
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(inspection.obstacles, IsEmpty());
  EXPECT_EQ(inspection.dataset.split("train")[0].image.extension(), ".jpg");
}

TEST(Inspect, VocLayout) {
  const TemporaryFolder folder;
  for (const char* name : {"01", "02", "03"}) {
    folder.jpeg(std::string("JPEGImages/") + name + ".jpg", Image(1, 4, 3));
    folder.palette(std::string("SegmentationClass/") + name + ".png", {0, 1, 2, 255});
    folder.palette(std::string("SegmentationObject/") + name + ".png", {0, 1, 2, 255});
  }
  folder.jpeg("JPEGImages/04.jpg", Image(1, 4, 3));
  folder.text("ImageSets/Segmentation/train.txt", "01\n03\n");
  folder.text("ImageSets/Segmentation/val.txt", "02\n");
  folder.text("classes.txt", "background\nfig\nnut\n");
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(dataset_toml(inspection, folder.path()),
              HasSubstr("train = \"ImageSets/Segmentation/train.txt\""));
  const Dataset dataset = round_trip(folder, inspection);
  EXPECT_THAT(names(dataset), ElementsAre("background", "fig", "nut"));
  EXPECT_EQ(dataset.classes[2].colour, (Rgb{0, 128, 0}));
  EXPECT_EQ(dataset.encoding.ignore_value, 255u);
  EXPECT_EQ(dataset.split("train")[1].mask, "SegmentationClass/03.png");
  EXPECT_THAT(labels_of(dataset, dataset.split("val")[0]), ElementsAre(0, 1, 2, kIgnoreLabel));
}

TEST(Inspect, ColouredMasksWithAColourTable) {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b"}) {
    folder.grey(std::string("image/") + name + ".png", {10, 20, 30});
    folder.colours(std::string("label/") + name + ".png",
                   {{64, 128, 64}, {192, 0, 128}, {0, 0, 0}});
  }
  folder.text("label_colors.txt", "64 128 64\tAnimal\n192 0 128\tArchway\n0 0 0\t\tVoid\n");
  const Dataset dataset = round_trip(folder, inspect_folder(folder.path()));
  EXPECT_EQ(dataset.encoding.kind, LabelEncoding::Kind::colour);
  EXPECT_THAT(names(dataset), ElementsAre("Animal", "Archway"));
  EXPECT_THAT(labels_of(dataset, dataset.split("train")[0]), ElementsAre(0, 1, kIgnoreLabel));
}

TEST(Inspect, SixteenBitMasks) {
  const TemporaryFolder folder;
  Image mask(1, 3, 1, PixelType::u16);
  mask.row<std::uint16_t>(0)[1] = 300;
  mask.row<std::uint16_t>(0)[2] = 65535;
  for (const char* name : {"a", "b"}) {
    folder.grey(std::string("image/") + name + ".png", {10, 20, 30});
    folder.png(std::string("mask/") + name + ".png", mask);
  }
  const Dataset dataset = round_trip(folder, inspect_folder(folder.path()));
  EXPECT_THAT(dataset.encoding.to_class,
              ElementsAre(Pair(0, 0), Pair(300, 1), Pair(65535, kIgnoreLabel)));
}

TEST(Inspect, DifferentSizesAreAsked) {
  const TemporaryFolder folder;
  folder.grey("image/a.png", {10, 20, 30});
  folder.grey("mask/a.png", {0, 255});
  folder.grey("image/b.png", {10, 20});
  folder.grey("mask/b.png", {0, 255});
  EXPECT_THAT(inspect_folder(folder.path()).questions,
              ElementsAre(HasSubstr("1 of the masks have another size than their pictures "
                                    "(image/a.png is 3x1, its mask 2x1)")));
}

TEST(Inspect, ATrainListAloneGivesAVal) {
  const TemporaryFolder folder;
  std::string list;
  for (int i = 0; i < 5; ++i) {
    const std::string name = std::to_string(i) + ".png";
    folder.grey("i/" + name, {10, 20});
    folder.grey("m/" + name, {0, 255});
    list += "i/" + name + " m/" + name + "\n";
  }
  folder.text("train.txt", list);
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(inspection.lists, IsEmpty());
  EXPECT_THAT(inspection.dataset.splits,
              ElementsAre(Pair("train", SizeIs(4)), Pair("val", SizeIs(1))));
}

TEST(Inspect, MeanAndDeviationOfColours) {
  const TemporaryFolder folder;
  folder.colours("image/a.png", {{255, 0, 51}, {0, 0, 51}});
  folder.grey("mask/a.png", {0, 255});
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_EQ(inspection.dataset.channels, 3);
  EXPECT_THAT(inspection.dataset.mean, ElementsAre(0.5f, 0.0f, 0.2f));
  EXPECT_THAT(inspection.dataset.std, ElementsAre(0.5f, 1.0f, 1.0f));  // no contrast: 1
}

TEST(Inspect, AFolderWithoutPicturesIsAnError) {
  const TemporaryFolder folder;
  folder.text("readme.txt", "nothing here");
  EXPECT_THAT(error_of([&] { inspect_folder(folder.path()); }),
              HasSubstr("holds no PNG, JPEG or TIFF picture"));
  EXPECT_THAT(error_of([&] { inspect_folder(folder / "absent"); }), HasSubstr("is no folder"));
}

/// Pictures called 0, 1, 2 are not divided by the numbers of a legend.
TEST(Inspect, ALegendIsNoListOfNames) {
  const TemporaryFolder folder;
  for (const char* name : {"0", "1", "2", "3", "4", "5"}) {
    folder.grey(std::string("images/") + name + ".png", {5, 6});
    folder.grey(std::string("masks/") + name + ".png", {0, 1});
  }
  folder.text("classes.csv", "id,name,r,g,b\n0,sky,1,2,3\n1,road,4,5,6\n");
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_FALSE(inspection.dataset.splits.contains("classes"));
  EXPECT_EQ(inspection.dataset.split("train").size() + inspection.dataset.split("val").size(), 6u);
}

/// BMP, GIF, WebP and the like are not passed over in silence.
TEST(Inspect, PicturesOfOtherKindsAreNamed) {
  const TemporaryFolder folder;
  folder.text("images/a.bmp", "BM");
  folder.text("images/b.BMP", "BM");
  const std::string left_out =
      "2 pictures of kinds that are not read (.bmp) left out, first images/a.bmp; PNG, JPEG and "
      "TIFF are read: convert them to one of these";
  EXPECT_THAT(error_of([&] { inspect_folder(folder.path()); }),
              HasSubstr("holds no picture that can be read: " + left_out));
  folder.grey("masks/a.png", {0, 1});
  EXPECT_THAT(inspect_folder(folder.path()).obstacles,
              ElementsAre(HasSubstr(left_out + "; no picture has a mask")));
  for (const char* name : {"c", "d", "e", "f", "g"}) {
    folder.grey(std::string("images/") + name + ".png", {5, 6});
    folder.grey(std::string("masks/") + name + ".png", {0, 1});
  }
  const Inspection inspection = inspect_folder(folder.path());
  EXPECT_THAT(inspection.obstacles, IsEmpty());
  EXPECT_THAT(inspection.notes, Contains(left_out));
}

TEST(Inspect, WhatIsWrittenWithObstaclesShowsWhatToFillIn) {
  const TemporaryFolder folder;
  folder.grey("x.png", {1, 2});
  const std::string toml = dataset_toml(inspect_folder(folder.path()), folder.path());
  EXPECT_THAT(toml, HasSubstr("# - no picture has a mask that can be told by its name"));
  EXPECT_THAT(toml, HasSubstr("# [[classes]]"));
  EXPECT_THAT(toml, HasSubstr("# train = "));
}

// ---- real data ----------------------------------------------------------------------------------

class InspectReal : public testing::Test {
 protected:
  Inspection inspect(const std::string& name) {
    const auto folder = real_data(name);
    if (!std::filesystem::exists(folder)) return {};
    found_ = true;
    return inspect_folder(folder);
  }
  bool found_ = false;
};

TEST_F(InspectReal, CamVid) {
  const Inspection inspection = inspect("camvid");
  if (!found_) GTEST_SKIP() << "camvid is not there";
  const Dataset& dataset = inspection.dataset;
  EXPECT_EQ(dataset.class_count(), 11);
  EXPECT_EQ(dataset.classes[3].name, "Road");
  EXPECT_EQ(dataset.classes[3].colour, (Rgb{128, 64, 128}));
  EXPECT_EQ(dataset.encoding.to_class.at(11), kIgnoreLabel);
  EXPECT_EQ(dataset.encoding.ignore_value, 11u);
  EXPECT_THAT(dataset.split("train"), SizeIs(367));
  EXPECT_THAT(dataset.split("val"), SizeIs(101));
  EXPECT_THAT(dataset.split("test"), SizeIs(233));
  EXPECT_THAT(inspection.lists, SizeIs(3));
  EXPECT_THAT(inspection.questions, IsEmpty());
  EXPECT_THAT(dataset.mean, ElementsAre(FloatNear(0.41f, 0.02f), FloatNear(0.42f, 0.02f),
                                        FloatNear(0.43f, 0.02f)));
}

TEST_F(InspectReal, Isbi2012) {
  const Inspection inspection = inspect("isbi2012");
  if (!found_) GTEST_SKIP() << "isbi2012 is not there";
  const Dataset& dataset = inspection.dataset;
  EXPECT_EQ(dataset.channels, 1);
  EXPECT_THAT(dataset.encoding.to_class, ElementsAre(Pair(0, 0), Pair(255, 1)));
  EXPECT_THAT(dataset.splits, ElementsAre(Pair("train", SizeIs(24)), Pair("val", SizeIs(6))));
}

TEST_F(InspectReal, Nuclei) {
  const Inspection inspection = inspect("dsb2018_nuclei");
  if (!found_) GTEST_SKIP() << "dsb2018_nuclei is not there";
  const Dataset& dataset = inspection.dataset;
  EXPECT_EQ(dataset.channels, 3);
  EXPECT_EQ(dataset.split("train")[0].mask.parent_path(), "masks");
  EXPECT_THAT(dataset.encoding.to_class, ElementsAre(Pair(0, 0), Pair(255, 1)));
  EXPECT_THAT(dataset.splits, ElementsAre(Pair("train", SizeIs(93)), Pair("val", SizeIs(27))));
}

TEST_F(InspectReal, Nuts) {
  const Inspection inspection = inspect("voc_style/nuts");
  if (!found_) GTEST_SKIP() << "voc_style/nuts is not there";
  EXPECT_THAT(names(inspection.dataset), ElementsAre("background", "date", "fig", "hazelnut"));
  EXPECT_THAT(inspection.dataset.split("train"), SizeIs(13));
  EXPECT_THAT(inspection.dataset.split("val"), SizeIs(5));
  EXPECT_EQ(inspection.patterns.image, "JPEGImages/{}.jpg");
}

TEST_F(InspectReal, VocPhotosWithIgnore) {
  const Inspection inspection = inspect("voc_style/labelme_voc2011");
  if (!found_) GTEST_SKIP() << "voc_style/labelme_voc2011 is not there";
  EXPECT_EQ(inspection.dataset.class_count(), 21);
  EXPECT_EQ(inspection.dataset.encoding.to_class.at(255), kIgnoreLabel);
  EXPECT_THAT(inspection.dataset.split("train"), SizeIs(2));
}

TEST_F(InspectReal, MagneticTile) {
  const Inspection inspection = inspect("magnetic_tile");
  if (!found_) GTEST_SKIP() << "magnetic_tile is not there";
  EXPECT_EQ(inspection.dataset.encoding.threshold, 128);
  EXPECT_THAT(inspection.dataset.split("train"), SizeIs(72));
}

TEST_F(InspectReal, Leaves) {
  const Inspection inspection = inspect("cvppp_a1_leaves");
  if (!found_) GTEST_SKIP() << "cvppp_a1_leaves is not there";
  EXPECT_EQ(inspection.patterns.image, "{}_rgb.png");
  EXPECT_EQ(inspection.patterns.mask, "{}_fg.png");
  EXPECT_EQ(inspection.dataset.channels, 3);
  EXPECT_THAT(inspection.dataset.splits,
              ElementsAre(Pair("train", SizeIs(8)), Pair("val", SizeIs(2))));
}

}  // namespace
}  // namespace segmentum
