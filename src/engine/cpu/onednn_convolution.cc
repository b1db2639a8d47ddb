#include "engine/cpu/onednn_convolution.h"

#include <hwy/targets.h>

#include <algorithm>
#include <oneapi/dnnl/dnnl.hpp>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/cpu/kernels/kernels.h"
#include "engine/cpu/layout.h"
#include "tensor/tensor.h"

namespace segmentum::cpu {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;

const dnnl::engine& engine() {
  static const dnnl::engine instance(dnnl::engine::kind::cpu, 0);
  return instance;
}

dnnl::stream& stream() {
  thread_local dnnl::stream instance(engine());
  return instance;
}

memory::desc value_desc(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w, int block) {
  const Tag tag = block == 16 ? Tag::nChw16c : block == 8 ? Tag::nChw8c : Tag::nchw;
  return {{n, c, h, w}, memory::data_type::f32, tag};
}

memory::dims weight_dims(const ConvGeometry& g) {
  if (g.groups == 1) return {g.oc, g.ic, g.kernel.h, g.kernel.w};
  return {g.groups, g.oc / g.groups, g.ic / g.groups, g.kernel.h, g.kernel.w};
}

memory::desc weight_desc(const ConvGeometry& g, bool any) {
  const Tag plain = g.groups == 1 ? Tag::oihw : Tag::goihw;
  return {weight_dims(g), memory::data_type::f32, any ? Tag::any : plain};
}

struct Descriptions {
  memory::desc src, weights, bias, dst;
  memory::dims strides, dilates, before, after;

  Descriptions(const ConvGeometry& g, bool with_bias, int src_block, int dst_block)
      : src(value_desc(g.n, g.ic, g.ih, g.iw, src_block)),
        weights(weight_desc(g, true)),
        dst(value_desc(g.n, g.oc, g.oh, g.ow, dst_block)),
        strides{g.stride.h, g.stride.w},
        dilates{g.dilation.h - 1, g.dilation.w - 1},
        before{g.padding.top, g.padding.left},
        after{g.padding.bottom, g.padding.right} {
    if (with_bias) bias = memory::desc({g.oc}, memory::data_type::f32, Tag::x);
  }
};

using Forward = dnnl::convolution_forward;
using BackwardData = dnnl::convolution_backward_data;
using BackwardWeights = dnnl::convolution_backward_weights;
constexpr auto kInference = dnnl::prop_kind::forward_inference;
constexpr auto kDirect = dnnl::algorithm::convolution_direct;

// --- where oneDNN 2.x and 3.x differ
// --------------------------------------------------------------
#if DNNL_VERSION_MAJOR >= 3
void append_activation(dnnl::post_ops& post, dnnl::algorithm algorithm, float alpha, float beta) {
  post.append_eltwise(algorithm, alpha, beta);
}

Forward::primitive_desc forward_pd(const Descriptions& d, const dnnl::primitive_attr& attr) {
  return {engine(),  kInference, kDirect,  d.src,   d.weights, d.bias, d.dst,
          d.strides, d.dilates,  d.before, d.after, attr,      true};
}

BackwardData::primitive_desc backward_data_pd(const Descriptions& d,
                                              const dnnl::primitive_attr& attr,
                                              const Forward::primitive_desc& hint) {
  return {engine(),  kDirect,  d.src,   d.weights, d.dst, d.strides,
          d.dilates, d.before, d.after, hint,      attr,  true};
}

BackwardWeights::primitive_desc backward_weights_pd(const Descriptions& d,
                                                    const dnnl::primitive_attr& attr,
                                                    const Forward::primitive_desc& hint) {
  return {engine(),  kDirect,  d.src,   d.weights, d.bias, d.dst, d.strides,
          d.dilates, d.before, d.after, hint,      attr,   true};
}

std::vector<std::int64_t> extents(const memory::desc& desc) {
  return desc.get_dims();
}

std::string layout_name(const memory::desc& desc) {
  std::string name = std::to_string(desc.get_size());
  for (const auto& numbers :
       {desc.get_padded_dims(), desc.get_strides(), desc.get_inner_blks(), desc.get_inner_idxs()}) {
    for (std::int64_t number : numbers) name += '.' + std::to_string(number);
    name += '/';
  }
  return name;
}
#else
void append_activation(dnnl::post_ops& post, dnnl::algorithm algorithm, float alpha, float beta) {
  post.append_eltwise(1.0f, algorithm, alpha, beta);
}

Forward::primitive_desc forward_pd(const Descriptions& d, const dnnl::primitive_attr& attr) {
  const auto desc = d.bias.is_zero()
                        ? Forward::desc(kInference, kDirect, d.src, d.weights, d.dst, d.strides,
                                        d.dilates, d.before, d.after)
                        : Forward::desc(kInference, kDirect, d.src, d.weights, d.bias, d.dst,
                                        d.strides, d.dilates, d.before, d.after);
  return {desc, attr, engine(), true};
}

BackwardData::primitive_desc backward_data_pd(const Descriptions& d,
                                              const dnnl::primitive_attr& attr,
                                              const Forward::primitive_desc& hint) {
  const BackwardData::desc desc(kDirect, d.src, d.weights, d.dst, d.strides, d.dilates, d.before,
                                d.after);
  return {desc, attr, engine(), hint, true};
}

BackwardWeights::primitive_desc backward_weights_pd(const Descriptions& d,
                                                    const dnnl::primitive_attr& attr,
                                                    const Forward::primitive_desc& hint) {
  using Desc = BackwardWeights::desc;
  const Desc desc =
      d.bias.is_zero()
          ? Desc(kDirect, d.src, d.weights, d.dst, d.strides, d.dilates, d.before, d.after)
          : Desc(kDirect, d.src, d.weights, d.bias, d.dst, d.strides, d.dilates, d.before, d.after);
  return {desc, attr, engine(), hint, true};
}

std::vector<std::int64_t> extents(const memory::desc& desc) {
  return desc.dims();
}

std::string layout_name(const memory::desc& desc) {
  return {reinterpret_cast<const char*>(&desc.data), sizeof(desc.data)};
}
#endif
// --------------------------------------------------------------------------------------------------

dnnl::primitive_attr attributes(const ConvExtras& extras, const memory::desc& dst) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops post;
  if (extras.residual) post.append_binary(dnnl::algorithm::binary_add, dst);
  switch (extras.activation.kind) {
    case ActivationKind::relu:
      append_activation(post, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
      break;
    case ActivationKind::leaky_relu:
      append_activation(post, dnnl::algorithm::eltwise_relu, extras.activation.slope, 0.0f);
      break;
    case ActivationKind::relu6:
      append_activation(post, dnnl::algorithm::eltwise_clip, 0.0f, 6.0f);
      break;
    case ActivationKind::hard_swish:  // x * clip(x / 6 + 1 / 2, 0, 1)
      append_activation(post, dnnl::algorithm::eltwise_hardswish, 1.0f / 6.0f, 0.5f);
      break;
    default:
      break;
  }
  attr.set_post_ops(post);
  return attr;
}

/// oneDNN wants a forward description as a hint for the backward ones; its layout does not matter.
Forward::primitive_desc hint_pd(const ConvGeometry& g) {
  Descriptions plain(g, false, 1, 1);
  plain.src = memory::desc(extents(plain.src), memory::data_type::f32, Tag::any);
  plain.dst = memory::desc(extents(plain.dst), memory::data_type::f32, Tag::any);
  return forward_pd(plain, {});
}

memory view_of(const memory::desc& desc, const void* data) {
  return {desc, engine(), const_cast<void*>(data)};
}

bool is_reference(const char* implementation) {
  return std::string_view(implementation).starts_with("ref");
}

}  // namespace

int vector_block() {
  static const int block = [] {
    switch (dnnl::get_effective_cpu_isa()) {
      case dnnl::cpu_isa::sse41:
      case dnnl::cpu_isa::avx:
      case dnnl::cpu_isa::avx2:
      case dnnl::cpu_isa::avx2_vnni:
#if DNNL_VERSION_MAJOR >= 3
      case dnnl::cpu_isa::avx2_vnni_2:
#endif
      case dnnl::cpu_isa::all:
        return 8;
      default:  // our own kernels must have such vectors, too
        return (hwy::SupportedTargets() & HWY_TARGETS & ((HWY_AVX3 << 1) - 1)) != 0 ? 16 : 8;
    }
  }();
  return block;
}

bool can_fuse(const Activation& activation) {
  return is_rectifier(activation) || activation.kind == ActivationKind::relu6;
}

struct Convolution::Parts {
  ConvPass pass;
  ConvGeometry given;   // as the caller sees it
  ConvGeometry padded;  // as oneDNN does
  dnnl::primitive primitive;
  memory::desc src, weights, bias, dst, scratch, plain_weights;
  std::string implementation, layout;

  /// oneDNN's own scratch; the padded bias follows it.
  std::size_t scratch_bytes() const {
    return (scratch.get_size() + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
  }
  bool is_padded() const { return given.ic != padded.ic || given.oc != padded.oc; }

  /// Calls visit(index in the given weights, index in the padded ones).
  template <typename Visit>
  void each_weight(const Visit& visit) const {
    const std::int64_t taps = std::int64_t{given.kernel.h} * given.kernel.w;
    for (std::int64_t o = 0; o < given.oc; ++o) {
      for (std::int64_t i = 0; i < given.ic * taps; ++i) {
        visit(o * given.ic * taps + i, o * padded.ic * taps + i);
      }
    }
  }
  Tensor padded_weights() const {
    return Tensor({padded.oc, padded.ic, given.kernel.h, given.kernel.w});
  }

  template <typename PrimitiveDesc>
  void take(const PrimitiveDesc& pd, const memory::desc& packed) {
    weights = packed;
    implementation = pd.impl_info_str();
    scratch = pd.scratchpad_desc();
  }
};

Convolution::Convolution(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Convolution::~Convolution() = default;

std::unique_ptr<Convolution> Convolution::make(const ConvGeometry& geometry, ConvPass pass,
                                               const ConvExtras& extras, int src_block,
                                               int dst_block, bool accept_reference) {
  // oneDNN's blocked kernels differ with the channel count and some want whole blocks: our values
  // have zeros there, so with zero weights the counts may as well be whole.
  ConvGeometry padded = geometry;
  if (geometry.groups == 1) {
    padded.ic = whole_blocks(geometry.ic, src_block);
    padded.oc = whole_blocks(geometry.oc, dst_block);
  }
  const Descriptions d(padded, extras.bias, src_block, dst_block);
  auto parts = std::make_unique<Parts>();
  parts->pass = pass;
  parts->given = geometry;
  parts->padded = padded;
  parts->src = d.src;
  parts->dst = d.dst;
  parts->bias = d.bias;
  parts->plain_weights = weight_desc(padded, false);
  const dnnl::primitive_attr attr = attributes(extras, d.dst);
  const auto good = [&](const auto& pd) {
    return pd && (accept_reference || !is_reference(pd.impl_info_str()));
  };
  try {
    if (pass == ConvPass::forward) {
      const auto pd = forward_pd(d, attr);
      if (!good(pd)) return nullptr;
      parts->take(pd, pd.weights_desc());
      parts->primitive = Forward(pd);
    } else if (pass == ConvPass::backward_data) {
      const auto pd = backward_data_pd(d, attr, hint_pd(padded));
      if (!good(pd)) return nullptr;
      parts->take(pd, pd.weights_desc());
      parts->primitive = BackwardData(pd);
    } else {
      const auto pd = backward_weights_pd(d, attr, hint_pd(padded));
      if (!good(pd)) return nullptr;
      parts->take(pd, pd.diff_weights_desc());
      parts->primitive = BackwardWeights(pd);
    }
  } catch (const dnnl::error&) {
    return nullptr;  // this layout is not offered for this geometry
  }
  parts->layout = layout_name(parts->weights);
  return std::unique_ptr<Convolution>(new Convolution(std::move(parts)));
}

std::size_t Convolution::packed_bytes() const {
  return parts_->weights.get_size();
}
std::size_t Convolution::scratch_bytes() const {
  const std::size_t bias = parts_->bias.is_zero() ? 0 : parts_->bias.get_size();
  return parts_->scratch_bytes() + bias;
}

std::string Convolution::implementation() const {
  return parts_->implementation;
}
const std::string& Convolution::packed_layout() const {
  return parts_->layout;
}

void Convolution::pack(const float* plain, void* packed) const {
  Tensor whole;
  if (parts_->is_padded()) {
    whole = parts_->padded_weights();
    parts_->each_weight([&](auto from, auto to) { whole.data()[to] = plain[from]; });
    plain = whole.data();
  }
  memory from = view_of(parts_->plain_weights, plain);
  memory to = view_of(parts_->weights, packed);
  dnnl::reorder(from, to).execute(stream(), from, to);
  stream().wait();
}

void Convolution::unpack_add(const void* packed, float* plain) const {
  Tensor whole;
  if (parts_->is_padded()) whole = parts_->padded_weights();
  memory from = view_of(parts_->weights, packed);
  memory to = view_of(parts_->plain_weights, parts_->is_padded() ? whole.data() : plain);
  dnnl::primitive_attr attr;
  dnnl::post_ops post;
  post.append_sum(1.0f);
  attr.set_post_ops(post);
  dnnl::reorder(dnnl::reorder::primitive_desc(from, to, attr)).execute(stream(), from, to);
  stream().wait();
  if (parts_->is_padded()) {
    parts_->each_weight([&](auto to_index, auto index) { plain[to_index] += whole.data()[index]; });
  }
}

void Convolution::run(const Operands& o) const {
  const Parts& p = *parts_;
  std::unordered_map<int, memory> arguments;
  const bool forward = p.pass == ConvPass::forward;
  const int src = p.pass == ConvPass::backward_data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC;
  const int dst = forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST;
  const bool weight_gradient = p.pass == ConvPass::backward_weights;
  arguments.emplace(src, view_of(p.src, o.src));
  arguments.emplace(dst, view_of(p.dst, o.dst));
  arguments.emplace(weight_gradient ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS,
                    view_of(p.weights, o.packed));
  float* bias = nullptr;
  if (!p.bias.is_zero()) {
    bias = reinterpret_cast<float*>(static_cast<std::byte*>(o.scratch) + p.scratch_bytes());
    std::fill_n(bias, p.padded.oc, 0.0f);
    if (!weight_gradient) std::copy_n(o.bias, p.given.oc, bias);
    arguments.emplace(weight_gradient ? DNNL_ARG_DIFF_BIAS : DNNL_ARG_BIAS, view_of(p.bias, bias));
  }
  if (o.residual != nullptr) {
    arguments.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1,
                      view_of(p.dst, o.residual));
  }
  arguments.emplace(DNNL_ARG_SCRATCHPAD, view_of(p.scratch, o.scratch));
  p.primitive.execute(stream(), arguments);
  stream().wait();
  if (weight_gradient && bias != nullptr) std::copy_n(bias, p.given.oc, o.bias);
}

}  // namespace segmentum::cpu
