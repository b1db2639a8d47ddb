// Formats from outside, and public data sets from a repository that the test makes.
#include <gmock/gmock.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "fetch/git.h"
#include "image/codec.h"
#include "program.h"
#include "tiny_scenes.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using Json = nlohmann::json;

TEST(ConvertCommand, ThereAndBackIsFitToTrainOn) {
  const fs::path folder = fresh_folder("convert");
  write_tiny_scenes(folder / "data");
  const fs::path json = folder / "convert.json";
  const Outcome there = run({"convert", folder / "data", "--to", "coco-polygons", "--out",
                             folder / "coco", "--json", json});
  EXPECT_EQ(there.status, 0) << there.err;
  EXPECT_THAT(there.out, AllOf(HasSubstr("Found in "), HasSubstr("14 pictures of a data set\n"),
                               HasSubstr("Wrote 14 pictures, ")));
  EXPECT_EQ(Json::parse(read_file(json)).at("pictures"), 14);
  const Outcome back =
      run({"convert", folder / "coco", "--to", "masks", "--out", folder / "masks", "--link"});
  EXPECT_EQ(back.status, 0) << back.err;
  EXPECT_THAT(back.out, HasSubstr("Next: "));
  EXPECT_TRUE(fs::is_symlink(folder / "masks/images/train/scene_00001.png"));
  const RawMask before = read_mask(folder / "data/trainannot/scene_00001.png");
  const RawMask after = read_mask(folder / "masks/masks/train/scene_00001.png");
  for (int y = 0; y < before.values.height(); ++y) {
    EXPECT_EQ(std::memcmp(before.values.row<std::uint8_t>(y), after.values.row<std::uint8_t>(y),
                          before.values.row_bytes()),
              0)
        << y;
  }
  EXPECT_EQ(run({"check", folder / "masks"}).status, 0);
}

TEST(ConvertCommand, WhatIsWrongIsToldInOneLine) {
  const fs::path folder = fresh_folder("convert_wrong");
  write_file(folder / "a.json", "{\"shapes\": [");
  const auto expect = [](const Outcome& outcome, int status, const std::string& text) {
    EXPECT_EQ(outcome.status, status);
    EXPECT_EQ(line_count(outcome.err), 1) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(text));
  };
  expect(run({"convert", folder / "a.json", "--to", "masks", "--out", folder / "o"}), 1,
         "a.json: is not JSON: ");
  expect(run({"convert", folder / "a.json", "--to", "voc", "--out", folder / "o"}), 2,
         "--to: there is no format \"voc\" to write");
  expect(run({"convert", folder / "a.json", "--to", "masks"}), 2, "--out is required");
  expect(run({"convert", folder / "a.json", "--to", "masks", "--out", folder / "o", "--overlap",
              "none"}),
         2, "--overlap is \"none\"; expected later, smaller or ignore");
  EXPECT_FALSE(fs::exists(folder / "o"));
}

/// A repository that looks as that of ISBI 2012's slices does; returns its commit.
std::string make_repository(const fs::path& folder) {
  for (int i = 0; i < 6; ++i) {
    const std::string name = std::to_string(i) + ".png";
    Image image(4, 4, 1), label(4, 4, 1);
    for (int x = 0; x < 4; ++x) label.row<std::uint8_t>(i % 4)[x] = 255;
    image.row<std::uint8_t>(0)[i % 4] = static_cast<std::uint8_t>(40 * i);
    fs::create_directories(folder / "data/membrane/train/image");
    fs::create_directories(folder / "data/membrane/train/label");
    write_png(folder / "data/membrane/train/image" / name, image);
    write_png(folder / "data/membrane/train/label" / name, label);
  }
  const Git git(folder);
  git.run({"init", "--quiet"});
  git.run({"add", "--all"});
  git.run({"-c", "user.name=Test", "-c", "user.email=test@example.org", "commit", "--quiet", "-m",
           "slices"});
  return git.run({"rev-parse", "HEAD"}).substr(0, 40);
}

TEST(FetchCommand, ShowsTheTermsAndFetchesOnlyWithConsent) {
  if (!Git(".").succeeds({"--version"})) GTEST_SKIP() << "git is not there";
  const fs::path folder = fresh_folder("fetch");
  const std::string commit = make_repository(folder / "repository");
  std::vector<std::string> words{"fetch",    "isbi2012", "--from", folder / "repository",
                                 "--commit", commit,     "--out",  folder / "isbi"};
  const Outcome asked = run(words);
  EXPECT_EQ(asked.status, 1);
  EXPECT_THAT(asked.out, AllOf(HasSubstr("licence  the repository: MIT"), HasSubstr("about 8 MB"),
                               HasSubstr(commit)));
  EXPECT_THAT(asked.err, HasSubstr("--yes says so"));
  EXPECT_FALSE(fs::exists(folder / "isbi"));
  words.emplace_back("--yes");
  const Outcome fetched = run(words);
  EXPECT_EQ(fetched.status, 0) << fetched.err;
  EXPECT_THAT(fetched.out,
              AllOf(HasSubstr("Fetched and verified:"), HasSubstr("split train: 5 pictures")));
  EXPECT_THAT(run(words).out, HasSubstr("It was there already; verified:"));
  EXPECT_EQ(run({"check", folder / "isbi"}).status, 0);
}

TEST(FetchCommand, ListsWhatThereIs) {
  const Outcome all = run({"fetch"});
  EXPECT_EQ(all.status, 0);
  EXPECT_THAT(all.out, AllOf(HasSubstr("camvid "), HasSubstr("isbi2012 "), HasSubstr("nuclei ")));
  const Outcome wrong = run({"fetch", "voc"});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.err, HasSubstr("there is no public data set \"voc\""));
}

}  // namespace
}  // namespace segmentum
