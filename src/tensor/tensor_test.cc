#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

TEST(Shape, CountsAndPrints) {
  EXPECT_EQ((Shape{2, 3, 4, 5}).count(), 120);
  EXPECT_EQ((Shape{2, 3}).to_string(), "2x3");
  EXPECT_EQ(Shape{}.to_string(), "scalar");
  EXPECT_EQ(Shape{}.count(), 1);
  EXPECT_THROW((Shape{1, 2, 3, 4, 5}), Error);
  EXPECT_THROW((Shape{1, -1}), Error);
}

TEST(Tensor, IsZeroFilledAndRowMajor) {
  Tensor tensor({2, 3, 2, 2});
  for (float value : tensor.values()) EXPECT_EQ(value, 0);
  tensor(1, 2, 1, 0) = 5;
  EXPECT_EQ(tensor.data()[((1 * 3 + 2) * 2 + 1) * 2 + 0], 5);
  const Tensor copy = tensor.clone();
  tensor(1, 2, 1, 0) = 6;
  EXPECT_EQ(copy(1, 2, 1, 0), 5);
  EXPECT_EQ(tensor.as<double>()(1, 2, 1, 0), 6.0);
}

}  // namespace
}  // namespace segmentum
