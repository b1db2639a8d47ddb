// Batch norm (with the rectifier that follows it), group norm and layer norm.
#include <algorithm>
#include <cmath>

#include "engine/cpu/kernels/kernels.h"
#include "engine/cpu/lowering.h"

namespace segmentum::cpu {
namespace {

/// Per-channel arrays of a batch norm in one buffer, each padded to whole blocks.
struct NormArrays {
  float *scale, *shift, *mean, *deviation, *weight_gradient, *bias_gradient;
  static constexpr int kCount = 6;

  NormArrays(float* start, std::int64_t padded)
      : scale(start),
        shift(start + padded),
        mean(start + 2 * padded),
        deviation(start + 3 * padded),
        weight_gradient(start + 4 * padded),
        bias_gradient(start + 5 * padded) {}
};

struct NormParameters {
  const float *weight, *bias, *running_mean, *running_var;
  NormParameters(const ParameterStore& store, const std::vector<std::string>& names)
      : weight(store.value(names[0]).data()),
        bias(store.value(names[1]).data()),
        running_mean(store.value(names[2]).data()),
        running_var(store.value(names[3]).data()) {}
};

/// running += momentum * (batch - running); the variance as the unbiased estimate, as PyTorch's.
void update_running(ParameterStore& store, const std::vector<std::string>& names, double pixels,
                    float momentum, const float* mean, const float* variance, std::int64_t c) {
  float* running_mean = store.change(names[2]).data();
  float* running_var = store.change(names[3]).data();
  const auto unbias = static_cast<float>(pixels > 1 ? pixels / (pixels - 1) : 1.0);
  for (std::int64_t i = 0; i < c; ++i) {
    running_mean[i] += momentum * (mean[i] - running_mean[i]);
    running_var[i] += momentum * (variance[i] * unbias - running_var[i]);
  }
}

}  // namespace

void lower(Lowering& l, ValueId id, const op::BatchNorm& norm) {
  const Slot x = l.value_in(l.node(id).inputs[0], vector_block());
  const Slot y = l.value(id);
  const Activation activation = l.activation(id);
  const bool fused = keeps_zero(activation);
  const Slot before = fused ? y : l.new_slot(y.shape, y.block);
  const std::int64_t padded = whole_blocks(x.shape.c(), x.block), channels = x.shape.c();
  const int arrays = l.new_buffer(NormArrays::kCount * padded);
  const bool batch = l.training() && !l.frozen_batch_norm(id);
  const View size{nullptr, x.shape, x.block, x.batch_stride};
  const int scratch = batch ? l.new_buffer(reduction_floats(size)) : -1;
  std::vector<std::string> names;
  for (int i = 0; i < 4; ++i) names.push_back(l.parameter_name(id, i));
  l.keep_arrays(id, arrays);
  l.note(arrays);
  l.step(id, batch ? "batch norm" : "scale and shift", {x.buffer, before.buffer, arrays, scratch},
         [=, store = &l.parameters()](const Frame& f) {
           const NormArrays a(f.floats(arrays), padded);
           const auto apply = [&] {
             scale_shift(f.view(x), a.scale, a.shift, fused ? activation : Activation{},
                         f.view(before));
           };
           if (f.again) return apply();  // the moments are known, and running statistics moved
           const NormParameters p(*store, names);
           std::fill_n(a.scale, 4 * padded, 0.0f);
           if (batch) {
             batch_moments(f.view(x), {a.mean, a.deviation}, f.floats(scratch));
             const auto pixels = static_cast<double>(x.shape.n() * x.shape.h() * x.shape.w());
             update_running(*store, names, pixels, norm.momentum, a.mean, a.deviation, channels);
           } else {
             std::copy_n(p.running_mean, channels, a.mean);
             std::copy_n(p.running_var, channels, a.deviation);
           }
           for (std::int64_t c = 0; c < channels; ++c) {
             a.deviation[c] = 1.0f / std::sqrt(a.deviation[c] + norm.epsilon);
             a.scale[c] = p.weight[c] * a.deviation[c];
             a.shift[c] = p.bias[c] - a.mean[c] * a.scale[c];
           }
           apply();
         });
  if (!fused) {
    l.keep_before_activation(id, before);
    l.step(id, activation_name(activation.kind), {before.buffer, y.buffer},
           [=](const Frame& f) { activate(f.view(before), activation, f.view(y)); });
  }
}

void lower_backward(Lowering& l, ValueId id, const op::BatchNorm&) {
  const ValueId input = l.node(id).inputs[0];
  const Activation activation = l.activation(id);
  const bool fused = keeps_zero(activation);
  const Slot dy = fused ? l.gradient(id) : gradient_before_activation(l, id, activation, false);
  const Slot x = l.value_in(input, vector_block());
  const auto target = l.gradient_target(input, vector_block());
  const std::int64_t padded = whole_blocks(x.shape.c(), x.block), channels = x.shape.c();
  const int arrays = l.arrays(id);
  const View size{nullptr, x.shape, x.block, x.batch_stride};
  const int scratch = l.new_buffer(reduction_floats(size));
  float* weight_gradient = l.parameter_gradient(id, 0);
  float* bias_gradient = l.parameter_gradient(id, 1);
  l.step(id, "batch norm backward", {x.buffer, dy.buffer, target.slot.buffer, arrays, scratch},
         [=, frozen = l.frozen_batch_norm(id)](const Frame& f) {
           const NormArrays a(f.floats(arrays), padded);
           batch_norm_backward(f.view(x), f.view(dy),
                               {.scale = a.scale,
                                .shift = a.shift,
                                .mean = a.mean,
                                .inverse_deviation = a.deviation,
                                .activation = fused ? activation : Activation{},
                                .fixed_moments = frozen,
                                .weight_gradient = a.weight_gradient,
                                .bias_gradient = a.bias_gradient},
                               f.view(target.slot), target.add, f.floats(scratch));
           for (std::int64_t c = 0; c < channels; ++c) {
             weight_gradient[c] += a.weight_gradient[c];
             bias_gradient[c] += a.bias_gradient[c];
           }
         });
  l.finish(target);
}

void lower(Lowering& l, ValueId id, const op::GroupNorm& norm) {
  const Slot x = l.value_in(l.node(id).inputs[0], vector_block());
  const Slot y = l.value(id);
  const std::int64_t moments = x.shape.n() * norm.groups;
  const int arrays = l.new_buffer(2 * moments);
  l.keep_arrays(id, arrays);
  const auto* weight = &l.parameter(id, 0);
  const auto* bias = &l.parameter(id, 1);
  l.step(id, "group norm", {x.buffer, y.buffer, arrays}, [=](const Frame& f) {
    group_norm(f.view(x), norm.groups, norm.epsilon, weight->value.data(), bias->value.data(),
               f.floats(arrays), f.floats(arrays) + moments, f.view(y));
  });
}

void lower_backward(Lowering& l, ValueId id, const op::GroupNorm& norm) {
  const ValueId input = l.node(id).inputs[0];
  const Slot x = l.value_in(input, vector_block());
  const Slot dy = l.gradient(id);
  const bool wanted = l.wants_gradient(input);
  const auto target =
      wanted ? l.gradient_target(input, vector_block()) : Lowering::Target{input, {}, false};
  const std::int64_t moments = x.shape.n() * norm.groups;
  const int arrays = l.arrays(id);
  const auto* weight = &l.parameter(id, 0);
  float* weight_gradient = l.parameter_gradient(id, 0);
  float* bias_gradient = l.parameter_gradient(id, 1);
  l.step(id, "group norm backward", {x.buffer, dy.buffer, target.slot.buffer, arrays},
         [=](const Frame& f) {
           group_norm_backward(f.view(x), f.view(dy), norm.groups, weight->value.data(),
                               f.floats(arrays), f.floats(arrays) + moments, weight_gradient,
                               bias_gradient, f.view(target.slot), target.add);
         });
  if (wanted) l.finish(target);
}

namespace {

/// What a layer norm keeps in one buffer: weight and bias padded to whole blocks, then the moments
/// of each pixel where a gradient will ask for them.
struct LayerNormBuffer {
  std::int64_t padded;
  std::int64_t pixels;  // 0: without moments

  std::int64_t floats() const { return 2 * (padded + pixels); }
  LayerNormArrays arrays(float* start) const {
    float* moments = start + 2 * padded;
    return {.weight = start,
            .bias = start + padded,
            .mean = pixels > 0 ? moments : nullptr,
            .inverse_deviation = pixels > 0 ? moments + pixels : nullptr};
  }
};

LayerNormBuffer layer_norm_buffer(const Slot& x, bool training) {
  return {whole_blocks(x.shape.c(), x.block),
          training ? x.shape.n() * x.shape.h() * x.shape.w() : 0};
}

}  // namespace

void lower(Lowering& l, ValueId id, const op::LayerNorm& norm) {
  const Slot x = l.value_in(l.node(id).inputs[0], vector_block());
  const Slot y = l.value(id);
  const LayerNormBuffer kept = layer_norm_buffer(x, l.training());
  const int buffer = l.new_buffer(kept.floats());
  l.keep_arrays(id, buffer);
  const auto* weight = &l.parameter(id, 0);
  const auto* bias = &l.parameter(id, 1);
  l.step(id, "layer norm", {x.buffer, y.buffer, buffer}, [=](const Frame& f) {
    float* start = f.floats(buffer);
    std::fill_n(start, 2 * kept.padded, 0.0f);
    std::ranges::copy(weight->value.values(), start);
    std::ranges::copy(bias->value.values(), start + kept.padded);
    layer_norm(f.view(x), norm.epsilon, kept.arrays(start), f.view(y));
  });
}

void lower_backward(Lowering& l, ValueId id, const op::LayerNorm&) {
  const ValueId input = l.node(id).inputs[0];
  const Slot x = l.value_in(input, vector_block());
  const Slot dy = l.gradient(id);
  const bool wanted = l.wants_gradient(input);
  const auto target =
      wanted ? l.gradient_target(input, vector_block()) : Lowering::Target{input, {}, false};
  const LayerNormBuffer kept = layer_norm_buffer(x, true);
  const int buffer = l.arrays(id);
  float* weight_gradient = l.parameter_gradient(id, 0);
  float* bias_gradient = l.parameter_gradient(id, 1);
  l.step(id, "layer norm backward", {x.buffer, dy.buffer, target.slot.buffer, buffer},
         [=](const Frame& f) {
           layer_norm_backward(f.view(x), f.view(dy), kept.arrays(f.floats(buffer)),
                               weight_gradient, bias_gradient, f.view(target.slot), target.add);
         });
  if (wanted) l.finish(target);
}

}  // namespace segmentum::cpu
