#include "graph/input_channels.h"

#include <variant>

#include "base/counted.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Moves or mixes pixels but not channels.
bool keeps_channels(const Operator& op) {
  return std::holds_alternative<op::Pad>(op) || std::holds_alternative<op::Crop>(op) ||
         std::holds_alternative<op::Resize>(op);
}

bool reads_picture(const Graph& graph, const Node& node) {
  const Node* from = &graph.node(node.inputs.front());
  while (keeps_channels(from->op)) from = &graph.node(from->inputs.front());
  return std::holds_alternative<op::Input>(from->op);
}

}  // namespace

std::set<std::string> first_convolution_weights(const Graph& graph) {
  std::set<std::string> names;
  if (graph.inputs.size() != 1) return names;
  for (const Node& node : graph.nodes) {
    const auto* conv = std::get_if<op::Conv>(&node.op);
    if (conv == nullptr || conv->groups != 1 || !reads_picture(graph, node)) continue;
    names.insert(graph.parameters[static_cast<std::size_t>(node.parameters.front())].name);
  }
  return names;
}

Tensor adapt_input_channels(const Tensor& weight, std::int64_t channels) {
  const Shape& shape = weight.shape();
  if (shape.rank() != 4 || channels < 1) {
    throw Error("weights of " + shape.to_string() + " for " + counted(channels, "channel") +
                "; expected [O,C,kh,kw] and at least one channel");
  }
  const std::int64_t from = shape[1], taps = shape[2] * shape[3];
  Tensor adapted({shape[0], channels, shape[2], shape[3]});
  const double factor = static_cast<double>(from) / static_cast<double>(channels);
  for (std::int64_t o = 0; o < shape[0]; ++o) {
    const float* source = weight.data() + o * from * taps;
    float* target = adapted.data() + o * channels * taps;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      if (channels == 1) {
        double sum = 0;
        for (std::int64_t c = 0; c < from; ++c) sum += source[c * taps + tap];
        target[tap] = static_cast<float>(sum);
        continue;
      }
      for (std::int64_t c = 0; c < channels; ++c) {
        target[c * taps + tap] = static_cast<float>(factor * source[c % from * taps + tap]);
      }
    }
  }
  return adapted;
}

}  // namespace segmentum
