#include "models/backbones/vgg.h"

#include <string>

namespace segmentum {

VggTaps vgg_backbone(GraphBuilder& g, ValueId x, const VggOptions& options) {
  std::array<ValueId, 5> pools{};
  for (std::size_t block = 0; block < pools.size(); ++block) {
    const std::string number = std::to_string(block + 1);
    for (int i = 1; i <= options.convs[block]; ++i) {
      x = conv_norm_relu(g, "", number + "_" + std::to_string(i), x,
                         {.channels = options.channels[block], .kernel = 3, .padding = 1},
                         options.norm);
    }
    x = pools[block] = g.max_pool("pool" + number, x);
  }
  return {pools[2], pools[3], pools[4]};
}

}  // namespace segmentum
