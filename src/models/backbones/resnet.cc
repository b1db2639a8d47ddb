#include "models/backbones/resnet.h"

#include <array>
#include <string>

#include "base/counted.h"
#include "models/blocks.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

std::array<int, 4> blocks_of(int layers) {
  switch (layers) {
    case 18:
      return {2, 2, 2, 2};
    case 34:
      return {3, 4, 6, 3};
    case 50:
      return {3, 4, 6, 3};
    case 101:
      return {3, 4, 23, 3};
    default:
      throw Error("a ResNet of " + counted(layers, "layer") + "; expected 18, 34, 50 or 101");
  }
}

struct BlockOptions {
  int planes = 64;
  bool bottleneck = true;
  int stride = 1;
  int dilation = 1;

  int channels() const { return bottleneck ? 4 * planes : planes; }
  op::Conv conv3x3(int conv_stride) const {
    return {.channels = planes,
            .kernel = 3,
            .stride = conv_stride,
            .dilation = dilation,
            .padding = dilation};
  }
};

/// relu(x + f(x)); where f changes the shape, x goes through a 1x1 convolution.
ValueId residual_block(GraphBuilder& g, const std::string& name, ValueId x, const BlockOptions& o) {
  const auto conv_bn_at = [&](const std::string& number, ValueId value, const op::Conv& conv) {
    return conv_bn(g, name + ".conv" + number, name + ".bn" + number, value, conv);
  };
  ValueId y = x;
  if (o.bottleneck) {
    y = g.relu(name + ".relu1", conv_bn_at("1", y, {.channels = o.planes}));
    y = g.relu(name + ".relu2", conv_bn_at("2", y, o.conv3x3(o.stride)));
    y = conv_bn_at("3", y, {.channels = o.channels()});
  } else {
    y = g.relu(name + ".relu1", conv_bn_at("1", y, o.conv3x3(o.stride)));
    y = conv_bn_at("2", y, o.conv3x3(1));
  }
  if (o.stride != 1 || g.channels(x) != o.channels()) {
    x = conv_bn(g, name + ".downsample.0", name + ".downsample.1", x,
                {.channels = o.channels(), .stride = o.stride});
  }
  return g.relu(name + ".relu", g.add(name + ".add", y, x));
}

}  // namespace

BackboneFeatures resnet_backbone(GraphBuilder& g, ValueId image, const ResnetOptions& o) {
  const std::array<int, 4> blocks = blocks_of(o.layers);
  const std::string& prefix = o.common.prefix;
  StrideBudget budget(o.common);
  budget.spend(2);  // conv1
  budget.spend(2);  // maxpool

  ValueId x = conv_bn(g, prefix + "conv1", prefix + "bn1", image,
                      {.channels = o.width, .kernel = 7, .stride = 2, .padding = 3});
  x = g.relu(prefix + "relu", x);
  BackboneFeatures features{x};
  x = g.max_pool(prefix + "maxpool", x, {.kernel = 3, .stride = 2, .padding = 1});

  for (std::size_t layer = 0; layer < blocks.size(); ++layer) {
    const StrideBudget::Stage stage = budget.spend(layer == 0 ? 1 : 2);
    for (int b = 0; b < blocks[layer]; ++b) {
      const bool last_layer = layer + 1 == blocks.size();
      const auto grid = static_cast<std::size_t>(b) % o.common.multi_grid.size();
      x = residual_block(g, prefix + "layer" + std::to_string(layer + 1) + "." + std::to_string(b),
                         x,
                         {.planes = o.width << layer,
                          .bottleneck = o.layers >= 50,
                          .stride = b == 0 ? stage.stride : 1,
                          .dilation = (b == 0 ? stage.first_dilation : stage.dilation) *
                                      (last_layer ? o.common.multi_grid[grid] : 1)});
    }
    features.push_back(x);
  }
  return features;
}

}  // namespace segmentum
