// Operators that change the size of the picture: for each the rule of ours that gives the file's
// numbers at every probe.
#include <algorithm>
#include <cmath>

#include "interop/onnx/translation.h"

namespace segmentum {
namespace {

using Sizes = std::vector<Size2>;

constexpr std::int64_t kLargestSide = std::int64_t{1} << 30;

std::string size_text(Size2 size) {
  return std::to_string(size.h) + "x" + std::to_string(size.w);
}

/// "64x96 -> 128x192, 97x131 -> 194x262": what no rule was found for.
std::string sizes_text(const Sizes& from, const Sizes& to) {
  std::string text;
  for (std::size_t i = 0; i < from.size(); ++i) {
    text += (text.empty() ? "" : ", ") + size_text(from[i]) + " -> " + size_text(to[i]);
  }
  return text;
}

/// Which axes of the file's value are rows and columns.
std::pair<std::size_t, std::size_t> plane_axes(const Step& s, const Seen& x) {
  if (x.view == View::planes) return {2, 3};
  if (x.view == View::channels_last) return {1, 2};
  s.refuse("changes the size of a value that is no picture");
}

// --- resize ---

struct ResizeRule {
  Interpolation mode = Interpolation::nearest;
  std::string position;  // coordinate_transformation_mode
  std::string rounding;  // nearest_mode
};

/// The pixel that ONNX's nearest takes for pixel i of `out`, from `in` pixels.
std::int64_t nearest_pixel(const ResizeRule& rule, std::int64_t i, std::int64_t in,
                           std::int64_t out) {
  const double at = static_cast<double>(i);
  const double ratio = static_cast<double>(in) / static_cast<double>(out);
  double x = (at + 0.5) * ratio - 0.5;
  if (rule.position == "asymmetric") x = at * ratio;
  if (rule.position == "tf_half_pixel_for_nn") x = (at + 0.5) * ratio;
  if (rule.position == "pytorch_half_pixel" && out == 1) x = 0;
  if (rule.position == "align_corners") {
    x = out == 1 ? 0 : at * static_cast<double>(in - 1) / static_cast<double>(out - 1);
  }
  double pixel = std::ceil(x - 0.5);  // round_prefer_floor
  if (rule.rounding == "floor") pixel = std::floor(x);
  if (rule.rounding == "ceil") pixel = std::ceil(x);
  if (rule.rounding == "round_prefer_ceil") pixel = std::floor(x + 0.5);
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(pixel), 0, in - 1);
}

/// Ours: floor((i + 0.5) * in / out).
void require_our_nearest(const ResizeRule& rule, std::int64_t in, std::int64_t out) {
  constexpr std::int64_t kMostCompared = 1 << 16;
  for (std::int64_t i = 0; i < std::min(out, kMostCompared); ++i) {
    if (nearest_pixel(rule, i, in, out) != std::min((2 * i + 1) * in / (2 * out), in - 1)) {
      throw Error("takes other nearest pixels (" + rule.position + ", " + rule.rounding +
                  ") from " + std::to_string(in) + " to " + std::to_string(out) +
                  " pixels than this program does");
    }
  }
}

/// Does our resize give the file's pixels? Sizes that do not change need no rule.
void require_our_resize(const Step& s, const ResizeRule& rule, const Sizes& from, const Sizes& to) {
  for (std::size_t probe = 0; probe < from.size(); ++probe) {
    for (const auto& [in, out] :
         {std::pair(from[probe].h, to[probe].h), std::pair(from[probe].w, to[probe].w)}) {
      if (in == out) continue;
      if (rule.mode == Interpolation::nearest) {
        require_our_nearest(rule, in, out);
      } else if (rule.position != "half_pixel" && rule.position != "pytorch_half_pixel" &&
                 rule.position != "align_corners") {
        s.refuse("interpolates by the rule \"" + rule.position +
                 "\"; this program has half_pixel and align_corners");
      }
    }
  }
}

/// scale / divisor such that ours, rounded up, gives the sizes.
std::optional<op::Resize> common_ratio(const Sizes& from, const Sizes& to) {
  constexpr int kLargestDivisor = 32;
  for (int divisor = 1; divisor <= kLargestDivisor; ++divisor) {
    const auto scale = static_cast<int>(
        std::lround(static_cast<double>(to[0].h) * divisor / static_cast<double>(from[0].h)));
    if (scale < 1) continue;
    const auto fits = [&](std::int64_t in, std::int64_t out) {
      return (in * scale + divisor - 1) / divisor == out;
    };
    bool all = true;
    for (std::size_t i = 0; i < from.size() && all; ++i) {
      all = fits(from[i].h, to[i].h) && fits(from[i].w, to[i].w);
    }
    if (all) return op::Resize{.scale = scale, .divisor = divisor};
  }
  return std::nullopt;
}

bool is_one_pixel(const Sizes& sizes) {
  return std::ranges::all_of(sizes, [](const Size2& size) { return size == Size2(1); });
}

/// A resize to these sizes: like a value whose size the file asked for, by a ratio, or like any.
ValueId resized(Step& s, ValueId x, op::Resize options, const Sizes& to,
                const std::set<ValueId>& asked, bool by_factor) {
  const Sizes from = s.t.sizes(x);
  if (from == to) return x;
  const auto like = s.t.value_of_sizes(to, asked);
  const bool is_asked = like && asked.contains(*like);
  const auto ratio = common_ratio(from, to);
  // What is a constant of the file was another value's size when it was made, unless it is a whole
  // factor; so is what one pixel is spread over.
  const bool is_whole = ratio && (ratio->scale == 1 || ratio->divisor == 1);
  const bool is_computed = by_factor || (!asked.empty() && !is_asked);
  const bool by_ratio = is_whole && is_computed && !is_one_pixel(from);
  if (like && !by_ratio) return s.t.add(s.name(), options, {x, *like});
  if (!ratio) {
    throw Error("resizes " + sizes_text(from, to) + " by a rule that this program does not know");
  }
  options.scale = ratio->scale;
  options.divisor = ratio->divisor;
  return s.t.add(s.name(), options, {x});
}

void require_known_settings(const Step& s) {
  if (whole_of(s.node, "antialias", 0) != 0) s.refuse("smooths before it resizes (antialias)");
  const std::string policy = text_of(s.node, "keep_aspect_ratio_policy", "stretch");
  if (policy != "stretch") s.refuse("keeps the aspect ratio (" + policy + ")");
  if (!wholes_of(s.node, "axes").empty()) s.refuse("names axes");
}

ResizeRule rule_of(const Step& s) {
  const std::string mode = text_of(s.node, "mode", "nearest");
  if (mode != "nearest" && mode != "linear") {
    s.refuse("resizes by mode \"" + mode + "\"; this program has nearest and linear");
  }
  const bool nearest = mode == "nearest";
  // Before opset 11, Upsample and Resize counted from the picture's edge.
  const bool old = s.opset < 11;
  return {nearest ? Interpolation::nearest : Interpolation::bilinear,
          text_of(s.node, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel"),
          text_of(s.node, "nearest_mode", old ? "floor" : "round_prefer_floor")};
}

/// The input with the factors of the axes: none for what states sizes, or has an attribute.
std::optional<std::size_t> factors_input(const Step& s) {
  const std::size_t i = s.opset < 11 ? 1 : 2;
  if (!s.has(i) || s.array(i, 0)->count() == 0) return std::nullopt;
  return i;
}

std::vector<double> factors_at(const Step& s, std::optional<std::size_t> input, std::size_t probe) {
  if (input) return s.array(*input, probe)->numbers;
  const auto* given = s.node.find("scales");  // of Upsample before opset 9
  if (given == nullptr) return {};
  return {given->reals.begin(), given->reals.end()};
}

int side(std::int64_t extent) {
  if (extent < 1 || extent > kLargestSide) {
    throw Error("makes a value of " + std::to_string(extent) + " pixels on a side");
  }
  return static_cast<int>(extent);
}

/// Throws Error where a factor leaves part of a pixel: the file would then take positions by the
/// factor, we by the sizes.
int side_by(int side_before, double factor) {
  constexpr double kRounding = 1e-3;  // of factors that were computed as a quotient of sizes
  const double exact = side_before * factor;
  if (!(exact >= 1 && exact <= static_cast<double>(kLargestSide)) ||
      std::abs(exact - std::round(exact)) > kRounding) {
    throw Error("resizes " + std::to_string(side_before) + " pixels by a factor of " +
                std::to_string(factor));
  }
  return static_cast<int>(std::lround(exact));
}

/// The sizes that a Resize or Upsample asks for.
struct WantedSizes {
  Sizes to;
  std::set<ValueId> asked;  // whose sizes these are
  bool by_factor = false;   // the same for every picture
};

WantedSizes wanted_sizes(const Step& s, const Seen& x) {
  constexpr std::size_t kAxes = 4, kSizesInput = 3;
  const auto [rows, columns] = plane_axes(s, x);
  const Sizes from = s.t.sizes(x.id);
  const auto input = factors_input(s);
  WantedSizes wanted;
  const bool has_factors = !factors_at(s, input, 0).empty();
  if (!has_factors) {
    wanted.asked = s.known(kSizesInput).sizes_of;
  } else if (input) {
    wanted.asked = s.known(*input).sizes_of;
  }
  wanted.by_factor = has_factors && wanted.asked.empty();
  for (std::size_t probe = 0; probe < from.size(); ++probe) {
    const auto factors = factors_at(s, input, probe);
    const auto sizes = has_factors ? std::vector<std::int64_t>() : s.wholes(kSizesInput, probe);
    if (std::max(factors.size(), sizes.size()) != kAxes) s.refuse("does not resize four axes");
    if (has_factors) {
      wanted.to.emplace_back(side_by(from[probe].h, factors[rows]),
                             side_by(from[probe].w, factors[columns]));
    } else {
      wanted.to.emplace_back(side(sizes[rows]), side(sizes[columns]));
    }
  }
  return wanted;
}

/// [1,grid*grid,grid,grid] with a one for each channel in a pixel of its own, in the order of rows.
std::optional<int> grid_of(const Array& a) {
  const auto& d = a.dims;
  if (d.size() != 4 || d[0] != 1 || d[1] != d[2] * d[3] || d[2] != d[3]) return std::nullopt;
  const std::int64_t places = d[1];
  for (std::int64_t i = 0; i < a.count(); ++i) {
    const double expected = i / places == i % places ? 1 : 0;
    if (a.numbers[static_cast<std::size_t>(i)] != expected) return std::nullopt;
  }
  return setting(d[2]);
}

/// A constant is resized for one purpose that we know.
void resize_grid(Step& s, const ResizeRule& rule) {
  constexpr std::size_t kSizesInput = 3;
  const auto grid = grid_of(*s.constant(0));
  if (!grid || rule.mode != Interpolation::bilinear ||
      (rule.position != "half_pixel" && rule.position != "pytorch_half_pixel")) {
    s.refuse("resizes a constant");
  }
  GridWeights weights{.grid = *grid};
  for (std::size_t probe = 0; probe < s.t.probes(); ++probe) {
    const auto sizes = s.wholes(kSizesInput, probe);
    if (sizes.size() != 4) s.refuse("does not resize four axes");
    weights.sizes.emplace_back(side(sizes[2]), side(sizes[3]));
  }
  s.result(std::move(weights));
}

void resize(Step& s) {
  require_known_settings(s);
  if (s.is_known(0)) return resize_grid(s, rule_of(s));
  const Seen x = s.plain(0);
  const ResizeRule rule = rule_of(s);
  const op::Resize options{
      .mode = rule.mode,
      .align_corners = rule.mode == Interpolation::bilinear && rule.position == "align_corners"};
  const WantedSizes wanted = wanted_sizes(s, x);
  require_our_resize(s, rule, s.t.sizes(x.id), wanted.to);
  s.result_like(x, resized(s, x.id, options, wanted.to, wanted.asked, wanted.by_factor));
}

/// [N,C,1,1] to the size of another value.
void expand(Step& s) {
  const Seen x = s.plain(0);
  const auto [rows, columns] = plane_axes(s, x);
  const Sizes from = s.t.sizes(x.id);
  Sizes to;
  for (std::size_t probe = 0; probe < from.size(); ++probe) {
    auto wanted = s.wholes(1, probe);
    const auto dims = s.t.dims(x, probe);
    if (wanted.size() != dims.size()) s.refuse("expands to other axes");
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
      if (wanted[axis] == 1) wanted[axis] = dims[axis];
      if (axis != rows && axis != columns && wanted[axis] != dims[axis]) {
        s.refuse("repeats pictures or channels");
      }
    }
    to.emplace_back(side(wanted[rows]), side(wanted[columns]));
  }
  if (from != to && !is_one_pixel(from)) {
    s.refuse("repeats rows or columns");
  }
  s.result_like(x,
                resized(s, x.id, {.mode = Interpolation::nearest}, to, s.known(1).sizes_of, false));
}

/// [C*b*b] channels dealt out over b x b pixels: a transposed convolution with fixed weights.
void depth_to_space(Step& s) {
  const ValueId x = s.planes(0);
  const int b = setting(whole_of(s.node, "blocksize", 0));
  const int in = s.t.channels(x);
  constexpr int kLargestBlock = 64;
  if (b < 1 || b > kLargestBlock || in % (b * b) != 0) {
    s.refuse("deals " + std::to_string(in) + " channels out over blocks of " + std::to_string(b));
  }
  const bool by_column = text_of(s.node, "mode", "DCR") == "CRD";
  const int out = in / (b * b);
  const op::TransposedConv o{.channels = out,
                             .kernel = b,
                             .stride = b,
                             .groups = by_column ? out : 1,
                             .bias = false,
                             .learnt = false};
  const std::int64_t pixels = b * b, columns = by_column ? 1 : out;
  const auto deal = [=](std::span<float> into) {
    for (std::int64_t k = 0; k < in; ++k) {
      const std::int64_t pixel = by_column ? k % pixels : k / out;
      const std::int64_t column = by_column ? 0 : k % out;
      into[static_cast<std::size_t>((k * columns + column) * pixels + pixel)] = 1;
    }
  };
  s.result(Seen{.id = s.t.add(s.name(), o, {x}, {{in * columns * pixels, deal, ""}})});
}

// --- frames: what is added to a plane, or cut off ---

/// The value with a frame begun, to which the caller adds along an axis. What is there already
/// stays apart where both together would mean something else: pixels cut off do not come back, and
/// a mirror image is not mirrored again.
Seen framed(Step& s, std::size_t i, PadMode mode, bool rows, bool columns, bool adds) {
  Seen x = s.seen(i);
  const bool is_framed = std::ranges::any_of(x.frame, [&](const Padding& f) {
    const bool is_cut = std::min({f.top, f.left, f.bottom, f.right}) < 0;
    const bool is_on_axis =
        (rows && (f.top != 0 || f.bottom != 0)) || (columns && (f.left != 0 || f.right != 0));
    return (adds && is_cut) || (is_on_axis && x.frame_mode == PadMode::mirror);
  });
  const bool is_plain = x.ended_by.empty() && x.view != View::groups;
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

void slice(Step& s) {
  Seen x = framed(s, 0, PadMode::zero, true, true, false);
  const auto [rows, columns] = plane_axes(s, x);
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
      if (axis != rows && axis != columns) s.refuse("takes a part of the channels or pictures");
      if (range.step != 1) s.refuse("leaves out pixels between others");
      Padding& frame = x.frame[probe];
      extend(axis == rows ? frame.top : frame.left, -range.begin);
      extend(axis == rows ? frame.bottom : frame.right, range.begin + range.count - dims[axis]);
    }
  }
  result_framed(s, std::move(x));
}

PadMode pad_mode(const Step& s) {
  const std::string mode = text_of(s.node, "mode", "constant");
  if (mode == "reflect") return PadMode::mirror;
  if (mode != "constant") {
    s.refuse("pads by mode \"" + mode + "\"; this program has constant 0 and reflect");
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
    to.emplace_back(side(std::int64_t{from[i].h} + f.top + f.bottom),
                    side(std::int64_t{from[i].w} + f.left + f.right));
  }
  return to;
}

bool has_equal(const std::vector<Padding>& frames, int Padding::*one, int Padding::*other) {
  return std::ranges::all_of(frames, [&](const Padding& frame) {
    return frame.*one == frames[0].*one && frame.*other == frames[0].*other;
  });
}

}  // namespace

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

const Translators& resampling_translators() {
  static const Translators kAll{
      {"DepthToSpace", depth_to_space},
      {"Expand", expand},
      {"Gather", gather},
      {"Pad", pad},
      {"Resize", resize},
      {"Slice", slice},
      {"Upsample", resize},
  };
  return kAll;
}

}  // namespace segmentum
