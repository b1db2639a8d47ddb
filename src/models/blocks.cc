#include "models/blocks.h"

#include <numeric>

namespace segmentum {

ValueId conv_norm_relu(GraphBuilder& g, const std::string& prefix, const std::string& suffix,
                       ValueId x, op::Conv conv, Norm norm) {
  conv.bias = norm == Norm::none;
  x = g.conv(prefix + "conv" + suffix, x, conv);
  if (norm == Norm::batch) x = g.batch_norm(prefix + "bn" + suffix, x);
  if (norm == Norm::group) {
    x = g.group_norm(prefix + "gn" + suffix, x, {.groups = std::gcd(conv.channels, 8)});
  }
  return g.relu(prefix + "relu" + suffix, x);
}

ValueId conv_bn(GraphBuilder& g, const std::string& conv_name, const std::string& bn_name,
                ValueId x, op::Conv conv, op::BatchNorm norm) {
  conv.bias = false;
  return g.batch_norm(bn_name, g.conv(conv_name, x, conv), norm);
}

ValueId conv_bn_relu(GraphBuilder& g, const std::string& name, ValueId x, op::Conv conv) {
  return g.relu(name + ".2", conv_bn(g, name + ".0", name + ".1", x, conv));
}

ValueId separable_conv(GraphBuilder& g, const std::string& name, ValueId x, op::Conv conv) {
  const int channels = conv.channels;
  conv.channels = conv.groups = g.channels(x);
  conv.bias = false;
  x = g.conv(name + ".0", x, conv);
  return g.conv(name + ".1", x, {.channels = channels, .bias = false});
}

ValueId separable_conv_bn_relu(GraphBuilder& g, const std::string& name, ValueId x, op::Conv conv) {
  x = separable_conv(g, name + ".0", x, conv);
  return g.relu(name + ".2", g.batch_norm(name + ".1", x));
}

ValueId upsample(GraphBuilder& g, const std::string& name, ValueId x, int factor,
                 const UpsampleOptions& o) {
  const int channels = g.channels(x);
  if (o.how == Upsampling::transpose || o.how == Upsampling::fixed) {
    // 2f taps around each step of f: (size - 1)*f - f + 2f = size*f, and f more when `full`.
    return g.transposed_conv(name, x,
                             {.channels = channels,
                              .kernel = 2 * factor,
                              .stride = factor,
                              .padding = o.full ? 0 : factor / 2,
                              .groups = o.each_channel ? channels : 1,
                              .bias = false,
                              .learnt = o.how == Upsampling::transpose,
                              .init = Init::bilinear});
  }
  const bool bilinear = o.how == Upsampling::bilinear;
  x = g.resize(o.conv ? name + "_resize" : name, x,
               {.mode = bilinear ? Interpolation::bilinear : Interpolation::nearest,
                .align_corners = bilinear && o.align_corners,
                .scale = factor});
  return o.conv ? conv_behind_resize(g, name, x) : x;
}

ValueId upsample(GraphBuilder& g, const std::string& name, ValueId x, int factor, Upsampling how) {
  return upsample(g, name, x, factor, UpsampleOptions{.how = how});
}

ValueId conv_behind_resize(GraphBuilder& g, const std::string& name, ValueId x) {
  return g.conv(name, x,
                {.channels = g.channels(x), .kernel = 3, .padding = 1, .init = Init::identity});
}

}  // namespace segmentum
