#include "infer/labelling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace segmentum {
namespace {

const PixelRect kWhole{0, 0, 1, 3};

Tensor logits_of(const Shape& shape, std::initializer_list<float> values) {
  Tensor tensor(shape);
  std::copy(values.begin(), values.end(), tensor.data());
  return tensor;
}

TEST(Labelling, TheLargestLogitAndTheFirstOfEquals) {
  const Tensor logits = logits_of({1, 3, 1, 3}, {1, 5, 2,  //
                                                 3, 5, 1,  //
                                                 2, 4, 9});
  LabelMap labels(1, 3);
  label_part(PlainScoreRows(logits.view()), kWhole, labels);
  EXPECT_THAT(labels.labels(), testing::ElementsAre(1, 0, 2));
}

TEST(Labelling, OneLogitIsForegroundFromZeroUp) {
  const Tensor logits = logits_of({1, 1, 1, 3}, {-0.001f, 0, 2});
  LabelMap labels(1, 3);
  label_part(PlainScoreRows(logits.view()), kWhole, labels);
  EXPECT_THAT(labels.labels(), testing::ElementsAre(0, 1, 1));
}

TEST(Labelling, OnlyThePartIsWritten) {
  const Tensor logits = logits_of({1, 1, 1, 2}, {-1, 1});
  LabelMap labels(2, 4, 9);
  label_part(PlainScoreRows(logits.view()), {1, 2, 1, 2}, labels);
  EXPECT_THAT(labels.labels(), testing::ElementsAre(9, 9, 9, 9, 9, 9, 0, 1));
}

TEST(Labelling, ProbabilitiesOfTwoClasses) {
  // softmax(0, ln 3) = (1/4, 3/4); large logits do not overflow.
  const float ln3 = std::log(3.0f);
  const Tensor logits = logits_of({1, 2, 1, 3}, {0, 1000, 0, ln3, 1000, -1000});
  Probabilities sum(2, 1, 3);
  add_probabilities(PlainScoreRows(logits.view()), kWhole, 1.0f, false, sum);
  const float expected[] = {0.25f, 0.5f, 1, 0.75f, 0.5f, 0};
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(sum.values()[i], expected[i], 1e-6);
}

TEST(Labelling, ProbabilitiesOfASigmoidHeadMirrored) {
  // sigmoid(ln 3) = 3/4. The tile holds columns 0 and 1 of the mirrored picture: 2 and 1 of ours.
  const Tensor logits = logits_of({1, 1, 1, 2}, {std::log(3.0f), 0});
  Probabilities sum(2, 1, 3);
  add_probabilities(PlainScoreRows(logits.view()), {0, 0, 1, 2}, 0.5f, true, sum);
  const float expected[] = {0, 0.25f, 0.125f, 0, 0.25f, 0.375f};
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(sum.values()[i], expected[i], 1e-6);
  EXPECT_THAT(most_probable(sum, true).labels(), testing::ElementsAre(1, 1, 1));
  EXPECT_THAT(most_probable(sum, false).labels(), testing::ElementsAre(0, 0, 1));
}

}  // namespace
}  // namespace segmentum
