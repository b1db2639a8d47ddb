#include "models/hypercolumn.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "graph/rewrite.h"
#include "models/deeplab_parts.h"
#include "models/up_setting.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// A layer of the column.
struct Layer {
  std::string name;
  ValueId value;
  int factor;  // by which it is magnified to the finest one
};

/// A picture with its layers, padded so that they meet.
struct Column {
  ValueId image;
  std::vector<Layer> layers;
  int stride;  // of the finest layer
};

ValueId magnified(GraphBuilder& g, const std::string& name, ValueId x, int factor,
                  const UpsampleOptions& up) {
  return factor == 1 ? x : upsample(g, name, x, factor, up);
}

void check_layers(const std::vector<int>& layers) {
  const bool rising = std::ranges::is_sorted(layers, std::ranges::less_equal{});
  if (!layers.empty() && rising && layers.front() >= 1 && layers.back() <= 5) return;
  throw Error("a hypercolumn of layers that are no rising list of levels from 1 to 5");
}

Column column(GraphBuilder& g, const HypercolumnOptions& o) {
  check_layers(o.layers);
  const ValueId image = g.input("image", {.channels = o.input_channels});
  const ValueId padded = g.pad("pad", image, {.mode = PadMode::mirror, .multiple = 32});
  const BackboneFeatures levels =
      build_backbone(g, padded, {o.backbone, o.width, o.norm}, {.prefix = "backbone."});
  Column result{image, {}, 1 << o.layers.front()};
  for (const int level : o.layers) {
    const std::string name = "level" + std::to_string(level);
    ValueId x = levels[static_cast<std::size_t>(level) - 1];
    if (o.hidden == 0 && o.dropout > 0) x = g.dropout("drop_" + name, x, {o.dropout});
    result.layers.push_back({name, x, 1 << (level - o.layers.front())});
  }
  return result;
}

/// A 1x1 convolution on the column of every pixel.
ValueId classify(GraphBuilder& g, const std::string& name, const std::vector<Layer>& layers,
                 const HypercolumnOptions& o, op::Conv conv) {
  if (o.fusion == HypercolumnFusion::concat) {
    std::vector<ValueId> values;
    for (const Layer& layer : layers) {
      values.push_back(magnified(g, "up_" + layer.name, layer.value, layer.factor, o.up));
    }
    return g.conv(name, g.concat("hypercolumn", values), conv);
  }
  ValueId sum = -1;
  for (const Layer& layer : layers) {
    const ValueId part =
        magnified(g, "up_" + layer.name, g.conv(name + "_" + layer.name, layer.value, conv),
                  layer.factor, o.up);
    sum = sum < 0 ? part : g.add("fuse_" + layer.name, sum, part);
    conv.bias = false;  // one is enough
  }
  return sum;
}

/// `channels` scores for every pixel of the finest layer.
ValueId scores(GraphBuilder& g, const Column& column, const HypercolumnOptions& o, int channels) {
  if (o.hidden == 0) {
    return classify(g, "score", column.layers, o, {.channels = channels});
  }
  ValueId x = classify(g, "hidden", column.layers, o, {.channels = o.hidden, .bias = false});
  x = g.relu("hidden_relu", g.batch_norm("hidden_bn", x));
  if (o.dropout > 0) x = g.dropout("drop", x, {o.dropout});
  return g.conv("score", x, {.channels = channels});
}

void output_at_full_size(GraphBuilder& g, ValueId x, const Column& column,
                         const UpsampleOptions& up) {
  x = magnified(g, "upscore", x, column.stride, up);
  g.output("logits", g.crop_like("logits", x, column.image));
}

// ---- settings -----------------------------------------------------------------------------------

/// "2,3,5" as numbers; nothing where it is no such list.
std::vector<int> levels_of(const std::string& text) {
  std::vector<int> levels;
  const char* const end = text.data() + text.size();
  for (const char* at = text.data();; ++at) {
    int level = 0;
    const auto [stop, error] = std::from_chars(at, end, level);
    if (error != std::errc() || (stop != end && *stop != ',')) return {};
    levels.push_back(level);
    if (stop == end) return levels;
    at = stop;
  }
}

std::vector<int> layers_setting(const Settings& settings) {
  std::vector<int> levels = levels_of(settings.values().at("layers"));
  try {
    check_layers(levels);
  } catch (const Error&) {
    settings.throw_expected("layers", "a rising list of levels from 1 to 5, such as 2,3,5");
  }
  return levels;
}

HypercolumnOptions options_of(const ModelOptions& options, const Settings& settings) {
  const Backbone backbone = backbone_choice(settings);
  return {.input_channels = options.input_channels,
          .classes = options.classes,
          .backbone = backbone,
          .width = width_choice(settings, backbone),
          .norm = vgg_norm_choice(settings, backbone),
          .layers = layers_setting(settings),
          .fusion = settings.choice<HypercolumnFusion>(
              "fusion", {{"sum", HypercolumnFusion::sum}, {"concat", HypercolumnFusion::concat}}),
          .hidden = settings.integer("hidden", 0, 65536),
          .dropout = settings.real("dropout", 0, 0.95f),
          .up = up_choice(settings)};
}

Graph build_dense(const ModelOptions& options, const Settings& settings) {
  return build_hypercolumn(options_of(options, settings));
}

Graph build_boxes(const ModelOptions& options, const Settings& settings) {
  return build_hypercolumn_boxes(options_of(options, settings), settings.integer("grid", 1, 64));
}

std::vector<SettingInfo> shared_settings() {
  return {backbone_setting("vgg16", "vgg16, without batch norm"),
          {"width", "16", "1 to 512 | published",
           "channels of the backbone's first convolution, all others in proportion (published: 64, "
           "mobilenet_v2 and xception65 32, mobilenet_v3_large 16)"},
          vgg_norm_setting(),
          {"layers", "2,3,4,5", "levels 1 to 5",
           "what the column is made of: levels of the backbone, of stride 2 to 32"},
          {"fusion", "sum", "sum | concat",
           "how layers meet, one function of equal weights: scores of each added (fast), or layers "
           "joined before one classifier"},
          {"hidden", "0", "0 to 65536",
           "channels of a hidden layer on the column; 0: linear, as published"},
          {"dropout", "0.1", "0 to 0.95", "rate on the hidden layer, or without one on the column"},
          up_setting("layers and scores"),
          {"align_corners", "false", "true | false",
           "up = bilinear or bilinear_conv: the centres of the corner pixels meet; no tiles then"}};
}

constexpr const char* kPaper =
    "Hariharan, Arbelaez, Girshick, Malik: Hypercolumns for Object Segmentation and Fine-grained "
    "Localization, CVPR 2015";

}  // namespace

Graph build_hypercolumn(const HypercolumnOptions& o) {
  GraphBuilder g("hypercolumn");
  const Column c = column(g, o);
  output_at_full_size(g, scores(g, c, o, o.classes), c, o.up);
  return remove_unused(std::move(g).build());
}

Graph build_hypercolumn_boxes(const HypercolumnOptions& o, int grid) {
  GraphBuilder g("hypercolumn_boxes");
  const Column c = column(g, o);
  const ValueId maps = scores(g, c, o, o.classes * grid * grid);
  // The padding is no place that a classifier is for. A pooling of one pixel gives the size: as
  // many strides as begin in the crop.
  const ValueId size = g.max_pool("heatmap_size", c.image, {.kernel = 1, .stride = c.stride});
  const ValueId inside = g.crop_like("heatmap_crop", maps, size);
  output_at_full_size(g, g.location_grid("heatmap", inside, {.grid = grid}), c, o.up);
  return remove_unused(std::move(g).build());
}

Architecture hypercolumn_architecture() {
  return {{.name = "hypercolumn",
           .description = "every pixel classified by its column of several layers of a backbone",
           .paper = kPaper,
           .settings = shared_settings()},
          build_dense};
}

Architecture hypercolumn_boxes_architecture() {
  std::vector<SettingInfo> settings = shared_settings();
  settings.push_back(
      {"grid", "10", "1 to 64", "classifiers on each side of the box, interpolated between"});
  settings.push_back({"side", "200", "32 to 2048",
                      "pixels on each side of the stretched crop around a box; the heatmap has a "
                      "stride of the finest layer"});
  settings.push_back(
      {"expand", "1.2", "1 to 4", "factor by which a box grows before it is cropped"});
  return {
      {.name = "hypercolumn_boxes",
       .description = "the object in each given box, by hypercolumns and classifiers by location",
       .paper = kPaper,
       .settings = std::move(settings),
       .on_boxes = true},
      build_boxes};
}

}  // namespace segmentum
