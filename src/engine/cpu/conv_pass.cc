#include "engine/cpu/conv_pass.h"

#include <algorithm>

#include "base/threads.h"
#include "engine/cpu/kernels/kernels.h"
#include "engine/cpu/kernels/winograd_gradient.h"
#include "segmentum/error.h"

namespace segmentum::cpu {
namespace {

/// Measured on AVX-512: from here on the transforms cost less than the multiplications they save.
constexpr std::int64_t kWinogradChannels = 16;

/// Products of channels up to which larger tiles are faster.
constexpr std::int64_t kLargeTileProducts = 192 * 192;

/// The dilation with larger tiles, where nobody cuts the picture: a map of 33x33, half a thousand
/// pixels at output stride 16, is 36 pictures of six pixels or five. Others of up to
/// `kWinogradDilation` gain nothing: measured with 512 channels on 33x33 and 65x65.
constexpr int kLargeTileDilation = 6;

/// Products of channels up to which Winograd's weights are transformed once and kept. In training
/// it would be for one step; with narrow vectors fewer tiles share what is read of them.
std::int64_t transformed_products(bool training) {
  if (training) return 128 * 128;
  return vector_block() == 16 ? 512 * 256 : 192 * 192;
}

/// Input channels from which our gradient of the weights is faster than oneDNN's.
constexpr std::int64_t kDirectChannels = 16;

/// Channels that oneDNN's 1x1 kernel adds up at once for maps of any size (its `reduce_blocking`).
/// More it adds up in parts, for maps of 10 to 28 rows in others than for the rest.
constexpr std::int64_t kChannelsSummedAtOnce = 80;

}  // namespace

ConvGeometry geometry_of(const op::Conv& conv, const Shape& in, const Shape& out) {
  ConvGeometry g{.n = in.n(),
                 .ic = in.c(),
                 .ih = in.h(),
                 .iw = in.w(),
                 .oc = out.c(),
                 .oh = out.h(),
                 .ow = out.w(),
                 .kernel = conv.kernel,
                 .stride = conv.stride,
                 .dilation = conv.dilation,
                 .padding = conv.padding,
                 .groups = conv.groups};
  // oneDNN wants the padding that is used: what the stride leaves over at the end is cut.
  const auto used = [](std::int64_t o, int stride, int dilation, int kernel, std::int64_t i,
                       int before) {
    return static_cast<int>((o - 1) * stride + dilation * (kernel - 1) + 1 - i - before);
  };
  g.padding.bottom = used(g.oh, conv.stride.h, conv.dilation.h, conv.kernel.h, g.ih, g.padding.top);
  g.padding.right = used(g.ow, conv.stride.w, conv.dilation.w, conv.kernel.w, g.iw, g.padding.left);
  return g;
}

ConvPassChoice choose_pass(const ConvGeometry& geometry, ConvPass pass, const ConvExtras& extras,
                           bool plain_source, const std::string& node) {
  const int block = vector_block();
  const auto attempt = [&](int src, int dst, bool accept_reference) {
    return ConvPassChoice{Convolution::make(geometry, pass, extras, src, dst, accept_reference),
                          src, dst};
  };
  const std::int64_t groups = geometry.groups;
  const bool depthwise = groups == geometry.ic && groups == geometry.oc;
  const bool whole_groups =
      (geometry.ic / groups) % block == 0 && (geometry.oc / groups) % block == 0;
  ConvPassChoice choice;
  if (plain_source && geometry.ic <= 3 && groups == 1) choice = attempt(1, block, false);
  if (!choice.kernel && (groups == 1 || depthwise || whole_groups)) {
    choice = attempt(block, block, false);
  }
  if (!choice.kernel) choice = attempt(1, 1, false);
  if (!choice.kernel) choice = attempt(1, 1, true);
  if (!choice.kernel) throw Error("oneDNN has no convolution for node \"" + node + "\"");
  return choice;
}

std::int64_t packed_floats(const Convolution& kernel) {
  return static_cast<std::int64_t>((kernel.packed_bytes() + sizeof(float) - 1) / sizeof(float));
}

std::shared_ptr<PackedWeights> pack(Lowering& l, ValueId id,
                                    const std::shared_ptr<const Convolution>& kernel,
                                    const JoinedGroups& groups) {
  const auto how = [kernel, groups](const float* parameter, void* packed) {
    groups.with_weights(parameter, [&](const float* weights) { kernel->pack(weights, packed); });
  };
  return l.weights().get(l.parameters(), l.parameter_name(id, 0),
                         {kernel->packed_layout(), packed_floats(*kernel), how});
}

WinogradSource winograd_source(Lowering& l, ValueId id, const ConvGeometry& g, int tile,
                               bool backward) {
  if (g.ic * g.oc > transformed_products(l.training())) {
    return {backward ? WinogradForm::turned : WinogradForm::plain, nullptr, &l.parameter(id, 0)};
  }
  const auto how = [oc = g.oc, ic = g.ic, tile, backward](const float* parameter, void* packed) {
    winograd_pack(parameter, tile, oc, ic, backward, static_cast<float*>(packed));
  };
  const std::string name = "winograd " + std::to_string(tile) + (backward ? " backward" : "");
  return {WinogradForm::transformed,
          l.weights().get(l.parameters(), l.parameter_name(id, 0),
                          {name, winograd_weight_floats(tile, g.ic, g.oc), how}),
          nullptr};
}

bool winograd_pays(const Lowering& l, const ConvGeometry& g) {
  return !l.exact() && g.kernel == Size2(3) && g.stride == Size2(1) && g.groups == 1 &&
         std::max(g.dilation.h, g.dilation.w) <= kWinogradDilation && g.ic >= kWinogradChannels &&
         g.oc >= kWinogradChannels;
}

namespace {

/// A model of the layer alone. Tiles of six multiply a fifth less and transform no more; but their
/// weights are 64 numbers for nine, and many channels to many read them from memory again and
/// again.
int undilated_tile(std::int64_t ic, std::int64_t oc) {
  return ic * oc <= kLargeTileProducts ? 6 : 4;
}

}  // namespace

int winograd_tile(const Lowering& l, ValueId id, const ConvGeometry& g) {
  if (l.training()) return 4;
  if (g.dilation == Size2(1)) return undilated_tile(g.ic, g.oc);
  return l.never_cut(id) && g.dilation == Size2(kLargeTileDilation) ? 6 : 4;
}

ConvolutionGrid winograd_grid() {
  return {4, kWinogradDilation, [](std::int64_t ic, std::int64_t oc) {
            return std::min(ic, oc) < kWinogradChannels ? 1 : undilated_tile(ic, oc);
          }};
}

bool sums_go_by_size(const Lowering& l, ValueId id, std::int64_t channels, Size2 stride) {
  if (l.training() || l.never_cut(id)) return false;
  return stride != Size2(1) || channels > kChannelsSummedAtOnce;
}

bool direct_pays(const Lowering& l, ValueId id, const ConvGeometry& g, ConvPass pass) {
  if (g.groups != 1) return false;
  if (g.dilation != Size2(1)) return true;
  // oneDNN sums such rows in an order that goes by the picture's height.
  if (pass == ConvPass::forward && g.iw < g.kernel.w) return true;
  if (pass == ConvPass::forward && g.taps() == 1 && sums_go_by_size(l, id, g.ic, g.stride)) {
    return true;
  }
  // oneDNN has kernels of its own for pictures, whose few channels would leave our blocks empty.
  return pass == ConvPass::backward_weights && g.taps() > 1 && g.ic >= kDirectChannels;
}

std::shared_ptr<PackedWeights> pack_direct(Lowering& l, ValueId id, const DirectConvolution& c,
                                           bool gradient, const JoinedGroups& groups) {
  const auto how = [c, gradient, groups](const float* parameter, void* packed) {
    groups.with_weights(parameter, [&](const float* weights) {
      direct_pack(weights, c, gradient, static_cast<float*>(packed));
    });
  };
  return l.weights().get(l.parameters(), l.parameter_name(id, 0),
                         {gradient ? "direct gradient" : "direct", direct_weight_floats(c), how});
}

int scratch_buffer(Lowering& l, const Convolution& kernel) {
  const auto floats = static_cast<std::int64_t>((kernel.scratch_bytes() + 3) / 4);
  return floats == 0 ? -1 : l.new_buffer(floats);
}

Slot dense_in(Lowering& l, ValueId id, const Slot& slot, int block) {
  if (slot.block == block && slot.dense()) return slot;
  const Slot to = l.new_slot(slot.shape, block);
  l.step(id, "reorder", {slot.buffer, to.buffer},
         [=](const Frame& f) { reorder(f.view(slot), f.view(to), false); });
  return to;
}

namespace {

void emit_bias_gradient(Lowering& l, ValueId id, const Slot& dy) {
  float* gradient = l.parameter_gradient(id, 1);
  l.step(id, "bias gradient", {dy.buffer},
         [=](const Frame& f) { add_channel_sums(f.view(dy), gradient); });
}

/// By one of our own kernels: Winograd's or the direct one.
void emit_blocked_weight_gradient(Lowering& l, ValueId id, const ConvGeometry& geometry,
                                  const WeightGradientInputs& inputs, bool bias, bool winograd) {
  const Slot value = l.value_in(inputs.value, vector_block());
  const Slot other = inputs.other.block == vector_block()
                         ? inputs.other
                         : dense_in(l, id, inputs.other, vector_block());
  const Slot src = inputs.value_is_src ? value : other;
  const Slot dst = inputs.value_is_src ? other : value;
  const int scratch = l.new_buffer(winograd ? winograd_gradient_floats(geometry, threads())
                                            : direct_gradient_floats(geometry));
  float* gradient = l.parameter_gradient(id, 0);
  const auto add = winograd ? winograd_weight_gradient : direct_weight_gradient;
  l.step(id, winograd ? "winograd weights" : "direct weights", {src.buffer, dst.buffer, scratch},
         [=](const Frame& f) {
           add(geometry, f.view(src), f.view(dst), gradient, f.floats(scratch));
         });
  if (bias) emit_bias_gradient(l, id, inputs.other);
}

}  // namespace

void emit_weight_gradient(Lowering& l, ValueId id, const ConvGeometry& geometry,
                          const WeightGradientInputs& inputs, bool bias, bool plain_source) {
  const bool winograd = winograd_pays(l, geometry);
  if (winograd || direct_pays(l, id, geometry, ConvPass::backward_weights)) {
    return emit_blocked_weight_gradient(l, id, geometry, inputs, bias, winograd);
  }
  float* gradient = l.parameter_gradient(id, 0);
  float* bias_gradient = bias ? l.parameter_gradient(id, 1) : nullptr;
  const bool bias_in_pass = bias && inputs.value_is_src;
  const ConvPassChoice pass =
      choose_pass(geometry, ConvPass::backward_weights, {.bias = bias_in_pass},
                  plain_source && inputs.value_is_src, l.node(id).name);
  const int value_block = inputs.value_is_src ? pass.src_block : pass.dst_block;
  const int other_block = inputs.value_is_src ? pass.dst_block : pass.src_block;
  const Slot value = l.dense_value_in(inputs.value, value_block);
  const Slot other = dense_in(l, id, inputs.other, other_block);
  const Slot src = inputs.value_is_src ? value : other;
  const Slot dst = inputs.value_is_src ? other : value;
  const int packed = l.new_buffer(packed_floats(*pass.kernel));
  const int sums = bias_in_pass ? l.new_buffer(geometry.oc) : -1;
  const int scratch = scratch_buffer(l, *pass.kernel);
  l.step(id, pass.kernel->implementation() + " weights",
         {src.buffer, dst.buffer, packed, sums, scratch},
         [=, kernel = pass.kernel, oc = geometry.oc](const Frame& f) {
           kernel->run({.src = f.view(src).data,
                        .packed = f.floats(packed),
                        .bias = sums < 0 ? nullptr : f.floats(sums),
                        .dst = f.view(dst).data,
                        .scratch = scratch < 0 ? nullptr : f.floats(scratch)});
           kernel->unpack_add(f.floats(packed), gradient);
           if (sums >= 0) {
             for (std::int64_t c = 0; c < oc; ++c) bias_gradient[c] += f.floats(sums)[c];
           }
         });
  if (bias && !bias_in_pass) emit_bias_gradient(l, id, inputs.other);
}

namespace {

/// The gradient of a 3x3 convolution is a convolution of the gradient, with the kernel turned and
/// padded by twice the dilation less the padding.
void emit_winograd_data_gradient(Lowering& l, ValueId id, const ConvGeometry& g, const Slot& dy,
                                 ValueId x) {
  const auto target = l.gradient_target_to_overwrite(x, vector_block());
  constexpr int kTile = 4;
  const WinogradSource weights = winograd_source(l, id, g, kTile, true);
  const WinogradWindow window{2 * g.dilation.h - g.padding.top, 2 * g.dilation.w - g.padding.left,
                              g.dilation, kTile};
  const int scratch = l.new_buffer(
      winograd_scratch_floats(weights.form, g.oc, target.slot.shape, window, threads()));
  l.step(id, "winograd data", {dy.buffer, target.slot.buffer, scratch}, [=](const Frame& f) {
    winograd_convolution(f.view(dy), weights.current(), window, {}, f.view(target.slot),
                         f.floats(scratch));
  });
  l.finish(target);
}

void emit_direct_data_gradient(Lowering& l, ValueId id, const ConvGeometry& g, const Slot& dy,
                               ValueId x) {
  const auto target = l.gradient_target_to_overwrite(x, vector_block());
  const auto convolution = std::make_shared<const DirectConvolution>(direct_data_gradient(g));
  const auto packed = pack_direct(l, id, *convolution, true);
  const int scratch = l.new_buffer(direct_scratch_floats(*convolution, threads()));
  l.step(id, "direct data", {dy.buffer, target.slot.buffer, scratch}, [=](const Frame& f) {
    direct_convolution(*convolution, f.view(dy), static_cast<const float*>(packed->current()), {},
                       f.view(target.slot), f.floats(scratch));
  });
  l.finish(target);
}

}  // namespace

void emit_data_gradient(Lowering& l, ValueId id, const ConvGeometry& geometry, ConvPass pass,
                        const Slot& dy, ValueId x) {
  if (pass == ConvPass::backward_data && winograd_pays(l, geometry)) {
    return emit_winograd_data_gradient(l, id, geometry, dy, x);
  }
  if (pass == ConvPass::backward_data && direct_pays(l, id, geometry, pass)) {
    return emit_direct_data_gradient(l, id, geometry, dy, x);
  }
  // A convolution's gradient runs from dst to src, a transposed one's from src to dst.
  const bool to_src = pass == ConvPass::backward_data;
  const ConvPassChoice choice = choose_pass(geometry, pass, {}, false, l.node(id).name);
  const int from_block = to_src ? choice.dst_block : choice.src_block;
  const int to_block = to_src ? choice.src_block : choice.dst_block;
  const Slot from = dense_in(l, id, dy, from_block);
  const auto target = l.gradient_target_to_overwrite(x, to_block);
  const auto packed = pack(l, id, choice.kernel);
  const int scratch = scratch_buffer(l, *choice.kernel);
  l.step(id, choice.kernel->implementation() + " data", {from.buffer, target.slot.buffer, scratch},
         [=, kernel = choice.kernel](const Frame& f) {
           float* in = f.view(from).data;
           float* out = f.view(target.slot).data;
           kernel->run({.src = to_src ? out : in,
                        .packed = packed->current(),
                        .dst = to_src ? in : out,
                        .scratch = scratch < 0 ? nullptr : f.floats(scratch)});
         });
  l.finish(target);
}

}  // namespace segmentum::cpu
