#include "infer/probability_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

/// 2x3 pixels, all numbers after `start`: 12 + 12 + 48 bytes.
constexpr std::size_t kBytes = 72;
CachedPicture numbered(int start) {
  CachedPicture picture{.name = std::to_string(start),
                        .picture = Image(2, 3, 1, PixelType::u16),
                        .truth = LabelMap(2, 3),
                        .probabilities = Probabilities(2, 2, 3)};
  for (int i = 0; i < 6; ++i) {
    picture.picture.row<std::uint16_t>(0)[i] = static_cast<std::uint16_t>(start + i);
    picture.truth.labels()[static_cast<std::size_t>(i)] = static_cast<std::uint16_t>(start + 2 * i);
  }
  float next = static_cast<float>(start);
  for (float& value : picture.probabilities.values()) value = next += 0.5f;
  return picture;
}

void expect_equal(const CachedPicture& a, const CachedPicture& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.picture.type(), b.picture.type());
  EXPECT_TRUE(std::equal(a.picture.data(), a.picture.data() + 12, b.picture.data()));
  EXPECT_EQ(a.truth, b.truth);
  EXPECT_THAT(a.probabilities.values(), testing::ElementsAreArray(b.probabilities.values()));
}

TEST(ProbabilityCache, WhatDoesNotFitIntoMemoryComesBackFromAFile) {
  const fs::path folder = fs::path(testing::TempDir()) / "probability_cache";
  fs::create_directories(folder);
  for (const std::size_t in_memory : {0, 1, 2, 3}) {
    ProbabilityCache cache(in_memory * kBytes, folder);
    for (int start : {10, 200, 3000}) cache.add(numbered(start));
    ASSERT_EQ(cache.size(), 3u);
    EXPECT_EQ(cache.bytes_in_file(), (3 - in_memory) * kBytes);
    for (int pass = 0; pass < 2; ++pass) {
      expect_equal(cache.at(2), numbered(3000));
      expect_equal(cache.at(0), numbered(10));
      expect_equal(cache.at(1), numbered(200));
    }
    EXPECT_TRUE(fs::is_empty(folder));  // the file has no name
  }
  fs::remove_all(folder);
}

TEST(ProbabilityCache, AFolderThatIsNotThere) {
  ProbabilityCache cache(0, "/no/such/folder");
  try {
    cache.add(numbered(1));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("/no/such/folder: cannot make a temporary file"));
  }
}

}  // namespace
}  // namespace segmentum
