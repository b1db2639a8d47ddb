// A network as data: nodes, parameters, named inputs and outputs. Channels are fixed, H and W are
// free.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/operators.h"
#include "tensor/shape.h"

namespace segmentum {

/// A value of the graph is named by the node that makes it: its index in `Graph::nodes`.
using ValueId = int;

/// What a parameter is to training: weights decay; running statistics and fixed weights are not
/// learnt. pairwise: the factors and costs of a random field.
enum class ParameterRole {
  weight,
  bias,
  norm_weight,
  norm_bias,
  running_mean,
  running_var,
  fixed_weight,
  pairwise
};

constexpr bool is_trainable(ParameterRole role) {
  return role != ParameterRole::running_mean && role != ParameterRole::running_var &&
         role != ParameterRole::fixed_weight;
}

/// A parameter by the name that published checkpoints use.
struct ParameterSpec {
  std::string name;
  Shape shape;
  ParameterRole role = ParameterRole::weight;
  Init init = Init::he_normal;
};

/// One operator applied to values made before it.
struct Node {
  std::string name;  // unique in the graph; the paper's word where there is one
  Operator op;
  std::vector<ValueId> inputs;  // all smaller than the node's own index
  std::vector<int> parameters;  // indices into Graph::parameters, in the operator's order
  int channels = 0;             // of the value it makes
};

/// A value that callers may read, by name: "logits", "aux", "probabilities".
struct Output {
  std::string name;
  ValueId value = -1;
};

/// Nodes stand in an order in which they can run. Value semantics; rewrites return new graphs.
struct Graph {
  std::string architecture;  // "unet": who built it
  std::vector<Node> nodes;
  std::vector<ParameterSpec> parameters;
  std::vector<ValueId> inputs;
  std::vector<Output> outputs;

  const Node& node(ValueId value) const { return nodes[static_cast<std::size_t>(value)]; }
  /// The output called `name`; throws Error listing the outputs there are.
  ValueId output(const std::string& name) const;
  /// How many nodes and outputs read each value.
  std::vector<int> use_counts() const;
};

/// The shape of every value for inputs of these shapes [N,C,H,W], one for each of `graph.inputs`.
/// Throws Error naming the node where sizes cannot work. O(nodes).
std::vector<Shape> infer_shapes(const Graph& graph, std::span<const Shape> inputs);

/// Pads in effect at this size: `margin` plus what `multiple` and `remainder` ask for.
Padding resolve_padding(const op::Pad& pad, std::int64_t h, std::int64_t w);

/// Where a crop of [h,w] to [to_h,to_w] starts.
Size2 resolve_crop(const op::Crop& crop, std::int64_t h, std::int64_t w, std::int64_t to_h,
                   std::int64_t to_w);

/// Throws Error unless indices, channels and parameter shapes agree: run on every graph from a
/// file.
void validate(const Graph& graph);

/// Builds a graph node by node; options are set by name: g.conv("fc6", pool5, {.channels = 4096,
/// .kernel = 7}). A node's parameters are called NAME.weight and so on; names are unique, and only
/// `repeat` shares parameters.
class GraphBuilder {
 public:
  explicit GraphBuilder(std::string architecture);

  ValueId input(const std::string& name, op::Input options);
  ValueId conv(const std::string& name, ValueId x, op::Conv options);
  ValueId transposed_conv(const std::string& name, ValueId x, op::TransposedConv options);
  ValueId batch_norm(const std::string& name, ValueId x, op::BatchNorm options = {});
  ValueId group_norm(const std::string& name, ValueId x, op::GroupNorm options);
  ValueId layer_norm(const std::string& name, ValueId x, op::LayerNorm options = {});
  ValueId activate(const std::string& name, ValueId x, Activation activation);
  ValueId relu(const std::string& name, ValueId x) {
    return activate(name, x, ActivationKind::relu);
  }
  ValueId max_pool(const std::string& name, ValueId x, op::MaxPool options = {});
  ValueId average_pool(const std::string& name, ValueId x, op::AveragePool options = {});
  ValueId global_average_pool(const std::string& name, ValueId x);
  ValueId resize(const std::string& name, ValueId x, op::Resize options);
  ValueId resize_like(const std::string& name, ValueId x, ValueId like, op::Resize options = {});
  ValueId concat(const std::string& name, std::vector<ValueId> values);
  ValueId add(const std::string& name, ValueId a, ValueId b);
  ValueId multiply(const std::string& name, ValueId x, ValueId factor);
  ValueId pad(const std::string& name, ValueId x, op::Pad options);
  ValueId crop_like(const std::string& name, ValueId x, ValueId like, op::Crop options = {});
  ValueId dropout(const std::string& name, ValueId x, op::Dropout options);
  ValueId softmax(const std::string& name, ValueId x);
  ValueId location_grid(const std::string& name, ValueId x, op::LocationGrid options = {});
  ValueId mean_field(const std::string& name, ValueId scores, ValueId picture,
                     op::MeanField options = {});
  ValueId maximum(const std::string& name, ValueId a, ValueId b);
  /// Once more what leads from `from` to `to`, on `x` in the place of `from` and with the same
  /// parameters: nodes are called NAME + `suffix`, parameters are shared. What does not depend on
  /// `from` is not repeated. Returns what stands for `to`. Throws Error if `to` does not depend on
  /// `from`, or if `x` has another number of channels.
  ValueId repeat(const std::string& suffix, ValueId from, ValueId to, ValueId x);
  void output(const std::string& name, ValueId value);

  int channels(ValueId value) const { return graph_.node(value).channels; }
  /// What has been built so far, for readers such as `aligned_offset`.
  const Graph& graph() const { return graph_; }
  /// The finished, validated graph.
  Graph build() &&;

 private:
  ValueId append(const std::string& name, Operator op, std::vector<ValueId> inputs);
  Graph graph_;
};

/// The parameters that `node`'s operator needs, in order, with names NAME.weight and so on.
std::vector<ParameterSpec> parameter_specs(const std::string& name, const Operator& op,
                                           int input_channels);

/// Channels of the value that `op` makes of inputs of these channels. Throws Error where they do
/// not fit.
int output_channels(const Operator& op, std::span<const int> input_channels);

}  // namespace segmentum
