// Operators that look at one position at a time.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "engine/reference/operators.h"

namespace segmentum::reference {
namespace {

double relu6(double x) {
  return std::clamp(x, 0.0, 6.0);
}

/// The share of the normal distribution below x.
double share_below(double x) {
  return std::erfc(-x / std::numbers::sqrt2) / 2;
}

double value_of(const Activation& a, double x) {
  switch (a.kind) {
    case ActivationKind::none:
      return x;
    case ActivationKind::relu:
      return std::max(x, 0.0);
    case ActivationKind::leaky_relu:
      return x > 0 ? x : x * a.slope;
    case ActivationKind::relu6:
      return relu6(x);
    case ActivationKind::sigmoid:
      return 1 / (1 + std::exp(-x));
    case ActivationKind::hard_sigmoid:
      return relu6(x + 3) / 6;
    case ActivationKind::hard_swish:
      return x * relu6(x + 3) / 6;
    case ActivationKind::gelu:
      return x * share_below(x);
  }
  return x;
}

double slope_of(const Activation& a, double x) {
  switch (a.kind) {
    case ActivationKind::none:
      return 1;
    case ActivationKind::relu:
      return x > 0 ? 1 : 0;
    case ActivationKind::leaky_relu:
      return x > 0 ? 1 : double{a.slope};
    case ActivationKind::relu6:
      return x > 0 && x < 6 ? 1 : 0;
    case ActivationKind::sigmoid: {
      const double y = value_of(a, x);
      return y * (1 - y);
    }
    case ActivationKind::hard_sigmoid:
      return x > -3 && x < 3 ? 1.0 / 6 : 0;
    case ActivationKind::hard_swish:
      return x < -3 ? 0 : x <= 3 ? x / 3 + 0.5 : 1;
    case ActivationKind::gelu:
      return share_below(x) + x * std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
  }
  return 1;
}

template <typename T>
void add_to(std::span<T> sum, std::span<const T> values) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += values[i];
}

/// Values of x that share one factor: 1, or a plane where the factor is [N,C,1,1].
std::size_t values_per_factor(const Shape& x, const Shape& factor) {
  return static_cast<std::size_t>(x.count() / factor.count());
}

/// Adds `values` to `sum` where the mask keeps them, scaled.
template <typename T>
void add_kept(const DropoutMask& mask, std::span<const T> values, std::span<T> sum) {
  for (std::size_t first = 0; first < values.size(); first += 4) {
    const auto kept = mask.kept(first / 4);
    const std::size_t count = std::min<std::size_t>(values.size() - first, 4);
    for (std::size_t i = 0; i < count; ++i) {
      if (kept[i]) sum[first + i] += values[first + i] * static_cast<T>(mask.scale());
    }
  }
}

}  // namespace

template <typename T>
void activate(const Activation& activation, BasicTensorView<const T> x, BasicTensorView<T> y) {
  std::ranges::transform(x.values(), y.data,
                         [&](T v) { return static_cast<T>(value_of(activation, v)); });
}

template <typename T>
void activate_backward(const Activation& activation, BasicTensorView<const T> x,
                       BasicTensorView<const T> grad_y, BasicTensorView<T> grad_x) {
  for (std::int64_t i = 0; i < x.shape.count(); ++i) {
    grad_x.data[i] += static_cast<T>(grad_y.data[i] * slope_of(activation, x.data[i]));
  }
}

template <typename T>
void forward(const op::Activate& o, const Sources<T>& sources, BasicTensorView<T> output) {
  activate(o.activation, sources.inputs[0], output);
}

template <typename T>
void backward(const op::Activate& o, const Sources<T>& sources, const Gradients<T>& gradients) {
  activate_backward(o.activation, sources.inputs[0], gradients.output, gradients.inputs[0]);
}

template <typename T>
void forward(const op::Add&, const Sources<T>& sources, BasicTensorView<T> output) {
  std::ranges::transform(sources.inputs[0].values(), sources.inputs[1].values(), output.data,
                         std::plus<T>());
}

template <typename T>
void backward(const op::Add&, const Sources<T>&, const Gradients<T>& gradients) {
  for (const auto& input : gradients.inputs) add_to(input.values(), gradients.output.values());
}

template <typename T>
void forward(const op::Multiply&, const Sources<T>& sources, BasicTensorView<T> output) {
  const auto x = sources.inputs[0].values();
  const auto factor = sources.inputs[1].values();
  const std::size_t share = values_per_factor(sources.inputs[0].shape, sources.inputs[1].shape);
  for (std::size_t i = 0; i < x.size(); ++i) output.data[i] = x[i] * factor[i / share];
}

template <typename T>
void backward(const op::Multiply&, const Sources<T>& sources, const Gradients<T>& gradients) {
  const auto x = sources.inputs[0].values();
  const auto factor = sources.inputs[1].values();
  const std::size_t share = values_per_factor(sources.inputs[0].shape, sources.inputs[1].shape);
  for (std::size_t f = 0; f < factor.size(); ++f) {
    double sum = 0;
    for (std::size_t i = f * share; i < (f + 1) * share; ++i) {
      gradients.inputs[0].data[i] += gradients.output.data[i] * factor[f];
      sum += double{gradients.output.data[i]} * x[i];
    }
    gradients.inputs[1].data[f] = static_cast<T>(gradients.inputs[1].data[f] + sum);
  }
}

template <typename T>
void forward(const op::Maximum&, const Sources<T>& sources, BasicTensorView<T> output) {
  std::ranges::transform(sources.inputs[0].values(), sources.inputs[1].values(), output.data,
                         [](T a, T b) { return std::max(a, b); });
}

template <typename T>
void backward(const op::Maximum&, const Sources<T>& sources, const Gradients<T>& gradients) {
  const auto a = sources.inputs[0].values(), b = sources.inputs[1].values();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const T share = a[i] > b[i] ? T{1} : a[i] == b[i] ? T{0.5} : T{0};
    gradients.inputs[0].data[i] += gradients.output.data[i] * share;
    gradients.inputs[1].data[i] += gradients.output.data[i] * (1 - share);
  }
}

template <typename T>
void forward(const op::Concat&, const Sources<T>& sources, BasicTensorView<T> output) {
  T* target = output.data;
  for (std::int64_t n = 0; n < output.shape.n(); ++n) {
    for (const auto& input : sources.inputs) {
      const std::int64_t size = input.shape.count() / input.shape.n();
      target = std::copy_n(input.data + n * size, size, target);
    }
  }
}

template <typename T>
void backward(const op::Concat&, const Sources<T>&, const Gradients<T>& gradients) {
  const T* source = gradients.output.data;
  for (std::int64_t n = 0; n < gradients.output.shape.n(); ++n) {
    for (const auto& input : gradients.inputs) {
      const std::int64_t size = input.shape.count() / input.shape.n();
      for (std::int64_t i = 0; i < size; ++i) input.data[n * size + i] += *source++;
    }
  }
}

template <typename T>
void forward(const op::Dropout&, const Sources<T>& sources, BasicTensorView<T> output) {
  const auto x = sources.inputs[0].values();
  if (!sources.dropout) {
    std::ranges::copy(x, output.data);
    return;
  }
  std::ranges::fill(output.values(), T{0});
  add_kept(*sources.dropout, x, output.values());
}

template <typename T>
void backward(const op::Dropout&, const Sources<T>& sources, const Gradients<T>& gradients) {
  if (sources.dropout) {
    add_kept(*sources.dropout, gradients.output.values(), gradients.inputs[0].values());
  } else {
    add_to(gradients.inputs[0].values(), gradients.output.values());
  }
}

template <typename T>
void forward(const op::Softmax&, const Sources<T>& sources, BasicTensorView<T> output) {
  const auto x = sources.inputs[0];
  const Shape& shape = x.shape;
  const std::int64_t plane = shape.h() * shape.w();
  for (std::int64_t n = 0; n < shape.n(); ++n) {
    for (std::int64_t p = 0; p < plane; ++p) {
      const auto at = [&](std::int64_t c) { return (n * shape.c() + c) * plane + p; };
      double largest = x.data[at(0)];
      for (std::int64_t c = 1; c < shape.c(); ++c)
        largest = std::max<double>(largest, x.data[at(c)]);
      double sum = 0;
      for (std::int64_t c = 0; c < shape.c(); ++c) sum += std::exp(x.data[at(c)] - largest);
      for (std::int64_t c = 0; c < shape.c(); ++c) {
        output.data[at(c)] = static_cast<T>(std::exp(x.data[at(c)] - largest) / sum);
      }
    }
  }
}

/// dLoss/dx = y * (gradient - sum over channels of gradient * y).
template <typename T>
void backward(const op::Softmax&, const Sources<T>&, const Gradients<T>& gradients) {
  const Shape& shape = gradients.value.shape;
  const std::int64_t plane = shape.h() * shape.w();
  for (std::int64_t n = 0; n < shape.n(); ++n) {
    for (std::int64_t p = 0; p < plane; ++p) {
      const auto at = [&](std::int64_t c) { return (n * shape.c() + c) * plane + p; };
      double sum = 0;
      for (std::int64_t c = 0; c < shape.c(); ++c) {
        sum += double{gradients.output.data[at(c)]} * gradients.value.data[at(c)];
      }
      for (std::int64_t c = 0; c < shape.c(); ++c) {
        gradients.inputs[0].data[at(c)] +=
            static_cast<T>(gradients.value.data[at(c)] * (gradients.output.data[at(c)] - sum));
      }
    }
  }
}

template void activate(const Activation&, BasicTensorView<const float>, BasicTensorView<float>);
template void activate(const Activation&, BasicTensorView<const double>, BasicTensorView<double>);
template void activate_backward(const Activation&, BasicTensorView<const float>,
                                BasicTensorView<const float>, BasicTensorView<float>);
template void activate_backward(const Activation&, BasicTensorView<const double>,
                                BasicTensorView<const double>, BasicTensorView<double>);
SEGMENTUM_INSTANTIATE_REFERENCE(op::Activate);
SEGMENTUM_INSTANTIATE_REFERENCE(op::Add);
SEGMENTUM_INSTANTIATE_REFERENCE(op::Multiply);
SEGMENTUM_INSTANTIATE_REFERENCE(op::Concat);
SEGMENTUM_INSTANTIATE_REFERENCE(op::Dropout);
SEGMENTUM_INSTANTIATE_REFERENCE(op::Softmax);
SEGMENTUM_INSTANTIATE_REFERENCE(op::Maximum);

}  // namespace segmentum::reference
