// A 1x1 convolution that reads a concatenation whose last part is one pixel, spread over the map:
// the mean of the picture in a pyramid of DeepLab's. What that part brings is the same everywhere,
// so it is multiplied once and becomes the bias of the rest.
#include "engine/cpu/lower_spread.h"

#include <algorithm>
#include <string>

#include "engine/cpu/conv_pass.h"
#include "engine/cpu/kernels/kernels.h"

namespace segmentum::cpu {
namespace {

/// Whether a value is a single pixel whatever the picture's size.
bool is_one_pixel(const Lowering& l, ValueId id) {
  for (;; id = l.node(id).inputs[0]) {
    const Operator& op = l.node(id).op;
    if (std::holds_alternative<op::GlobalAveragePool>(op)) return true;
    const auto* conv = std::get_if<op::Conv>(&op);
    const bool keeps_size =
        std::holds_alternative<op::BatchNorm>(op) || std::holds_alternative<op::Activate>(op) ||
        std::holds_alternative<op::Dropout>(op) ||
        (conv != nullptr && conv->kernel == Size2(1) && conv->padding == Padding(0));
    if (!keeps_size) return false;
  }
}

/// The weights of `count` input channels from `first` on, for oneDNN's `kernel`.
std::shared_ptr<PackedWeights> pack_part(Lowering& l, ValueId id, std::int64_t first,
                                         std::int64_t count,
                                         const std::shared_ptr<const Convolution>& kernel) {
  const std::int64_t all = l.shape(l.node(id).inputs[0]).c(), results = l.node(id).channels;
  const auto how = [=](const float* parameter, void* packed) {
    Tensor part({results * count});
    for (std::int64_t o = 0; o < results; ++o) {
      std::copy_n(parameter + o * all + first, count, part.data() + o * count);
    }
    kernel->pack(part.data(), packed);
  };
  return l.weights().get(l.parameters(), l.parameter_name(id, 0),
                         {"part " + std::to_string(first) + "+" + std::to_string(count) + " " +
                              kernel->packed_layout(),
                          packed_floats(*kernel), how});
}

/// Bias and weights times the single pixel, [N, channels, 1, 1].
Slot lower_bias(Lowering& l, ValueId id, const SpreadInput& spread) {
  const auto& conv = std::get<op::Conv>(l.node(id).op);
  const Shape& pixel = l.shape(spread.source);
  const Shape result{pixel.n(), conv.channels, 1, 1};
  const ConvPassChoice pass = choose_pass(geometry_of(conv, pixel, result), ConvPass::forward,
                                          {.bias = conv.bias}, false, l.node(id).name);
  const Slot x = l.dense_value_in(spread.source, pass.src_block);
  const Slot y = l.new_slot(result, pass.dst_block);
  const auto packed = pack_part(l, id, spread.first_channel, pixel.c(), pass.kernel);
  const ParameterStore::Parameter* bias = conv.bias ? &l.parameter(id, 1) : nullptr;
  const int scratch = scratch_buffer(l, *pass.kernel);
  l.step(id, "bias of one pixel", {x.buffer, y.buffer, scratch},
         [=, kernel = pass.kernel](const Frame& f) {
           kernel->run({.src = f.view(x).data,
                        .packed = packed->current(),
                        .bias = bias == nullptr ? nullptr : const_cast<float*>(bias->value.data()),
                        .dst = f.view(y).data,
                        .scratch = scratch < 0 ? nullptr : f.floats(scratch)});
         });
  return y;
}

}  // namespace

std::optional<SpreadInput> find_spread(const Lowering& l, ValueId id) {
  const auto* conv = std::get_if<op::Conv>(&l.node(id).op);
  const bool pointwise = conv != nullptr && conv->kernel == Size2(1) && conv->stride == Size2(1) &&
                         conv->dilation == Size2(1) && conv->padding == Padding(0) &&
                         conv->groups == 1;
  if (!pointwise || !keeps_zero(l.activation(id))) return {};
  const ValueId concat = l.node(id).inputs[0];
  const Node& joined = l.node(concat);
  if (!std::holds_alternative<op::Concat>(joined.op) || joined.inputs.size() < 2) return {};
  const ValueId resize = joined.inputs.back();
  if (!std::holds_alternative<op::Resize>(l.node(resize).op)) return {};
  const std::int64_t before = joined.channels - l.node(resize).channels;
  const ValueId source = l.node(resize).inputs[0];
  if (before % vector_block() != 0 || !is_one_pixel(l, source)) return {};
  return SpreadInput{concat, resize, source, before};
}

void lower_spread(Lowering& l, ValueId id) {
  const SpreadInput& spread = *l.spread(id);
  const auto& conv = std::get<op::Conv>(l.node(id).op);
  const Slot bias = lower_bias(l, id, spread);
  const Shape& all = l.shape(spread.concat);
  const Shape rest{1, spread.first_channel, all.h(), all.w()};
  const Shape result{1, conv.channels, all.h(), all.w()};
  const ConvPassChoice pass = choose_pass(
      geometry_of(conv, rest, result), ConvPass::forward,
      {.bias = true, .residual = conv.add, .activation = l.activation(id)}, false, l.node(id).name);
  // An image at a time, each with a bias of its own; of the channels the first are read.
  const Slot x = l.value_in(spread.concat, pass.src_block);
  const Slot home = l.value(id);
  const Slot y = pass.dst_block == home.block ? home : l.new_slot(home.shape, pass.dst_block);
  const Slot residual = conv.add ? l.dense_value_in(l.node(id).inputs[1], pass.dst_block) : Slot{};
  const auto packed = pack_part(l, id, 0, spread.first_channel, pass.kernel);
  const int scratch = scratch_buffer(l, *pass.kernel);
  l.step(id, pass.kernel->implementation(),
         {x.buffer, y.buffer, bias.buffer, residual.buffer, scratch},
         [=, kernel = pass.kernel](const Frame& f) {
           const View from = f.view(x), to = f.view(y), plus = f.view(residual), own = f.view(bias);
           for (std::int64_t n = 0; n < to.shape.n(); ++n) {
             kernel->run(
                 {.src = from.data + n * from.batch_stride,
                  .packed = packed->current(),
                  .bias = own.data + n * own.batch_stride,
                  .dst = to.data + n * to.batch_stride,
                  .residual = plus.data == nullptr ? nullptr : plus.data + n * plus.batch_stride,
                  .scratch = scratch < 0 ? nullptr : f.floats(scratch)});
           }
         });
  if (y.buffer == home.buffer) return;
  l.step(id, "reorder", {y.buffer, home.buffer},
         [=](const Frame& f) { reorder(f.view(y), f.view(home), false); });
}

}  // namespace segmentum::cpu
