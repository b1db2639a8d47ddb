#include "data/sample_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<Sample> pictures(std::initializer_list<const char*> paths) {
  std::vector<Sample> samples;
  for (const char* path : paths) samples.push_back({.image = path});
  return samples;
}

TEST(SampleList, FieldsAreSeparatedByWhatTheLineUses) {
  const auto lines = parse_list(
      "\xEF\xBB\xBF# comment\na.png  b.png\r\n\n"
      "a b.png,c d.png\n\"my a.png\" \"my b.png\" more\nlast\tone");
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].number, 2);
  EXPECT_THAT(lines[0].fields, ElementsAre("a.png", "b.png"));
  EXPECT_THAT(lines[1].fields, ElementsAre("a b.png", "c d.png"));
  EXPECT_THAT(lines[2].fields, ElementsAre("my a.png", "my b.png", "more"));
  EXPECT_EQ(lines[3].number, 6);
  EXPECT_THAT(lines[3].fields, ElementsAre("last", "one"));
}

TEST(SampleList, LinesOfQuotesAloneAreEmpty) {
  const auto lines = parse_list("\"\"\n  \"  \"  \na.png\n\"");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].number, 3);
  EXPECT_THAT(lines[0].fields, ElementsAre("a.png"));
}

TEST(SampleList, PatternsMakePathsAndFindNames) {
  EXPECT_EQ(fill_pattern("JPEGImages/{}.jpg", "07"), "JPEGImages/07.jpg");
  EXPECT_EQ(match_pattern("JPEGImages/{}.jpg", "JPEGImages/07.jpg"), "07");
  EXPECT_EQ(match_pattern("JPEGImages/{}.jpg", "Other/07.jpg"), "");
  EXPECT_EQ(match_pattern("a{}a", "a"), "");
}

TEST(SampleList, NamesAreStemsWithFoldersWhereStemsRepeat) {
  auto samples = pictures({"x/a.png", "x/b.png", "y/b.png", "y/c.jpg", "y/c.png"});
  name_samples(samples);
  EXPECT_EQ(samples[0].name, "a");
  EXPECT_EQ(samples[1].name, "x/b");
  EXPECT_EQ(samples[2].name, "y/b");
  EXPECT_EQ(samples[3].name, "y/c.jpg");
  EXPECT_EQ(samples[4].name, "y/c.png");
  auto repeated = pictures({"a.png", "b.png", "a.png"});
  EXPECT_THAT(error_of([&] { name_samples(repeated); }),
              HasSubstr("a.png is listed twice in one split"));
}

}  // namespace
}  // namespace segmentum
