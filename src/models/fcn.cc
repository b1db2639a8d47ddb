#include "models/fcn.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "graph/alignment.h"
#include "models/crf_layer.h"
#include "models/up_setting.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// The authors pad the first convolution by 100; one of these is its own.
constexpr int kFrame = 99;

/// Builds level by level; the options hold for all of them.
struct FcnBuilder {
  const FcnOptions& o;
  GraphBuilder g{"fcn" + std::to_string(o.stride) + "s"};

  bool authors() const { return o.alignment == FcnAlignment::authors; }

  ValueId framed(ValueId image) {
    return authors() ? g.pad("pad", image, {.margin = kFrame})
                     : g.pad("pad", image, {.mode = PadMode::mirror, .multiple = 32});
  }

  ValueId fully_connected(const std::string& number, ValueId x, op::Conv conv) {
    conv.channels = o.fc_channels;
    conv.bias = o.backbone.norm == Norm::none;
    x = g.conv("fc" + number, x, conv);
    if (o.backbone.norm == Norm::batch) x = g.batch_norm("bn" + number, x);
    x = g.relu("relu" + number, x);
    return o.dropout > 0 ? g.dropout("drop" + number, x, {o.dropout}) : x;
  }

  ValueId score(const std::string& name, ValueId x, bool zero) {
    return g.conv(name, x, {.channels = o.classes, .init = zero ? Init::zeros : Init::he_normal});
  }

  /// fc6 and fc7, the classifier of VGG as convolutions, and the scores of the coarsest level.
  ValueId coarse_scores(ValueId pool5) {
    const ValueId fc6 = fully_connected("6", pool5, {.kernel = 7, .padding = authors() ? 0 : 3});
    const ValueId fc7 = fully_connected("7", fc6, {.kernel = 1});
    return score("score_fr", fc7, o.score_start == FcnScoreStart::zero);
  }

  ValueId enlarged(const std::string& name, ValueId x, int factor, UpsampleOptions how) {
    how.full = authors();
    return upsample(g, name, x, factor, how);
  }

  /// The scores of a finer level, added to `x`.
  ValueId fused(const std::string& level, ValueId x, ValueId features) {
    const std::string name = "score_" + level;
    ValueId skip = score(name, features, o.score_start != FcnScoreStart::random);
    if (authors()) skip = cropped(name + "c", skip, x);
    return g.add("fuse_" + level, x, skip);
  }

  ValueId cropped(const std::string& name, ValueId from, ValueId onto) {
    const Size2 offset = authors() ? aligned_offset(g.graph(), from, onto) : Size2(0);
    return g.crop_like(name, from, onto, {.offset = offset});
  }
};

void require_offsets(const FcnOptions& o) {
  const auto moves = [](const UpsampleOptions& up) {
    return up.how == Upsampling::bilinear && up.align_corners;
  };
  if (o.alignment == FcnAlignment::authors && (moves(o.up) || moves(o.last_up))) {
    throw Error(
        "the authors' crop offsets do not fit an upsampling that aligns corners; use "
        "alignment=centred, or align_corners=false");
  }
}

/// The choices of `up`: between levels, and from the finest level to the picture.
struct FcnUp {
  UpsampleOptions between;
  UpsampleOptions last;
};

FcnUp upsampling(const Settings& settings) {
  constexpr UpsampleOptions kLearnt{.how = Upsampling::transpose}, kFixed{.how = Upsampling::fixed},
      kBilinear{.how = Upsampling::bilinear}, kNearest{.how = Upsampling::nearest},
      kBilinearConv{.how = Upsampling::bilinear, .conv = true},
      kNearestConv{.how = Upsampling::nearest, .conv = true};
  auto up = settings.choice<FcnUp>("up", {{"transpose", {kLearnt, kLearnt}},
                                          {"last_fixed", {kLearnt, kFixed}},
                                          {"fixed", {kFixed, kFixed}},
                                          {"bilinear", {kBilinear, kBilinear}},
                                          {"nearest", {kNearest, kNearest}},
                                          {"bilinear_conv", {kBilinearConv, kBilinearConv}},
                                          {"nearest_conv", {kNearestConv, kNearestConv}}});
  up.between.align_corners = up.last.align_corners =
      aligned_corners(settings, up.last.how, "bilinear and bilinear_conv");
  return up;
}

FcnOptions fcn_options(int stride, const ModelOptions& options, const Settings& settings) {
  const int w = settings.integer("width", 1, 512);
  settings.choice<int>("size", {{"small", 0}, {"published", 0}});  // its presets did the work
  const FcnUp up = upsampling(settings);
  return {
      .input_channels = options.input_channels,
      .classes = options.classes,
      .stride = stride,
      .backbone = {.channels = {w, 2 * w, 4 * w, 8 * w, 8 * w},
                   .norm = settings.choice<Norm>("norm",
                                                 {{"batch", Norm::batch}, {"none", Norm::none}})},
      .fc_channels = settings.integer("fc_channels", 1, 65536),
      .up = up.between,
      .last_up = up.last,
      .alignment = settings.choice<FcnAlignment>(
          "alignment", {{"centred", FcnAlignment::centred}, {"authors", FcnAlignment::authors}}),
      .score_start =
          settings.choice<FcnScoreStart>("score_start", {{"random", FcnScoreStart::random},
                                                         {"zero_skips", FcnScoreStart::zero_skips},
                                                         {"zero", FcnScoreStart::zero}}),
      .dropout = settings.real("dropout", 0, 0.95f),
      .crf = crf_layer(options, settings)};
}

template <int stride>
Graph build_from_settings(const ModelOptions& options, const Settings& settings) {
  return build_fcn(fcn_options(stride, options, settings));
}

std::vector<SettingInfo> fcn_settings() {
  std::vector<SettingInfo> settings{
      {"size", "small", "small | published",
       "published: width=64 norm=none fc_channels=4096 up=last_fixed alignment=authors "
       "score_start=zero, each unless given"},
      {"width", "16", "1 to 512",
       "channels of the first block; the blocks have 1, 2, 4, 8, 8 times as many "
       "(published: 64)"},
      {"norm", "batch", "batch | none", "normalisation after each convolution (published: none)"},
      {"fc_channels", "256", "1 to 65536", "channels of fc6 and fc7 (published: 4096)"},
      {"up", "transpose",
       "transpose | last_fixed | fixed | bilinear | nearest | bilinear_conv | nearest_conv",
       "how scores are magnified: transposed convolutions that start as bilinear, all learnt, "
       "all but the last (published) or none; or a resize, with a 3x3 convolution or without"},
      {"align_corners", "false", "true | false",
       "up = bilinear or bilinear_conv: the centres of the corner pixels meet; no tiles then"},
      {"alignment", "centred", "centred | authors",
       "fc6 padded, all scores of matching sizes; or 100 zeros around the picture and crops "
       "at the authors' offsets (published)"},
      {"score_start", "zero_skips", "random | zero_skips | zero",
       "which score layers start at zero: none, those of the skips, or all (published)"},
      {"dropout", "0.5", "0 to 0.95", "rate after fc6 and fc7"}};
  std::ranges::move(crf_settings(), std::back_inserter(settings));
  return settings;
}

}  // namespace

Graph build_fcn(const FcnOptions& o) {
  require_offsets(o);
  FcnBuilder fcn{o};
  GraphBuilder& g = fcn.g;
  const ValueId image = g.input("image", {.channels = o.input_channels});
  VggOptions backbone = o.backbone;
  backbone.ceil = fcn.authors();
  const VggTaps taps = vgg_backbone(g, fcn.framed(image), backbone);
  ValueId x = fcn.coarse_scores(taps.pool5);

  if (o.stride <= 16) x = fcn.fused("pool4", fcn.enlarged("upscore2", x, 2, o.up), taps.pool4);
  if (o.stride <= 8) x = fcn.fused("pool3", fcn.enlarged("upscore_pool4", x, 2, o.up), taps.pool3);
  // The authors' names: upscore8, upscore16, and plain upscore for 32s.
  const std::string suffix = o.stride == 32 ? "" : std::to_string(o.stride);
  x = fcn.enlarged("upscore" + suffix, x, o.stride, o.last_up);
  g.output("logits", with_crf(g, fcn.cropped("score", x, image), image, o.crf));
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
           .settings = fcn_settings(),
           .presets = {{"size",
                        "published",
                        {{"width", "64"},
                         {"norm", "none"},
                         {"fc_channels", "4096"},
                         {"up", "last_fixed"},
                         {"alignment", "authors"},
                         {"score_start", "zero"}}},
                       crf_preset()}},
          stride == 32   ? build_from_settings<32>
          : stride == 16 ? build_from_settings<16>
                         : build_from_settings<8>};
}

}  // namespace segmentum
