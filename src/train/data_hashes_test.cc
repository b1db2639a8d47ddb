#include "train/data_hashes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "train/tiny_dataset.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

// FIPS 180-2: "abc", and nothing at all.
constexpr const char* kOfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

class DataHashes : public testing::Test {
 protected:
  DataHashes() {
    write_file(folder_ / "a.png", "abc");
    write_file(folder_ / "masks/a.png", "");
    dataset_.root = folder_.path();
    dataset_.splits["train"] = {{.image = "a.png", .mask = "masks/a.png"},
                                {.image = "unlabelled.png"}};
    dataset_.splits["val"] = dataset_.splits["train"];
  }
  std::vector<HashedFile> hashes() { return hash_data(dataset_, {"train", "val", "none"}, sink_); }

  TemporaryFolder folder_{"data_hashes"};
  Dataset dataset_;
  RecordingSink sink_;
};

TEST_F(DataHashes, AreThoseOfLabelledPicturesOnce) {
  const auto files = hashes();
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].name, "a.png");
  EXPECT_EQ(files[0].sha256, kOfAbc);
  EXPECT_EQ(files[0].bytes, 3);
  EXPECT_EQ(to_text(files), std::string(kOfAbc) + "  a.png\n" + kOfNothing + "  masks/a.png\n");
}

TEST_F(DataHashes, ComeBackFromTheirFile) {
  auto files = hashes();
  files[1].name = "two\nlines \\ and blanks  .png";
  write_file(folder_ / "data.sha256", to_text(files));
  const auto read = read_hashes(folder_ / "data.sha256");
  EXPECT_THAT(read,
              ElementsAre(std::pair<const std::string, std::string>("a.png", kOfAbc),
                          std::pair<const std::string, std::string>(files[1].name, kOfNothing)));
  EXPECT_THAT(different_files(read, files), IsEmpty());
  write_file(folder_ / "data.sha256", "1234  a.png\n");
  EXPECT_THAT([&] { read_hashes(folder_ / "data.sha256"); },
              ThrowsMessage<Error>(HasSubstr("data.sha256:1: a SHA-256 of 64 digits")));
}

TEST_F(DataHashes, DifferWhereContentDoes) {
  EXPECT_THAT(different_files({{"a.png", kOfNothing}, {"masks/a.png", kOfNothing}, {"b.png", ""}},
                              hashes()),
              ElementsAre("a.png", "b.png"));
}

TEST_F(DataHashes, ChangedFilesAreThoseOfOtherContent) {
  const auto files = hashes();
  EXPECT_THAT(changed_files(folder_.path(), files), IsEmpty());
  write_file(folder_ / "a.png", "abc");  // written again, and the same
  EXPECT_THAT(changed_files(folder_.path(), files), IsEmpty());
  write_file(folder_ / "a.png", "abd");
  std::filesystem::remove(folder_ / "masks/a.png");
  EXPECT_THAT(changed_files(folder_.path(), files), ElementsAre("a.png", "masks/a.png"));
}

TEST_F(DataHashes, NeedFilesThatCanBeRead) {
  std::filesystem::remove(folder_ / "masks/a.png");
  EXPECT_THAT([&] { hashes(); },
              ThrowsMessage<Error>(HasSubstr("masks/a.png: there is no such file")));
}

TEST(FewNames, AreTheFirstAndHowManyMore) {
  EXPECT_EQ(few_names({}), "");
  EXPECT_EQ(few_names({"a"}), "a");
  EXPECT_EQ(few_names({"a", "b", "c"}), "a and 2 more");
}

}  // namespace
}  // namespace segmentum
