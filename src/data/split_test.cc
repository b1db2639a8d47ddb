#include "data/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace segmentum {
namespace {

std::vector<Sample> numbered(int count) {
  std::vector<Sample> samples;
  for (int i = 0; i < count; ++i) samples.push_back({.image = std::to_string(i) + ".png"});
  return samples;
}

TEST(Split, SharesAreMetAndNothingIsLost) {
  const auto splits = divide_samples(numbered(100), {.val = 0.15, .test = 0.15}, 0);
  EXPECT_EQ(splits.at("train").size(), 70u);
  EXPECT_EQ(splits.at("val").size(), 15u);
  EXPECT_EQ(splits.at("test").size(), 15u);
  std::set<std::string> all;
  for (const auto& [name, samples] : splits) {
    for (const Sample& sample : samples) all.insert(sample.image.string());
  }
  EXPECT_EQ(all.size(), 100u);
}

TEST(Split, SameSeedSameSplit) {
  const auto images = [](std::uint64_t seed) {
    std::vector<std::string> chosen;
    const auto splits = divide_samples(numbered(20), {.val = 0.5}, seed);
    for (const Sample& sample : splits.at("val")) {
      chosen.push_back(sample.image.string());
    }
    return chosen;
  };
  EXPECT_EQ(images(3), images(3));
  EXPECT_NE(images(3), images(4));
}

TEST(Split, GroupsStayTogether) {
  auto samples = numbered(30);
  for (int i = 0; i < 30; ++i) samples[i].group = std::string(1, static_cast<char>('a' + i / 6));
  const auto splits = divide_samples(samples, {.val = 0.2}, 1);
  EXPECT_EQ(splits.at("val").size(), 6u);
  EXPECT_EQ(splits.at("train").size(), 24u);
  for (const Sample& sample : splits.at("train")) {
    EXPECT_NE(sample.group, splits.at("val").front().group);
  }
}

TEST(Split, FewSamplesStillGiveAVal) {
  EXPECT_EQ(divide_samples(numbered(2), {.val = 0.2}, 0).at("val").size(), 1u);
  EXPECT_EQ(divide_samples(numbered(1), {.val = 0.2}, 0).count("val"), 0u);
}

}  // namespace
}  // namespace segmentum
