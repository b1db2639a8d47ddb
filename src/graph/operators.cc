#include "graph/operators.h"

#include <array>

namespace segmentum {

const char* operator_name(const Operator& op) {
  static constexpr std::array<const char*, std::variant_size_v<Operator>> kNames{
      "input",
      "conv",
      "transposed_conv",
      "batch_norm",
      "group_norm",
      "layer_norm",
      "activate",
      "max_pool",
      "average_pool",
      "global_average_pool",
      "resize",
      "concat",
      "add",
      "multiply",
      "pad",
      "crop",
      "dropout",
      "softmax",
      "maximum",
      "location_grid",
      "mean_field"};
  return kNames[op.index()];
}

const char* activation_name(ActivationKind kind) {
  static constexpr std::array<const char*, 8> kNames{
      "none", "relu", "leaky_relu", "relu6", "sigmoid", "hard_sigmoid", "hard_swish", "gelu"};
  return kNames[static_cast<std::size_t>(kind)];
}

const char* normalisation_name(CrfNormalisation normalisation) {
  static constexpr std::array<const char*, 4> kNames{"symmetric", "before", "after", "none"};
  return kNames[static_cast<std::size_t>(normalisation)];
}

Activation fused_activation(const Operator& op) {
  if (const auto* conv = std::get_if<op::Conv>(&op)) return conv->activation;
  if (const auto* conv = std::get_if<op::TransposedConv>(&op)) return conv->activation;
  if (const auto* norm = std::get_if<op::BatchNorm>(&op)) return norm->activation;
  if (const auto* add = std::get_if<op::Add>(&op)) return add->activation;
  return {};
}

}  // namespace segmentum
