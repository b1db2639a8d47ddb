// A first convolution that was learnt on pictures of other channels.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "graph/graph.h"
#include "tensor/tensor.h"

namespace segmentum {

/// The names of the weights that weigh the picture's own channels: those of ungrouped convolutions
/// whose input is the graph's only input, at most padded, cropped or resized on the way.
std::set<std::string> first_convolution_weights(const Graph& graph);

/// Weights [O,from,kh,kw] for `channels` channels, so that equal channels give what they gave
/// before: one channel takes the sum over all; else channel i takes that of i % from, times
/// from / channels. The rule of segmentation_models.pytorch and timm. Throws Error unless there
/// are four axes and `channels` is positive.
Tensor adapt_input_channels(const Tensor& weight, std::int64_t channels);

}  // namespace segmentum
