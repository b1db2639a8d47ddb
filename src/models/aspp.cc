#include "models/aspp.h"

#include "models/blocks.h"

namespace segmentum {
namespace {

/// The mean of each channel, everywhere.
ValueId image_pooling(GraphBuilder& g, const std::string& name, ValueId x, int channels) {
  ValueId mean = g.global_average_pool(name + ".0", x);
  mean = conv_bn(g, name + ".1", name + ".2", mean, {.channels = channels});
  return g.resize_like(name + ".resize", g.relu(name + ".3", mean), x);
}

}  // namespace

ValueId aspp(GraphBuilder& g, const std::string& name, ValueId x, const AsppOptions& o) {
  std::vector<ValueId> branches;
  const auto next_name = [&] { return name + ".convs." + std::to_string(branches.size()); };
  branches.push_back(conv_bn_relu(g, next_name(), x, {.channels = o.channels}));
  for (int rate : o.rates) {
    const op::Conv atrous{.channels = o.channels, .kernel = 3, .dilation = rate, .padding = rate};
    branches.push_back(o.separable ? separable_conv_bn_relu(g, next_name(), x, atrous)
                                   : conv_bn_relu(g, next_name(), x, atrous));
  }
  if (o.image_pooling) branches.push_back(image_pooling(g, next_name(), x, o.channels));
  x = g.concat(name + ".concat", branches);
  x = conv_bn_relu(g, name + ".project", x, {.channels = o.channels});
  return o.dropout > 0 ? g.dropout(name + ".project.3", x, {o.dropout}) : x;
}

}  // namespace segmentum
