#include "graph/checkerboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "graph/analysis.h"

namespace segmentum {
namespace {

std::size_t phase_count(Size2 phases) {
  return static_cast<std::size_t>(phases.h) * static_cast<std::size_t>(phases.w);
}

/// Entry (y, x) = rows[y] * columns[x].
std::vector<int> outer_product(const std::vector<int>& rows, const std::vector<int>& columns) {
  std::vector<int> product;
  for (int row : rows) {
    for (int column : columns) product.push_back(row * column);
  }
  return product;
}

/// Taps of a kernel that meet at each phase of the result, which begins `pad` pixels in.
std::vector<int> taps_per_phase(int kernel, int stride, int pad) {
  std::vector<int> counts(static_cast<std::size_t>(stride), 0);
  for (int phase = 0; phase < stride; ++phase) {
    const int first = (phase + pad) % stride;
    if (first < kernel) {
      counts[static_cast<std::size_t>(phase)] = (kernel - first - 1) / stride + 1;
    }
  }
  return counts;
}

/// For each phase the sums of the weights that meet there, one for each pair of channels.
class PhaseSums {
 public:
  PhaseSums(const op::TransposedConv& conv, const Tensor& weight)
      : channels_(conv.channels),
        pairs_(static_cast<std::size_t>(weight.shape()[0] * weight.shape()[1])),
        sums_(phase_count(conv.stride) * pairs_) {
    const Shape& shape = weight.shape();
    const auto phase_of = [](std::int64_t tap, int pad, int stride) {
      return static_cast<std::size_t>((tap + stride - pad % stride) % stride);
    };
    for (std::size_t pair = 0; pair < pairs_; ++pair) {
      const float* taps = weight.data() + pair * static_cast<std::size_t>(shape.h() * shape.w());
      for (std::int64_t y = 0; y < shape.h(); ++y) {
        const std::size_t row = phase_of(y, conv.padding.top, conv.stride.h);
        for (std::int64_t x = 0; x < shape.w(); ++x) {
          const std::size_t column = phase_of(x, conv.padding.left, conv.stride.w);
          const std::size_t phase = row * static_cast<std::size_t>(conv.stride.w) + column;
          sums_[phase * pairs_ + pair] += taps[y * shape.w() + x];
        }
      }
    }
  }

  std::vector<double> response() const {
    std::vector<double> response;
    for (std::size_t phase = 0; phase * pairs_ < sums_.size(); ++phase) {
      double energy = 0;
      for (std::size_t i = 0; i < pairs_; ++i) energy += squared(sums_[phase * pairs_ + i]);
      response.push_back(std::sqrt(energy / channels_));
    }
    return response;
  }

  double unevenness() const {
    const std::size_t phases = sums_.size() / pairs_;
    double energy = 0, changing = 0;
    for (std::size_t i = 0; i < pairs_; ++i) {
      double mean = 0;
      for (std::size_t p = 0; p < phases; ++p) {
        mean += sums_[p * pairs_ + i] / static_cast<double>(phases);
      }
      for (std::size_t p = 0; p < phases; ++p) {
        energy += squared(sums_[p * pairs_ + i]);
        changing += squared(sums_[p * pairs_ + i] - mean);
      }
    }
    return energy > 0 ? std::sqrt(changing / energy) : 0;
  }

 private:
  static double squared(double value) { return value * value; }

  double channels_;
  std::size_t pairs_;
  std::vector<double> sums_;  // [phase][pair]
};

/// Input pixels that weigh more than nothing at each phase of a resize.
std::vector<int> neighbours_per_phase(const op::Resize& resize, int factor) {
  std::vector<int> counts(static_cast<std::size_t>(factor), 1);
  if (resize.mode == Interpolation::nearest) return counts;
  for (int phase = 0; phase < factor; ++phase) {
    const bool on_a_pixel = (2 * phase + 1 - factor) % (2 * factor) == 0;
    counts[static_cast<std::size_t>(phase)] = on_a_pixel ? 1 : 2;
  }
  return counts;
}

/// How much larger a resize makes a value, where that is a whole number whatever the picture.
std::optional<int> whole_factor(Ratio from, Ratio to) {
  const std::int64_t over = from.over * to.under, under = from.under * to.over;
  if (over % under != 0) return std::nullopt;
  return static_cast<int>(over / under);
}

class Reader {
 public:
  Reader(const Graph& graph, const ParameterStore* parameters)
      : graph_(graph), parameters_(parameters), strides_(output_strides(graph)) {}

  std::optional<UpsamplingPhases> phases(ValueId id) const {
    const Node& node = graph_.node(id);
    if (const auto* conv = std::get_if<op::TransposedConv>(&node.op)) {
      return conv->stride == Size2(1) ? std::nullopt : std::optional(of_transposed(node, *conv));
    }
    if (const auto* resize = std::get_if<op::Resize>(&node.op)) return of_resize(id, *resize);
    return std::nullopt;
  }

 private:
  UpsamplingPhases of_transposed(const Node& node, const op::TransposedConv& conv) const {
    UpsamplingPhases result{.node = node.name, .phases = conv.stride};
    result.overlap = outer_product(taps_per_phase(conv.kernel.h, conv.stride.h, conv.padding.top),
                                   taps_per_phase(conv.kernel.w, conv.stride.w, conv.padding.left));
    if (parameters_ == nullptr) return result;
    const auto index = static_cast<std::size_t>(node.parameters[0]);
    const PhaseSums sums(conv, parameters_->value(graph_.parameters[index].name));
    result.response = sums.response();
    result.unevenness = sums.unevenness();
    return result;
  }

  std::optional<UpsamplingPhases> of_resize(ValueId id, const op::Resize& resize) const {
    const Node& node = graph_.node(id);
    const std::optional<Size2> factor = factor_of(id, resize);
    const bool shrinks = resize.scale > 0 && resize.scale < resize.divisor;
    if (shrinks || factor == Size2(1)) return std::nullopt;
    UpsamplingPhases result{.node = node.name, .phases = factor.value_or(1)};
    const int most = resize.mode == Interpolation::nearest ? 1 : 4;
    result.overlap = factor ? outer_product(neighbours_per_phase(resize, factor->h),
                                            neighbours_per_phase(resize, factor->w))
                            : std::vector<int>{most};
    result.response.assign(phase_count(result.phases), 1.0);
    return result;
  }

  /// None where the phase of a pixel depends on the picture's size.
  std::optional<Size2> factor_of(ValueId id, const op::Resize& resize) const {
    const auto& from = strides_[static_cast<std::size_t>(graph_.node(id).inputs[0])];
    const auto& to = strides_[static_cast<std::size_t>(id)];
    if (resize.align_corners && resize.mode == Interpolation::bilinear) return std::nullopt;
    if (resize.scale > 0 && resize.scale % resize.divisor != 0) return std::nullopt;
    if (resize.scale > 0) return Size2(resize.scale / resize.divisor);
    if (!from || !to) return std::nullopt;
    const auto h = whole_factor(from->y, to->y), w = whole_factor(from->x, to->x);
    return h && w ? std::optional(Size2(*h, *w)) : std::nullopt;
  }

  const Graph& graph_;
  const ParameterStore* parameters_;
  std::vector<std::optional<OutputStride>> strides_;
};

std::string range_text(const std::string& least, const std::string& most) {
  return least == most ? least : least + " to " + most;
}

std::string overlap_text(const UpsamplingPhases& phases) {
  const auto [least, most] = std::ranges::minmax(phases.overlap);
  return range_text(std::to_string(least), std::to_string(most));
}

std::string response_text(const UpsamplingPhases& phases) {
  if (phases.response.empty()) return "";
  const auto [least, most] = std::ranges::minmax(phases.response);
  return range_text(fmt::format("{:.3g}", least), fmt::format("{:.3g}", most));
}

constexpr int kLargestMap = 4;  // phases on a side that a person takes in

/// Numbers as a small map, right-aligned, a line for each row of phases.
std::vector<std::string> map_lines(const std::vector<std::string>& numbers, Size2 phases) {
  std::size_t widest = 0;
  for (const std::string& number : numbers) widest = std::max(widest, number.size());
  std::vector<std::string> lines(static_cast<std::size_t>(phases.h));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::string& line = lines[i / static_cast<std::size_t>(phases.w)];
    line += fmt::format("{}{:>{}}", line.empty() ? "" : " ", numbers[i], widest);
  }
  return lines;
}

bool all_equal(const std::vector<std::string>& numbers) {
  return std::ranges::adjacent_find(numbers, std::not_equal_to()) == numbers.end();
}

/// The map of `numbers`, one for each phase, under a heading; nothing where it is even or large.
std::string map_text(const char* heading, const std::vector<std::string>& numbers, Size2 phases) {
  if (all_equal(numbers) || std::max(phases.h, phases.w) > kLargestMap) return "";
  std::string text;
  for (const std::string& line : map_lines(numbers, phases)) {
    text += fmt::format("  {:<9} {}\n", text.empty() ? heading : "", line);
  }
  return text;
}

std::string maps_text(const UpsamplingPhases& phases) {
  std::vector<std::string> overlap, response;
  for (int count : phases.overlap) overlap.push_back(std::to_string(count));
  for (double strength : phases.response) response.push_back(fmt::format("{:.3g}", strength));
  return map_text("overlap", overlap, phases.phases) +
         map_text("response", response, phases.phases);
}

}  // namespace

bool UpsamplingPhases::overlaps_evenly() const {
  return std::ranges::adjacent_find(overlap, std::not_equal_to()) == overlap.end();
}

std::vector<UpsamplingPhases> upsampling_phases(const Graph& graph,
                                                const ParameterStore* parameters) {
  const Reader reader(graph, parameters);
  std::vector<UpsamplingPhases> all;
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    if (auto phases = reader.phases(static_cast<ValueId>(id))) all.push_back(std::move(*phases));
  }
  return all;
}

std::string upsampling_table(const std::vector<UpsamplingPhases>& all) {
  if (all.empty()) return "";
  std::size_t widest = std::string("upsampling").size();
  for (const UpsamplingPhases& phases : all) widest = std::max(widest, phases.node.size());
  std::string text = fmt::format("{:<{}}  {:>6}  {:>10}  {:>14}  {:>10}\n", "upsampling", widest,
                                 "phases", "overlap", "response", "unevenness");
  for (const UpsamplingPhases& phases : all) {
    const std::string uneven =
        phases.response.empty() ? "" : fmt::format("{:.1f} %", 100 * phases.unevenness);
    std::string line = fmt::format("{:<{}}  {:>6}  {:>10}  {:>14}  {:>10}", phases.node, widest,
                                   fmt::format("{}x{}", phases.phases.h, phases.phases.w),
                                   overlap_text(phases), response_text(phases), uneven);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n" + maps_text(phases);
  }
  return text;
}

}  // namespace segmentum
