// Transposed convolution. Results whose places agree modulo the stride form a part; every part is
// an ordinary convolution of stride 1, and all of them are one, to stride^2 times the channels,
// whose result is dealt out over space. U-Net's 2x2 at stride 2 is so a 1x1 convolution, FCN's
// 16x16 at stride 8 one of 2x2. The gradients of kernels that overlap are those of the convolution
// whose backward pass this is.
#include <algorithm>

#include "base/threads.h"
#include "engine/cpu/conv_pass.h"
#include "engine/cpu/kernels/direct_convolution.h"
#include "engine/cpu/kernels/kernels.h"
#include "engine/cpu/lower_depthwise.h"
#include "engine/cpu/lowering.h"

namespace segmentum::cpu {
namespace {

/// No two pixels of the input reach the same pixel of the result.
bool apart(const op::TransposedConv& conv) {
  return conv.kernel == conv.stride && conv.padding == Padding(0) &&
         conv.output_padding == Size2(0) && conv.groups == 1;
}

/// How many pixels of the input reach a pixel of the result, along an axis.
int taps(int kernel, int stride) {
  return (kernel + stride - 1) / stride;
}

/// The convolution that makes all parts: channel (phase, c) of its result holds the channel c of
/// the pixels of one phase. The first pixel of the result is of phase `first`.
struct Parts {
  ConvGeometry convolution;
  Size2 first;
};

Parts parts_of(const op::TransposedConv& conv, const Shape& in, const Shape& out) {
  const Size2 reach{taps(conv.kernel.h, conv.stride.h), taps(conv.kernel.w, conv.stride.w)};
  const std::int64_t top = conv.padding.top / conv.stride.h;
  const std::int64_t left = conv.padding.left / conv.stride.w;
  const std::int64_t bottom = (out.h() - 1 + conv.padding.top) / conv.stride.h;
  const std::int64_t right = (out.w() - 1 + conv.padding.left) / conv.stride.w;
  return {{.n = in.n(),
           .ic = in.c(),
           .ih = in.h(),
           .iw = in.w(),
           .oc = conv.stride.h * conv.stride.w * whole_blocks(conv.channels),
           .oh = bottom - top + 1,
           .ow = right - left + 1,
           .kernel = reach,
           .stride = 1,
           .dilation = 1,
           .padding =
               Padding(static_cast<int>(reach.h - 1 - top), static_cast<int>(reach.w - 1 - left),
                       static_cast<int>(bottom + 1 - in.h()), static_cast<int>(right + 1 - in.w())),
           .groups = 1},
          {conv.padding.top % conv.stride.h, conv.padding.left % conv.stride.w}};
}

/// Not for paddings that reach further than the kernel does; nor for groups in training, where
/// oneDNN's matrix products skip what lies between them.
bool in_parts(const Lowering& l, const op::TransposedConv& conv, const Parts& parts) {
  const Padding& p = parts.convolution.padding;
  return (conv.groups == 1 || !l.training()) && std::min({p.top, p.left, p.bottom, p.right}) >= 0;
}

/// Between [in, out / groups, kh, kw] and the weights of the parts' convolution, [(phase, out
/// padded), in, th, tw], which holds zeros where the kernel ends within a stride and between
/// groups.
struct PartsWeights {
  std::int64_t in, out, padded, groups;
  Size2 kernel, stride;

  Size2 reach() const { return {taps(kernel.h, stride.h), taps(kernel.w, stride.w)}; }
  std::int64_t count() const { return stride.h * stride.w * padded * in * reach().h * reach().w; }
  Tensor plain(const float* parameter) const {
    Tensor weights({count()});
    each([&](std::int64_t from, std::int64_t to) { weights.data()[to] = parameter[from]; });
    return weights;
  }
  /// visit(place in the one, place in the other)
  template <typename Visit>
  void each(const Visit& visit) const {
    const Size2 r = reach();
    const std::int64_t each_out = out / groups, each_in = in / groups;
    for (std::int64_t i = 0; i < in; ++i) {
      for (std::int64_t o = 0; o < each_out; ++o) {
        const std::int64_t channel = i / each_in * each_out + o;
        for (int y = 0; y < kernel.h; ++y) {
          for (int x = 0; x < kernel.w; ++x) {
            const int phase = y % stride.h * stride.w + x % stride.w;
            const int ty = r.h - 1 - y / stride.h, tx = r.w - 1 - x / stride.w;
            visit(((i * each_out + o) * kernel.h + y) * kernel.w + x,
                  (((phase * padded + channel) * in + i) * r.h + ty) * r.w + tx);
          }
        }
      }
    }
  }
};

PartsWeights parts_weights(const op::TransposedConv& conv, std::int64_t in) {
  return {in, conv.channels, whole_blocks(conv.channels), conv.groups, conv.kernel, conv.stride};
}

std::shared_ptr<PackedWeights> pack_parts(Lowering& l, ValueId id, const PartsWeights& w,
                                          const std::shared_ptr<const Convolution>& kernel) {
  const auto how = [w, kernel](const float* parameter, void* packed) {
    kernel->pack(w.plain(parameter).data(), packed);
  };
  return l.weights().get(l.parameters(), l.parameter_name(id, 0),
                         {"parts " + kernel->packed_layout(), packed_floats(*kernel), how});
}

Slot parts_directly(Lowering& l, ValueId id, const op::TransposedConv& conv,
                    const ConvGeometry& geometry) {
  const Slot x = l.value_in(l.node(id).inputs[0], vector_block());
  const Slot made = l.new_slot({geometry.n, geometry.oc, geometry.oh, geometry.ow}, vector_block());
  const auto convolution = std::make_shared<const DirectConvolution>(direct_forward(geometry));
  const auto pack = [w = parts_weights(conv, geometry.ic), convolution](const float* parameter,
                                                                        void* packed) {
    direct_pack(w.plain(parameter).data(), *convolution, false, static_cast<float*>(packed));
  };
  const auto packed = l.weights().get(l.parameters(), l.parameter_name(id, 0),
                                      {"parts, direct", direct_weight_floats(*convolution), pack});
  const int scratch = l.new_buffer(direct_scratch_floats(*convolution, threads()));
  l.step(id, "direct", {x.buffer, made.buffer, scratch}, [=](const Frame& f) {
    direct_convolution(*convolution, f.view(x), static_cast<const float*>(packed->current()), {},
                       f.view(made), f.floats(scratch));
  });
  return made;
}

Slot parts_by_onednn(Lowering& l, ValueId id, const op::TransposedConv& conv,
                     const ConvGeometry& geometry) {
  const auto pass = choose_pass(geometry, ConvPass::forward, {}, false, l.node(id).name);
  const Slot src = l.dense_value_in(l.node(id).inputs[0], pass.src_block);
  const Slot made = l.new_slot({geometry.n, geometry.oc, geometry.oh, geometry.ow}, pass.dst_block);
  const auto packed = pack_parts(l, id, parts_weights(conv, geometry.ic), pass.kernel);
  const int scratch = scratch_buffer(l, *pass.kernel);
  l.step(id, pass.kernel->implementation(), {src.buffer, made.buffer, scratch},
         [=, kernel = pass.kernel](const Frame& f) {
           kernel->run({.src = f.view(src).data,
                        .packed = packed->current(),
                        .dst = f.view(made).data,
                        .scratch = scratch < 0 ? nullptr : f.floats(scratch)});
         });
  return dense_in(l, id, made, vector_block());
}

void lower_in_parts(Lowering& l, ValueId id, const op::TransposedConv& conv, const Parts& form) {
  const Slot y = l.value(id);
  const Slot parts = direct_pays(l, id, form.convolution, ConvPass::forward)
                         ? parts_directly(l, id, conv, form.convolution)
                         : parts_by_onednn(l, id, conv, form.convolution);
  const ParameterStore::Parameter* bias = conv.bias ? &l.parameter(id, 1) : nullptr;
  const int padded_bias = l.new_buffer(whole_blocks(conv.channels));
  const bool fused = is_rectifier(conv.activation);
  const Slot before = fused ? y : l.new_slot(y.shape, y.block);
  l.step(id, "depth to space", {parts.buffer, before.buffer, padded_bias},
         [=, stride = conv.stride, first = form.first, channels = conv.channels,
          padded = whole_blocks(conv.channels),
          activation = fused ? conv.activation : Activation{}](const Frame& f) {
           float* b = f.floats(padded_bias);
           for (std::int64_t c = 0; c < padded; ++c) {
             b[c] = bias != nullptr && c < channels ? bias->value.data()[c] : 0.0f;
           }
           depth_to_space(f.view(parts), stride, first, b, activation, f.view(before));
         });
  if (!fused) {
    l.keep_before_activation(id, before);
    l.step(id, activation_name(conv.activation.kind), {before.buffer, y.buffer},
           [=, a = conv.activation](const Frame& f) { activate(f.view(before), a, f.view(y)); });
  }
}

/// The weights' gradient from that of the parts, dense in any block.
void emit_parts_weight_gradient(Lowering& l, ValueId id, const ConvGeometry& geometry,
                                const PartsWeights& weights, const Slot& parts) {
  const auto pass = choose_pass(geometry, ConvPass::backward_weights, {}, false, l.node(id).name);
  const Slot src = l.dense_value_in(l.node(id).inputs[0], pass.src_block);
  const Slot dst = dense_in(l, id, parts, pass.dst_block);
  const int packed = l.new_buffer(packed_floats(*pass.kernel));
  const int plain = l.new_buffer(weights.count());
  const int scratch = scratch_buffer(l, *pass.kernel);
  float* gradient = l.parameter_gradient(id, 0);
  l.step(id, pass.kernel->implementation() + " weights",
         {src.buffer, dst.buffer, packed, plain, scratch},
         [=, kernel = pass.kernel](const Frame& f) {
           kernel->run({.src = f.view(src).data,
                        .packed = f.floats(packed),
                        .dst = f.view(dst).data,
                        .scratch = scratch < 0 ? nullptr : f.floats(scratch)});
           float* p = f.floats(plain);
           std::fill_n(p, weights.count(), 0.0f);
           kernel->unpack_add(f.floats(packed), p);
           weights.each([&](std::int64_t to, std::int64_t from) { gradient[to] += p[from]; });
         });
}

void backward_apart(Lowering& l, ValueId id, const op::TransposedConv& conv) {
  const ValueId x = l.node(id).inputs[0];
  const Slot dy = gradient_before_activation(l, id, conv.activation, false);
  const ConvGeometry geometry = parts_of(conv, l.shape(x), l.shape(id)).convolution;
  const Slot parts =
      l.new_slot({geometry.n, geometry.oc, geometry.oh, geometry.ow}, vector_block());
  float* bias_gradient = conv.bias && l.learns(id) ? l.parameter_gradient(id, 1) : nullptr;
  l.step(id, "space to depth", {dy.buffer, parts.buffer},
         [=, stride = conv.stride](const Frame& f) {
           if (bias_gradient != nullptr) add_channel_sums(f.view(dy), bias_gradient);
           space_to_depth(f.view(dy), stride, f.view(parts));
         });
  const PartsWeights weights = parts_weights(conv, geometry.ic);
  if (conv.learnt && l.learns(id)) emit_parts_weight_gradient(l, id, geometry, weights, parts);
  if (!l.wants_gradient(x)) return;
  const auto back = choose_pass(geometry, ConvPass::backward_data, {}, false, l.node(id).name);
  const Slot from = dense_in(l, id, parts, back.dst_block);
  const auto target = l.gradient_target_to_overwrite(x, back.src_block);
  const auto back_weights = pack_parts(l, id, parts_weights(conv, geometry.ic), back.kernel);
  const int back_scratch = scratch_buffer(l, *back.kernel);
  l.step(id, back.kernel->implementation() + " data",
         {from.buffer, target.slot.buffer, back_scratch},
         [=, kernel = back.kernel](const Frame& f) {
           kernel->run({.src = f.view(target.slot).data,
                        .packed = back_weights->current(),
                        .dst = f.view(from).data,
                        .scratch = back_scratch < 0 ? nullptr : f.floats(back_scratch)});
         });
  l.finish(target);
}

/// The convolution whose backward pass this is: it reads our result and makes our input.
ConvGeometry reversed_geometry(const op::TransposedConv& conv, const Shape& in, const Shape& out) {
  ConvGeometry g{.n = in.n(),
                 .ic = out.c(),
                 .ih = out.h(),
                 .iw = out.w(),
                 .oc = in.c(),
                 .oh = in.h(),
                 .ow = in.w(),
                 .kernel = conv.kernel,
                 .stride = conv.stride,
                 .dilation = 1,
                 .padding = conv.padding,
                 .groups = conv.groups};
  g.padding.bottom =
      static_cast<int>((g.oh - 1) * conv.stride.h + conv.kernel.h - g.ih - conv.padding.top);
  g.padding.right =
      static_cast<int>((g.ow - 1) * conv.stride.w + conv.kernel.w - g.iw - conv.padding.left);
  return g;
}

void lower_overlapping(Lowering& l, ValueId id, const op::TransposedConv& conv) {
  const ValueId x = l.node(id).inputs[0];
  const Slot y = l.value(id);
  const ConvGeometry geometry = reversed_geometry(conv, l.shape(x), l.shape(id));
  const auto pass = choose_pass(geometry, ConvPass::backward_data, {}, false, l.node(id).name);
  const Slot src = l.dense_value_in(x, pass.dst_block);
  const Slot made =
      pass.src_block == y.block && y.dense() ? y : l.new_slot(y.shape, pass.src_block);
  const auto packed = pack(l, id, pass.kernel);
  const int scratch = scratch_buffer(l, *pass.kernel);
  l.step(id, pass.kernel->implementation() + " transposed", {src.buffer, made.buffer, scratch},
         [=, kernel = pass.kernel](const Frame& f) {
           kernel->run({.src = f.view(made).data,
                        .packed = packed->current(),
                        .dst = f.view(src).data,
                        .scratch = scratch < 0 ? nullptr : f.floats(scratch)});
         });
  if (made.buffer != y.buffer) {
    l.step(id, "reorder", {made.buffer, y.buffer},
           [=](const Frame& f) { reorder(f.view(made), f.view(y), false); });
  }
  const ParameterStore::Parameter* bias = conv.bias ? &l.parameter(id, 1) : nullptr;
  if (bias != nullptr) {
    const std::int64_t padded = whole_blocks(conv.channels);
    const int arrays = l.new_buffer(2 * padded);
    l.step(id, "bias", {y.buffer, arrays}, [=, channels = conv.channels](const Frame& f) {
      float *scale = f.floats(arrays), *shift = scale + padded;
      for (std::int64_t c = 0; c < padded; ++c) {
        scale[c] = 1.0f;
        shift[c] = c < channels ? bias->value.data()[c] : 0.0f;
      }
      scale_shift(f.view(y), scale, shift, {}, f.view(y));
    });
  }
  if (conv.activation.kind != ActivationKind::none) {
    const Slot before =
        l.training() && !can_fuse(conv.activation) ? l.new_slot(y.shape, y.block) : y;
    if (before.buffer != y.buffer) {
      l.keep_before_activation(id, before);
      l.step(id, "keep", {y.buffer, before.buffer},
             [=](const Frame& f) { copy(f.view(y), f.view(before), false); });
    }
    l.step(id, activation_name(conv.activation.kind), {before.buffer, y.buffer},
           [=, a = conv.activation](const Frame& f) { activate(f.view(before), a, f.view(y)); });
  }
}

}  // namespace

void lower(Lowering& l, ValueId id, const op::TransposedConv& conv) {
  const Shape &in = l.shape(l.node(id).inputs[0]), &out = l.shape(id);
  const ConvGeometry geometry = reversed_geometry(conv, in, out);
  if (is_depthwise(geometry)) return lower_depthwise(l, id, conv, geometry);
  const Parts parts = parts_of(conv, in, out);
  if (in_parts(l, conv, parts)) return lower_in_parts(l, id, conv, parts);
  lower_overlapping(l, id, conv);
}

void lower_backward(Lowering& l, ValueId id, const op::TransposedConv& conv) {
  if (apart(conv)) return backward_apart(l, id, conv);
  const ValueId x = l.node(id).inputs[0];
  const Slot dy = gradient_before_activation(l, id, conv.activation, true);
  const ConvGeometry geometry = reversed_geometry(conv, l.shape(x), l.shape(id));
  if (is_depthwise(geometry)) return lower_depthwise_backward(l, id, conv, geometry, dy);
  if (l.learns(id)) {
    emit_weight_gradient(l, id, geometry, {.value = x, .other = dy, .value_is_src = false},
                         conv.bias, false);
  }
  if (l.wants_gradient(x)) emit_data_gradient(l, id, geometry, ConvPass::forward, dy, x);
}

}  // namespace segmentum::cpu
