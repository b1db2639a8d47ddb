// segmentum demo: nothing twice, and nothing removed that it did not make.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "program.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> tiny_demo(const fs::path& out, const std::string& steps) {
  return {"demo",      "--out", out,      "--scenes",       "4", "--steps", steps,
          "--threads", "1",     "--json", out / "demo.json"};
}

double mean_iou(const fs::path& out) {
  return nlohmann::json::parse(read_file(out / "demo.json")).at("mean_iou");
}

TEST(Demo, DoesNothingTwiceAndKeepsWhatIsNotItsOwn) {
  const fs::path out = fresh_folder("demo");
  const std::vector<fs::path> made{out / "scenes/train/scene_00000.png", out / "run/best.segmentum",
                                   out / "predictions/scene_00000.png", out / "report.html"};
  const auto times = [&] {
    std::vector<fs::file_time_type> result;
    for (const fs::path& file : made) result.push_back(fs::last_write_time(file));
    return result;
  };
  const Outcome first = run(tiny_demo(out, "1"));
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("mean IoU"));
  const double score = mean_iou(out);
  const auto before = times();

  const Outcome second = run(tiny_demo(out, "1"));
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_THAT(second.out, HasSubstr("all of it was there already"));
  EXPECT_THAT(second.out, HasSubstr("pavement"));  // the table
  EXPECT_EQ(times(), before);
  EXPECT_EQ(mean_iou(out), score);

  write_file(out / "run" / "notes.txt", "mine");
  const Outcome longer = run(tiny_demo(out, "2"));  // the same scenes, another training
  EXPECT_EQ(longer.status, 0) << longer.err;
  EXPECT_THAT(longer.out, Not(HasSubstr("there already")));
  EXPECT_EQ(read_file(out / "run" / "notes.txt"), "mine");
  const auto after = times();
  EXPECT_EQ(after[0], before[0]);
  for (std::size_t i = 1; i < after.size(); ++i) EXPECT_NE(after[i], before[i]) << made[i];
}

TEST(Demo, LeavesAFolderAloneThatItDidNotMake) {
  const fs::path out = fresh_folder("demo_of_others");
  write_file(out / "run" / "config.toml", "steps = 5\n");
  write_file(out / "run" / "notes.txt", "mine");
  const Outcome outcome = run({"demo", "--out", out, "--scenes", "4", "--steps", "1"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(line_count(outcome.err), 1);
  EXPECT_THAT(outcome.err, HasSubstr("run: is there already, and segmentum demo did not make it"));
  EXPECT_EQ(read_file(out / "run" / "config.toml"), "steps = 5\n");
  EXPECT_FALSE(fs::exists(out / "scenes"));
}

}  // namespace
}  // namespace segmentum
