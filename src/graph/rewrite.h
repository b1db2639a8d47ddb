// Pure steps from a graph to an equivalent one that costs less. Names of outputs never change, and
// nodes and parameters that survive keep theirs.
#pragma once

#include <span>
#include <string>

#include "graph/graph.h"
#include "graph/parameter_store.h"

namespace segmentum {

/// Without the nodes and parameters that no output needs. Inputs stay, used or not: callers bring
/// one tensor for each. Parameters are ordered by first use.
Graph remove_unused(const Graph& graph);

/// With these outputs alone, in this order, and without what only others needed. Throws Error for
/// an unknown name.
Graph keep_outputs(const Graph& graph, std::span<const std::string> names);

/// Dropout does nothing at inference.
Graph drop_dropout(const Graph& graph);

/// An activation that is the only reader of a convolution of either kind, a batch norm or an add
/// without one becomes part of it.
Graph fuse_activation(const Graph& graph);

/// A convolution without activation that only an add reads takes over the add, and the add's
/// activation (`op::Conv::add`); it then stands where the add stood. Of two such the later one.
Graph fuse_add(const Graph& graph);

/// A 1x1 convolution after a magnification moves before it, where pixels are fewer, if it also
/// lowers the number of channels. The same function, bias included, because the weights of a
/// bilinear or nearest resize sum to one; rounding differs. An activation may come along only past
/// a nearest resize.
Graph move_pointwise_before_resize(const Graph& graph);

struct GraphWithParameters {
  Graph graph;
  ParameterStore parameters;  // those of `graph` alone
};

/// A batch norm (with its running statistics) that is the only reader of a convolution of either
/// kind becomes that convolution's weights and bias, its activation included:
///   weight' = weight * s, bias' = (bias - mean) * s + beta, s = gamma / sqrt(var + epsilon),
/// computed in double. Convolutions that have an activation, add, or share their parameters are
/// left alone. Throws Error if `parameters` do not fit. Never save the result: training could not
/// go on from it.
GraphWithParameters fold_batch_norm(const Graph& graph, const ParameterStore& parameters);

/// All of the above, until nothing changes.
GraphWithParameters optimise_for_inference(const Graph& graph, const ParameterStore& parameters);

}  // namespace segmentum
