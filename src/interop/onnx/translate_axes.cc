// Operators that only arrange: axes, order, names. They make few nodes of ours; the file's value
// becomes another view of the same one.
#include <algorithm>

#include "interop/onnx/onnx_numbers.h"
#include "interop/onnx/translation.h"

namespace segmentum {
namespace {

using Dims = std::vector<std::int64_t>;

std::string dims_text(const Dims& dims) {
  std::string text;
  for (const std::int64_t dim : dims) text += (text.empty() ? "[" : ",") + std::to_string(dim);
  return text.empty() ? "[]" : text + "]";
}

/// The file's axes of `x` at every probe, by a rule of ours or the file's.
template <typename Rule>
std::vector<Dims> at_probes(const Step& s, const Rule& rule) {
  std::vector<Dims> all;
  for (std::size_t probe = 0; probe < s.t.probes(); ++probe) all.push_back(rule(probe));
  return all;
}

/// The group norm that PyTorch's chain on [N,groups,-1] stands for. A Mul and an Add behind it may
/// bring its numbers.
ValueId group_norm(const Step& s, const Seen& x) {
  const std::int64_t c = s.t.channels(x.id);
  const op::GroupNorm norm{.groups = x.groups, .epsilon = *x.epsilon};
  const ValueId id =
      s.t.add(s.name(), norm, {x.id}, {constant_weight(c, 1), constant_weight(c, 0)});
  s.t.keep_plain_norm(id);
  return id;
}

/// The value with other axes: the same numbers in the same order.
Seen rearranged(const Step& s, Seen x, const std::vector<Dims>& to) {
  const auto is = [&](const Seen& candidate) {
    for (std::size_t probe = 0; probe < s.t.probes(); ++probe) {
      if (s.t.dims(candidate, probe) != to[probe]) return false;
    }
    return true;
  };
  if (is(x)) return x;
  const auto sizes = s.t.sizes(x.id);
  const bool one_pixel =
      std::ranges::all_of(sizes, [](const Size2& size) { return size == Size2(1); });
  Seen other{.id = x.id, .ended_by = x.ended_by};
  if (one_pixel && x.view != View::groups) {
    for (const View view : {View::planes, View::channels_last, View::flat}) {
      other.view = view;
      if (is(other)) return other;
    }
  }
  if (x.view == View::planes && to[0].size() == 3 && to[0][1] > 0 &&
      s.t.channels(x.id) % to[0][1] == 0) {
    other.view = View::groups;
    other.groups = setting(to[0][1]);
    if (is(other)) return other;
  }
  if (x.view == View::groups && x.epsilon) {
    other.view = View::planes;
    if (is(other)) {
      other.id = group_norm(s, x);
      return other;
    }
  }
  s.refuse("makes " + dims_text(to[0]) + " of " + dims_text(s.t.dims(x, 0)) +
           "; networks of ours keep pictures as they are");
}

/// As it is if it is labels or in groups, else without a frame.
Seen arranged_input(Step& s) {
  const Seen& x = s.seen(0);
  return x.ended_by.empty() && x.view != View::groups ? s.plain(0) : x;
}

/// What `node` would do to an array of these axes; its numbers do not matter.
Dims dims_after(const Step& s, const Dims& dims, std::size_t probe) {
  if (s.node.op == "Reshape") {
    const auto wanted = s.has(1) ? s.wholes(1, probe) : wholes_of(s.node, "shape");
    return reshaped(dims, wanted, whole_of(s.node, "allowzero", 0) != 0);
  }
  if (s.node.op == "Flatten") {
    const std::size_t axis = axis_of(whole_of(s.node, "axis", 1), dims.size());
    return {product_of(std::span(dims).first(axis)), product_of(std::span(dims).subspan(axis))};
  }
  const auto axes = s.has(1) ? s.wholes(1, probe) : wholes_of(s.node, "axes");
  Dims result;
  if (s.node.op == "Squeeze") {
    std::set<std::size_t> drop;
    for (const std::int64_t axis : axes) drop.insert(axis_of(axis, dims.size()));
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
      if (axes.empty() ? dims[axis] != 1 : !drop.contains(axis)) result.push_back(dims[axis]);
    }
    return result;
  }
  std::set<std::size_t> added;  // Unsqueeze
  const std::size_t rank = dims.size() + axes.size();
  for (const std::int64_t axis : axes) added.insert(axis_of(axis, rank));
  auto next = dims.begin();
  for (std::size_t axis = 0; axis < rank; ++axis) {
    result.push_back(added.contains(axis) || next == dims.end() ? 1 : *next++);
  }
  return result;
}

void rearrange(Step& s) {
  const Seen x = arranged_input(s);
  if (!x.ended_by.empty()) return s.result(x);  // labels of whatever axes
  s.result(rearranged(s, x, at_probes(s, [&](std::size_t probe) {
                        return dims_after(s, s.t.dims(x, probe), probe);
                      })));
}

void transpose(Step& s) {
  Seen x = s.plain(0);
  const Dims order = wholes_of(s.node, "perm");
  if (x.view == View::planes && order == Dims{0, 2, 3, 1}) {
    x.view = View::channels_last;
  } else if (x.view == View::channels_last && order == Dims{0, 3, 1, 2}) {
    x.view = View::planes;
  } else {
    s.refuse("orders axes " + dims_text(order) + "; this program knows [0,2,3,1] and back");
  }
  s.result(x);
}

/// Weights of a grid, once for each class.
void concat_grids(Step& s, GridWeights all) {
  for (std::size_t i = 1; i < s.node.inputs.size(); ++i) {
    if (s.node.inputs[i] != s.node.inputs[0]) s.refuse("joins weights by location with others");
    all.copies = setting(std::int64_t{all.copies} + 1);
  }
  if (whole_of(s.node, "axis", 0) != 1) s.refuse("joins weights by location, not along channels");
  s.result(std::move(all));
}

void concat(Step& s) {
  if (const GridWeights* grid = s.grid_weights(0)) return concat_grids(s, *grid);
  const Seen first = s.plain(0);
  const std::size_t rank = s.t.dims(first, 0).size();
  const std::size_t channel_axis = first.view == View::channels_last ? rank - 1 : 1;
  if (axis_of(whole_of(s.node, "axis", 1), rank) != channel_axis) {
    s.refuse("joins along axis " + std::to_string(whole_of(s.node, "axis", 1)) +
             ", not along channels");
  }
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < s.node.inputs.size(); ++i) {
    const Seen next = s.plain(i);
    if (next.view != first.view) s.refuse("joins values of different axes");
    values.push_back(next.id);
  }
  s.result_like(first, values.size() == 1 ? values[0] : s.t.add(s.name(), op::Concat{}, values));
}

bool is_along_channels(const Step& s, const Seen& x, std::int64_t otherwise) {
  const std::size_t rank = s.t.dims(x, 0).size();
  const std::size_t axis = axis_of(whole_of(s.node, "axis", otherwise), rank);
  return axis == (x.view == View::channels_last ? rank - 1 : 1);
}

/// How many channels each output of a Split takes.
Dims split_sizes(const Step& s, std::int64_t channels) {
  Dims sizes = s.has(1) ? s.wholes(1, 0) : wholes_of(s.node, "split");
  const auto parts = static_cast<std::int64_t>(s.node.outputs.size());
  if (sizes.empty()) {  // equal ones, the last perhaps smaller
    const std::int64_t each = (channels + parts - 1) / parts;
    for (std::int64_t i = 0; i < parts; ++i) {
      sizes.push_back(std::min(each, channels - i * each));
    }
  }
  std::int64_t sum = 0;
  for (const std::int64_t size : sizes) {
    if (size < 1 || size > channels) s.refuse("takes parts of " + dims_text(sizes) + " channels");
    sum += size;
  }
  if (sizes.size() != s.node.outputs.size() || sum != channels) {
    s.refuse("takes parts of " + dims_text(sizes) + " channels out of " + std::to_string(channels));
  }
  return sizes;
}

void split(Step& s) {
  const Seen x = s.plain(0);
  if (s.node.outputs.empty()) s.refuse("has no output");
  if (!is_along_channels(s, x, 0)) s.refuse("takes parts of the picture or of pictures");
  const Dims sizes = split_sizes(s, s.t.channels(x.id));
  std::int64_t first = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::string& output = s.node.outputs[i];
    if (s.t.uses(output) > 0) {
      Seen part = x;
      part.id = s.t.picked(s.name() + "." + std::to_string(i), x.id, first, sizes[i]);
      s.t.define(output, part);
    }
    first += sizes[i];
  }
}

/// The file's axes as numbers, at every probe.
void shape(Step& s) {
  const Seen& x = s.seen(0);
  Known sizes{.sizes_of = {x.id}};
  for (std::size_t probe = 0; probe < s.t.probes(); ++probe) {
    const Dims dims = s.t.dims(x, probe);
    const auto rank = static_cast<std::int64_t>(dims.size());
    const SliceRange range =
        slice_range(rank, whole_of(s.node, "start", 0), whole_of(s.node, "end", rank), 1);
    const auto begin = dims.begin() + range.begin;
    sizes.at.push_back(std::make_shared<const Array>(Array::of(Dims(begin, begin + range.count))));
  }
  s.result(std::move(sizes));
}

void pass_on(Step& s) {
  s.result(s.seen(0));
}

void cast(Step& s) {
  const Seen x = s.seen(0);
  if (x.ended_by.empty() && !is_real(static_cast<OnnxType>(whole_of(s.node, "to", 0)))) {
    s.refuse("rounds the network's numbers to whole ones");
  }
  s.result(x);
}

/// Before opset 13 the axis only said where all axes behind it are taken for one.
void softmax(Step& s) {
  const Seen x = s.plain(0);
  const bool flattens = s.opset < 13;
  if (!is_along_channels(s, x, flattens ? 1 : -1) ||
      (flattens && x.view == View::planes && s.t.shape(x.id, 0).h() * s.t.shape(x.id, 0).w() > 1)) {
    s.refuse("is not over the channels of each pixel");
  }
  s.result_like(x, s.t.add(s.name(), op::Softmax{}, {x.id}));
}

/// What tells classes apart as the value before it does: left off at the network's end.
void end(Step& s) {
  Seen x = s.plain(0);
  if (!is_along_channels(s, x, s.node.op == "ArgMax" ? 0 : -1)) s.refuse("is not over channels");
  if (whole_of(s.node, "select_last_index", 0) != 0) s.refuse("takes the last of equals");
  x.ended_by = s.node.op;
  s.result(x);
}

}  // namespace

const Translators& axis_translators() {
  static const Translators kAll{
      {"ArgMax", end},          {"Cast", cast},           {"Concat", concat},
      {"Dropout", pass_on},     {"Flatten", rearrange},   {"Identity", pass_on},
      {"LogSoftmax", end},      {"Reshape", rearrange},   {"Shape", shape},
      {"Softmax", softmax},     {"Split", split},         {"Squeeze", rearrange},
      {"Transpose", transpose}, {"Unsqueeze", rearrange},
  };
  return kAll;
}

}  // namespace segmentum
