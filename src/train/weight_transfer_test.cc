#include "train/weight_transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/registry.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Two convolutions and a batch norm: of `in` channels, to `classes`, the second one called `name`.
Graph small_graph(int in, int classes, const std::string& name) {
  GraphBuilder g("small");
  ValueId x = g.input("image", {.channels = in});
  x = g.batch_norm("stem.bn", g.conv("stem.conv", x, {.channels = 2, .bias = false}));
  g.output("logits", g.conv(name, x, {.channels = classes}));
  return std::move(g).build();
}

std::vector<std::string> names(const std::vector<WeightTransfer::Parameter>& parameters) {
  std::vector<std::string> result;
  for (const auto& parameter : parameters) result.push_back(parameter.name);
  return result;
}

ParameterStore filled(const Graph& graph, float first) {
  ParameterStore store = initialise(graph, 1);
  for (const ParameterSpec& spec : graph.parameters) {
    for (float& value : store.change(spec.name).values()) value = first++;
  }
  return store;
}

TEST(WeightTransfer, EqualNetworksGiveEverything) {
  const Graph graph = small_graph(3, 4, "head");
  const WeightTransfer transfer = plan_transfer(graph, graph);
  EXPECT_EQ(transfer.taken.size(), 7u);
  EXPECT_THAT(transfer.adapted, IsEmpty());
  EXPECT_THAT(transfer.fresh, IsEmpty());
  EXPECT_THAT(transfer.left, IsEmpty());
  const ParameterStore source = filled(graph, 10);
  ParameterStore target = filled(graph, -100);
  transfer_weights(transfer, source, target);
  for (const auto& [name, parameter] : source.all()) {
    EXPECT_TRUE(std::ranges::equal(parameter.value.values(), target.value(name).values())) << name;
  }
  EXPECT_THAT(transfer_report(transfer, "a.segmentum"),
              ElementsAre("weights of a.segmentum: 7 of 7 tensors taken (26 of 26 numbers), 0 "
                          "adapted, 0 re-initialised, 0 of that model not used"));
}

TEST(WeightTransfer, OtherClassesAreReinitialised) {
  const Graph from = small_graph(3, 4, "head"), to = small_graph(3, 2, "head");
  const WeightTransfer transfer = plan_transfer(from, to);
  EXPECT_THAT(names(transfer.fresh), ElementsAre("head.weight", "head.bias"));
  ParameterStore target = filled(to, -100);
  transfer_weights(transfer, filled(from, 10), target);
  EXPECT_EQ(target.value("stem.conv.weight").data()[0], 10);
  EXPECT_LT(target.value("head.weight").data()[0], 0);
  EXPECT_THAT(transfer_report(transfer, "a"),
              ElementsAre(HasSubstr("5 of 7 tensors taken (14 of 20 numbers)"),
                          "  re-initialised, of another shape: head (weight is 2x2x1x1 here, "
                          "4x2x1x1 there; bias is 2 here, 4 there)"));
}

TEST(WeightTransfer, OtherChannelsAdaptTheFirstConvolution) {
  const Graph from = small_graph(3, 4, "head"), to = small_graph(1, 4, "head");
  const WeightTransfer transfer = plan_transfer(from, to);
  EXPECT_THAT(names(transfer.adapted), ElementsAre("stem.conv.weight"));
  ParameterStore target = filled(to, -100);
  transfer_weights(transfer, filled(from, 1), target);
  // Filters 1 2 3 and 4 5 6 as sums.
  EXPECT_THAT(target.value("stem.conv.weight").values(), ElementsAre(6, 15));
  EXPECT_THAT(transfer_report(transfer, "a"),
              ElementsAre(HasSubstr("6 of 7 tensors taken"),
                          "  adapted: stem.conv.weight, from 3 channels to 1"));
}

// The input channels of a convolution that does not read the picture are no picture's channels.
TEST(WeightTransfer, OnlyTheFirstConvolutionIsAdapted) {
  const auto graph = [](int middle) {
    GraphBuilder g("two");
    ValueId x = g.conv("a", g.input("image", {.channels = 3}), {.channels = middle});
    g.output("logits", g.conv("b", x, {.channels = 2}));
    return std::move(g).build();
  };
  EXPECT_THAT(names(plan_transfer(graph(4), graph(8)).fresh),
              ElementsAre("a.weight", "a.bias", "b.weight"));
}

TEST(WeightTransfer, NamesDecide) {
  const WeightTransfer transfer =
      plan_transfer(small_graph(3, 4, "score"), small_graph(3, 4, "head"));
  EXPECT_THAT(names(transfer.fresh), ElementsAre("head.weight", "head.bias"));
  EXPECT_THAT(transfer.left, ElementsAre("score.weight", "score.bias"));
  EXPECT_THAT(
      transfer_report(transfer, "a"),
      ElementsAre(HasSubstr("5 of 7 tensors taken"), "  re-initialised, not in that model: head",
                  "  not used, not in this network: score"));
}

// Training in stages: 16s has all of 32s but the last upsampling, and two layers more.
TEST(WeightTransfer, FcnInStages) {
  const ModelOptions options{.classes = 5, .settings = {{"width", "2"}, {"fc_channels", "8"}}};
  const WeightTransfer transfer =
      plan_transfer(build_model("fcn32s", options), build_model("fcn16s", options));
  EXPECT_THAT(names(transfer.fresh), ElementsAre("upscore2.weight", "score_pool4.weight",
                                                 "score_pool4.bias", "upscore16.weight"));
  EXPECT_THAT(transfer.left, ElementsAre("upscore.weight"));
}

}  // namespace
}  // namespace segmentum
