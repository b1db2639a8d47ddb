#include "models/crf_layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/analysis.h"
#include "graph/parameter_store.h"
#include "models/registry.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Given = std::map<std::string, std::string>;

Graph built(const std::string& architecture, Given settings, std::vector<float> deviations = {},
            std::vector<float> means = {}) {
  settings.try_emplace("width", "2");
  return build_model(architecture, {.input_channels = 3,
                                    .classes = 5,
                                    .settings = std::move(settings),
                                    .deviations = std::move(deviations),
                                    .means = std::move(means)});
}

const op::MeanField* layer_of(const Graph& graph) {
  const auto found = std::ranges::find(graph.nodes, "crf", &Node::name);
  return found == graph.nodes.end() ? nullptr : &std::get<op::MeanField>(found->op);
}

std::vector<std::string> names(const Graph& graph) {
  std::vector<std::string> all;
  for (const ParameterSpec& spec : graph.parameters) all.push_back(spec.name);
  return all;
}

// So that `train --init plain --set model.crf=rnn` goes on from every weight of the plain network.
TEST(CrfLayer, AddsItsParametersBehindThePlainNetworks) {
  for (const std::string architecture : {"fcn8s", "fcn16s", "fcn32s", "deeplab_v1"}) {
    const Graph plain = built(architecture, {}), crf = built(architecture, {{"crf", "rnn"}});
    EXPECT_EQ(layer_of(plain), nullptr);
    ASSERT_NE(layer_of(crf), nullptr) << architecture;
    std::vector<std::string> expected = names(plain);
    for (const char* added : {"crf.spatial", "crf.bilateral", "crf.compatibility"}) {
      expected.emplace_back(added);
    }
    EXPECT_EQ(names(crf), expected) << architecture;
    const ValueId logits = crf.output("logits");
    EXPECT_EQ(crf.node(logits).inputs, (std::vector<ValueId>{plain.output("logits"), 0}));
  }
}

TEST(CrfLayer, StartsAsPottsWithTheWeightsOfTheSettings) {
  const Graph graph = built("fcn8s", {{"crf", "rnn"}});
  const ParameterStore start = initialise(graph, 1);
  EXPECT_THAT(start.value("crf.spatial").values(), ElementsAre(1, 1, 1, 1, 1));
  EXPECT_THAT(start.value("crf.bilateral").values(), ElementsAre(1, 1, 1, 1, 1));
  const auto costs = start.value("crf.compatibility").values();
  EXPECT_THAT(costs.subspan(5, 5), ElementsAre(1, 0, 1, 1, 1));
  EXPECT_EQ(start.at("crf.compatibility").role, ParameterRole::pairwise);
}

TEST(CrfLayer, ReadsItsSettings) {
  const op::MeanField usual = *layer_of(built("deeplab_v1", {{"crf", "rnn"}}));
  EXPECT_EQ(usual.iterations, op::MeanField{}.iterations);
  EXPECT_EQ(usual.bilateral_weight, op::MeanField{}.bilateral_weight);
  EXPECT_THAT(usual.levels, ElementsAre(63.75f));
  EXPECT_THAT(usual.zero_levels, ElementsAre(127.5f));
  const op::MeanField set = *layer_of(built("fcn8s",
                                            {{"crf", "rnn"},
                                             {"crf_iterations", "2"},
                                             {"crf_spatial_sigma", "1.5"},
                                             {"crf_spatial_weight", "0"},
                                             {"crf_bilateral_sigma", "30"},
                                             {"crf_colour_sigma", "5"},
                                             {"crf_bilateral_weight", "4"},
                                             {"crf_normalisation", "after"}},
                                            {0.2f, 0.4f, 1}, {0.4f, 0, 1}));
  EXPECT_EQ(set.iterations, 2);
  EXPECT_EQ(set.spatial_sigma_px, 1.5f);
  EXPECT_EQ(set.spatial_weight, 0);
  EXPECT_EQ(set.bilateral_sigma_px, 30);
  EXPECT_EQ(set.bilateral_sigma_colour, 5);
  EXPECT_EQ(set.bilateral_weight, 4);
  EXPECT_EQ(set.normalisation, CrfNormalisation::after);
  // A unit of a channel that was divided by 0.2 of the full range is 51 of 255 levels.
  EXPECT_THAT(set.levels, ElementsAre(51, 102, 255));
  EXPECT_THAT(set.zero_levels, ElementsAre(102, 0, 255));
}

TEST(CrfLayer, PostIsWordsInTheModelFile) {
  EXPECT_EQ(layer_of(built("fcn8s", {{"crf", "post"}})), nullptr);
  const auto post = [](const std::string& architecture, const Given& settings) {
    return post_crf(architecture, {.settings = settings});
  };
  EXPECT_EQ(post("fcn8s", {{"crf", "post"}}), CrfSettings());
  EXPECT_EQ(post("deeplab_v1", {{"crf", "post"},
                                {"crf_iterations", "4"},
                                {"crf_colour_sigma", "5"},
                                {"crf_normalisation", "before"}}),
            (CrfSettings{.iterations = 4,
                         .bilateral_sigma_colour = 5,
                         .normalisation = CrfNormalisation::before}));
  EXPECT_EQ(post("fcn8s", {{"crf", "rnn"}}), std::nullopt);
  EXPECT_EQ(post("unet", {}), std::nullopt);
}

TEST(CrfLayer, SeesTheWholePicture) {
  const Shape picture{1, 3, 64, 64};
  EXPECT_TRUE(analyse(built("fcn8s", {}), {&picture, 1}).tile_halo);
  EXPECT_FALSE(analyse(built("fcn8s", {{"crf", "rnn"}}), {&picture, 1}).tile_halo);
}

TEST(CrfLayer, WrongSettingsAreNamed) {
  const auto complaint = [](const Given& settings, const std::vector<float>& deviations = {}) {
    try {
      built("fcn8s", settings, deviations);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  EXPECT_EQ(complaint({{"crf", "on"}}), "model fcn8s has crf = \"on\"; expected none, post, rnn");
  EXPECT_THAT(complaint({{"crf_bilateral_sigma", "0"}}), HasSubstr("a number from 0.01 to 10000"));
  EXPECT_THAT(
      complaint({{"crf", "rnn"}, {"crf_spatial_weight", "0"}, {"crf_bilateral_weight", "0"}}),
      HasSubstr("has no kernel: spatial_weight and bilateral_weight are both 0"));
  EXPECT_THAT(complaint({{"crf", "rnn"}}, {0.2f, 0.2f}),
              HasSubstr("has 2 levels for a picture of 3 channels"));
}

}  // namespace
}  // namespace segmentum
