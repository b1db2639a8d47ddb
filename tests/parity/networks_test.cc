// Every architecture runs on the cpu engine as on the reference, and gives any picture logits of
// its size.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "base/random.h"
#include "engine/executor.h"
#include "graph/rewrite.h"
#include "models/registry.h"

namespace segmentum {
namespace {

struct Case {
  const char* name;
  const char* architecture;
  std::map<std::string, std::string> settings;
};

std::ostream& operator<<(std::ostream& out, const Case& tested) {
  return out << tested.name;
}

const Case kCases[] = {
    {"unet", "unet", {{"width", "4"}, {"depth", "2"}}},
    {"unet_deep", "unet", {{"width", "3"}}},
    {"unet_bilinear_plain", "unet", {{"width", "5"}, {"up", "bilinear"}, {"norm", "none"}}},
    {"unet_nearest_group", "unet", {{"width", "4"}, {"up", "nearest"}, {"norm", "group"}}},
    {"unet_valid", "unet", {{"width", "4"}, {"depth", "2"}, {"padding", "valid"}}},
    {"unet_patch", "unet", {{"width", "4"}, {"depth", "2"}, {"block", "patch"}}},
    {"fcn32s", "fcn32s", {{"width", "2"}, {"fc_channels", "8"}}},
    {"fcn16s", "fcn16s", {{"width", "2"}, {"fc_channels", "8"}}},
    {"fcn8s", "fcn8s", {{"width", "2"}, {"fc_channels", "8"}}},
    {"fcn16s_nearest_conv",
     "fcn16s",
     {{"width", "2"}, {"fc_channels", "8"}, {"up", "nearest_conv"}}},
    {"unet_overlapping", "unet", {{"width", "4"}, {"depth", "2"}, {"up", "transpose4"}}},
    {"hypercolumn", "hypercolumn", {{"width", "2"}}},
    {"hypercolumn_concat", "hypercolumn", {{"width", "3"}, {"fusion", "concat"}}},
    {"hypercolumn_hidden", "hypercolumn", {{"width", "2"}, {"hidden", "6"}, {"layers", "1,3"}}},
    {"hypercolumn_resnet", "hypercolumn", {{"width", "2"}, {"backbone", "resnet18"}}},
    {"hypercolumn_boxes", "hypercolumn_boxes", {{"width", "2"}, {"grid", "3"}}},
    {"fcn_resnet50", "fcn_resnet50", {{"width", "2"}}},
    {"deeplabv3_resnet50", "deeplabv3_resnet50", {{"width", "2"}}},
    {"deeplabv3_mobilenet", "deeplabv3_mobilenet_v3_large", {{"width", "2"}}},
    {"lraspp", "lraspp_mobilenet_v3_large", {{"width", "2"}}},
    {"smp_unet", "smp_unet", {{"width", "4"}}},
    {"smp_deeplabv3plus", "smp_deeplabv3plus", {{"width", "4"}}},
    {"smp_deeplabv3", "smp_deeplabv3", {{"width", "4"}, {"encoder", "resnet18"}}},
    {"deeplab_v1", "deeplab_v1", {{"width", "3"}, {"fc_channels", "10"}}},
    {"deeplab_v1_7x7_aligned",
     "deeplab_v1",
     {{"width", "2"}, {"fc_channels", "8"}, {"field", "7x7"}, {"align_corners", "true"}}},
    {"deeplab_v1_4x4_vgg_names",
     "deeplab_v1",
     {{"width", "2"},
      {"fc_channels", "8"},
      {"field", "4x4_rate8"},
      {"norm", "none"},
      {"names", "torchvision"},
      {"output_stride", "16"}}},
    {"deeplab_v2_vgg", "deeplab_v2", {{"width", "2"}, {"fc_channels", "8"}}},
    {"deeplab_v2_three_scales",
     "deeplab_v2",
     {{"backbone", "resnet18"}, {"width", "2"}, {"multi_scale", "true"}, {"aux", "true"}}},
    {"deeplab_v3_resnet",
     "deeplab_v3",
     {{"backbone", "resnet50"}, {"width", "2"}, {"aspp_channels", "8"}, {"output_stride", "8"}}},
    {"deeplab_v3_mobilenet_light",
     "deeplab_v3",
     {{"width", "8"}, {"aspp_channels", "8"}, {"rates", "none"}}},
    {"deeplab_v3plus_mobilenet",
     "deeplab_v3plus",
     {{"width", "8"},
      {"aspp_channels", "8"},
      {"low_level_channels", "5"},
      {"decoder_channels", "8"},
      {"align_corners", "true"}}},
    {"deeplab_v3plus_xception",
     "deeplab_v3plus",
     {{"backbone", "xception65"},
      {"width", "2"},
      {"aspp_channels", "8"},
      {"decoder_channels", "8"},
      {"image_pooling", "false"}}},
    {"deeplab_v3plus_vgg",
     "deeplab_v3plus",
     {{"backbone", "vgg16"}, {"width", "2"}, {"aspp_channels", "8"}, {"separable", "false"}}},
};

Graph graph_of(const Case& tested) {
  return build_model(tested.architecture,
                     {.input_channels = 3, .classes = 5, .settings = tested.settings});
}

Tensor run(Executor& engine, const Graph& graph, ParameterStore& parameters, const Shape& shape) {
  const auto plan = engine.plan(graph, parameters, {&shape, 1}, {.mode = Mode::infer});
  RandomStream random(11, 0, 0);
  for (float& value : plan->input().values()) value = static_cast<float>(random.normal());
  plan->forward();
  const ConstTensorView logits = plan->output("logits");
  Tensor copy(logits.shape);
  std::ranges::copy(logits.values(), copy.data());
  return copy;
}

class Networks : public testing::TestWithParam<Case> {};

// Three ways to the same logits: plain loops, the cpu engine, and the graph folded for inference.
TEST_P(Networks, EnginesAndRewritesAgree) {
  const Graph graph = graph_of(GetParam());
  ParameterStore parameters = initialise(graph, 3);
  GraphWithParameters folded = optimise_for_inference(graph, parameters);
  const auto reference = make_reference_executor();
  const auto cpu = make_cpu_executor();
  for (const Shape& shape : {Shape{1, 3, 33, 47}, Shape{2, 3, 17, 32}}) {
    const Tensor expected = run(*reference, graph, parameters, shape);
    const Tensor plain = run(*cpu, graph, parameters, shape);
    const Tensor fast = run(*cpu, folded.graph, folded.parameters, shape);
    const auto [low, high] = std::ranges::minmax(expected.values());
    const float tolerance = 1e-4f * (high - low);  // of float sums through some 20 layers
    for (std::int64_t i = 0; i < expected.shape().count(); ++i) {
      ASSERT_NEAR(plain.data()[i], expected.data()[i], tolerance);
      ASSERT_NEAR(fast.data()[i], expected.data()[i], tolerance);
    }
  }
}

TEST_P(Networks, AnySizeGivesLogitsOfThatSize) {
  const Graph graph = graph_of(GetParam());
  ParameterStore parameters = initialise(graph, 3);
  const auto cpu = make_cpu_executor();
  std::vector<std::int64_t> sizes{1,  2,  3,  5,  7,  8,  15,  16,  23,
                                  31, 32, 40, 63, 64, 65, 127, 128, 130};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Shape shape{1, 3, sizes[i], sizes[(i * 7 + 3) % sizes.size()]};
    const Tensor logits = run(*cpu, graph, parameters, shape);
    EXPECT_EQ(logits.shape(), (Shape{1, 5, shape.h(), shape.w()}));
    EXPECT_TRUE(std::ranges::all_of(logits.values(), [](float v) { return std::isfinite(v); }))
        << shape.to_string();
  }
}

// A network that leaves part of its parameters alone would train and never say so. Three pictures,
// so that a batch norm of image-level features has something to norm.
TEST_P(Networks, GradientsReachEveryParameter) {
  const Graph graph = graph_of(GetParam());
  ParameterStore parameters = initialise(graph, 3);
  const Shape shape{3, 3, 40, 33};
  const auto plan =
      make_cpu_executor()->plan(graph, parameters, {&shape, 1}, {.mode = Mode::train});
  RandomStream random(5, 0, 0);
  const auto fill = [&](TensorView view) {
    for (float& value : view.values()) value = static_cast<float>(random.normal());
  };
  fill(plan->input());
  plan->forward();
  for (const Output& output : graph.outputs) fill(plan->output_gradient(output.name));
  plan->backward();
  for (const auto& [name, gradient] : plan->gradients()) {
    EXPECT_TRUE(std::ranges::any_of(gradient.values(), [](float v) { return v != 0; })) << name;
    EXPECT_TRUE(std::ranges::all_of(gradient.values(), [](float v) { return std::isfinite(v); }))
        << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Networks, testing::ValuesIn(kCases),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace segmentum
