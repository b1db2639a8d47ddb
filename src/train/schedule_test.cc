#include "train/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace segmentum {
namespace {

TEST(Schedule, PolyFallsFromOneToZero) {
  const Schedule poly{.kind = ScheduleKind::poly, .power = 0.9, .total_steps = 100};
  EXPECT_DOUBLE_EQ(learning_rate_factor(poly, 0), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate_factor(poly, 50), std::pow(0.5, 0.9));
  EXPECT_DOUBLE_EQ(learning_rate_factor(poly, 99), std::pow(0.01, 0.9));
  EXPECT_DOUBLE_EQ(learning_rate_factor(poly, 100), 0.0);
  EXPECT_DOUBLE_EQ(learning_rate_factor(poly, 1000), 0.0);
}

TEST(Schedule, PolyWithPowerOneIsALine) {
  const Schedule line{.kind = ScheduleKind::poly, .power = 1, .total_steps = 4};
  EXPECT_DOUBLE_EQ(learning_rate_factor(line, 1), 0.75);
  EXPECT_DOUBLE_EQ(learning_rate_factor(line, 3), 0.25);
}

TEST(Schedule, CosineIsHalfInTheMiddle) {
  const Schedule cosine{.kind = ScheduleKind::cosine, .total_steps = 60};
  EXPECT_DOUBLE_EQ(learning_rate_factor(cosine, 0), 1.0);
  EXPECT_NEAR(learning_rate_factor(cosine, 20), 0.75, 1e-15);  // cos 60 degrees = 1/2
  EXPECT_NEAR(learning_rate_factor(cosine, 30), 0.5, 1e-15);
}

TEST(Schedule, WarmUpRisesInALineAndTheRestFollowsFromItsEnd) {
  const Schedule schedule{
      .kind = ScheduleKind::poly, .power = 1, .warmup_steps = 4, .total_steps = 14};
  EXPECT_DOUBLE_EQ(learning_rate_factor(schedule, 0), 0.25);
  EXPECT_DOUBLE_EQ(learning_rate_factor(schedule, 3), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate_factor(schedule, 4), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate_factor(schedule, 9), 0.5);
}

TEST(Schedule, ConstantStaysAtOne) {
  const Schedule constant{.kind = ScheduleKind::constant, .warmup_steps = 2, .total_steps = 10};
  EXPECT_DOUBLE_EQ(learning_rate_factor(constant, 0), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate_factor(constant, 5), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate_factor(constant, 500), 1.0);
}

}  // namespace
}  // namespace segmentum
