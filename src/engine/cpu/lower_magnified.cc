#include "engine/cpu/lower_magnified.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "engine/cpu/conv_pass.h"
#include "engine/mirror.h"

namespace segmentum::cpu {
namespace {

/// What the sum over taps costs for each result, in channels of a product. Measured.
constexpr std::int64_t kSumChannels = 24;

/// With w the 1x1 convolution, k_t the depthwise kernel's weight of tap t, one for each channel:
///   w * (sum over t of k_t * shift_t(magnified(x))) = sum over t of shift_t(magnified((w k_t) x)).
/// The products on the right are as many as there are taps, but of the smaller map.
bool pays(const Lowering& l, const MagnifiedInput& input, Size2 kernel) {
  const Shape& map = l.shape(input.source);
  const Shape& large = l.shape(input.between.back());
  if (large.h() % map.h() != 0 || large.w() % map.w() != 0) return false;
  const std::int64_t pixels = large.h() / map.h() * (large.w() / map.w());
  const std::int64_t taps = std::int64_t{kernel.h} * kernel.w;
  return (pixels - taps) * map.c() > kSumChannels * pixels;
}

bool cuts_or_pads(const Operator& op) {
  return std::holds_alternative<op::Pad>(op) || std::holds_alternative<op::Crop>(op);
}

/// The input `id` of `concat` back over cuts and pads to a resize, which then ends `between`. All
/// of these can be left out whether or not they change anything at this size, so that parts of a
/// picture take the way of the whole.
bool find_resize(const Lowering& l, ValueId id, std::span<const int> readers,
                 MagnifiedInput& input) {
  for (ValueId at = id;; at = l.node(at).inputs[0]) {
    const Operator& op = l.node(at).op;
    const bool changes = l.root(at) == static_cast<std::size_t>(at);
    if (changes && readers[l.root(at)] != 1) return false;
    if (std::holds_alternative<op::Resize>(op)) {
      input.between.push_back(at);
      input.source = l.node(at).inputs[0];
      return true;
    }
    if (cuts_or_pads(op)) {
      input.between.push_back(at);
    } else if (changes || !std::holds_alternative<op::Dropout>(op)) {
      return false;
    }
  }
}

/// Where pixel i of a cut or padded axis comes from; -1 where it is zero. `before`: pixels added.
std::int64_t source_pixel(const Operator& op, std::int64_t i, std::int64_t before,
                          std::int64_t size) {
  const std::int64_t at = i - before;
  if (at >= 0 && at < size) return at;
  const PadMode mode = std::get<op::Pad>(op).mode;
  if (mode == PadMode::mirror) return mirror_index(at, size);
  return mode == PadMode::edge ? std::clamp<std::int64_t>(at, 0, size - 1) : -1;
}

/// How the pixels that the depthwise convolution reads along an axis are made of the map's.
std::vector<ResizeTap> seen_pixels(const Lowering& l, const MagnifiedInput& input, int axis) {
  const ValueId concat = input.between.front(), resize = input.between.back();
  std::vector<std::int64_t> pixels(static_cast<std::size_t>(l.shape(concat)[axis]));
  std::iota(pixels.begin(), pixels.end(), 0);
  for (const ValueId id : input.between) {
    const Operator& op = l.node(id).op;
    if (!cuts_or_pads(op)) continue;
    const Shape &in = l.shape(l.node(id).inputs[0]), &out = l.shape(id);
    Size2 before;
    if (const auto* crop = std::get_if<op::Crop>(&op)) {
      const Size2 at = resolve_crop(*crop, in.h(), in.w(), out.h(), out.w());
      before = {-at.h, -at.w};
    } else {
      const Padding p = resolve_padding(std::get<op::Pad>(op), in.h(), in.w());
      before = {p.top, p.left};
    }
    for (std::int64_t& i : pixels) {
      if (i >= 0) i = source_pixel(op, i, axis == 2 ? before.h : before.w, in[axis]);
    }
  }
  const auto& how = std::get<op::Resize>(l.node(resize).op);
  const auto magnified =
      resize_taps(l.shape(input.source)[axis], l.shape(resize)[axis], how.mode, how.align_corners);
  std::vector<ResizeTap> seen;
  for (const std::int64_t i : pixels) {
    seen.push_back(i < 0 ? ResizeTap{-1, -1, 0} : magnified[static_cast<std::size_t>(i)]);
  }
  return seen;
}

/// The weights of the 1x1 convolution `project` [oc, ic] times those of one tap of the depthwise
/// one [ic, taps], for channels [first, first + count) and every tap: [taps][oc][count], `oc` whole
/// blocks.
struct TapWeights {
  std::int64_t channels, first, count, results, taps;

  std::int64_t padded_results() const { return whole_blocks(results); }
  Tensor operator()(const float* project, const float* depthwise) const {
    Tensor weights({taps * padded_results() * count});
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      for (std::int64_t o = 0; o < results; ++o) {
        float* to = weights.data() + (tap * padded_results() + o) * count;
        for (std::int64_t c = 0; c < count; ++c) {
          to[c] = project[o * channels + first + c] * depthwise[(first + c) * taps + tap];
        }
      }
    }
    return weights;
  }
};

std::shared_ptr<PackedWeights> pack_taps(Lowering& l, const SeparableChain& chain,
                                         const TapWeights& weights,
                                         const std::shared_ptr<const Convolution>& kernel) {
  const ParameterStore::Parameter* depthwise = &l.parameter(chain.depthwise, 0);
  const auto how = [=](const float* project, void* packed) {
    const Tensor plain = weights(project, depthwise->value.data());
    for (std::int64_t tap = 0; tap < weights.taps; ++tap) {
      kernel->pack(plain.data() + tap * weights.padded_results() * weights.count,
                   static_cast<float*>(packed) + tap * packed_floats(*kernel));
    }
  };
  return l.weights().get(l.parameters(), l.parameter_name(chain.project, 0),
                         {"taps of " + l.parameter_name(chain.depthwise, 0) + ", " +
                              std::to_string(weights.first) + " " + kernel->packed_layout(),
                          weights.taps * packed_floats(*kernel), how, depthwise});
}

}  // namespace

std::optional<MagnifiedInput> find_magnified(const Lowering& l, ValueId depthwise,
                                             std::span<const int> readers) {
  const auto& conv = std::get<op::Conv>(l.node(depthwise).op);
  const bool linear = !conv.bias && l.activation(depthwise).kind == ActivationKind::none;
  if (!linear || conv.stride != Size2(1)) return {};
  const ValueId concat = l.node(depthwise).inputs[0];
  const Node& joined = l.node(concat);
  const bool alone = std::holds_alternative<op::Concat>(joined.op) && joined.inputs.size() == 2 &&
                     readers[l.root(concat)] == 1;
  if (!alone) return {};
  for (const std::size_t which : {0, 1}) {
    MagnifiedInput input{.between = {concat}};
    const ValueId id = joined.inputs[which];
    input.other = joined.inputs[1 - which];
    if (!find_resize(l, id, readers, input) || !pays(l, input, conv.kernel)) continue;
    if (sums_go_by_size(l, depthwise, l.shape(input.source).c())) continue;
    (which == 1 ? input.first_channel : input.other_first_channel) =
        l.node(joined.inputs[0]).channels;
    return input;
  }
  return {};
}

std::shared_ptr<const MagnifiedTaps> magnified_taps(const Lowering& l,
                                                    const SeparableChain& chain) {
  const auto& conv = std::get<op::Conv>(l.node(chain.depthwise).op);
  const Shape& y = l.shape(chain.project);
  return std::make_shared<const MagnifiedTaps>(
      conv.kernel, l.shape(chain.magnified->source), y.c(),
      tap_terms(seen_pixels(l, *chain.magnified, 2), conv.kernel.h, conv.dilation.h,
                conv.padding.top, y.h()),
      tap_terms(seen_pixels(l, *chain.magnified, 3), conv.kernel.w, conv.dilation.w,
                conv.padding.left, y.w()));
}

Slot lower_tap_products(Lowering& l, const SeparableChain& chain) {
  const MagnifiedInput& input = *chain.magnified;
  const auto& conv = std::get<op::Conv>(l.node(chain.depthwise).op);
  const Shape& map = l.shape(input.source);
  const TapWeights weights{.channels = conv.channels,
                           .first = input.first_channel,
                           .count = map.c(),
                           .results = l.node(chain.project).channels,
                           .taps = std::int64_t{conv.kernel.h} * conv.kernel.w};
  const Shape products{map.n(), weights.taps * weights.padded_results(), map.h(), map.w()};
  // Tap by tap and image by image: what is read stays in the cache, as it does not for all taps.
  const Shape one_map{1, map.c(), map.h(), map.w()};
  const Shape one_product{1, weights.padded_results(), map.h(), map.w()};
  const ConvPassChoice pass = choose_pass(geometry_of({.bias = false}, one_map, one_product),
                                          ConvPass::forward, {}, false, l.node(chain.project).name);
  const Slot x = l.value_in(input.source, pass.src_block);
  const Slot y = l.new_slot(products, pass.dst_block);
  const auto packed = pack_taps(l, chain, weights, pass.kernel);
  const int scratch = scratch_buffer(l, *pass.kernel);
  l.step(chain.project, pass.kernel->implementation(), {x.buffer, y.buffer, scratch},
         [=, kernel = pass.kernel, taps = weights.taps](const Frame& f) {
           const View from = f.view(x), to = f.view(y);
           for (std::int64_t i = 0; i < map.n() * taps; ++i) {
             const std::int64_t n = i / taps, tap = i % taps;
             kernel->run(
                 {.src = from.data + n * from.batch_stride,
                  .packed = static_cast<float*>(packed->current()) + tap * packed_floats(*kernel),
                  .dst = to.data + n * to.batch_stride + tap * (to.batch_stride / taps),
                  .scratch = scratch < 0 ? nullptr : f.floats(scratch)});
           }
         });
  return dense_in(l, chain.project, y, vector_block());
}

}  // namespace segmentum::cpu
