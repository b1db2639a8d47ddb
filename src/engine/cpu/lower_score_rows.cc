// Outputs that are read as rows: what magnifies and cuts them last is no step but done while rows
// are read (kernels/score_rows.h), from a value that is smaller, or blocked.
#include <algorithm>

#include "engine/cpu/lowering.h"

namespace segmentum::cpu {
namespace {

/// Taps [offset, offset + count) of an axis.
std::vector<ResizeTap> part(const std::vector<ResizeTap>& taps, std::int64_t offset,
                            std::int64_t count) {
  return {taps.begin() + offset, taps.begin() + offset + count};
}

std::vector<ResizeTap> single_pixels(std::int64_t offset, std::int64_t count) {
  std::vector<ResizeTap> taps;
  for (std::int64_t i = offset; i < offset + count; ++i) taps.push_back({i, i, 0});
  return taps;
}

}  // namespace

/// Whether nothing reads a value but what is drawn.
bool Lowering::for_rows_alone(std::size_t root_id) const {
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
    if (root_[id] != static_cast<ValueId>(id) || drawn_[id]) continue;
    for (ValueId input : graph_.nodes[id].inputs) {
      if (root(input) == root_id) return false;
    }
  }
  return true;
}

/// From each output back over cuts to a resize.
void Lowering::find_drawn() {
  drawn_.resize(graph_.nodes.size(), false);
  if (!draws_rows()) return;
  for (const Output& output : graph_.outputs) {
    std::size_t at = root(output.value);
    while (only_output(root(output.value)) && for_rows_alone(at)) {
      const Node& n = graph_.nodes[at];
      const bool other_output = std::ranges::any_of(graph_.outputs, [&](const Output& other) {
        return root(other.value) == at && root(output.value) != at;
      });
      if (n.inputs.empty() || other_output) break;
      const bool resizes = std::holds_alternative<op::Resize>(n.op);
      if (!resizes && !cuts_at(n.op, shape(n.inputs[0]), shapes_[at])) break;
      drawn_[at] = true;
      if (resizes) break;
      at = root(n.inputs[0]);
    }
  }
}

DrawnOutput Lowering::drawn_output(ValueId output) {
  const Shape& wanted = shape(output);
  std::size_t at = root(output);
  std::int64_t top = 0, left = 0;
  while (drawn_[at]) {
    const Node& n = graph_.nodes[at];
    const Shape& in = shape(n.inputs[0]);
    if (const auto* resize = std::get_if<op::Resize>(&n.op)) {
      const auto taps = [&](int axis) {
        return resize_taps(in[axis], shapes_[at][axis], resize->mode, resize->align_corners);
      };
      return {value_in(n.inputs[0], vector_block()),
              {part(taps(2), top, wanted.h()), part(taps(3), left, wanted.w()),
               resize->mode == Interpolation::bilinear},
              wanted};
    }
    const Size2 corner = *cuts_at(n.op, in, shapes_[at]);
    top += corner.h;
    left += corner.w;
    at = root(n.inputs[0]);
  }
  return {value_in(static_cast<ValueId>(at), vector_block()),
          {single_pixels(top, wanted.h()), single_pixels(left, wanted.w()), false},
          wanted};
}

void Lowering::lower_drawn_outputs() {
  for (const Output& output : graph_.outputs) {
    DrawnOutput drawn = drawn_output(output.value);
    program_.buffers[static_cast<std::size_t>(drawn.source.buffer)].kept = true;
    program_.drawn_outputs.emplace(output.name, std::move(drawn));
  }
}

}  // namespace segmentum::cpu
