#include "models/backbones/mobilenet_v3.h"

#include <string>

#include "models/blocks.h"

namespace segmentum {
namespace {

struct Block {
  int kernel;
  int expanded;
  int channels;
  bool squeeze_excite;
  ActivationKind activation;
  int stride;
};

constexpr auto kRelu = ActivationKind::relu;
constexpr auto kSwish = ActivationKind::hard_swish;

// Table 1 of the paper.
constexpr Block kBlocks[] = {
    {3, 16, 16, false, kRelu, 1},   {3, 64, 24, false, kRelu, 2},   {3, 72, 24, false, kRelu, 1},
    {5, 72, 40, true, kRelu, 2},    {5, 120, 40, true, kRelu, 1},   {5, 120, 40, true, kRelu, 1},
    {3, 240, 80, false, kSwish, 2}, {3, 200, 80, false, kSwish, 1}, {3, 184, 80, false, kSwish, 1},
    {3, 184, 80, false, kSwish, 1}, {3, 480, 112, true, kSwish, 1}, {3, 672, 112, true, kSwish, 1},
    {5, 672, 160, true, kSwish, 2}, {5, 960, 160, true, kSwish, 1}, {5, 960, 160, true, kSwish, 1},
};
constexpr int kPublishedWidth = 16;
constexpr int kLastStage = 13;  // the first of the three blocks that multi_grid is for

struct MobileNetV3 {
  GraphBuilder& g;
  const MobileNetV3Options& o;

  int scaled(int channels) const {
    return rounded_channels(static_cast<double>(channels) * o.width / kPublishedWidth);
  }

  ValueId conv_unit(const std::string& name, ValueId x, const op::Conv& conv,
                    ActivationKind activation = ActivationKind::none) {
    x = conv_bn(g, name + ".0", name + ".1", x, conv, {.epsilon = 1e-3f, .momentum = 0.01f});
    return activation == ActivationKind::none ? x : g.activate(name + ".2", x, activation);
  }

  /// Each channel times a factor in [0,1] that all channels' means decide: Hu, Shen and Sun,
  /// CVPR 2018.
  ValueId squeeze_excite(const std::string& name, ValueId x) {
    const int channels = g.channels(x), squeezed = channels / 4;
    ValueId factor = g.global_average_pool(name + ".avgpool", x);
    factor = g.conv(name + ".fc1", factor, {.channels = rounded_channels(squeezed)});
    factor = g.relu(name + ".activation", factor);
    factor = g.conv(name + ".fc2", factor, {.channels = channels});
    factor = g.activate(name + ".scale_activation", factor, ActivationKind::hard_sigmoid);
    return g.multiply(name + ".scale", x, factor);
  }

  /// Expand, filter each channel, project back; x is added where nothing changes its shape.
  ValueId inverted_residual(const std::string& name, ValueId x, const Block& block, int stride,
                            int dilation) {
    int member = 0;
    const auto next_name = [&] { return name + ".block." + std::to_string(member++); };
    const int expanded = scaled(block.expanded), channels = scaled(block.channels);
    ValueId y = x;
    if (expanded != g.channels(x)) {
      y = conv_unit(next_name(), y, {.channels = expanded}, block.activation);
    }
    y = conv_unit(next_name(), y,
                  {.channels = expanded,
                   .kernel = block.kernel,
                   .stride = stride,
                   .dilation = dilation,
                   .padding = block.kernel / 2 * dilation,
                   .groups = expanded},
                  block.activation);
    if (block.squeeze_excite) y = squeeze_excite(next_name(), y);
    y = conv_unit(next_name(), y, {.channels = channels});
    const bool shortcut = block.stride == 1 && channels == g.channels(x);
    return shortcut ? g.add(name + ".add", y, x) : y;
  }
};

}  // namespace

MobileNetV3Features mobilenet_v3_backbone(GraphBuilder& g, ValueId image,
                                          const MobileNetV3Options& o) {
  MobileNetV3 net{g, o};
  StrideBudget budget(o.common);
  const std::string& prefix = o.common.prefix;
  ValueId x = net.conv_unit(
      prefix + "0", image,
      {.channels = net.scaled(kPublishedWidth), .kernel = 3, .stride = 2, .padding = 1}, kSwish);
  MobileNetV3Features features{{}, -1};
  StrideBudget::Stage stage = budget.spend(2);
  int number = 0;
  for (const Block& block : kBlocks) {
    ++number;
    const bool first = block.stride == 2;
    if (first) {
      features.levels.push_back(x);
      stage = budget.spend(2);
    }
    int dilation = first ? stage.first_dilation : stage.dilation;
    if (number >= kLastStage) {
      dilation *= o.common.multi_grid[static_cast<std::size_t>(number - kLastStage)];
    }
    x = net.inverted_residual(prefix + std::to_string(number), x, block, first ? stage.stride : 1,
                              dilation);
    if (number == 4) features.first_at_8 = x;
  }
  x = net.conv_unit(prefix + std::to_string(number + 1), x, {.channels = 6 * g.channels(x)},
                    kSwish);
  features.levels.push_back(x);
  return features;
}

}  // namespace segmentum
