#include "models/fcn.h"

#include <string>

namespace segmentum {
namespace {

/// fc6 and fc7, the classifier of VGG as convolutions, and the scores of the coarsest level.
ValueId coarse_scores(GraphBuilder& g, ValueId pool5, const FcnOptions& o) {
  const Norm norm = o.backbone.norm;
  const auto fully_connected = [&](const std::string& number, ValueId x, op::Conv conv) {
    conv.channels = o.fc_channels;
    conv.bias = norm == Norm::none;
    x = g.conv("fc" + number, x, conv);
    if (norm == Norm::batch) x = g.batch_norm("bn" + number, x);
    x = g.relu("relu" + number, x);
    return o.dropout > 0 ? g.dropout("drop" + number, x, {o.dropout}) : x;
  };
  const ValueId fc6 = fully_connected("6", pool5, {.kernel = 7, .padding = 3});
  const ValueId fc7 = fully_connected("7", fc6, {.kernel = 1});
  return g.conv("score_fr", fc7, {.channels = o.classes});
}

FcnOptions fcn_options(int stride, const ModelOptions& options, const Settings& settings) {
  const int w = settings.integer("width", 1, 512);
  return {.input_channels = options.input_channels,
          .classes = options.classes,
          .stride = stride,
          .backbone = {.channels = {w, 2 * w, 4 * w, 8 * w, 8 * w},
                       .norm = settings.choice<Norm>(
                           "norm", {{"batch", Norm::batch}, {"none", Norm::none}})},
          .fc_channels = settings.integer("fc_channels", 1, 65536),
          .up = settings.choice<Upsampling>("up", {{"transpose", Upsampling::transpose},
                                                   {"bilinear", Upsampling::bilinear},
                                                   {"nearest", Upsampling::nearest}}),
          .dropout = settings.real("dropout", 0, 0.95f)};
}

template <int stride>
Graph build_from_settings(const ModelOptions& options, const Settings& settings) {
  return build_fcn(fcn_options(stride, options, settings));
}

}  // namespace

Graph build_fcn(const FcnOptions& o) {
  GraphBuilder g("fcn" + std::to_string(o.stride) + "s");
  const ValueId image = g.input("image", {.channels = o.input_channels});
  const ValueId padded = g.pad("pad", image, {.mode = PadMode::mirror, .multiple = 32});
  const VggTaps taps = vgg_backbone(g, padded, o.backbone);
  ValueId x = coarse_scores(g, taps.pool5, o);

  if (o.stride <= 16) {
    x = upsample(g, "upscore2", x, 2, o.up);
    x = g.add("fuse_pool4", x, g.conv("score_pool4", taps.pool4, {.channels = o.classes}));
  }
  if (o.stride <= 8) {
    x = upsample(g, "upscore_pool4", x, 2, o.up);
    x = g.add("fuse_pool3", x, g.conv("score_pool3", taps.pool3, {.channels = o.classes}));
  }
  // The authors' names: upscore8, upscore16, and plain upscore for 32s.
  const std::string suffix = o.stride == 32 ? "" : std::to_string(o.stride);
  x = upsample(g, "upscore" + suffix, x, o.stride, o.up);
  g.output("logits", g.crop_like("score", x, image));
  return std::move(g).build();
}

Architecture fcn_architecture(int stride) {
  const std::string number = std::to_string(stride);
  const std::string fused = stride == 32   ? "from the coarsest level alone"
                            : stride == 16 ? "fused with pool4"
                                           : "fused with pool4 and pool3";
  return {{.name = "fcn" + number + "s",
           .description =
               "fully convolutional VGG, scores " + fused + ", upsampled " + number + " times",
           .paper = "Long, Shelhamer, Darrell: Fully Convolutional Networks for Semantic "
                    "Segmentation, CVPR 2015",
           .settings = {{"width", "16", "1 to 512",
                         "channels of the first block; the blocks have 1, 2, 4, 8, 8 times as many "
                         "(published: 64)"},
                        {"norm", "batch", "batch | none",
                         "normalisation after each convolution (published: none)"},
                        {"fc_channels", "256", "1 to 65536",
                         "channels of fc6 and fc7 (published: 4096)"},
                        {"up", "transpose", "transpose | bilinear | nearest",
                         "how scores are magnified: learnt, starting as bilinear, or fixed"},
                        {"dropout", "0.5", "0 to 0.95", "rate after fc6 and fc7"}}},
          stride == 32   ? build_from_settings<32>
          : stride == 16 ? build_from_settings<16>
                         : build_from_settings<8>};
}

}  // namespace segmentum
