#include "base/file_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

fs::path lock_file() {
  return fs::path(testing::TempDir()) / "file_lock_test";
}

TEST(FileLock, IsHeldByOneAtATimeAndTellsByWhom) {
  {
    const FileLock first(lock_file());
    EXPECT_TRUE(first.is_ours());
    const FileLock second(lock_file());
    EXPECT_FALSE(second.is_ours());
    EXPECT_EQ(second.holder(), "process " + std::to_string(getpid()));
  }
  EXPECT_FALSE(fs::exists(lock_file()));
  EXPECT_TRUE(FileLock(lock_file()).is_ours());
}

TEST(FileLock, OfAProcessThatEndedIsTakenOver) {
  const pid_t child = fork();
  if (child == 0) {
    const FileLock lock(lock_file());
    _exit(lock.is_ours() ? 0 : 1);  // destroys nothing
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_file(lock_file()).substr(0, std::to_string(child).size()), std::to_string(child));
  EXPECT_TRUE(FileLock(lock_file()).is_ours());
}

TEST(FileLock, NeedsAFolder) {
  EXPECT_THROW(FileLock("/nowhere/lock"), WriteError);
}

}  // namespace
}  // namespace segmentum
