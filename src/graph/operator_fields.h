// The settings of every operator, listed once: what files hold, what is checked, in which order.
#pragma once

#include <type_traits>

#include "graph/operators.h"

namespace segmentum {

/// No setting that is a whole number may be larger, so that sums and products of two cannot
/// overflow; the sizes of parameters are checked besides.
inline constexpr int kLargestSetting = 1 << 20;

/// Calls visitor(name, field, lowest) for every setting of `o`; `lowest` is the smallest value that
/// a whole number may take there; below 0, real ones may be negative.
template <typename Op, typename Visitor>
void visit_fields(Op& o, const Visitor& field) {
  using Kind = std::remove_const_t<Op>;
  constexpr auto is = []<typename... Of>(std::type_identity<Of>...) {
    return (std::is_same_v<Kind, Of> || ...);
  };
  if constexpr (is(std::type_identity<op::Input>{})) {
    field("channels", o.channels, 1);
  } else if constexpr (is(std::type_identity<op::Conv>{})) {
    field("channels", o.channels, 1);
    field("kernel", o.kernel, 1);
    field("stride", o.stride, 1);
    field("dilation", o.dilation, 1);
    field("padding", o.padding, 0);
    field("groups", o.groups, 1);
    field("bias", o.bias, 0);
    field("activation", o.activation, 0);
    field("add", o.add, 0);
    field("init", o.init, 0);
    field("phase", o.phase, 0);
  } else if constexpr (is(std::type_identity<op::TransposedConv>{})) {
    field("channels", o.channels, 1);
    field("kernel", o.kernel, 1);
    field("stride", o.stride, 1);
    field("padding", o.padding, 0);
    field("output_padding", o.output_padding, 0);
    field("groups", o.groups, 1);
    field("bias", o.bias, 0);
    field("learnt", o.learnt, 0);
    field("activation", o.activation, 0);
    field("init", o.init, 0);
  } else if constexpr (is(std::type_identity<op::BatchNorm>{})) {
    field("epsilon", o.epsilon, 0);
    field("momentum", o.momentum, 0);
    field("activation", o.activation, 0);
  } else if constexpr (is(std::type_identity<op::GroupNorm>{})) {
    field("groups", o.groups, 1);
    field("epsilon", o.epsilon, 0);
  } else if constexpr (is(std::type_identity<op::LayerNorm>{})) {
    field("epsilon", o.epsilon, 0);
  } else if constexpr (is(std::type_identity<op::Activate>{}, std::type_identity<op::Add>{})) {
    field("activation", o.activation, 0);
  } else if constexpr (is(std::type_identity<op::MaxPool>{})) {
    field("kernel", o.kernel, 1);
    field("stride", o.stride, 1);
    field("padding", o.padding, 0);
    field("ceil", o.ceil, 0);
  } else if constexpr (is(std::type_identity<op::AveragePool>{})) {
    field("kernel", o.kernel, 1);
    field("stride", o.stride, 1);
    field("padding", o.padding, 0);
    field("ceil", o.ceil, 0);
    field("count_padding", o.count_padding, 0);
  } else if constexpr (is(std::type_identity<op::Resize>{})) {
    field("mode", o.mode, 0);
    field("align_corners", o.align_corners, 0);
    field("scale", o.scale, 0);
    field("divisor", o.divisor, 1);
  } else if constexpr (is(std::type_identity<op::Pad>{})) {
    field("mode", o.mode, 0);
    field("margin", o.margin, 0);
    field("multiple", o.multiple, 1);
    field("remainder", o.remainder, 0);
  } else if constexpr (is(std::type_identity<op::Crop>{})) {
    field("centre", o.centre, 0);
    field("offset", o.offset, 0);
  } else if constexpr (is(std::type_identity<op::Dropout>{})) {
    field("rate", o.rate, 0);
  } else if constexpr (is(std::type_identity<op::LocationGrid>{})) {
    field("grid", o.grid, 1);
  } else if constexpr (is(std::type_identity<op::MeanField>{})) {
    field("iterations", o.iterations, 1);
    field("spatial_sigma_px", o.spatial_sigma_px, 0);
    field("spatial_weight", o.spatial_weight, 0);
    field("bilateral_sigma_px", o.bilateral_sigma_px, 0);
    field("bilateral_sigma_colour", o.bilateral_sigma_colour, 0);
    field("bilateral_weight", o.bilateral_weight, 0);
    field("normalisation", o.normalisation, 0);
    field("levels", o.levels, 0);
    field("zero_levels", o.zero_levels, -1);
  } else {
    static_assert(is(std::type_identity<op::GlobalAveragePool>{}, std::type_identity<op::Concat>{},
                     std::type_identity<op::Multiply>{}, std::type_identity<op::Softmax>{},
                     std::type_identity<op::Maximum>{}),
                  "an operator whose settings are not listed");
  }
}

}  // namespace segmentum
