// 1x1 classifiers and magnifying commute: a sum of classifiers on each layer gives the logits of
// one classifier on the joined column.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/random.h"
#include "engine/executor.h"
#include "models/hypercolumn.h"

namespace segmentum {
namespace {

/// The parameters of `sum` from those of `concat`: the weights of `classifier` cut by channels.
ParameterStore cut_by_layers(const Graph& sum, const ParameterStore& joined,
                             const std::string& classifier) {
  const Tensor& whole = joined.value(classifier + ".weight");
  ParameterStore store;
  std::int64_t channel = 0;  // of the column
  for (const ParameterSpec& spec : sum.parameters) {
    Tensor value(spec.shape);
    if (spec.name.starts_with(classifier + "_level") && spec.name.ends_with(".weight")) {
      for (std::int64_t k = 0; k < spec.shape[0]; ++k) {
        for (std::int64_t c = 0; c < spec.shape[1]; ++c) {
          value(k, c, 0, 0) = whole(k, channel + c, 0, 0);
        }
      }
      channel += spec.shape[1];
    } else if (spec.name.starts_with(classifier + "_level")) {
      std::ranges::copy(joined.value(classifier + ".bias").values(), value.data());
    } else {
      std::ranges::copy(joined.value(spec.name).values(), value.data());
    }
    store.add(spec.name, spec.role, std::move(value));
  }
  EXPECT_EQ(channel, whole.shape()[1]);
  return store;
}

Tensor logits_of(Executor& engine, const Graph& graph, ParameterStore& parameters) {
  const Shape shape{2, 3, 45, 70};
  const auto plan = engine.plan(graph, parameters, {&shape, 1}, {});
  RandomStream random(5, 0, 0);
  for (float& value : plan->input().values()) value = static_cast<float>(random.normal());
  plan->forward();
  const ConstTensorView logits = plan->output("logits");
  Tensor copy(logits.shape);
  std::ranges::copy(logits.values(), copy.data());
  return copy;
}

void expect_equal_outputs(Graph (*build)(const HypercolumnOptions&), HypercolumnOptions options,
                          const std::string& classifier) {
  options.fusion = HypercolumnFusion::concat;
  const Graph concat = build(options);
  options.fusion = HypercolumnFusion::sum;
  const Graph sum = build(options);
  ParameterStore joined = initialise(concat, 8);
  RandomStream random(8, 1, 0);  // biases start as zeros, which would hide one that is missing
  for (const ParameterSpec& spec : concat.parameters) {
    if (spec.role != ParameterRole::bias) continue;
    for (float& value : joined.change(spec.name).values()) {
      value = static_cast<float>(random.normal());
    }
  }
  ParameterStore cut = cut_by_layers(sum, joined, classifier);
  for (const auto& engine : {make_reference_executor(), make_cpu_executor()}) {
    const Tensor expected = logits_of(*engine, concat, joined);
    const Tensor fast = logits_of(*engine, sum, cut);
    const auto [low, high] = std::ranges::minmax(expected.values());
    ASSERT_LT(low, high);
    // The same products in another order: sums of some fifty floats.
    const float tolerance = 1e-5f * (high - low);
    for (std::int64_t i = 0; i < expected.shape().count(); ++i) {
      ASSERT_NEAR(fast.data()[i], expected.data()[i], tolerance) << engine->name();
    }
  }
}

const HypercolumnOptions kSmall{.classes = 5, .width = 3};

TEST(HypercolumnFusion, SumsOfClassifiersAreTheClassifierOfTheColumn) {
  expect_equal_outputs(build_hypercolumn, kSmall, "score");
  HypercolumnOptions three = kSmall;
  three.layers = {1, 3, 5};
  expect_equal_outputs(build_hypercolumn, three, "score");
}

TEST(HypercolumnFusion, SumsOfHiddenLayersAreTheHiddenLayerOfTheColumn) {
  HypercolumnOptions hidden = kSmall;
  hidden.hidden = 11;
  expect_equal_outputs(build_hypercolumn, hidden, "hidden");
}

TEST(HypercolumnFusion, ClassifiersByLocationCommuteToo) {
  expect_equal_outputs([](const HypercolumnOptions& o) { return build_hypercolumn_boxes(o, 3); },
                       kSmall, "score");
}

}  // namespace
}  // namespace segmentum
