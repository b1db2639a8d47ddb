// op::MeanField beside the standard implementation of the dense CRF: of scores = -unary, its
// softmax are the marginals.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "crf/golden.h"
#include "engine/executor.h"
#include "graph/graph.h"
#include "graph/parameter_store.h"

namespace segmentum {
namespace {

op::MeanField field_of(const CrfSettings& s, int iterations) {
  return {.iterations = iterations,
          .spatial_sigma_px = s.spatial_sigma_px,
          .spatial_weight = s.spatial_weight,
          .bilateral_sigma_px = s.bilateral_sigma_px,
          .bilateral_sigma_colour = s.bilateral_sigma_colour,
          .bilateral_weight = s.bilateral_weight,
          .levels = {63.75f},
          .zero_levels = {127.5f}};
}

/// Scores after so many iterations, the picture pre-processed with mean 1/2 and deviation 1/4.
Tensor refined(Executor& engine, const CrfGolden& golden, int iterations) {
  GraphBuilder g("field");
  const ValueId scores = g.input("scores", {.channels = golden.classes});
  const ValueId picture = g.input("picture", {});
  g.output("logits", g.mean_field("crf", scores, picture, field_of(golden.settings, iterations)));
  const Graph graph = std::move(g).build();
  ParameterStore parameters = initialise(graph, 1);
  const int height = golden.picture.height(), width = golden.picture.width();
  const auto plan = engine.plan(
      graph, parameters,
      std::vector<Shape>{{1, golden.classes, height, width}, {1, 3, height, width}}, {});
  std::ranges::transform(golden.unary, plan->input(0).values().begin(), std::negate<>());
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const auto level = static_cast<float>(golden.picture.row<std::uint8_t>(y)[3 * x + c]);
        plan->input(1)(0, c, y, x) = (level / 255 - 0.5f) / 0.25f;
      }
    }
  }
  plan->forward();
  Tensor result(plan->output("logits").shape);
  std::ranges::copy(plan->output("logits").values(), result.values().begin());
  return result;
}

/// Softmax, [K,H,W], and its labels.
Probabilities marginals_of(const Tensor& logits) {
  const Shape& shape = logits.shape();
  const auto classes = static_cast<int>(shape.c());
  Probabilities q(classes, static_cast<int>(shape.h()), static_cast<int>(shape.w()));
  const std::int64_t pixels = shape.h() * shape.w();
  for (std::int64_t i = 0; i < pixels; ++i) {
    double sum = 0;
    for (int k = 0; k < classes; ++k) {
      sum += std::exp(static_cast<double>(logits.data()[k * pixels + i]));
    }
    for (int k = 0; k < classes; ++k) {
      q.values()[static_cast<std::size_t>(k * pixels + i)] =
          static_cast<float>(std::exp(static_cast<double>(logits.data()[k * pixels + i])) / sum);
    }
  }
  return q;
}

LabelMap labels_of(const Tensor& logits) {
  const Shape& shape = logits.shape();
  LabelMap labels(static_cast<int>(shape.h()), static_cast<int>(shape.w()));
  const std::int64_t pixels = shape.h() * shape.w();
  for (std::int64_t i = 0; i < pixels; ++i) {
    std::int64_t best = 0;
    for (std::int64_t k = 1; k < shape.c(); ++k) {
      if (logits.data()[k * pixels + i] > logits.data()[best * pixels + i]) best = k;
    }
    labels.labels()[static_cast<std::size_t>(i)] = static_cast<std::uint16_t>(best);
  }
  return labels;
}

void compare(Executor& engine, const CrfGolden& golden, const std::vector<int>& steps) {
  for (const int step : steps) {
    const Tensor logits = refined(engine, golden, step);
    EXPECT_EQ(different_labels(labels_of(logits), golden.labels(step)), 0)
        << golden.name << " after " << step;
    if (step == 5) continue;
    const double difference =
        largest_difference(marginals_of(logits).values(), golden.marginals(step));
    std::cout << golden.name << ", " << step << " iterations: marginals within " << difference
              << "\n";
    // As DenseCrf.
    EXPECT_LE(difference, step == 1 ? 3e-6 : 1e-4) << golden.name << " after " << step;
  }
}

TEST(MeanFieldGolden, OfTheCpuEngine) {
  const std::vector<CrfGolden> goldens = CrfGolden::all();
  if (goldens.empty()) GTEST_SKIP() << CrfGolden::folder() << " is absent";
  const auto engine = make_cpu_executor();
  for (const CrfGolden& golden : goldens) compare(*engine, golden, {1, 5, 10});
}

TEST(MeanFieldGolden, OfTheReferenceEngine) {
  const std::vector<CrfGolden> goldens = CrfGolden::all();
  if (goldens.empty()) GTEST_SKIP() << CrfGolden::folder() << " is absent";
  const auto engine = make_reference_executor();
  for (const CrfGolden& golden : goldens) compare(*engine, golden, {1, 5, 10});
}

}  // namespace
}  // namespace segmentum
