#include "train/weight_average.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

ParameterStore one(float value) {
  ParameterStore store;
  Tensor tensor({1});
  tensor.data()[0] = value;
  store.add("w", ParameterRole::weight, tensor.clone());
  store.add("bn.running_var", ParameterRole::running_var, std::move(tensor));
  return store;
}

TEST(WeightAverage, ByHand) {
  WeightAverage average(one(0), 0.5);
  average.update(one(11));  // d = min(0.5, 2/11): 0 + 9/11 * 11
  EXPECT_FLOAT_EQ(average.parameters().value("w").data()[0], 9);
  average.update(one(1));  // d = 3/12: 9 + 3/4 * (1 - 9)
  EXPECT_FLOAT_EQ(average.parameters().value("w").data()[0], 3);
  for (int i = 0; i < 6; ++i) average.update(one(3));
  average.update(one(5));  // d = min(0.5, 10/19)
  EXPECT_FLOAT_EQ(average.parameters().value("w").data()[0], 4);
  EXPECT_FLOAT_EQ(average.parameters().value("bn.running_var").data()[0], 4);
  EXPECT_EQ(average.updates(), 9);
}

TEST(WeightAverage, RefusesADecayOfOne) {
  EXPECT_THAT([] { WeightAverage(one(0), 1.0); },
              ::testing::ThrowsMessage<Error>(::testing::HasSubstr("below 1")));
}

}  // namespace
}  // namespace segmentum
