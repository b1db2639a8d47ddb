#include "engine/plan_cache.h"

#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

Graph small_network() {
  GraphBuilder g("small");
  const ValueId image = g.input("image", {.channels = 3});
  g.output("logits", g.conv("head", image, {.channels = 2, .kernel = 3, .padding = 1}));
  return std::move(g).build();
}

Shape square(int side) {
  return {1, 3, side, side};
}

class PlanCacheOfANetwork : public testing::Test {
 protected:
  const Graph graph_ = small_network();
  ParameterStore parameters_ = initialise(graph_, 1);
  const std::unique_ptr<Executor> executor_ = make_reference_executor();
};

TEST_F(PlanCacheOfANetwork, KeepsTheSizesUsedLast) {
  PlanCache plans(*executor_, graph_, parameters_, std::size_t{1} << 30);
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

TEST_F(PlanCacheOfANetwork, StaysWithinItsMemory) {
  const Shape shape = square(32);
  const std::size_t one = executor_->plan(graph_, parameters_, {&shape, 1}, {})->memory_bytes();
  PlanCache plans(*executor_, graph_, parameters_, one * 5 / 2);
  plans.plan_for({1, 3, 32, 32});
  plans.plan_for({1, 3, 32, 33});
  EXPECT_EQ(plans.size(), 2u);
  plans.plan_for({1, 3, 33, 32});
  EXPECT_EQ(plans.size(), 2u);
  plans.plan_for(square(128));  // too large for the limit: run all the same, alone
  EXPECT_EQ(plans.size(), 1u);
}

TEST_F(PlanCacheOfANetwork, ARejectedShapeLeavesItUsable) {
  PlanCache plans(*executor_, graph_, parameters_, std::size_t{1} << 30);
  EXPECT_THROW(plans.plan_for({1, 4, 8, 8}), Error);
  EXPECT_EQ(plans.plan_for(square(8)).input().shape, square(8));
}

}  // namespace
}  // namespace segmentum
