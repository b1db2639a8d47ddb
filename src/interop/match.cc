#include "interop/match.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "graph/input_channels.h"
#include "interop/pickle.h"

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

/// Same but for the input channels, of which there are some.
bool differs_in_input_channels(const CheckpointTensor& tensor, const Shape& shape) {
  if (tensor.shape.size() != 4 || shape.rank() != 4 || tensor.shape[1] < 1) return false;
  Shape other = shape;
  other[1] = tensor.shape[1];
  return same_shape(tensor, other);
}

/// Whether the graph can use a tensor as `wanted`.
bool is_usable(const CheckpointTensor& tensor, const Shape& wanted, bool reads_picture) {
  return is_weight_type(tensor.type) &&
         (same_shape(tensor, wanted) ||
          (reads_picture && differs_in_input_channels(tensor, wanted)));
}

bool begins_with_one_of(const std::string& name, const std::vector<std::string>& beginnings) {
  return std::ranges::any_of(beginnings,
                             [&](const std::string& begin) { return name.starts_with(begin); });
}

/// Value minus the tensor `source.minus`, of the same shape.
Tensor read_source(const Checkpoint& checkpoint, const ForeignTensor& source) {
  Tensor value = checkpoint.read_finite(source.name);
  if (source.minus.empty()) return value;
  const Tensor minus = checkpoint.read_finite(source.minus);
  std::ranges::transform(value.values(), minus.values(), value.data(), std::minus<>());
  return value;
}

std::string our_cell(const Mismatch& mismatch) {
  return printable(mismatch.name, 70) + " " + mismatch.network;
}

std::string their_cell(const Mismatch& mismatch) {
  return printable(mismatch.called.empty() ? mismatch.name : mismatch.called, 70) + " " +
         mismatch.checkpoint;
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

Match match(const Checkpoint& checkpoint, const Graph& graph, const ForeignNames& names) {
  const auto& tensors = checkpoint.tensors();
  const std::set<std::string> first = first_convolution_weights(graph);
  std::set<std::string> seen, used;
  Match result{.whose = names.whose, .backbone_alone = names.of_classifier};
  for (const ParameterSpec& spec : graph.parameters) {
    if (!seen.insert(spec.name).second) continue;  // two nodes share it
    const auto source = names.tensor_of(spec.name);
    if (!source) {
      result.beyond_backbone.push_back(spec.name);
      continue;
    }
    used.insert({source->name, source->minus});
    const auto is_wrong = [&](const std::string& name) {
      const auto found = tensors.find(name);
      if (found == tensors.end()) {
        result.missing.push_back({spec.name, spec.shape.to_string(), ""});
      } else if (!is_usable(found->second, spec.shape, first.contains(spec.name))) {
        result.misshapen.push_back(
            {spec.name, spec.shape.to_string(), text_of(found->second), name});
      } else {
        return false;
      }
      return true;
    };
    if (is_wrong(source->name) || (!source->minus.empty() && is_wrong(source->minus))) continue;
    result.taken.push_back(spec.name);
    if (source->name != spec.name) result.renamed.emplace(spec.name, *source);
    if (!same_shape(tensors.at(source->name), spec.shape)) result.adapted.push_back(spec.name);
  }
  for (const auto& [name, tensor] : tensors) {
    if (used.contains(name) || name.ends_with("num_batches_tracked")) continue;
    if (begins_with_one_of(name, names.left)) {
      result.left.push_back(name);
    } else {
      result.unexpected.push_back({name, "", text_of(tensor)});
    }
  }
  return result;
}

std::string mismatch_table(const Match& match, std::size_t rows) {
  Rows table{{"the network has", "the checkpoint has"}};
  for (std::size_t i = 0; i < std::min(rows, match.misshapen.size()); ++i) {
    const Mismatch& wrong = match.misshapen[i];
    table.emplace_back(our_cell(wrong), their_cell(wrong) + "  (misshapen)");
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
    table.emplace_back(missing == nullptr ? "" : our_cell(*missing) + "  (missing)",
                       unexpected == nullptr ? "" : their_cell(*unexpected) + "  (unexpected)");
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
    const auto renamed = match.renamed.find(spec.name);
    Tensor value = read_source(
        checkpoint, renamed == match.renamed.end() ? ForeignTensor{spec.name} : renamed->second);
    if (value.shape() != spec.shape) value = adapt_input_channels(value, spec.shape[1]);
    store.add(spec.name, spec.role, std::move(value));
  }
  return store;
}

}  // namespace segmentum
