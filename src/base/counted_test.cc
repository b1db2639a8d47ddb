#include "base/counted.h"

#include <gtest/gtest.h>

namespace segmentum {
namespace {

TEST(Counted, OneIsSingular) {
  EXPECT_EQ(counted(1, "picture"), "1 picture");
  EXPECT_EQ(counted(0, "picture"), "0 pictures");
  EXPECT_EQ(counted(std::size_t{2}, "class"), "2 classes");
}

}  // namespace
}  // namespace segmentum
