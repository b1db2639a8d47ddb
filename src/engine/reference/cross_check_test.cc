#include "engine/cross_check.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "engine/engine_cases.h"

namespace segmentum {
namespace {

class ReferenceInFloat : public testing::TestWithParam<EngineCase> {
 protected:
  std::unique_ptr<Executor> engine_ = make_reference_executor();
};

// Sums run in double and are rounded once a layer, so the float engine stays close to the double
// one: this also shows that the tolerances of the check leave room for an honest float engine.
TEST_P(ReferenceInFloat, TrainsAsInDouble) {
  expect_engines_agree(*engine_, GetParam().graph, GetParam().inputs, {.steps = 2});
}

TEST_P(ReferenceInFloat, TrainsAsInDoubleWithFrozenBatchNorm) {
  expect_engines_agree(*engine_, GetParam().graph, GetParam().inputs, {.frozen_batch_norm = true});
}

TEST_P(ReferenceInFloat, InfersAsInDouble) {
  expect_engines_agree(*engine_, GetParam().graph, GetParam().inputs, {.mode = Mode::infer});
}

INSTANTIATE_TEST_SUITE_P(Cases, ReferenceInFloat, testing::ValuesIn(engine_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace segmentum
