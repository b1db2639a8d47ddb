#include "image/most_likely.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace segmentum {
namespace {

using testing::ElementsAre;

TEST(MostLikely, TheLargestScoreAndTheFirstOfEquals) {
  const float scores[] = {1, 5, 2, 0,  //
                          3, 5, 1, 0,  //
                          2, 4, 9, 0};
  std::uint16_t labels[] = {7, 7, 7, 7};
  most_likely(scores, 4, 3, 3, labels);
  EXPECT_THAT(labels, ElementsAre(1, 0, 2, 7));  // three pixels were asked for
}

TEST(MostLikely, OneScoreIsALogit) {
  const float logits[] = {-0.001f, 0, 2};
  std::uint16_t labels[3];
  most_likely(logits, 3, 1, 3, labels);
  EXPECT_THAT(labels, ElementsAre(0, 1, 1));
}

TEST(MostLikely, LongRowsAreLabelledToTheirEnd) {
  constexpr int kWidth = 1000;
  std::vector<float> scores(2 * kWidth);
  std::vector<std::uint16_t> labels(kWidth);
  for (int x = 0; x < kWidth; x += 3) scores[kWidth + x] = 1;
  most_likely(scores.data(), kWidth, 2, kWidth, labels.data());
  for (int x = 0; x < kWidth; ++x) EXPECT_EQ(labels[x], x % 3 == 0 ? 1 : 0) << x;
}

}  // namespace
}  // namespace segmentum
