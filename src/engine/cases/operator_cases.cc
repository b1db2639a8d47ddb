#include <string>

#include "engine/cases/case_lists.h"

namespace segmentum {
namespace {

/// Each resize as the last step, which leaves in plain layout, and with another after it.
void add_resizes(EngineCases& cases) {
  const auto resize = [&](const std::string& name, const Shape& input, op::Resize options) {
    cases.push_back(single(
        name, input, [&](GraphBuilder& g, ValueId x) { return g.resize("resize", x, options); }));
    cases.push_back(single(name + "_within", input, [&](GraphBuilder& g, ValueId x) {
      return g.relu("after", g.resize("resize", x, options));
    }));
  };
  const auto like = [&](const std::string& name, const Shape& input, const Shape& size,
                        op::Resize options) {
    cases.push_back(pair(name, input, size, [&](GraphBuilder& g, ValueId a, ValueId b) {
      return g.resize_like("like", a, b, options);
    }));
    cases.push_back(pair(name + "_within", input, size, [&](GraphBuilder& g, ValueId a, ValueId b) {
      return g.relu("after", g.resize_like("like", a, b, options));
    }));
  };
  for (const bool align : {false, true}) {
    const std::string suffix = align ? "_aligned" : "";
    resize("bilinear_x2" + suffix, {2, 5, 5, 7}, {.align_corners = align, .scale = 2});
    resize("bilinear_x8" + suffix, {1, 11, 3, 2}, {.align_corners = align, .scale = 8});
    resize("bilinear_x4_of_1x1" + suffix, {1, 3, 1, 1}, {.align_corners = align, .scale = 4});
    resize("bilinear_x3_over_4" + suffix, {2, 5, 9, 8},
           {.align_corners = align, .scale = 3, .divisor = 4});
    like("bilinear_odd_up" + suffix, {2, 5, 4, 5}, {2, 3, 11, 7}, {.align_corners = align});
    like("bilinear_odd_down" + suffix, {1, 5, 13, 9}, {1, 1, 4, 7}, {.align_corners = align});
    like("bilinear_far_up" + suffix, {1, 21, 3, 2}, {1, 1, 29, 53}, {.align_corners = align});
    like("bilinear_to_1x1" + suffix, {1, 5, 6, 3}, {1, 1, 1, 1}, {.align_corners = align});
  }
  const op::Resize nearest{.mode = Interpolation::nearest};
  resize("nearest_x2", {2, 5, 5, 7}, {.mode = Interpolation::nearest, .scale = 2});
  like("nearest_odd_up", {2, 5, 4, 5}, {2, 3, 11, 7}, nearest);
  like("nearest_odd_down", {1, 9, 13, 9}, {1, 1, 4, 7}, nearest);
}

}  // namespace

void add_normalisations(EngineCases& cases) {
  const auto batch_norm = [&](const std::string& name, const Shape& input, op::BatchNorm options) {
    cases.push_back(single("batch_norm_" + name, input, [&](GraphBuilder& g, ValueId x) {
      return g.batch_norm("norm", x, options);
    }));
  };
  batch_norm("odd", {2, 5, 7, 9}, {});
  batch_norm("one_picture", {1, 19, 6, 5}, {.epsilon = 1e-3f, .momentum = 0.01f});
  batch_norm("batch3_of_1x1", {3, 4, 1, 1}, {});
  batch_norm("fused_relu", {3, 6, 5, 4}, {.activation = ActivationKind::relu});
  batch_norm("fused_relu6", {1, 9, 8, 7}, {.activation = ActivationKind::relu6});
  batch_norm("fused_leaky_relu", {1, 9, 8, 7}, {.activation = {ActivationKind::leaky_relu, 0.1f}});
  const auto group_norm = [&](const std::string& name, const Shape& input, int groups) {
    cases.push_back(single("group_norm_" + name, input, [&](GraphBuilder& g, ValueId x) {
      return g.group_norm("norm", x, {.groups = groups});
    }));
  };
  group_norm("of_2", {2, 6, 7, 5}, 3);
  group_norm("layer", {2, 5, 6, 7}, 1);
  group_norm("instance", {1, 7, 5, 6}, 7);
  group_norm("of_8", {1, 24, 5, 3}, 3);
  const auto layer_norm = [&](const std::string& name, const Shape& input) {
    cases.push_back(single("layer_norm_" + name, input, [&](GraphBuilder& g, ValueId x) {
      return g.layer_norm("norm", x, {.epsilon = 1e-3f});
    }));
  };
  layer_norm("odd", {2, 5, 7, 9});
  layer_norm("of_whole_blocks", {1, 16, 5, 3});
  layer_norm("wider_than_a_strip", {2, 19, 3, 71});
  layer_norm("batch3_of_1x1", {3, 12, 1, 1});
}

void add_pointwise(EngineCases& cases) {
  for (const NamedActivation& named : activations()) {
    cases.push_back(single(named.name, {2, 5, 7, 9}, [&](GraphBuilder& g, ValueId x) {
      return g.activate("activate", g.batch_norm("spread", x), named.activation);
    }));
    cases.push_back(
        single("conv_then_" + named.name, {2, 5, 7, 9}, [&](GraphBuilder& g, ValueId x) {
          return g.activate("activate", g.conv("conv", x, {.channels = 6}), named.activation);
        }));
    // Three times N(0,1), so that every piece of the hard activations is visited.
    cases.push_back(single(named.name + "_alone", {1, 3, 5, 5}, [&](GraphBuilder& g, ValueId x) {
      return g.activate("activate", g.add("x3", g.add("x2", x, x), x), named.activation);
    }));
  }
  cases.push_back(pair("add", {2, 5, 7, 6}, {2, 5, 7, 6},
                       [](GraphBuilder& g, ValueId a, ValueId b) { return g.add("sum", a, b); }));
  cases.push_back(single("add_to_itself", {1, 3, 4, 5},
                         [](GraphBuilder& g, ValueId x) { return g.add("twice", x, x); }));
  cases.push_back(
      pair("multiply", {2, 5, 7, 6}, {2, 5, 7, 6},
           [](GraphBuilder& g, ValueId a, ValueId b) { return g.multiply("product", a, b); }));
  cases.push_back(
      pair("multiply_broadcast", {2, 11, 7, 6}, {2, 11, 1, 1},
           [](GraphBuilder& g, ValueId a, ValueId b) { return g.multiply("product", a, b); }));
  cases.push_back(
      pair("maximum", {2, 5, 7, 6}, {2, 5, 7, 6},
           [](GraphBuilder& g, ValueId a, ValueId b) { return g.maximum("larger", a, b); }));
  cases.push_back(single("maximum_of_equals", {1, 3, 4, 5},
                         [](GraphBuilder& g, ValueId x) { return g.maximum("same", x, x); }));
  cases.push_back(pair("concat_odd_channels", {2, 3, 5, 6}, {2, 10, 5, 6},
                       [](GraphBuilder& g, ValueId a, ValueId b) {
                         return g.concat("both", {a, b});
                       }));
  cases.push_back(pair("concat_of_eights", {2, 8, 5, 6}, {2, 16, 5, 6},
                       [](GraphBuilder& g, ValueId a, ValueId b) {
                         return g.concat("both", {a, b});
                       }));
  cases.push_back(pair("concat_repeated", {1, 3, 5, 6}, {1, 5, 5, 6},
                       [](GraphBuilder& g, ValueId a, ValueId b) {
                         return g.concat("three", {b, a, b});
                       }));
  cases.push_back(single("dropout", {2, 5, 7, 9}, [](GraphBuilder& g, ValueId x) {
    return g.dropout("drop", x, {.rate = 0.3f});
  }));
  cases.push_back(single("softmax", {2, 11, 7, 5},
                         [](GraphBuilder& g, ValueId x) { return g.softmax("probabilities", x); }));
}

void add_poolings(EngineCases& cases) {
  const auto max_pool = [&](const std::string& name, const Shape& input, op::MaxPool options) {
    cases.push_back(single("max_pool_" + name, input, [&](GraphBuilder& g, ValueId x) {
      return g.max_pool("pool", x, options);
    }));
  };
  max_pool("2x2", {2, 5, 8, 6}, {});
  max_pool("2x2_odd", {1, 9, 7, 9}, {});
  max_pool("2x2_ceil", {1, 9, 7, 9}, {.ceil = true});
  max_pool("3x3_stride2_pad1", {2, 6, 11, 10}, {.kernel = 3, .stride = 2, .padding = 1});
  max_pool("3x3_stride2_ceil", {1, 4, 8, 10}, {.kernel = 3, .stride = 2, .ceil = true});
  max_pool("3x3_stride1", {1, 5, 6, 5}, {.kernel = 3, .stride = 1, .padding = 1});
  max_pool("2x3_asymmetric", {1, 3, 7, 8},
           {.kernel = {2, 3}, .stride = {1, 2}, .padding = {0, 1, 1, 1}});
  const auto average = [&](const std::string& name, const Shape& input, op::AveragePool options) {
    cases.push_back(single("average_pool_" + name, input, [&](GraphBuilder& g, ValueId x) {
      return g.average_pool("pool", x, options);
    }));
  };
  average("2x2", {2, 5, 8, 6}, {});
  average("2x2_odd", {1, 9, 7, 9}, {});
  average("3x3_padding_counts", {2, 6, 9, 8}, {.kernel = 3, .stride = 2, .padding = 1});
  average("3x3_padding_left_out", {2, 6, 9, 8},
          {.kernel = 3, .stride = 2, .padding = 1, .count_padding = false});
  average("2x2_ceil", {1, 5, 7, 9}, {.ceil = true});
  average("3x3_ceil_padding", {1, 5, 8, 6}, {.kernel = 3, .stride = 2, .padding = 1, .ceil = true});
  average("3x3_ceil_padding_left_out", {1, 5, 8, 6},
          {.kernel = 3, .stride = 2, .padding = 1, .ceil = true, .count_padding = false});
  cases.push_back(single("global_average_pool", {3, 7, 5, 9}, [](GraphBuilder& g, ValueId x) {
    return g.global_average_pool("pool", x);
  }));
}

void add_resampling(EngineCases& cases) {
  add_resizes(cases);
  const auto location = [&](const std::string& name, const Shape& input, int grid) {
    cases.push_back(single("location_grid_" + name, input, [&](GraphBuilder& g, ValueId x) {
      return g.location_grid("location", x, {.grid = grid});
    }));
  };
  location("3", {2, 27, 7, 10}, 3);
  location("2_of_10_classes", {1, 40, 5, 6}, 2);
  location("4_finer_than_the_picture", {2, 16, 3, 1}, 4);
  location("1", {1, 5, 4, 3}, 1);
  const auto pad = [&](const std::string& name, const Shape& input, op::Pad options) {
    cases.push_back(single("pad_" + name, input,
                           [&](GraphBuilder& g, ValueId x) { return g.pad("pad", x, options); }));
  };
  pad("zero", {2, 5, 5, 6}, {.margin = {1, 2, 3, 0}});
  pad("zero_to_multiple", {1, 3, 9, 17}, {.multiple = 8});
  pad("edge", {2, 5, 5, 6}, {.mode = PadMode::edge, .margin = {1, 2, 3, 0}});
  pad("edge_wider_than_picture", {1, 3, 3, 2}, {.mode = PadMode::edge, .margin = 7});
  pad("mirror", {2, 5, 5, 6}, {.mode = PadMode::mirror, .margin = {1, 2, 3, 0}});
  pad("mirror_wider_than_picture", {1, 3, 3, 2}, {.mode = PadMode::mirror, .margin = 7});
  pad("mirror_1x1_to_16", {1, 3, 1, 1}, {.mode = PadMode::mirror, .multiple = 16});
  pad("mirror_with_remainder", {1, 3, 7, 10},
      {.mode = PadMode::mirror, .margin = 3, .multiple = 8, .remainder = 4});
  cases.push_back(
      pair("crop_corner", {2, 5, 9, 8}, {2, 3, 5, 6},
           [](GraphBuilder& g, ValueId a, ValueId b) { return g.crop_like("crop", a, b); }));
  cases.push_back(
      pair("crop_centre", {2, 5, 9, 8}, {2, 3, 4, 5}, [](GraphBuilder& g, ValueId a, ValueId b) {
        return g.crop_like("crop", a, b, {.centre = true});
      }));
  cases.push_back(
      pair("crop_offset", {1, 9, 9, 8}, {1, 3, 4, 5}, [](GraphBuilder& g, ValueId a, ValueId b) {
        return g.crop_like("crop", a, b, {.offset = {2, 3}});
      }));
}

}  // namespace segmentum
