// The cpu engine against the reference on every case, and its promises about bits.
#include <gtest/gtest.h>

#include "base/threads.h"
#include "engine/cross_check.h"
#include "engine/engine_cases.h"
#include "engine/executor.h"

namespace segmentum {
namespace {

class CpuEngine : public testing::TestWithParam<EngineCase> {};

TEST_P(CpuEngine, TrainsAsTheReference) {
  const auto engine = make_cpu_executor();
  expect_engines_agree(*engine, GetParam().graph, GetParam().inputs, {.steps = 2});
}

TEST_P(CpuEngine, TrainsWithFrozenBatchNormAsTheReference) {
  const auto engine = make_cpu_executor();
  expect_engines_agree(*engine, GetParam().graph, GetParam().inputs, {.frozen_batch_norm = true});
}

TEST_P(CpuEngine, InfersAsTheReference) {
  const auto engine = make_cpu_executor();
  expect_engines_agree(*engine, GetParam().graph, GetParam().inputs, {.mode = Mode::infer});
}

INSTANTIATE_TEST_SUITE_P(Cases, CpuEngine, testing::ValuesIn(engine_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace segmentum
