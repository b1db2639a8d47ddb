#include "models/backbones/xception.h"

#include <array>
#include <string>

#include "models/blocks.h"

namespace segmentum {
namespace {

constexpr int kPublishedWidth = 32;
constexpr op::BatchNorm kNorm{.epsilon = 1e-3f};

enum class Shortcut { conv, sum, none };

struct BlockOptions {
  std::array<int, 3> channels;
  Shortcut shortcut = Shortcut::sum;
  int stride = 1;  // of the last of the three
  std::array<int, 3> dilation{1, 1, 1};
  bool relu_inside = false;  // after each convolution, and none before the block
};

class Xception {
 public:
  Xception(GraphBuilder& g, const XceptionOptions& options)
      : g_(g), prefix_(options.common.prefix), width_(options.width) {}

  int channels(int published) const {
    const double scaled = static_cast<double>(published) * width_ / kPublishedWidth;
    return width_ == kPublishedWidth ? published : rounded_channels(scaled);
  }

  /// Convolution, batch norm, ReLU.
  ValueId conv(const std::string& name, ValueId x, const op::Conv& conv) {
    return g_.relu(prefix_ + name + "_relu", normalised(prefix_ + name, x, conv));
  }

  struct Block {
    ValueId end;
    ValueId before_stride;  // the second of the three
  };

  Block block(const std::string& name, ValueId x, const BlockOptions& o) {
    const std::string unit = prefix_ + name;
    ValueId y = x, before_stride = x;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string separable = unit + ".separable_conv" + std::to_string(i + 1);
      if (!o.relu_inside) y = g_.relu(separable + "_relu", y);
      y = separable_conv(separable, y, channels(o.channels[i]), i == 2 ? o.stride : 1,
                         o.dilation[i], o.relu_inside);
      if (i == 1) before_stride = y;
    }
    if (o.shortcut == Shortcut::conv) {
      x = normalised(unit + ".shortcut", x, {.channels = g_.channels(y), .stride = o.stride});
    }
    if (o.shortcut != Shortcut::none) y = g_.add(unit + ".add", y, x);
    return {y, before_stride};
  }

 private:
  ValueId normalised(const std::string& name, ValueId x, const op::Conv& conv) {
    return conv_bn(g_, name, name + ".bn", x, conv, kNorm);
  }

  ValueId separable_conv(const std::string& name, ValueId x, int out, int stride, int dilation,
                         bool relu) {
    const int in = g_.channels(x);
    x = normalised(name + "_depthwise", x,
                   {.channels = in,
                    .kernel = 3,
                    .stride = stride,
                    .dilation = dilation,
                    .padding = dilation,
                    .groups = in});
    if (relu) x = g_.relu(name + "_depthwise_relu", x);
    x = normalised(name + "_pointwise", x, {.channels = out});
    return relu ? g_.relu(name + "_pointwise_relu", x) : x;
  }

  GraphBuilder& g_;
  std::string prefix_;
  int width_;
};

std::array<int, 3> times(int dilation, const std::array<int, 3>& factors = {1, 1, 1}) {
  return {dilation * factors[0], dilation * factors[1], dilation * factors[2]};
}

}  // namespace

BackboneFeatures xception_backbone(GraphBuilder& g, ValueId image, const XceptionOptions& o) {
  Xception net(g, o);
  StrideBudget budget(o.common);
  ValueId x = net.conv(
      "entry_flow.conv1_1", image,
      {.channels = net.channels(32), .kernel = 3, .stride = budget.spend(2).stride, .padding = 1});
  x = net.conv("entry_flow.conv1_2", x, {.channels = net.channels(64), .kernel = 3, .padding = 1});
  BackboneFeatures features{x};

  const auto strided = [&](const std::string& name, const std::array<int, 3>& channels) {
    const StrideBudget::Stage stage = budget.spend(2);
    const Xception::Block block = net.block(name, x,
                                            {.channels = channels,
                                             .shortcut = Shortcut::conv,
                                             .stride = stage.stride,
                                             .dilation = times(stage.first_dilation)});
    x = block.end;
    return block.before_stride;
  };
  strided("entry_flow.block1.unit_1", {128, 128, 128});
  features.push_back(strided("entry_flow.block2.unit_1", {256, 256, 256}));
  features.push_back(strided("entry_flow.block3.unit_1", {728, 728, 728}));
  const int rate = budget.spend(1).dilation;
  for (int i = 1; i <= o.middle_blocks; ++i) {
    x = net.block("middle_flow.block1.unit_" + std::to_string(i), x,
                  {.channels = {728, 728, 728}, .dilation = times(rate)})
            .end;
  }
  features.push_back(strided("exit_flow.block1.unit_1", {728, 1024, 1024}));
  const int last_rate = budget.spend(1).dilation;
  x = net.block("exit_flow.block2.unit_1", x,
                {.channels = {1536, 1536, 2048},
                 .shortcut = Shortcut::none,
                 .dilation = times(last_rate, o.common.multi_grid),
                 .relu_inside = true})
          .end;
  features.push_back(x);
  return features;
}

}  // namespace segmentum
