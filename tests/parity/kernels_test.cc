// No step of any network runs on plain loops: not on oneDNN's, whose kernels are called "ref", and
// not on ours. Run as the CPU is, and again as if it had narrower vectors (CMakeLists.txt).
#include <gtest/gtest.h>

#include "engine/executor.h"
#include "graph/rewrite.h"
#include "models/registry.h"
#include "network_cases.h"

namespace segmentum {
namespace {

void expect_kernels(const Graph& graph, ParameterStore& parameters, Mode mode) {
  const auto engine = make_cpu_executor();
  for (const std::int64_t side : {64, 96}) {
    const Shape input{2, 3, side, side};
    const auto plan = engine->plan(graph, parameters, {&input, 1}, {.mode = mode});
    const std::vector<StepTime> steps = plan->profile();
    EXPECT_FALSE(steps.empty());
    for (const StepTime& step : steps) {
      EXPECT_EQ(step.kernel.find("ref"), std::string::npos)
          << step.node << (step.pass == Pass::backward ? " backward" : "") << " runs on "
          << step.kernel << " at " << input.to_string();
    }
  }
}

/// As it is trained, and as it is run: with batch norms folded and one output.
void expect_kernels(const Graph& graph) {
  ParameterStore parameters = initialise(graph, 1);
  expect_kernels(graph, parameters, Mode::train);
  const std::string logits = "logits";
  GraphWithParameters folded =
      optimise_for_inference(keep_outputs(graph, {&logits, 1}), parameters);
  expect_kernels(folded.graph, folded.parameters, Mode::infer);
}

class Kernels : public testing::TestWithParam<ArchitectureInfo> {};

// By default but for a width at which a backbone has 8 to 16 channels first.
TEST_P(Kernels, NoneIsAReference) {
  const bool is_mobile = GetParam().name.find("mobilenet") != std::string::npos;
  expect_kernels(build_model(GetParam().name,
                             {.classes = 21, .settings = {{"width", is_mobile ? "16" : "8"}}}));
}

INSTANTIATE_TEST_SUITE_P(Registry, Kernels, testing::ValuesIn(architectures()),
                         [](const auto& tested) { return tested.param.name; });

class KernelsOfCases : public testing::TestWithParam<NetworkCase> {};

// Channels that fill no vector, and every setting that changes the structure.
TEST_P(KernelsOfCases, NoneIsAReference) {
  expect_kernels(graph_of(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Cases, KernelsOfCases, testing::ValuesIn(network_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace segmentum
