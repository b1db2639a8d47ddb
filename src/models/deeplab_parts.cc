#include "models/deeplab_parts.h"

#include <algorithm>

#include "models/up_setting.h"
#include "segmentum/error.h"

namespace segmentum {

FittedPicture::FittedPicture(GraphBuilder& g, const DeeplabOptions& options, int multiple)
    : g_(g), align_corners_(options.align_corners), up_(options.up) {
  if (align_corners_ && up_.how != Upsampling::bilinear) {
    throw Error(
        "a DeepLab that aligns corners has sizes that are no multiples of one another; "
        "it works with up = bilinear and bilinear_conv");
  }
  image_ = g.input("image", {.channels = options.input_channels});
  padded_ = g.pad(
      "pad", image_,
      {.mode = PadMode::mirror, .multiple = multiple, .remainder = options.align_corners ? 1 : 0});
}

ValueId FittedPicture::magnified(const std::string& name, ValueId x, ValueId like,
                                 Magnification scale) const {
  // Of sizes k*stride + 1 neither is the other's multiple.
  if (align_corners_) return g_.resize_like(name, x, like, {.align_corners = true});
  return g_.resize(name, x, {.scale = scale.times, .divisor = scale.divisor});
}

ValueId FittedPicture::upsampled(const std::string& name, ValueId x, ValueId like,
                                 int factor) const {
  if (!align_corners_) return upsample(g_, name, x, factor, up_);
  if (!up_.conv) return magnified(name, x, like, {factor});
  return conv_behind_resize(g_, name, magnified(name + "_resize", x, like, {factor}));
}

ValueId FittedPicture::at_full_size(const std::string& name, ValueId scores, int stride) const {
  return g_.crop_like(name, upsampled(name + "_interp", scores, padded_, stride), image_);
}

ValueId FittedPicture::at_full_size_for_training(const std::string& name, ValueId scores,
                                                 int stride) const {
  return g_.crop_like(name, magnified(name + "_interp", scores, padded_, {stride}), image_);
}

int rate_at(int output_stride, int rate, int at_stride) {
  return std::max(1, rate * at_stride / output_stride);
}

ValueId fully_connected_scores(GraphBuilder& g, const std::string& suffix, ValueId x,
                               const DeeplabOptions& common, const FullyConnected& o) {
  const auto layer = [&](const std::string& number, op::Conv conv) {
    conv.channels = o.channels;
    conv.bias = o.norm == Norm::none;
    x = g.conv("fc" + number + suffix, x, conv);
    if (o.norm == Norm::batch) x = g.batch_norm("bn" + number + suffix, x);
    x = g.relu("relu" + number + suffix, x);
    if (o.dropout > 0) x = g.dropout("drop" + number + suffix, x, {o.dropout});
  };
  const int rate = rate_at(common.output_stride, o.field.rate, 8);
  const int reach = rate * (o.field.kernel - 1);
  const int before = reach / 2, after = reach - before;
  layer("6", {.kernel = o.field.kernel,
              .dilation = rate,
              .padding = Padding(before, before, after, after)});
  layer("7", {.kernel = 1});
  return g.conv("fc8" + suffix, x, {.channels = common.classes, .init = Init::small_normal});
}

SettingInfo output_stride_setting(const char* default_value) {
  return {"output_stride", default_value, "8 | 16 | 32",
          "how much smaller the last features are than the picture; smaller is finer and slower"};
}

SettingInfo align_corners_setting() {
  return {"align_corners", "false", "true | false",
          "how scores are magnified: corner pixels on corner pixels, or half-pixel centred, which "
          "can be cut into tiles (published: true)"};
}

SettingInfo backbone_setting(const char* default_value, const char* published) {
  return {
      "backbone", default_value,
      "vgg16 | resnet18 | resnet34 | resnet50 | resnet101 | mobilenet_v2 | mobilenet_v3_large | "
      "xception65",
      std::string("the network whose features are used (published: ") + published + ")"};
}

SettingInfo vgg_norm_setting() {
  return {"norm", "batch", "batch | none", "normalisation in vgg16 (published: none)"};
}

DeeplabOptions deeplab_options(const ModelOptions& options, const Settings& settings) {
  return {
      .input_channels = options.input_channels,
      .classes = options.classes,
      .output_stride = settings.choice<int>("output_stride", {{"8", 8}, {"16", 16}, {"32", 32}}),
      .align_corners = settings.flag("align_corners"),
      .up = up_choice(settings)};
}

Backbone backbone_choice(const Settings& settings) {
  return settings.choice<Backbone>("backbone",
                                   {{"vgg16", Backbone::vgg16},
                                    {"resnet18", Backbone::resnet18},
                                    {"resnet34", Backbone::resnet34},
                                    {"resnet50", Backbone::resnet50},
                                    {"resnet101", Backbone::resnet101},
                                    {"mobilenet_v2", Backbone::mobilenet_v2},
                                    {"mobilenet_v3_large", Backbone::mobilenet_v3_large},
                                    {"xception65", Backbone::xception65}});
}

Norm vgg_norm_choice(const Settings& settings, Backbone backbone) {
  const auto norm = settings.choice<Norm>("norm", {{"batch", Norm::batch}, {"none", Norm::none}});
  if (norm == Norm::none && backbone != Backbone::vgg16) {
    settings.throw_expected("norm", "batch with backbone = " + settings.values().at("backbone") +
                                        ": of these networks vgg16 alone works without");
  }
  return norm;
}

int width_choice(const Settings& settings, Backbone backbone) {
  return settings.integer_or("published", "width", 1, 512).value_or(published_width(backbone));
}

}  // namespace segmentum
