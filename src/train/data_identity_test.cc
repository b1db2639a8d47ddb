#include "train/data_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"
#include "train/checkpoint.h"
#include "train/tiny_dataset.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

const std::vector<std::string> kSplits{"train", "val"};

/// Two classes, two pictures to train on; no file of it exists.
Dataset described(const std::filesystem::path& root) {
  Dataset dataset;
  dataset.root = root;
  dataset.classes = {{"ground", {}}, {"tree", {}}};
  dataset.encoding.to_class = {{0, 0}, {7, 1}, {255, kIgnoreLabel}};
  dataset.splits["train"] = {{.image = "a.png", .mask = "a_mask.png"},
                             {.image = "b.png", .mask = "b_mask.png"}};
  return dataset;
}

std::string identity(const Dataset& dataset) {
  return data_identity(dataset, kSplits);
}

TEST(DataIdentity, TellsClassesValuesAndSplits) {
  EXPECT_THAT(identity(described("here")),
              AllOf(testing::StartsWith("2 classes\nclass 0 is ground\nclass 1 is tree\n"
                                        "mask value 0 is class 0\nmask value 7 is class 1\n"
                                        "mask value 255 is ignored\n"
                                        "split train: 2 labelled pictures, a.png to b.png, whose"),
                    testing::EndsWith("\nsplit val: no labelled picture\n")));
}

TEST(DataIdentity, StaysWhereTheFolderMoves) {
  const std::string here = identity(described("here"));
  EXPECT_EQ(identity(described("/mnt/there")), here);
  Dataset absolute = described("/mnt/there");
  for (Sample& sample : absolute.splits["train"]) {
    sample.image = absolute.root / sample.image;
    sample.mask = absolute.root / "." / sample.mask;
  }
  EXPECT_EQ(identity(absolute), here);
}

TEST(DataIdentity, DiffersWithNamesTheirOrderMasksAndValues) {
  const std::string here = identity(described("here"));
  std::vector<Dataset> others(5, described("here"));
  others[0].splits["train"][0].image = "c.png";
  std::swap(others[1].splits["train"][0], others[1].splits["train"][1]);
  others[2].splits["train"][1].mask = "fine/b_mask.png";
  others[3].encoding.to_class[7] = 0;
  others[4].classes[1].name = "trees";
  for (const Dataset& other : others) EXPECT_NE(identity(other), here);
  Dataset more = described("here");
  more.splits["test"] = more.splits["train"];          // no part of the training
  more.splits["train"].push_back({.image = "c.png"});  // has no mask, so neither
  EXPECT_EQ(identity(more), here);
}

// Checkpoints and manifests of before say "1 labelled pictures"; they are of the same data.
TEST(DataIdentity, OnePicture) {
  Dataset dataset = described("here");
  dataset.splits["train"].pop_back();
  const std::string now = identity(dataset);
  constexpr std::string_view kCount = "train: 1 labelled picture";
  ASSERT_THAT(now, HasSubstr(std::string(kCount) + ", a.png to a.png, whose"));
  std::string before = now;
  before.insert(before.find(kCount) + kCount.size(), "s");
  EXPECT_EQ(first_difference(before, now), "");
}

// A checkpoint and a TOML file are UTF-8; names of files are bytes.
TEST(DataIdentity, IsPlainTextWhateverNamesHold) {
  Dataset dataset = described("here");
  dataset.classes[1].name = "B\xc3\xa4ume\n100 %";
  dataset.splits["train"][0].image = "\xff.png";
  EXPECT_THAT(identity(dataset),
              AllOf(HasSubstr("class 1 is B%c3%a4ume%0a100 %25\n"), HasSubstr("%ff.png to b.png")));
  EXPECT_THAT(data_comment(dataset, "2 classes\nclass 0 is ground\n"),
              testing::MatchesRegex("# data: .*here\n#   2 classes\n"));
}

TEST(DataIdentity, ACheckpointNamesTheFirstFactThatDiffers) {
  const TemporaryFolder folder("identity");
  const auto file = folder / "checkpoint.safetensors";
  ParameterStore parameters;
  parameters.add("w", ParameterRole::weight, Tensor({2}));
  Optimizer optimizer({}, parameters);
  const TrainingState state{std::move(parameters), std::move(optimizer), std::nullopt, {}};

  save_checkpoint(file, state, "2 classes\nclass 0 is ground\nclass 1 is tree\n");
  EXPECT_NO_THROW(require_same_data(file, "2 classes\nclass 0 is ground\nclass 1 is tree\n"));
  EXPECT_THAT([&] { require_same_data(file, "2 classes\nclass 0 is ground\nclass 1 is car\n"); },
              ThrowsMessage<Error>(AllOf(HasSubstr(file.string()),
                                         HasSubstr("began on other data: \"class 1 is tree\" "
                                                   "then, \"class 1 is car\" now"),
                                         HasSubstr("a folder that was moved will do"))));
  EXPECT_THAT([&] { require_same_data(file, "2 classes\nclass 0 is ground\n"); },
              ThrowsMessage<Error>(HasSubstr("\"class 1 is tree\" then, \"nothing more\" now")));

  save_checkpoint(file, state, "");  // as checkpoints were that did not tell
  EXPECT_NO_THROW(require_same_data(file, "2 classes\n"));
}

}  // namespace
}  // namespace segmentum
