#include "cli/demo_folder.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "base/file.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

TEST(DemoFolder, IsOneThatTheDemoMadeOrAnEmptyOne) {
  const fs::path folder =
      fs::path(testing::TempDir()) / ("segmentum_demo_folder_" + std::to_string(::getpid()));
  fs::remove_all(folder);
  EXPECT_NO_THROW(require_demo_folder(folder));
  EXPECT_EQ(noted(folder), "");
  fs::create_directories(folder);
  EXPECT_NO_THROW(require_demo_folder(folder));
  write_file(folder / "notes.txt", "mine");
  EXPECT_THAT([&] { require_demo_folder(folder); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("segmentum demo did not make it")));
  EXPECT_THAT([&] { require_demo_folder(folder / "notes.txt"); }, testing::Throws<Error>());
  note_made(folder, "scenes");
  EXPECT_NO_THROW(require_demo_folder(folder));
  EXPECT_EQ(noted(folder), "scenes");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace segmentum
