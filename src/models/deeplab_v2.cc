#include "models/deeplab.h"
#include "models/deeplab_parts.h"
#include "models/up_setting.h"

namespace segmentum {
namespace {

constexpr int kScaleQuarters = 4;  // sizes must divide by 4 to have exact halves and three quarters

/// The sum of the branches' scores on features.
ValueId branch_scores(GraphBuilder& g, ValueId features, const DeeplabV2Options& o) {
  ValueId sum = -1;
  for (std::size_t i = 0; i < o.rates.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    const int rate = rate_at(o.common.output_stride, o.rates[i], 8);
    const ValueId scores = o.backbone == Backbone::vgg16
                               ? fully_connected_scores(g, "_" + number, features, o.common,
                                                        {.field = {.kernel = 3, .rate = o.rates[i]},
                                                         .channels = o.fc_channels,
                                                         .norm = o.norm,
                                                         .dropout = o.dropout})
                               : g.conv("fc1_c" + std::to_string(i), features,
                                        {.channels = o.common.classes,
                                         .kernel = 3,
                                         .dilation = rate,
                                         .padding = rate,
                                         .init = Init::small_normal});
    sum = i == 0 ? scores : g.add("sum_" + number, sum, scores);
  }
  return sum;
}

ValueId scores_at_one_scale(GraphBuilder& g, ValueId image, const DeeplabV2Options& o) {
  const BackboneOptions common{.output_stride = o.common.output_stride,
                               .dilation_rule = DilationRule::every_block};
  if (o.backbone == Backbone::vgg16) {
    const VggTaps taps = vgg_backbone(g, image,
                                      {.channels = vgg_channels(o.width),
                                       .norm = o.norm,
                                       .names = o.names,
                                       .common = common,
                                       .pool_kernel = 3});
    return branch_scores(g, taps.pool5, o);
  }
  BackboneOptions prefixed = common;
  prefixed.prefix = "backbone.";
  return branch_scores(g, build_backbone(g, image, {o.backbone, o.width}, prefixed).back(), o);
}

DeeplabV2Options options_of(const ModelOptions& options, const Settings& settings) {
  const Backbone backbone = backbone_choice(settings);
  return {.common = deeplab_options(options, settings),
          .backbone = backbone,
          .width = width_choice(settings, backbone),
          .norm = settings.choice<Norm>("norm", {{"batch", Norm::batch}, {"none", Norm::none}}),
          .names = settings.choice<VggNames>(
              "names", {{"paper", VggNames::paper}, {"torchvision", VggNames::torchvision}}),
          .rates = settings.choice<std::vector<int>>(
              "aspp", {{"l", {6, 12, 18, 24}}, {"s", {2, 4, 8, 12}}, {"largefov", {12}}}),
          .fc_channels = settings.integer("fc_channels", 1, 65536),
          .dropout = settings.real("dropout", 0, 0.95f),
          .multi_scale = settings.flag("multi_scale"),
          .aux = settings.flag("aux")};
}

}  // namespace

Graph build_deeplab_v2(const DeeplabV2Options& o) {
  GraphBuilder g("deeplab_v2");
  const int multiple = o.common.output_stride * (o.multi_scale ? kScaleQuarters : 1);
  const FittedPicture picture(g, o.common, multiple);
  const ValueId whole = scores_at_one_scale(g, picture.padded(), o);
  ValueId fused = whole;
  std::vector<Output> scales{{"aux_res1", whole}};
  if (o.multi_scale) {
    for (const auto& [suffix, quarters] : {std::pair{"_res075", 3}, std::pair{"_res05", 2}}) {
      const ValueId smaller = g.resize(
          std::string("data") + suffix, picture.padded(),
          {.align_corners = o.common.align_corners, .scale = quarters, .divisor = kScaleQuarters});
      const ValueId scores = g.repeat(suffix, picture.padded(), whole, smaller);
      const ValueId magnified = picture.magnified(std::string("scores_interp") + suffix, scores,
                                                  whole, {kScaleQuarters, quarters});
      fused = g.maximum(std::string("fused") + suffix, fused, magnified);
      scales.push_back({std::string("aux") + suffix, magnified});
    }
  }
  g.output("logits", picture.at_full_size("score", fused, o.common.output_stride));
  if (o.multi_scale && o.aux) {
    for (const Output& scale : scales) {
      g.output(scale.name,
               picture.at_full_size_for_training(scale.name, scale.value, o.common.output_stride));
    }
  }
  return std::move(g).build();
}

Architecture deeplab_v2_architecture() {
  return {{.name = "deeplab_v2",
           .description = "parallel dilated branches whose scores are summed (ASPP), at one or at "
                          "three scales of the picture",
           .paper = "Chen, Papandreou, Kokkinos, Murphy, Yuille: DeepLab: Semantic Image "
                    "Segmentation with Deep Convolutional Nets, Atrous Convolution, and Fully "
                    "Connected CRFs, PAMI 2017",
           .settings = {backbone_setting("vgg16", "vgg16, resnet101"),
                        {"width", "16", "published | 1 to 512",
                         "channels of the backbone's first convolution, all others in proportion "
                         "(published: 64)"},
                        {"aspp", "l", "l | s | largefov",
                         "rates of the branches: 6, 12, 18, 24, or 2, 4, 8, 12, or 12 alone"},
                        {"multi_scale", "false", "true | false",
                         "the picture also at 3/4 and 1/2 of its size, with the same weights; the "
                         "largest score counts (published: true on resnet101)"},
                        {"aux", "false", "true | false",
                         "with multi_scale: a loss for each scale too (published: true)"},
                        {"norm", "batch", "batch | none",
                         "normalisation in vgg16 and its head (published: none)"},
                        {"fc_channels", "256", "1 to 65536",
                         "channels of fc6 and fc7 on vgg16 (published: 1024)"},
                        {"dropout", "0.5", "0 to 0.95", "rate after fc6 and fc7 on vgg16"},
                        output_stride_setting("8"),
                        up_setting("scores"),
                        align_corners_setting(),
                        {"names", "paper", "paper | torchvision",
                         "what vgg16's parameters are called: conv1_1, or features.0"}}},
          [](const ModelOptions& options, const Settings& settings) {
            return build_deeplab_v2(options_of(options, settings));
          }};
}

}  // namespace segmentum
