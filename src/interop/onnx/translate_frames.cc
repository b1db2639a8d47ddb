// What is added to a plane or cut off it: pads, slices, mirrored rows. Several of the file's steps
// may be one of ours, so a value keeps its frame until somebody reads it.
#include <algorithm>
#include <cstdlib>

#include "interop/onnx/translated_sizes.h"

namespace segmentum {
namespace {

std::string size_text(Size2 size) {
  return std::to_string(size.h) + "x" + std::to_string(size.w);
}

/// The value with a frame begun, to which the caller adds along an axis. What is there already
/// stays apart where both together would mean something else: pixels cut off do not come back, and
/// a mirror image is not mirrored again.
Seen framed(Step& s, std::size_t i, PadMode mode, bool rows, bool columns, bool adds) {
  Seen x = s.seen(i);
  const bool is_framed = std::ranges::any_of(x.frame, [&](const Padding& f) {
    const bool is_cut = std::min({f.top, f.left, f.bottom, f.right}) < 0;
    const bool is_on_axis =
        (rows && (f.top != 0 || f.bottom != 0)) || (columns && (f.left != 0 || f.right != 0));
    return (adds && is_cut) || (is_on_axis && x.frame_mode != PadMode::zero);
  });
  const bool is_plain = x.ended_by.empty() && x.view != View::groups && x.chain == Chain::none;
  if (!is_plain || is_framed || (!x.frame.empty() && x.frame_mode != mode)) x = s.plain(i);
  if (x.frame.empty()) x.frame.resize(s.t.probes());
  x.frame_mode = mode;
  for (std::size_t other = 1; other < s.node.inputs.size(); ++other) {
    if (!s.is_known(other)) continue;
    const auto& from = s.known(other).sizes_of;
    x.frame_sizes_of.insert(from.begin(), from.end());
  }
  return x;
}

void extend(int& side_of_frame, std::int64_t by) {
  constexpr std::int64_t kMost = std::int64_t{1} << 28;
  const std::int64_t sum = side_of_frame + by;
  if (std::abs(sum) > kMost) throw Error("moves an edge by " + std::to_string(sum) + " pixels");
  side_of_frame = static_cast<int>(sum);
}

/// Gives the node's result, which no longer has a frame that changes nothing.
void result_framed(const Step& s, Seen x) {
  if (std::ranges::all_of(x.frame, [](const Padding& f) { return f == Padding(0); })) {
    x.frame.clear();
    x.frame_sizes_of.clear();
  }
  s.result(std::move(x));
}

/// Channels that a slice takes: the same at every probe.
void take_channels(const Step& s, const SliceRange& range, std::optional<SliceRange>& taken) {
  if (range.step != 1 || range.count < 1) s.refuse("leaves out channels between others");
  if (taken && (taken->begin != range.begin || taken->count != range.count)) {
    s.refuse("takes channels by the picture's size");
  }
  taken = range;
}

void slice(Step& s) {
  std::optional<SliceRange> channels;
  Seen x = framed(s, 0, PadMode::zero, true, true, false);
  const auto [rows, columns] = plane_axes(s, x);
  const std::size_t channel_axis = x.view == View::planes ? 1 : 3;
  for (std::size_t probe = 0; probe < s.t.probes(); ++probe) {
    const auto numbers = [&](std::size_t i, const char* attribute) {
      return s.has(i) ? s.wholes(i, probe) : wholes_of(s.node, attribute);
    };
    const auto starts = numbers(1, "starts"), ends = numbers(2, "ends");
    const auto steps = numbers(4, "steps");
    auto axes = numbers(3, "axes");
    for (std::size_t i = axes.size(); i < starts.size(); ++i) {
      axes.push_back(static_cast<std::int64_t>(i));
    }
    const auto dims = s.t.dims(x, probe);
    if (ends.size() != starts.size() || axes.size() != starts.size()) {
      s.refuse("lacks the ends of its axes");
    }
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const std::size_t axis = axis_of(axes[i], dims.size());
      const SliceRange range =
          slice_range(dims[axis], starts[i], ends[i], i < steps.size() ? steps[i] : 1);
      if (range.count == dims[axis] && range.step == 1) continue;
      if (axis == channel_axis) {
        take_channels(s, range, channels);
        continue;
      }
      if (axis != rows && axis != columns) s.refuse("takes a part of the pictures");
      if (range.step != 1) s.refuse("leaves out pixels between others");
      Padding& frame = x.frame[probe];
      extend(axis == rows ? frame.top : frame.left, -range.begin);
      extend(axis == rows ? frame.bottom : frame.right, range.begin + range.count - dims[axis]);
    }
  }
  if (channels) x.id = s.t.picked(s.name(), x.id, channels->begin, channels->count);
  result_framed(s, std::move(x));
}

PadMode pad_mode(const Step& s) {
  const std::string mode = text_of(s.node, "mode", "constant");
  if (mode == "reflect") return PadMode::mirror;
  if (mode == "edge") return PadMode::edge;
  if (mode != "constant") {
    s.refuse("pads by mode \"" + mode + "\"; this program has constant 0, reflect and edge");
  }
  const float fill = s.has(2) ? s.real(2) : real_of(s.node, "value", 0);
  if (fill != 0) s.refuse("pads with " + std::to_string(fill) + "; this program pads with 0");
  return PadMode::zero;
}

void pad(Step& s) {
  if (s.has(3)) s.refuse("names axes");
  Seen x = framed(s, 0, pad_mode(s), true, true, true);
  const auto [rows, columns] = plane_axes(s, x);
  for (std::size_t probe = 0; probe < s.t.probes(); ++probe) {
    const auto pads = s.has(1) ? s.wholes(1, probe) : wholes_of(s.node, "pads");
    const std::size_t axes = s.t.dims(x, probe).size();
    if (pads.size() != 2 * axes) s.refuse("has another number of pads than its axes need");
    for (std::size_t i = 0; i < pads.size(); ++i) {
      if (pads[i] == 0) continue;
      Padding& frame = x.frame[probe];
      if (i % axes == rows) {
        extend(i < axes ? frame.top : frame.bottom, setting(pads[i]));
      } else if (i % axes == columns) {
        extend(i < axes ? frame.left : frame.right, setting(pads[i]));
      } else {
        s.refuse("pads channels or pictures");
      }
    }
  }
  result_framed(s, std::move(x));
}

/// Pixel i of a line of `size`, mirrored on and on; a line of one pixel is repeated.
std::int64_t mirrored(std::int64_t i, std::int64_t size) {
  const std::int64_t period = std::max<std::int64_t>(2 * (size - 1), 1);
  const std::int64_t at = ((i % period) + period) % period;
  return std::min(at, period - at);
}

/// How many mirrored lines stand before the first of `size`, if `lines` run on from there, turning
/// back at the edges.
std::optional<std::int64_t> mirrored_before(const std::vector<std::int64_t>& lines,
                                            std::int64_t size) {
  constexpr int kMostTries = 256;
  constexpr std::size_t kMostLines = 1 << 16;
  if (lines.empty() || lines.size() > kMostLines) return std::nullopt;
  int tries = 0;
  for (std::int64_t before = 0; before <= static_cast<std::int64_t>(lines.size()); ++before) {
    if (mirrored(-before, size) != lines[0]) continue;
    if (++tries > kMostTries) return std::nullopt;
    const auto runs_on = [&] {
      for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i] != mirrored(static_cast<std::int64_t>(i) - before, size)) return false;
      }
      return true;
    };
    if (runs_on()) return before;
  }
  return std::nullopt;
}

/// Rows or columns by their numbers: a mirrored frame.
void gather(Step& s) {
  const Seen given = s.seen(0);
  const auto [rows, columns] = plane_axes(s, given);
  const std::size_t axis = axis_of(whole_of(s.node, "axis", 0), s.t.dims(given, 0).size());
  if ((axis != rows && axis != columns) || s.array(1, 0)->dims.size() != 1) {
    s.refuse("takes a part of the channels, or single rows");
  }
  Seen x = framed(s, 0, PadMode::mirror, axis == rows, axis == columns, true);
  for (std::size_t probe = 0; probe < s.t.probes(); ++probe) {
    const std::int64_t size = s.t.dims(x, probe)[axis];
    const auto lines = s.wholes(1, probe);
    const auto before = mirrored_before(lines, size);
    if (!before) s.refuse("takes rows or columns in an order of its own");
    Padding& frame = x.frame[probe];
    extend(axis == rows ? frame.top : frame.left, *before);
    extend(axis == rows ? frame.bottom : frame.right,
           static_cast<std::int64_t>(lines.size()) - size - *before);
  }
  result_framed(s, std::move(x));
}

/// op::Pad settings that give these frames at these sizes: fixed, or up to a multiple.
std::optional<op::Pad> pad_rule(const Sizes& from, const std::vector<Padding>& frames,
                                PadMode mode) {
  const auto gives_all = [&](const op::Pad& rule) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (resolve_padding(rule, from[i].h, from[i].w) != frames[i]) return false;
    }
    return true;
  };
  const Padding first = frames[0];
  if (const op::Pad fixed{.mode = mode, .margin = first}; gives_all(fixed)) return fixed;
  constexpr int kLargestMultiple = 512;
  Padding least = first;
  for (const Padding& frame : frames) {
    least.bottom = std::min(least.bottom, frame.bottom);
    least.right = std::min(least.right, frame.right);
  }
  for (const Padding& margin : {Padding(first.top, first.left, 0, 0),
                                Padding(first.top, first.left, first.top, first.left), least}) {
    const int padded = from[0].h + first.top + first.bottom;
    for (int multiple = 2; multiple <= kLargestMultiple; ++multiple) {
      const op::Pad rule{
          .mode = mode, .margin = margin, .multiple = multiple, .remainder = padded % multiple};
      if (gives_all(rule)) return rule;
    }
  }
  return std::nullopt;
}

Sizes framed_sizes(const Sizes& from, const std::vector<Padding>& frames) {
  Sizes to;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const Padding& f = frames[i];
    to.emplace_back(side_of(std::int64_t{from[i].h} + f.top + f.bottom),
                    side_of(std::int64_t{from[i].w} + f.left + f.right));
  }
  return to;
}

bool has_equal(const std::vector<Padding>& frames, int Padding::*one, int Padding::*other) {
  return std::ranges::all_of(frames, [&](const Padding& frame) {
    return frame.*one == frames[0].*one && frame.*other == frames[0].*other;
  });
}

}  // namespace

std::string sizes_text(const Sizes& from, const Sizes& to) {
  std::string text;
  for (std::size_t i = 0; i < from.size(); ++i) {
    text += (text.empty() ? "" : ", ") + size_text(from[i]) + " -> " + size_text(to[i]);
  }
  return text;
}

std::pair<std::size_t, std::size_t> plane_axes(const Step& s, const Seen& x) {
  if (x.view == View::planes) return {2, 3};
  if (x.view == View::channels_last) return {1, 2};
  s.refuse("changes the size of a value that is no picture");
}

int side_of(std::int64_t extent) {
  if (extent < 1 || extent > kLargestSide) {
    throw Error("makes a value of " + std::to_string(extent) + " pixels on a side");
  }
  return static_cast<int>(extent);
}

Seen Translation::settled(const std::string& name, Seen seen) {
  if (seen.frame.empty()) return seen;
  const auto sides = [](const Padding& f) {
    return std::minmax({f.top, f.left, f.bottom, f.right});
  };
  bool adds = false, cuts = false;
  for (const Padding& frame : seen.frame) {
    adds = adds || sides(frame).second > 0;
    cuts = cuts || sides(frame).first < 0;
  }
  if (adds && cuts) throw Error("pads some sides and cuts others off, by the picture's size");
  seen.id = adds ? padded(name + ".pad", seen) : cropped(name + ".crop", seen);
  seen.frame.clear();
  seen.frame_sizes_of.clear();
  return seen;
}

ValueId Translation::padded(const std::string& name, const Seen& seen) {
  const Sizes from = sizes(seen.id);
  if (const auto rule = pad_rule(from, seen.frame, seen.frame_mode)) {
    return add(name, *rule, {seen.id});
  }
  // Up to another value's size: padded by the most that was needed, then cut to that size.
  const Sizes to = framed_sizes(from, seen.frame);
  const auto like = value_of_sizes(to, seen.frame_sizes_of);
  if (!like || !has_equal(seen.frame, &Padding::top, &Padding::left)) {
    throw Error("pads " + sizes_text(from, to) + " by a rule that this program does not know");
  }
  Padding most = seen.frame[0];
  for (const Padding& frame : seen.frame) {
    most.bottom = std::max(most.bottom, frame.bottom);
    most.right = std::max(most.right, frame.right);
  }
  const ValueId wide = add(name, op::Pad{.mode = seen.frame_mode, .margin = most}, {seen.id});
  return add(name + ".crop", op::Crop{}, {wide, *like});
}

ValueId Translation::cropped(const std::string& name, const Seen& seen) {
  const Sizes from = sizes(seen.id);
  const Sizes to = framed_sizes(from, seen.frame);
  const auto like = value_of_sizes(to, seen.frame_sizes_of);
  if (!like) {
    throw Error("crops " + sizes_text(from, to) + "; no other value has that size");
  }
  if (has_equal(seen.frame, &Padding::top, &Padding::left)) {
    const op::Crop crop{.offset = {-seen.frame[0].top, -seen.frame[0].left}};
    return add(name, crop, {seen.id, *like});
  }
  for (std::size_t i = 0; i < from.size(); ++i) {
    const Size2 centre = resolve_crop({.centre = true}, from[i].h, from[i].w, to[i].h, to[i].w);
    if (centre != Size2(-seen.frame[i].top, -seen.frame[i].left)) {
      throw Error("crops " + sizes_text(from, to) + " by a rule that this program does not know");
    }
  }
  return add(name, op::Crop{.centre = true}, {seen.id, *like});
}

const Translators& frame_translators() {
  static const Translators kAll{{"Gather", gather}, {"Pad", pad}, {"Slice", slice}};
  return kAll;
}

}  // namespace segmentum
