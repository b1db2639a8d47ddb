#include "train/training_step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/threads.h"
#include "models/registry.h"
#include "segmentum/error.h"
#include "train/tiny_dataset.h"

namespace segmentum {
namespace {

using testing::ElementsAre;

/// A picture of one channel, one 1x1 convolution without bias to two classes.
Graph linear_graph() {
  GraphBuilder g("linear");
  const ValueId x = g.input("image", {.channels = 1});
  g.output("logits", g.conv("head", x, {.channels = 2, .bias = false}));
  return std::move(g).build();
}

TrainingState sgd_state(const Graph& graph) {
  ParameterStore parameters = initialise(graph, 1);
  for (const ParameterSpec& spec : graph.parameters) {
    if (is_trainable(spec.role) && spec.role == ParameterRole::weight && spec.shape[1] == 1) {
      std::ranges::fill(parameters.change(spec.name).values(), 0.0f);
    }
  }
  Optimizer optimizer({.kind = OptimizerKind::sgd, .weight_decay = 0, .momentum = 0}, parameters);
  return {std::move(parameters), std::move(optimizer), std::nullopt, {}};
}

Tensor pixels(std::initializer_list<float> values, const Shape& shape) {
  Tensor result(shape);
  std::ranges::copy(values, result.data());
  return result;
}

class TrainingStepOn : public testing::TestWithParam<TestEngine> {
 protected:
  void SetUp() override { set_threads(1); }
  std::unique_ptr<Executor> executor_ = GetParam().make();
};

INSTANTIATE_TEST_SUITE_P(Engines, TrainingStepOn, testing::ValuesIn(kTestEngines),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(TrainingStepOn, AccumulationIsTheMeanOfItsBatches) {
  const Graph graph = linear_graph();
  TrainingState state = sgd_state(graph);
  TrainingStep step(graph, state, {1, 1, 1, 2}, *executor_, {.accumulate = 2});
  // Weights are 0, so p = 1/2 and dLoss/dw of a pixel is x * (p - y) = +-x/2 for class 1.
  const std::vector<std::uint16_t> ones{1, 1}, zeros{0, 0};
  EXPECT_NEAR(step.add_batch(pixels({1, 3}, {1, 1, 1, 2}).view(), ones), std::log(2), 1e-6);
  EXPECT_NEAR(step.add_batch(pixels({5, 7}, {1, 1, 1, 2}).view(), zeros), std::log(2), 1e-6);
  // Class 1: batch one mean(1,3) * -1/2 = -1, batch two mean(5,7) / 2 = 3; their mean is 1.
  EXPECT_NEAR(step.update(0.1), std::sqrt(2.0), 1e-5);  // class 0 mirrors class 1
  EXPECT_NEAR(state.parameters.value("head.weight").data()[0], 0.1, 1e-6);
  EXPECT_NEAR(state.parameters.value("head.weight").data()[1], -0.1, 1e-6);
  EXPECT_EQ(state.position.step, 1);
}

TEST_P(TrainingStepOn, TwoBatchesOfOneAreOneBatchOfTwo) {
  const Graph graph = linear_graph();
  const std::vector<std::uint16_t> labels{1, 0};
  TrainingState accumulated = sgd_state(graph);
  TrainingStep ones(graph, accumulated, {1, 1, 1, 1}, *executor_, {.accumulate = 2});
  TrainingState together = sgd_state(graph);
  TrainingStep two(graph, together, {2, 1, 1, 1}, *executor_, {});
  for (int i = 0; i < 3; ++i) {
    ones.add_batch(pixels({2}, {1, 1, 1, 1}).view(), std::span(labels).first(1));
    ones.add_batch(pixels({-3}, {1, 1, 1, 1}).view(), std::span(labels).last(1));
    ones.update(0.1);
    two.add_batch(pixels({2, -3}, {2, 1, 1, 1}).view(), labels);
    two.update(0.1);
  }
  EXPECT_NEAR(accumulated.parameters.value("head.weight").data()[0],
              together.parameters.value("head.weight").data()[0], 1e-6);
}

TEST_P(TrainingStepOn, WhatLiesUnderIgnoredPixelsChangesNoNumber) {
  // A linear network, so that no neighbour sees an ignored pixel.
  const Graph graph = linear_graph();
  const auto loss_and_weight = [&](float hidden) {
    TrainingState state = sgd_state(graph);
    TrainingStep step(graph, state, {1, 1, 1, 3}, *executor_, {});
    const std::vector<std::uint16_t> labels{1, kIgnoreLabel, 0};
    const double loss = step.add_batch(pixels({1, hidden, 2}, {1, 1, 1, 3}).view(), labels);
    const double norm = step.update(0.1);
    return std::tuple(loss, norm, state.parameters.value("head.weight").data()[0]);
  };
  EXPECT_EQ(loss_and_weight(0), loss_and_weight(1000));
}

TEST_P(TrainingStepOn, IgnoredEverywhereMovesNothing) {
  const Graph graph = linear_graph();
  TrainingState state = sgd_state(graph);
  TrainingStep step(graph, state, {1, 1, 1, 2}, *executor_, {.clip = 1});
  const std::vector<std::uint16_t> labels{kIgnoreLabel, kIgnoreLabel};
  EXPECT_EQ(step.add_batch(pixels({1, 3}, {1, 1, 1, 2}).view(), labels), 0);
  EXPECT_EQ(step.update(0.1), 0);
  EXPECT_EQ(state.parameters.value("head.weight").data()[0], 0);
}

TEST_P(TrainingStepOn, AuxiliaryOutputsCountByTheirWeight) {
  const Graph graph = build_model(
      "unet", {.classes = 3, .settings = {{"width", "2"}, {"depth", "1"}, {"aux", "true"}}});
  const std::vector<std::uint16_t> labels(2 * 8 * 8, 1);
  Tensor images({2, 3, 8, 8});
  for (std::int64_t i = 0; i < images.shape().count(); ++i) {
    images.data()[i] = static_cast<float>(i % 13 - 6) / 6;
  }
  const auto loss = [&](double aux_weight) {
    TrainingState state = sgd_state(graph);
    return TrainingStep(graph, state, images.shape(), *executor_, {.aux_weight = aux_weight})
        .add_batch(images.view(), labels);
  };
  const double main = loss(0);
  const double aux = loss(1) - main;
  EXPECT_GT(aux, 0);
  EXPECT_NEAR(loss(0.4), main + 0.4 * aux, 1e-6);
}

TEST_P(TrainingStepOn, SmallerOutputsGetTheirLabelsByNearestNeighbour) {
  GraphBuilder g("small");
  const ValueId x = g.input("image", {.channels = 1});
  g.output("logits", g.conv("head", g.max_pool("pool", x), {.channels = 2, .bias = false}));
  const Graph graph = std::move(g).build();
  TrainingState state = sgd_state(graph);
  TrainingStep step(graph, state, {1, 1, 2, 2}, *executor_, {});
  // Of 2x2 labels, the one at floor(0.5 * 2) = (1,1) is taken.
  const std::vector<std::uint16_t> labels{kIgnoreLabel, kIgnoreLabel, kIgnoreLabel, 1};
  EXPECT_NEAR(step.add_batch(pixels({1, 1, 1, 4}, {1, 1, 2, 2}).view(), labels), std::log(2), 1e-6);
}

TEST_P(TrainingStepOn, ALossThatIsNoNumberMovesNothing) {
  const Graph graph = linear_graph();
  TrainingState state = sgd_state(graph);
  TrainingStep step(graph, state, {1, 1, 1, 1}, *executor_, {});
  const std::vector<std::uint16_t> labels{1};
  EXPECT_FALSE(std::isfinite(step.add_batch(pixels({std::nanf("")}, {1, 1, 1, 1}).view(), labels)));
  EXPECT_EQ(state.parameters.value("head.weight").data()[0], 0);
}

TEST_P(TrainingStepOn, RefusesABatchOfAnotherShape) {
  const Graph graph = linear_graph();
  TrainingState state = sgd_state(graph);
  TrainingStep step(graph, state, {1, 1, 1, 1}, *executor_, {});
  EXPECT_THAT(
      [&] {
        step.add_batch(pixels({1, 2}, {2, 1, 1, 1}).view(), std::vector<std::uint16_t>{});
      },
      testing::ThrowsMessage<Error>(testing::HasSubstr("the batch is 2x1x1x1, the plan was "
                                                       "made for 1x1x1x1")));
}

TEST(ResizeNearest, TakesTheNearestHalfPixel) {
  const auto resized = [](std::vector<std::uint16_t> labels, std::int64_t n, std::int64_t h,
                          std::int64_t w, std::int64_t to_h, std::int64_t to_w) {
    return resize_nearest(std::span<const std::uint16_t>(labels), n, h, w, to_h, to_w);
  };
  EXPECT_THAT(resized({0, 1, 2, 3, 4, 5}, 1, 2, 3, 1, 1), ElementsAre(4));
  EXPECT_THAT(resized({0, 1, 2, 3, 4, 5}, 1, 2, 3, 2, 1), ElementsAre(1, 4));
  EXPECT_THAT(resized({0, 1, 2, 3, 4, 5}, 2, 1, 3, 1, 3), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(resized({0, 1, 2, 3, 4, 5}, 3, 1, 2, 1, 4),
              ElementsAre(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5));
  const std::vector<float> weights{0.5f, 1.5f, 2.5f, 3.5f};
  EXPECT_THAT(resize_nearest(std::span<const float>(weights), 1, 2, 2, 1, 1), ElementsAre(3.5f));
}

// Two pixels of equal logits cost ln 2 and push by their shares: (1 + 2) / 4 and 1 / 4.
TEST_P(TrainingStepOn, AddedWeightsReachTheGradient) {
  const Graph graph = linear_graph();
  TrainingState state = sgd_state(graph);
  TrainingStep step(graph, state, {1, 1, 1, 2}, *executor_, {});
  const std::vector<std::uint16_t> labels{1, 0};
  const std::vector<float> added{2, 0};
  EXPECT_NEAR(step.add_batch(pixels({1, 1}, {1, 1, 1, 2}).view(), {labels, added}), std::log(2),
              1e-6);
  // The gradient of the logits: 3/4 * -1/2 + 1/4 * 1/2 = -1/4 for class 1.
  step.update(1.0);
  EXPECT_NEAR(state.parameters.value("head.weight").data()[1], 0.25, 1e-6);
}

}  // namespace
}  // namespace segmentum
