// Operators that magnify, shrink or deal out pixels: for each the rule of ours that gives the
// file's numbers at every probe.
#include <algorithm>
#include <cmath>

#include "base/counted.h"
#include "interop/onnx/translated_sizes.h"

namespace segmentum {
namespace {

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
      wanted.to.emplace_back(side_of(sizes[rows]), side_of(sizes[columns]));
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
    weights.sizes.emplace_back(side_of(sizes[2]), side_of(sizes[3]));
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
    to.emplace_back(side_of(wanted[rows]), side_of(wanted[columns]));
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
    s.refuse("deals " + counted(in, "channel") + " out over blocks of " + std::to_string(b));
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

}  // namespace

const Translators& resize_translators() {
  static const Translators kAll{{"DepthToSpace", depth_to_space},
                                {"Expand", expand},
                                {"Resize", resize},
                                {"Upsample", resize}};
  return kAll;
}

}  // namespace segmentum
