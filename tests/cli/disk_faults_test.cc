// Disks that are full, folders that cannot be written: one line that says what to do, and nothing
// half-written.
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/file.h"
#include "image/codec.h"
#include "large_picture.h"
#include "program.h"
#include "run_files.h"
#include "tiny_scenes.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

/// One line, and exit status 1.
void expect_failure(const Outcome& outcome, const std::string& message) {
  EXPECT_EQ(outcome.status, 1) << outcome.out;
  EXPECT_EQ(line_count(outcome.err), 1) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(StartsWith("segmentum: "), HasSubstr(message)));
}

/// A disk in memory, mounted at a folder of its own.
class SmallDisk {
 public:
  explicit SmallDisk(int kilobytes) {
    std::string name = fs::temp_directory_path() / "segmentum-disk-XXXXXX";
    path_ = mkdtemp(name.data());
    const std::string size = "size=" + std::to_string(kilobytes) + "k";
    mounted_ = mount("tmpfs", path_.c_str(), "tmpfs", 0, size.c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(path_.c_str(), MNT_DETACH);
    std::error_code code;
    fs::remove(path_, code);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool is_mounted() const { return mounted_; }
  const fs::path& path() const { return path_; }
  /// Leaves so many kilobytes free.
  void fill(int free_kilobytes) const {
    std::ofstream ballast(path_ / "ballast", std::ios::binary);
    const std::string page(4096, 'x');
    while (ballast << page << std::flush) {
    }
    ballast.close();
    const auto size = fs::file_size(path_ / "ballast");
    fs::resize_file(path_ / "ballast", size / 4096 * 4096 - 1024UL * free_kilobytes);
  }
  void make_room() const { fs::remove(path_ / "ballast"); }

 private:
  fs::path path_;
  bool mounted_ = false;
};

#define SEGMENTUM_REQUIRE_DISK(disk) \
  if (!(disk).is_mounted()) GTEST_SKIP() << "only root may mount the small disk of this test"

TEST(FullDisk, TrainingGoesOnFromItsLastCheckpointOnceThereIsRoom) {
  const fs::path folder = fresh_folder("full_disk");
  const SmallDisk disk(4096);
  SEGMENTUM_REQUIRE_DISK(disk);
  write_tiny_scenes(folder / "data");
  constexpr int kSteps = 60;
  ASSERT_EQ(run(tiny_training(folder / "data", folder / "whole", kSteps, kEveryStep)).status, 0);
  const fs::path broken = disk.path() / "run";
  Program training(tiny_training(folder / "data", broken, kSteps, kEveryStep));
  ASSERT_TRUE(wait_until([&] { return has_lines(broken / "log.jsonl", 5); }));
  disk.fill(0);
  const Outcome full = training.wait();
  expect_failure(full, "No space left on device; make room on its disk");
  EXPECT_THAT(full.err, HasSubstr("--resume goes on from the last checkpoint"));
  expect_whole_files(broken);
  disk.make_room();
  const Outcome resumed = run(tiny_training(folder / "data", broken, kSteps, {"--resume"}));
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  expect_same_weights(broken, folder / "whole");
}

TEST(FullDisk, PredictionEndsAtTheFirstFileWithoutRoom) {
  const fs::path folder = fresh_folder("full_disk_predict");
  const SmallDisk disk(256);
  SEGMENTUM_REQUIRE_DISK(disk);
  const fs::path model = tiny_model(folder);
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    write_large_picture(folder / "in" / (std::string(name) + ".png"), 200, 300);
  }
  disk.fill(16);  // pages of 4 KB: the folder, and a few label maps
  const Outcome outcome = run({"predict", model, folder / "in", "--out", disk.path() / "out"});
  expect_failure(outcome, "No space left on device; make room on its disk, or choose another");
  EXPECT_THAT(outcome.err, HasSubstr("of 6 pictures are segmented"));
  for (const auto& entry : fs::directory_iterator(disk.path() / "out")) {
    EXPECT_EQ(read_mask(entry.path()).values.width(), 300) << entry.path();
  }
}

TEST(FullDisk, StreamedPredictionGoesOnOnceThereIsRoom) {
  const fs::path folder = fresh_folder("full_disk_stream");
  const SmallDisk disk(4096);
  SEGMENTUM_REQUIRE_DISK(disk);
  const fs::path model = tiny_model(folder);
  write_large_picture(folder / "large.png", 700, 900);
  std::vector<std::string> words{"--stream", "always", "--tile", "256"};
  ASSERT_EQ(run(large_prediction(folder, model, "whole", words)).status, 0);
  disk.fill(12);
  const Outcome full = run(large_prediction(folder, model, disk.path(), words));
  expect_failure(full, "No space left on device; make room on its disk");
  EXPECT_THAT(full.err, HasSubstr("--resume goes on with the tiles that are done"));
  EXPECT_FALSE(fs::exists(disk.path() / "large.tif"));
  disk.make_room();
  words.emplace_back("--resume");
  const Outcome resumed = run(large_prediction(folder, model, disk.path(), words));
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_TRUE(read_file(disk.path() / "large.tif") == read_file(folder / "whole" / "large.tif"));
}

/// The same without root: the system refuses what goes beyond a file's largest size.
TEST(FullDisk, AFileThatMayNotGrowEndsATrainingBetweenFiles) {
  const fs::path folder = fresh_folder("file_limit");
  write_tiny_scenes(folder / "data");
  ASSERT_EQ(run(tiny_training(folder / "data", folder / "whole", 6, kEveryStep)).status, 0);
  const Outcome limited = run(tiny_training(folder / "data", folder / "run", 6, kEveryStep),
                              {.largest_file_bytes = 6000});
  expect_failure(limited, "File too large; the system allows no larger files here (ulimit -f)");
  expect_whole_files(folder / "run");
  const Outcome resumed = run(tiny_training(folder / "data", folder / "run", 6, {"--resume"}));
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  expect_same_weights(folder / "run", folder / "whole");
}

/// A user who may only do what permissions allow; none where the program is out of reach.
std::optional<Rights> nobody() {
  const Rights rights{.is_nobody = geteuid() == 0};
  return run({"version"}, rights).status == 0 ? std::optional(rights) : std::nullopt;
}

#define SEGMENTUM_REQUIRE_NOBODY(rights) \
  if (!(rights)) GTEST_SKIP() << "the user nobody cannot reach the program that is tested"

TEST(Permissions, FoldersThatCannotBeWrittenAreToldOfBeforeTheWork) {
  const std::optional<Rights> user = nobody();
  SEGMENTUM_REQUIRE_NOBODY(user);
  const fs::path folder = fresh_folder("closed");
  const fs::path model = tiny_model(folder), data = folder / "data";
  fs::create_directories(folder / "closed");
  fs::permissions(folder / "closed", fs::perms(0555));
  const std::string why = "Permission denied; this user may not write there: change the";
  const fs::path out = folder / "closed" / "out";
  expect_failure(run(tiny_training(data, out, 2), *user), out.string() + ": cannot create the ");
  expect_failure(run(tiny_training(data, out, 2), *user), why);
  expect_failure(run({"predict", model, data / "test", "--out", out}, *user), why);
  expect_failure(run({"predict", model, data / "test", "--out", folder / "closed"}, *user),
                 "closed: cannot write into the folder: " + why);
  expect_failure(run({"eval", model, data, "--report", out}, *user), why);
  expect_failure(run({"check", data, "--report", out / "report.html"}, *user), why);
  EXPECT_TRUE(fs::is_empty(folder / "closed"));
}

TEST(Permissions, AFileInThePlaceOfAFolder) {
  const fs::path folder = fresh_folder("no_folder");
  const fs::path model = tiny_model(folder), data = folder / "data";
  write_file(folder / "file", "mine");
  const fs::path out = folder / "file" / "out";
  const std::string why = "a part of the path is a file: choose another folder";
  expect_failure(run(tiny_training(data, out, 2)), why);
  expect_failure(run({"predict", model, data / "test", "--out", out}), why);
  expect_failure(run({"predict", model, data / "test", "--out", folder / "file"}), why);
  expect_failure(run({"eval", model, data, "--report", out}), why);
  EXPECT_EQ(read_file(folder / "file"), "mine");
}

TEST(Permissions, DataThatCanOnlyBeReadAreEnough) {
  const std::optional<Rights> user = nobody();
  SEGMENTUM_REQUIRE_NOBODY(user);
  const fs::path folder = fresh_folder("read_only");
  const fs::path data = folder / "data";
  write_tiny_scenes(data);
  const auto close = [](const fs::path& path) {
    fs::permissions(path, fs::is_directory(path) ? fs::perms(0555) : fs::perms(0444));
  };
  for (const auto& entry : fs::recursive_directory_iterator(data)) close(entry.path());
  close(data);
  fs::create_directories(folder / "out");
  fs::permissions(folder / "out", fs::perms(0777));
  const fs::path run_folder = folder / "out" / "run";
  const auto expect_success = [&](const std::vector<std::string>& words) {
    const Outcome outcome = run(words, *user);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
  };
  expect_success(tiny_training(data, run_folder, 3));
  const fs::path model = run_folder / "best.segmentum";
  expect_success({"eval", model, data});
  expect_success({"predict", model, data / "test", "--out", folder / "out" / "masks"});
  expect_success({"predict", model, data / "test", "--out", folder / "out" / "streamed", "--stream",
                  "always"});
  expect_success({"rerun", run_folder});
}

}  // namespace
}  // namespace segmentum
