#include "models/backbones/mobilenet_v2.h"

#include <algorithm>
#include <string>

#include "models/blocks.h"

namespace segmentum {
namespace {

/// Table 2 of the paper: stages of inverted residuals.
struct Stage {
  int expansion;
  int channels;
  int blocks;
  int stride;
  bool ends_level;
};
constexpr Stage kStages[] = {{1, 16, 1, 1, true},  {6, 24, 2, 2, true}, {6, 32, 3, 2, true},
                             {6, 64, 4, 2, false}, {6, 96, 3, 1, true}, {6, 160, 3, 2, false},
                             {6, 320, 1, 1, false}};
constexpr int kPublishedWidth = 32;

ValueId conv_bn_relu6(GraphBuilder& g, const std::string& name, ValueId x, const op::Conv& conv) {
  return g.activate(name + ".2", conv_bn(g, name + ".0", name + ".1", x, conv),
                    ActivationKind::relu6);
}

struct BlockOptions {
  int expansion;
  int channels;
  int stride;
  int dilation;
};

/// Expand, filter each channel by itself, project without an activation; a shortcut where the shape
/// stays.
ValueId inverted_residual(GraphBuilder& g, const std::string& name, ValueId x,
                          const BlockOptions& o) {
  const int wide = g.channels(x) * o.expansion;
  int layer = 0;
  const auto next = [&] { return name + ".conv." + std::to_string(layer++); };
  ValueId y = x;
  if (o.expansion != 1) y = conv_bn_relu6(g, next(), y, {.channels = wide});
  y = conv_bn_relu6(g, next(), y,
                    {.channels = wide,
                     .kernel = 3,
                     .stride = o.stride,
                     .dilation = o.dilation,
                     .padding = o.dilation,
                     .groups = wide});
  const std::string project = next(), norm = next();
  y = conv_bn(g, project, norm, y, {.channels = o.channels});
  const bool shortcut = o.stride == 1 && g.channels(x) == o.channels;
  return shortcut ? g.add(name + ".add", x, y) : y;
}

}  // namespace

BackboneFeatures mobilenet_v2_backbone(GraphBuilder& g, ValueId image,
                                       const MobilenetV2Options& o) {
  const double multiplier = static_cast<double>(o.width) / kPublishedWidth;
  StrideBudget budget(o.common);
  int index = 0;
  const auto next = [&] { return o.common.prefix + "features." + std::to_string(index++); };
  ValueId x = conv_bn_relu6(g, next(), image,
                            {.channels = rounded_channels(o.width),
                             .kernel = 3,
                             .stride = budget.spend(2).stride,
                             .padding = 1});
  BackboneFeatures features;
  for (const Stage& stage : kStages) {
    const StrideBudget::Stage spent = budget.spend(stage.stride);
    for (int b = 0; b < stage.blocks; ++b) {
      x = inverted_residual(g, next(), x,
                            {.expansion = stage.expansion,
                             .channels = rounded_channels(stage.channels * multiplier),
                             .stride = b == 0 ? spent.stride : 1,
                             .dilation = b == 0 ? spent.first_dilation : spent.dilation});
    }
    if (stage.ends_level) features.push_back(x);
  }
  if (o.last_conv) {
    const double channels = 1280 * std::max(1.0, multiplier);
    x = conv_bn_relu6(g, next(), x, {.channels = rounded_channels(channels)});
  }
  features.push_back(x);
  return features;
}

}  // namespace segmentum
