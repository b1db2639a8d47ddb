// Fetching from repositories that the test makes; nothing here needs a network.
#include "fetch/fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "data/instances.h"
#include "data/testing.h"
#include "fetch/git.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;

/// A repository with `repository/street/{train,trainannot,val,valannot}`, and a later commit that
/// is not the one that is wanted.
class FetchTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!Git(".").succeeds({"--version"})) GTEST_SKIP() << "git is not there";
    for (const char* split : {"train", "val"}) {
      for (const char* name : {"a", "b", "c"}) {
        const std::string file = std::string("/") + split + "_" + name + ".png";
        folder_.grey("repository/street/" + std::string(split) + file, {10, 20, 30});
        folder_.grey("repository/street/" + std::string(split) + "annot" + file, {0, 1, 2});
      }
      std::string list;
      for (const char* name : {"a", "b", "c"}) {
        const std::string file = std::string("/") + split + "_" + name + ".png";
        list += "/elsewhere/" + std::string(split) + file + " /elsewhere/" + split + "annot" +
                file + "\n";
      }
      folder_.text("repository/street/" + std::string(split) + ".txt", list);
    }
    folder_.text("repository/LICENSE", "as you like");
    folder_.text("repository/large/film.bin", std::string(1000, 'x'));
    repository().run({"init", "--quiet"});
    dataset_ = {.name = "street",
                .title = "Streets",
                .url = (folder_ / "repository").string(),
                .commit = commit_all(),
                .folders = {{"street/train", 3},
                            {"street/trainannot", 3},
                            {"street/val", 3},
                            {"street/valannot", 3}},
                .data = "street",
                .legend = "id,name\n0,sky\n1,road\n2,void\n"};
    folder_.grey("repository/street/train/later.png", {1, 2, 3});
    commit_all();
  }

  Git repository() const { return Git(folder_ / "repository"); }
  /// The id of a commit of all that is there.
  std::string commit_all() const {
    repository().run({"add", "--all"});
    repository().run({"-c", "user.name=Test", "-c", "user.email=test@example.org", "commit",
                      "--quiet", "-m", "x"});
    return repository().run({"rev-parse", "HEAD"}).substr(0, 40);
  }
  FetchedDataset fetch() const { return fetch_dataset(dataset_, {.out = folder_ / "out"}); }

  TemporaryFolder folder_;
  PublicDataset dataset_;
};

TEST_F(FetchTest, TakesTheCommitAndDescribesIt) {
  const FetchedDataset fetched = fetch();
  EXPECT_FALSE(fetched.was_there);
  EXPECT_FALSE(fs::exists(folder_ / "out/source/street/train/later.png"));
  EXPECT_FALSE(fs::exists(folder_ / "out/source/large"));
  EXPECT_TRUE(fs::exists(folder_ / "out/source/LICENSE"));
  const Dataset dataset = open_dataset(folder_ / "out");
  EXPECT_THAT(dataset.split("train"), SizeIs(3));
  EXPECT_THAT(dataset.split("val"), SizeIs(3));
  ASSERT_EQ(dataset.class_count(), 2);
  EXPECT_EQ(dataset.classes[1].name, "road");
  EXPECT_EQ(read_labels(dataset, dataset.split("val")[0])(0, 2), kIgnoreLabel);
}

TEST_F(FetchTest, ASecondFetchOnlyVerifies) {
  fetch();
  folder_.text("out/dataset.toml", "# edited\n" + read_file(folder_ / "out/dataset.toml"));
  fs::rename(folder_ / "repository", folder_ / "gone");  // it is not asked for again
  EXPECT_TRUE(fetch().was_there);
  EXPECT_THAT(read_file(folder_ / "out/dataset.toml"), testing::StartsWith("# edited\n"));
}

TEST_F(FetchTest, AnInterruptedFetchGoesOn) {
  fetch();
  // As a kill leaves it behind: two folders there, one file cut off, git's lock file.
  fs::remove(folder_ / "out/source/.git/segmentum-complete");
  Git(folder_ / "out/source").run({"sparse-checkout", "set", "street/train", "street/val"});
  folder_.text("out/source/street/train/train_a.png", "half");
  folder_.text("out/source/.git/index.lock", "");
  folder_.text("out/source/street/valannot/val_a.png", "half of one that was being written");
  EXPECT_FALSE(fetch().was_there);
  EXPECT_EQ(read_file(folder_ / "out/source/street/train/train_a.png"),
            read_file(folder_ / "repository/street/train/train_a.png"));
  EXPECT_EQ(read_file(folder_ / "out/source/street/valannot/val_a.png"),
            read_file(folder_ / "repository/street/valannot/val_a.png"));
}

TEST_F(FetchTest, AFetchThatNeverCameToItsCommitGoesOn) {
  const std::string url = dataset_.url;
  dataset_.url = (folder_ / "nowhere").string();
  EXPECT_THAT(error_of([&] { fetch(); }), HasSubstr("street: git fetch failed: "));
  dataset_.url = url;
  EXPECT_FALSE(fetch().was_there);
}

TEST_F(FetchTest, WhatDiffersIsToldAndLeftAlone) {
  fetch();
  folder_.text("out/source/street/train/train_a.png", "mine");
  EXPECT_THAT(error_of([&] { fetch(); }), HasSubstr("(\" M street/train/train_a.png\"); `git -C "));
  EXPECT_EQ(read_file(folder_ / "out/source/street/train/train_a.png"), "mine");
}

TEST_F(FetchTest, TheFilesAreCounted) {
  dataset_.folders[1].files = 4;
  EXPECT_THAT(error_of([&] { fetch(); }),
              HasSubstr("trainannot: holds 3 PNG files but 4 were expected"));
}

TEST_F(FetchTest, AnotherCommitNeedsAnotherFolder) {
  fetch();
  dataset_.commit = repository().run({"rev-parse", "HEAD"}).substr(0, 40);
  EXPECT_THAT(error_of([&] { fetch(); }), HasSubstr("holds another commit or data set"));
  dataset_.commit = std::string(40, '0');
  EXPECT_THAT(error_of([&] { fetch_dataset(dataset_, {.out = folder_ / "other"}); }),
              HasSubstr("street: "));
  dataset_.commit = "HEAD";
  EXPECT_THAT(error_of([&] { fetch(); }),
              HasSubstr("\"HEAD\" is no commit; expected its 40 hexadecimal digits"));
  dataset_.url = "--upload-pack=x";
  EXPECT_THAT(error_of([&] { fetch(); }), HasSubstr("is no address of a repository"));
}

TEST_F(FetchTest, ObjectFoldersBecomeMasks) {
  for (const char* name : {"a", "b", "c", "d"}) {
    const std::string place = std::string("repository/stage1_train/") + name + "/";
    folder_.grey(place + "images/" + name + ".png", {9, 8, 7, 6});
    folder_.grey(place + "masks/one.png", {255, 0, 0, 0});
    folder_.grey(place + "masks/two.png", {0, 255, 0, 0});
  }
  dataset_.commit = commit_all();
  dataset_.folders = {{"stage1_train", 12}};
  dataset_.data = "stage1_train";
  dataset_.object_folders = true;
  dataset_.legend.clear();
  fetch();
  const Dataset dataset = open_dataset(folder_ / "out");
  const Sample& sample = dataset.split("train")[0];
  const LabelMap objects = read_instances(dataset, sample, read_labels(dataset, sample));
  EXPECT_THAT(std::vector<int>(objects.labels().begin(), objects.labels().end()),
              testing::ElementsAre(1, 2, 0, 0));
  EXPECT_TRUE(fetch().was_there);
}

TEST(PublicDatasets, AreWellFormed) {
  for (const PublicDataset& dataset : public_datasets()) {
    EXPECT_THAT(dataset.commit, SizeIs(40));
    EXPECT_THAT(dataset.url, testing::StartsWith("https://github.com/"));
    EXPECT_FALSE(dataset.licence.empty());
    EXPECT_GT(dataset.megabytes, 0);
    for (const auto& part : dataset.folders)
      EXPECT_THAT(part.folder, testing::StartsWith(dataset.data));
  }
  EXPECT_THAT(error_of([] { public_dataset("canvid"); }),
              HasSubstr("did you mean \"camvid\"? there are camvid, isbi2012, nuclei"));
}

TEST(GitProgram, TellsWhyItFails) {
  EXPECT_EQ(error_of([] {
              Git("/").run({"rev-parse", "HEAD"});
            }),
            "git rev-parse failed: not a git repository (or any of the parent directories): .git");
}

}  // namespace
}  // namespace segmentum
