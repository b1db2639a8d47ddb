#include "infer/plan_cache.h"

#include <gtest/gtest.h>

#include "infer/testing.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

Shape square(int side) {
  return {1, 3, side, side};
}

TEST(PlanCache, KeepsTheSizesUsedLast) {
  Model model = tiny_model("unet", 3, 4);
  const auto executor = make_reference_executor();
  PlanCache plans(*executor, model.graph, model.parameters, std::size_t{1} << 30);
  const Plan* first = &plans.plan_for(square(8));
  EXPECT_EQ(&plans.plan_for(square(8)), first);
  for (int side = 9; side < 14; ++side) {
    plans.plan_for(square(side));
    EXPECT_EQ(&plans.plan_for(square(8)), first) << side;  // used in between: never the oldest
  }
  EXPECT_EQ(plans.size(), 6u);
  plans.plan_for(square(14));
  EXPECT_EQ(plans.size(), 6u);
  EXPECT_EQ(&plans.plan_for(square(8)), first);
}

TEST(PlanCache, StaysWithinItsMemory) {
  Model model = tiny_model("unet", 3, 4);
  const auto executor = make_reference_executor();
  const Shape shape = square(32);
  const std::size_t one =
      executor->plan(model.graph, model.parameters, {&shape, 1}, {})->memory_bytes();
  PlanCache plans(*executor, model.graph, model.parameters, one * 5 / 2);
  plans.plan_for({1, 3, 32, 32});
  plans.plan_for({1, 3, 32, 33});
  EXPECT_EQ(plans.size(), 2u);
  plans.plan_for({1, 3, 33, 32});
  EXPECT_EQ(plans.size(), 2u);
  plans.plan_for(square(128));  // too large for the limit: run all the same, alone
  EXPECT_EQ(plans.size(), 1u);
}

TEST(PlanCache, ARejectedShapeLeavesItUsable) {
  Model model = tiny_model("unet", 3, 4);
  const auto executor = make_reference_executor();
  PlanCache plans(*executor, model.graph, model.parameters, std::size_t{1} << 30);
  EXPECT_THROW(plans.plan_for({1, 4, 8, 8}), Error);
  EXPECT_EQ(plans.plan_for(square(8)).input().shape, square(8));
}

}  // namespace
}  // namespace segmentum
