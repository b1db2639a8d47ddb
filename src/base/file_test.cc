#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace segmentum {
namespace {

namespace fs = std::filesystem;

TEST(File, WritesWholeAndReadsBack) {
  const fs::path folder = fs::path(testing::TempDir()) / "file_test";
  fs::remove_all(folder);
  write_file(folder / "deep" / "a.txt", "first");
  write_file_pieces(folder / "deep" / "a.txt", {"sec", "ond"});
  EXPECT_EQ(read_file(folder / "deep" / "a.txt"), "second");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "deep"), fs::directory_iterator()), 1);
}

TEST(File, LargeFilesComeBackWhole) {
  const fs::path file = fs::path(testing::TempDir()) / "large_file_test";
  std::string content;
  for (int i = 0; i < 200'000; ++i) content += std::to_string(i);
  write_file(file, content);
  EXPECT_TRUE(read_file(file) == content);
  write_file(file, "");
  EXPECT_EQ(read_file(file), "");
  fs::remove(file);
}

TEST(File, AFileThatCannotBeReplacedLeavesNothingBehind) {
  const fs::path folder = fs::path(testing::TempDir()) / "file_test_folder";
  fs::remove_all(folder);
  fs::create_directories(folder / "taken" / "by a folder");
  EXPECT_THROW(write_file(folder / "taken", "x"), Error);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 1);
}

TEST(File, ErrorsSayWhatToDo) {
  const fs::path folder = fs::path(testing::TempDir()) / "file_test_remedy";
  fs::remove_all(folder);
  write_file(folder / "file", "");
  EXPECT_THAT([&] { write_file(folder / "file" / "below", ""); },
              testing::ThrowsMessage<WriteError>(
                  testing::HasSubstr("Not a directory; a part of the path is a file: choose")));
  EXPECT_THAT([&] { require_writable_folder(folder / "file"); },
              testing::ThrowsMessage<WriteError>(testing::HasSubstr("a part of the path is a")));
  EXPECT_THAT([&] { throw_write_error("a.png", "write", ENOSPC); },
              testing::ThrowsMessage<WriteError>(testing::StrEq(
                  "a.png: cannot write: No space left on device; make room on its disk, or choose "
                  "another folder")));
  require_writable_folder(folder / "new");
  EXPECT_TRUE(fs::is_empty(folder / "new"));
}

TEST(File, WhatIsNoFileIsWrittenToAndNotReplaced) {
  EXPECT_THAT([&] { write_file("/dev/full", "x"); },
              testing::ThrowsMessage<WriteError>(testing::HasSubstr("No space left on device")));
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST(File, BrokenWritesAreRemovedAndNothingElse) {
  const fs::path folder = fs::path(testing::TempDir()) / "file_test_broken";
  fs::remove_all(folder);
  for (const char* name : {".a.png.tmp12", ".tmp12", ".b.tmp", ".b.tmp1x", "c.tmp12", ".lock"}) {
    write_file(folder / name, "x");
  }
  remove_broken_writes(folder);
  EXPECT_FALSE(fs::exists(folder / ".a.png.tmp12"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 5);
}

TEST(File, ErrorsNameTheFile) {
  const auto message = [](const fs::path& path) {
    try {
      read_file(path);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(message("/nowhere/a.txt"), testing::HasSubstr("/nowhere/a.txt: cannot open"));
  EXPECT_THAT(message(testing::TempDir()), testing::HasSubstr("is a folder"));
}

}  // namespace
}  // namespace segmentum
