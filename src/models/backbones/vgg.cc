#include "models/backbones/vgg.h"

#include <numeric>
#include <string>

#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Names layers one after the other and counts them.
class VggLayers {
 public:
  VggLayers(GraphBuilder& g, const VggOptions& options) : g_(g), o_(options) {}

  /// Convolution number `i` of `block`, both from 1, with its norm and ReLU.
  ValueId conv(int block, int i, ValueId x, op::Conv conv) {
    const std::string number = std::to_string(block) + "_" + std::to_string(i);
    conv.bias = o_.norm == Norm::none || o_.names == VggNames::torchvision;
    x = g_.conv(name("conv" + number), x, conv);
    if (o_.norm == Norm::batch) x = g_.batch_norm(name("bn" + number), x);
    if (o_.norm == Norm::group) {
      x = g_.group_norm(name("gn" + number), x, {.groups = std::gcd(conv.channels, 8)});
    }
    return g_.relu(name("relu" + number), x);
  }

  ValueId pool(int block, ValueId x, int stride) {
    const bool small = stride == 2 && o_.pool_kernel == 2;
    return g_.max_pool(name("pool" + std::to_string(block)), x,
                       {.kernel = small ? 2 : 3,
                        .stride = stride,
                        .padding = small ? 0 : 1,
                        .ceil = small && o_.ceil});
  }

 private:
  std::string name(const std::string& in_paper) {
    const int index = layers_++;
    return o_.common.prefix +
           (o_.names == VggNames::paper ? in_paper : "features." + std::to_string(index));
  }

  GraphBuilder& g_;
  const VggOptions& o_;
  int layers_ = 0;
};

}  // namespace

std::array<int, 5> vgg_channels(int width) {
  return {width, 2 * width, 4 * width, 8 * width, 8 * width};
}

VggTaps vgg_backbone(GraphBuilder& g, ValueId x, const VggOptions& o) {
  if (o.pool_kernel != 2 && o.pool_kernel != 3) {
    throw Error("a VGG with poolings of " + std::to_string(o.pool_kernel) + "; expected 2 or 3");
  }
  StrideBudget budget(o.common);
  VggLayers layers(g, o);
  int dilation = 1;
  std::array<ValueId, 5> blocks{}, pools{};
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const int block = static_cast<int>(b) + 1;
    for (int i = 1; i <= o.convs[b]; ++i) {
      x = layers.conv(
          block, i, x,
          {.channels = o.channels[b], .kernel = 3, .dilation = dilation, .padding = dilation});
    }
    blocks[b] = x;
    const StrideBudget::Stage stage = budget.spend(2);
    dilation = stage.dilation;
    x = pools[b] = layers.pool(block, x, stage.stride);
  }
  return {pools[2], pools[3], pools[4], blocks};
}

}  // namespace segmentum
