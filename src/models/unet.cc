#include "models/unet.h"

#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "models/up_setting.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr float kPatchSlope = 0.1f;  // of LeakyReLU
constexpr int kMostPatchBlocks = 5;  // 1024 pixels become one

/// Pixels of the picture from one to the next of the lowest level.
int coarsest_stride(const UnetOptions& o) {
  return 1 << (o.block == UnetBlock::patch ? 2 * o.depth : o.depth);
}

/// The paper's 2x2 "up-convolution".
bool has_published_up(const UnetOptions& o) {
  return o.up == Upsampling::transpose && !o.overlapping_up;
}

void check(const UnetOptions& o) {
  if (o.block != UnetBlock::patch) return;
  if (o.valid_padding || !has_published_up(o)) {
    throw Error(
        "unet with block = patch has transposed convolutions and no borders; it works with "
        "up = transpose and padding = same");
  }
  if (o.depth > kMostPatchBlocks) {
    throw Error("unet with block = patch has depth = " + std::to_string(o.depth) +
                "; expected 1 to " + std::to_string(kMostPatchBlocks) +
                ", because each block divides the size by 4");
  }
}

/// Builds level by level; the options hold for all of them.
struct UnetBuilder {
  const UnetOptions& o;
  GraphBuilder g{"unet"};

  int channels(int level) const { return o.width << level; }
  bool patches() const { return o.block == UnetBlock::patch; }
  op::Conv conv3x3(int level) const {
    return {.channels = channels(level), .kernel = 3, .padding = o.valid_padding ? 0 : 1};
  }

  ValueId double_conv(const std::string& level_name, ValueId x, int level) {
    x = conv_norm_relu(g, level_name + ".", "1", x, conv3x3(level), o.norm);
    return conv_norm_relu(g, level_name + ".", "2", x, conv3x3(level), o.norm);
  }

  ValueId leaky_norm(const std::string& level_name, const std::string& number, ValueId x) {
    if (o.norm == Norm::batch) x = g.batch_norm(level_name + ".bn" + number, x);
    if (o.norm == Norm::group) {
      x = g.group_norm(level_name + ".gn" + number, x, {.groups = std::gcd(g.channels(x), 8)});
    }
    return g.activate(level_name + ".leaky" + number, x, {ActivationKind::leaky_relu, kPatchSlope});
  }

  /// A quarter of the size: each 2x2 pixels become one, twice.
  ValueId patches_down(const std::string& level_name, ValueId x, int level) {
    for (const std::string number : {"1", "2"}) {
      x = g.conv(
          level_name + ".conv" + number, x,
          {.channels = channels(level), .kernel = 2, .stride = 2, .bias = o.norm == Norm::none});
      x = leaky_norm(level_name, number, x);
    }
    return x;
  }

  /// Four times the size: each pixel becomes 2x2, twice.
  ValueId patches_up(const std::string& level_name, ValueId x, int level) {
    for (const std::string number : {"1", "2"}) {
      x = g.transposed_conv(
          level_name + ".up" + number, x,
          {.channels = channels(level), .kernel = 2, .stride = 2, .bias = o.norm == Norm::none});
      x = leaky_norm(level_name, number, x);
    }
    return x;
  }

  /// Twice the size and half the channels.
  ValueId up(const std::string& level_name, ValueId x, int level) {
    if (has_published_up(o)) {
      return g.transposed_conv(level_name + ".up", x,
                               {.channels = channels(level), .kernel = 2, .stride = 2});
    }
    x = upsample(g, level_name + ".resize", x, 2,
                 {.how = o.up, .align_corners = o.align_corners, .each_channel = true});
    return g.conv(level_name + ".up", x, conv3x3(level));
  }

  /// The features of every level, top first.
  std::vector<ValueId> encoder(ValueId x) {
    std::vector<ValueId> features;
    if (patches()) features.push_back(x);
    for (int level = patches() ? 1 : 0; level <= o.depth; ++level) {
      const std::string name = "encoder." + std::to_string(level);
      if (level > 0 && !patches()) x = g.max_pool(name + ".pool", x);
      x = patches() ? patches_down(name, x, level) : double_conv(name, x, level);
      if (level == o.depth && o.dropout > 0) x = g.dropout(name + ".dropout", x, {o.dropout});
      features.push_back(x);
    }
    return features;
  }

  ValueId decoder(const std::vector<ValueId>& features) {
    ValueId x = features.back();
    for (int level = o.depth - 1; level >= 0; --level) {
      const std::string name = "decoder." + std::to_string(level);
      x = patches() ? patches_up(name, x, level) : up(name, x, level);
      ValueId skip = features[static_cast<std::size_t>(level)];
      if (o.valid_padding) skip = g.crop_like(name + ".crop", skip, x, {.centre = true});
      x = g.concat(name + ".concat", {skip, x});
      if (!patches()) x = double_conv(name, x, level);
    }
    return x;
  }

  /// A second opinion from the lowest level, for training. Unpadded, that level has lost
  /// 2 * (1 + 2 + ... + 2^depth) pixels on each side of the frame.
  void auxiliary_head(ValueId lowest, ValueId image) {
    const ValueId logits = g.conv("aux.head", lowest, {.channels = o.classes});
    const ValueId large =
        upsample(g, "aux.resize", logits, coarsest_stride(o), Upsampling::bilinear);
    const int lost = 2 * ((2 << o.depth) - 1);
    const int offset = o.valid_padding ? overlap_padding(o).margin.top - lost : 0;
    g.output("aux", g.crop_like("aux.crop", large, image, {.offset = offset}));
  }
};

struct UnetUp {
  Upsampling how;
  bool overlapping;
};

UnetOptions unet_options(const ModelOptions& options, const Settings& settings) {
  const auto up = settings.choice<UnetUp>("up", {{"transpose", {Upsampling::transpose, false}},
                                                 {"transpose4", {Upsampling::transpose, true}},
                                                 {"fixed", {Upsampling::fixed, true}},
                                                 {"bilinear", {Upsampling::bilinear, false}},
                                                 {"nearest", {Upsampling::nearest, false}}});
  return {.input_channels = options.input_channels,
          .classes = options.classes,
          .width = settings.integer("width", 1, 1024),
          .depth = settings.integer("depth", 1, 8),
          .block = settings.choice<UnetBlock>(
              "block", {{"conv3x3", UnetBlock::conv3x3}, {"patch", UnetBlock::patch}}),
          .norm = settings.choice<Norm>(
              "norm", {{"batch", Norm::batch}, {"group", Norm::group}, {"none", Norm::none}}),
          .up = up.how,
          .overlapping_up = up.overlapping,
          .align_corners = aligned_corners(settings, up.how, "bilinear"),
          .valid_padding = settings.choice<bool>("padding", {{"same", false}, {"valid", true}}),
          .dropout = settings.real("dropout", 0, 0.95f),
          .auxiliary_head = settings.flag("aux")};
}

Graph build_from_settings(const ModelOptions& options, const Settings& settings) {
  return build_unet(unet_options(options, settings));
}

}  // namespace

op::Pad overlap_padding(const UnetOptions& o) {
  // With n = 2^depth: the lowest level has k rows in, so the frame has n k + 4 (n - 1) and the
  // result n (k - 4) - (4 + 2 u) (n - 1), where u = 1 if a 3x3 follows each upsampling, else 0.
  const int n = 1 << o.depth;
  const int u = has_published_up(o) ? 0 : 1;
  return {.mode = PadMode::mirror,
          .margin = 2 * n + (4 + u) * (n - 1),
          .multiple = n,
          .remainder = 4 * (n - 1) % n};
}

Graph build_unet(const UnetOptions& o) {
  check(o);
  UnetBuilder unet{o};
  GraphBuilder& g = unet.g;
  const ValueId image = g.input("image", {.channels = o.input_channels});
  const op::Pad pad = o.valid_padding
                          ? overlap_padding(o)
                          : op::Pad{.mode = PadMode::mirror, .multiple = coarsest_stride(o)};
  const auto features = unet.encoder(g.pad("pad", image, pad));
  const ValueId head = g.conv("head", unet.decoder(features), {.channels = o.classes});
  g.output("logits", g.crop_like("crop", head, image));
  if (o.auxiliary_head) unet.auxiliary_head(features.back(), image);
  return std::move(g).build();
}

Architecture unet_architecture() {
  return {
      {.name = "unet",
       .description = "encoder and decoder with skip connections: the first choice",
       .paper = "Ronneberger, Fischer, Brox: U-Net: Convolutional Networks for Biomedical Image "
                "Segmentation, MICCAI 2015",
       .settings =
           {{"width", "16", "1 to 1024",
             "channels of the first level, doubled at each level below (published: 64)"},
            {"depth", "4", "1 to 8", "how often the picture is halved"},
            {"norm", "batch", "batch | group | none",
             "normalisation after each convolution (published: none)"},
            {"up", "transpose", "transpose | transpose4 | fixed | bilinear | nearest",
             "how the decoder doubles sizes: 2x2 transposed convolution; 4x4 transposed "
             "convolution that starts as bilinear, learnt or fixed, and 3x3; or resize and 3x3"},
            {"align_corners", "false", "true | false",
             "up = bilinear: the centres of the corner pixels meet; no tiles then"},
            {"padding", "same", "same | valid",
             "zeros around every layer, or one mirrored frame around the picture (published)"},
            {"dropout", "0", "0 to 0.95", "rate after the lowest level (published: 0.5)"},
            {"aux", "false", "true | false", "an auxiliary head on the lowest level"},
            {"block", "conv3x3", "conv3x3 | patch",
             "3x3 twice after a pooling, or 2x2 of stride 2 with LeakyReLU(0.1) twice instead: "
             "each "
             "level a quarter of the size, so a depth of 2 or 3 is enough"}}},
      build_from_settings};
}

Architecture published_unet_architecture() {
  Architecture published = unet_architecture();
  published.info.name = "unet_published";
  published.info.description =
      "U-Net as in the paper: 64 to 1024 channels, unpadded 3x3, no norm, dropout; 31.0 million "
      "parameters";
  const std::map<std::string, std::string> of_the_paper{
      {"width", "64"}, {"norm", "none"}, {"padding", "valid"}, {"dropout", "0.5"}};
  for (SettingInfo& setting : published.info.settings) {
    const auto found = of_the_paper.find(setting.name);
    if (found != of_the_paper.end()) setting.default_value = found->second;
  }
  return published;
}

}  // namespace segmentum
