#include "train/weight_transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/spelling.h"
#include "graph/input_channels.h"

namespace segmentum {
namespace {

using Parameters = std::vector<WeightTransfer::Parameter>;

/// "encoder.0.conv1" of "encoder.0.conv1.weight", and "weight".
std::string node_of(const std::string& parameter) {
  return parameter.substr(0, parameter.find_last_of('.'));
}
std::string role_of(const std::string& parameter) {
  return parameter.substr(parameter.find_last_of('.') + 1);
}

/// Each once, in the order given.
std::vector<std::string> nodes_of(const std::vector<std::string>& parameters) {
  std::vector<std::string> nodes;
  for (const std::string& name : parameters) {
    const std::string node = node_of(name);
    if (std::ranges::find(nodes, node) == nodes.end()) nodes.push_back(node);
  }
  return nodes;
}

std::int64_t numbers(const Parameters& parameters) {
  std::int64_t sum = 0;
  for (const auto& parameter : parameters) sum += parameter.here.count();
  return sum;
}

bool differ_in_channels_alone(const Shape& here, const Shape& there) {
  return here.rank() == 4 && there.rank() == 4 && here[0] == there[0] && here[2] == there[2] &&
         here[3] == there[3];
}

std::string counts_line(const WeightTransfer& transfer, const std::string& source) {
  const std::size_t all = transfer.taken.size() + transfer.adapted.size() + transfer.fresh.size();
  const std::int64_t taken = numbers(transfer.taken);
  return fmt::format(
      "weights of {}: {} of {} tensors taken ({} of {} numbers), {} adapted, {} re-initialised, {} "
      "of that model not used",
      source, transfer.taken.size(), all, taken,
      taken + numbers(transfer.adapted) + numbers(transfer.fresh), transfer.adapted.size(),
      transfer.fresh.size(), transfer.left.size());
}

}  // namespace

WeightTransfer plan_transfer(const Graph& from, const Graph& to) {
  std::map<std::string, Shape> there;
  for (const ParameterSpec& spec : from.parameters) there.emplace(spec.name, spec.shape);
  const std::set<std::string> first_there = first_convolution_weights(from);
  const std::set<std::string> first_here = first_convolution_weights(to);
  WeightTransfer transfer;
  for (const ParameterSpec& spec : to.parameters) {
    const auto found = there.find(spec.name);
    if (found == there.end()) {
      transfer.fresh.push_back({spec.name, spec.shape, {}});
      continue;
    }
    const WeightTransfer::Parameter parameter{spec.name, spec.shape, found->second};
    there.erase(found);
    const bool reads_picture = first_here.contains(spec.name) && first_there.contains(spec.name);
    if (parameter.here == parameter.there) {
      transfer.taken.push_back(parameter);
    } else if (reads_picture && differ_in_channels_alone(parameter.here, parameter.there)) {
      transfer.adapted.push_back(parameter);
    } else {
      transfer.fresh.push_back(parameter);
    }
  }
  for (const ParameterSpec& spec : from.parameters) {
    if (there.contains(spec.name)) transfer.left.push_back(spec.name);
  }
  return transfer;
}

void transfer_weights(const WeightTransfer& transfer, const ParameterStore& source,
                      ParameterStore& parameters) {
  for (const auto& parameter : transfer.taken) {
    std::ranges::copy(source.value(parameter.name).values(),
                      parameters.change(parameter.name).data());
  }
  for (const auto& parameter : transfer.adapted) {
    const Tensor adapted = adapt_input_channels(source.value(parameter.name), parameter.here[1]);
    std::ranges::copy(adapted.values(), parameters.change(parameter.name).data());
  }
}

std::vector<std::string> transfer_report(const WeightTransfer& transfer,
                                         const std::string& source) {
  std::vector<std::string> lines{counts_line(transfer, source)};
  for (const auto& parameter : transfer.adapted) {
    lines.push_back(fmt::format("  adapted: {}, from {} channels to {}", parameter.name,
                                parameter.there[1], parameter.here[1]));
  }
  std::vector<std::string> unknown;
  std::map<std::string, std::string> misshapen;  // by node
  for (const auto& parameter : transfer.fresh) {
    if (parameter.there.rank() == 0) {
      unknown.push_back(parameter.name);
      continue;
    }
    std::string& line = misshapen[node_of(parameter.name)];
    line +=
        fmt::format("{}{} is {} here, {} there", line.empty() ? "" : "; ", role_of(parameter.name),
                    parameter.here.to_string(), parameter.there.to_string());
  }
  for (const auto& [node, why] : misshapen) {
    lines.push_back(fmt::format("  re-initialised, of another shape: {} ({})", node, why));
  }
  if (!unknown.empty()) {
    lines.push_back("  re-initialised, not in that model: " + joined(nodes_of(unknown)));
  }
  if (!transfer.left.empty()) {
    lines.push_back("  not used, not in this network: " + joined(nodes_of(transfer.left)));
  }
  return lines;
}

}  // namespace segmentum
