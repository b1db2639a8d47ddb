#include "base/random.h"

#include <gtest/gtest.h>

namespace segmentum {
namespace {

// Known answers of the Random123 distribution (kat_vectors, philox4x32 10).
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(RandomStream, DependsOnItsKeyAlone) {
  RandomStream a(7, 1, 2), b(7, 1, 2), other(7, 1, 3);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(a.bits(), b.bits());
  EXPECT_NE(RandomStream(7, 1, 2).bits(), other.bits());
}

TEST(RandomStream, MomentsOfUniformAndNormal) {
  RandomStream stream(1, 0, 0);
  double sum = 0, sum_of_squares = 0, uniform_sum = 0;
  const int n = 100000;
  for (int i = 0; i < n; ++i) {
    const double x = stream.normal();
    sum += x;
    sum_of_squares += x * x;
    uniform_sum += stream.uniform();
  }
  EXPECT_NEAR(sum / n, 0, 0.013);             // 4 standard errors
  EXPECT_NEAR(sum_of_squares / n, 1, 0.018);  // 4 standard errors
  EXPECT_NEAR(uniform_sum / n, 0.5, 0.004);   // 4 standard errors
}

TEST(RandomStream, BelowStaysBelow) {
  RandomStream stream(3, 0, 0);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(stream.below(7), 7u);
  EXPECT_EQ(stream.below(1), 0u);
}

}  // namespace
}  // namespace segmentum
