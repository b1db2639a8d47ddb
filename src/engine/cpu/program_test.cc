#include "engine/cpu/program.h"

#include <gtest/gtest.h>

namespace segmentum::cpu {
namespace {

Step touching(std::vector<int> buffers) {
  return {"node", "kernel", std::move(buffers), [](const Frame&) {}};
}

// 0 -> 1 -> 2 -> 3: a chain needs room for its two largest neighbours, not for all.
TEST(PlanMemory, AChainReusesItsMemory) {
  Program program;
  for (std::int64_t floats : {64, 128, 64, 128}) program.buffers.push_back({floats});
  program.forward = {touching({0, 1}), touching({1, 2}), touching({2, 3})};
  plan_memory(program);
  EXPECT_EQ(program.arena_floats, 64 + 128);
  EXPECT_EQ(program.buffers[0].offset, program.buffers[2].offset);
  EXPECT_EQ(program.buffers[1].offset, program.buffers[3].offset);
}

TEST(PlanMemory, BackwardStepsKeepForwardValuesAlive) {
  Program program;
  for (int i = 0; i < 3; ++i) program.buffers.push_back({16});
  program.forward = {touching({0, 1}), touching({1, 2})};
  program.backward = {touching({2}), touching({0})};
  plan_memory(program);
  EXPECT_EQ(program.arena_floats, 48);
}

TEST(PlanMemory, PersistentBuffersAreNobodyElses) {
  Program program;
  for (int i = 0; i < 3; ++i) program.buffers.push_back({16});
  program.buffers[0].persistent = true;
  program.forward = {touching({0}), touching({1}), touching({2})};
  plan_memory(program);
  EXPECT_EQ(program.arena_floats, 32);
  EXPECT_EQ(program.buffers[1].offset, program.buffers[2].offset);
}

TEST(PlanMemory, PlacesAreAligned) {
  Program program;
  program.buffers = {{3}, {5}};
  program.forward = {touching({0, 1})};
  plan_memory(program);
  for (const Buffer& buffer : program.buffers) EXPECT_EQ(buffer.offset % 16, 0);
  EXPECT_EQ(program.arena_floats, 32);
}

}  // namespace
}  // namespace segmentum::cpu
