#include "interop/match.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <variant>

#include "interop/pickle.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

bool is_weight_type(NumberType type) {
  return type == NumberType::f32 || type == NumberType::f64 || type == NumberType::f16 ||
         type == NumberType::bf16;
}

std::string text_of(const CheckpointTensor& tensor) {
  return tensor.shape_text() +
         (is_weight_type(tensor.type) ? "" : " " + std::string(name_of(tensor.type)));
}

bool same_shape(const CheckpointTensor& tensor, const Shape& shape) {
  if (static_cast<int>(tensor.shape.size()) != shape.rank()) return false;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (tensor.shape[static_cast<std::size_t>(axis)] != shape[axis]) return false;
  }
  return true;
}

/// Names of the weights of convolutions that read the picture itself, padded or not.
std::set<std::string> first_convolutions(const Graph& graph) {
  std::set<ValueId> pictures(graph.inputs.begin(), graph.inputs.end());
  std::set<std::string> names;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.inputs.empty() || !pictures.contains(node.inputs[0])) continue;
    if (std::holds_alternative<op::Pad>(node.op)) pictures.insert(static_cast<ValueId>(i));
    const auto* conv = std::get_if<op::Conv>(&node.op);
    if (conv != nullptr && conv->groups == 1) {
      names.insert(graph.parameters[static_cast<std::size_t>(node.parameters[0])].name);
    }
  }
  return names;
}

/// Same but for the input channels, of which there are some.
bool differs_in_input_channels(const CheckpointTensor& tensor, const Shape& shape) {
  if (tensor.shape.size() != 4 || shape.rank() != 4 || tensor.shape[1] < 1) return false;
  Shape other = shape;
  other[1] = tensor.shape[1];
  return same_shape(tensor, other);
}

/// [O,C,h,w] for [O,N,h,w]: the response to a picture of equal channels stays.
Tensor with_input_channels(const Tensor& weight, std::int64_t channels) {
  const Shape& from = weight.shape();
  Tensor result(Shape{from[0], channels, from[2], from[3]});
  const std::int64_t area = from[2] * from[3];
  const float scale = static_cast<float>(from[1]) / static_cast<float>(channels);
  for (std::int64_t o = 0; o < from[0]; ++o) {
    const float* old_kernel = weight.data() + o * from[1] * area;
    float* new_kernel = result.data() + o * channels * area;
    if (channels == 1) {
      for (std::int64_t i = 0; i < from[1] * area; ++i) new_kernel[i % area] += old_kernel[i];
      continue;
    }
    for (std::int64_t i = 0; i < channels * area; ++i) {
      new_kernel[i] = old_kernel[i / area % from[1] * area + i % area] * scale;
    }
  }
  return result;
}

void require_finite(const std::string& name, const Tensor& value) {
  const auto wrong =
      std::ranges::count_if(value.values(), [](float number) { return !std::isfinite(number); });
  if (wrong > 0) {
    throw Error("tensor \"" + printable(name) + "\" has " + std::to_string(wrong) +
                " numbers that are not finite; the training that made it had failed");
  }
}

std::string cell(const Mismatch& mismatch, const std::string& shape) {
  return printable(mismatch.name, 70) + " " + shape;
}

using Rows = std::vector<std::pair<std::string, std::string>>;

std::string aligned(const Rows& rows) {
  std::size_t width = 0;
  for (const auto& [left, right] : rows) width = std::max(width, left.size());
  std::string text;
  for (const auto& [left, right] : rows) {
    text += "  " + left;
    if (!right.empty()) text += std::string(width - left.size() + 2, ' ') + right;
    text += '\n';
  }
  return text;
}

std::string rest_text(std::size_t all, std::size_t rows) {
  return all > rows ? "... and " + std::to_string(all - rows) + " more" : "";
}

}  // namespace

Match match(const Checkpoint& checkpoint, const Graph& graph) {
  const std::set<std::string> first = first_convolutions(graph);
  std::set<std::string> known;
  Match result;
  for (const ParameterSpec& spec : graph.parameters) {
    if (!known.insert(spec.name).second) continue;  // two nodes share it
    const auto found = checkpoint.tensors().find(spec.name);
    const std::string wanted = spec.shape.to_string();
    if (found == checkpoint.tensors().end()) {
      result.missing.push_back({spec.name, wanted, ""});
      continue;
    }
    const CheckpointTensor& tensor = found->second;
    const bool adapts = first.contains(spec.name) && differs_in_input_channels(tensor, spec.shape);
    if (!is_weight_type(tensor.type) || !(same_shape(tensor, spec.shape) || adapts)) {
      result.misshapen.push_back({spec.name, wanted, text_of(tensor)});
      continue;
    }
    result.taken.push_back(spec.name);
    if (!same_shape(tensor, spec.shape)) result.adapted.push_back(spec.name);
  }
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    if (known.contains(name) || name.ends_with("num_batches_tracked")) continue;
    result.unexpected.push_back({name, "", text_of(tensor)});
  }
  return result;
}

std::string mismatch_table(const Match& match, std::size_t rows) {
  Rows table{{"the network has", "the checkpoint has"}};
  for (std::size_t i = 0; i < std::min(rows, match.misshapen.size()); ++i) {
    const Mismatch& wrong = match.misshapen[i];
    table.emplace_back(cell(wrong, wrong.network), cell(wrong, wrong.checkpoint) + "  (misshapen)");
  }
  if (match.misshapen.size() > rows) {
    table.emplace_back(rest_text(match.misshapen.size(), rows), "(misshapen)");
  }
  const std::size_t longest = std::max(match.missing.size(), match.unexpected.size());
  for (std::size_t i = 0; i < std::min(rows, longest); ++i) {
    const auto at = [&](const std::vector<Mismatch>& list) {
      return i < list.size() ? &list[i] : nullptr;
    };
    const Mismatch* missing = at(match.missing);
    const Mismatch* unexpected = at(match.unexpected);
    table.emplace_back(
        missing == nullptr ? "" : cell(*missing, missing->network) + "  (missing)",
        unexpected == nullptr ? "" : cell(*unexpected, unexpected->checkpoint) + "  (unexpected)");
  }
  if (longest > rows) {
    table.emplace_back(rest_text(match.missing.size(), rows),
                       rest_text(match.unexpected.size(), rows));
  }
  return aligned(table);
}

std::string mismatch_counts(const Match& match) {
  return std::to_string(match.missing.size()) + " missing, " +
         std::to_string(match.unexpected.size()) + " unexpected, " +
         std::to_string(match.misshapen.size()) + " misshapen";
}

ParameterStore matched_parameters(const Checkpoint& checkpoint, const Graph& graph,
                                  const Match& match, std::uint64_t seed) {
  const std::set<std::string> taken(match.taken.begin(), match.taken.end());
  Graph others;  // parameters alone: what `initialise` looks at
  for (const ParameterSpec& spec : graph.parameters) {
    if (!taken.contains(spec.name)) others.parameters.push_back(spec);
  }
  ParameterStore store = initialise(others, seed);
  for (const ParameterSpec& spec : graph.parameters) {
    if (store.contains(spec.name)) continue;
    Tensor value = checkpoint.read(spec.name);
    require_finite(spec.name, value);
    if (value.shape() != spec.shape) value = with_input_channels(value, spec.shape[1]);
    store.add(spec.name, spec.role, std::move(value));
  }
  return store;
}

}  // namespace segmentum
