// Convolution and transposed convolution: one is the other's gradient with respect to its input,
// so three loops serve both.
#include <algorithm>
#include <utility>

#include "base/threads.h"
#include "engine/reference/operators.h"

namespace segmentum::reference {
namespace {

/// How output positions map to input positions: input = output * stride - before + tap * dilation.
struct Geometry {
  Size2 stride;
  Size2 dilation;
  Padding padding;
  int groups = 1;
};

Geometry geometry(const op::Conv& o) {
  return {o.stride, o.dilation, o.padding, o.groups};
}

/// Of the convolution that leads back from the transposed convolution's output to its input.
Geometry geometry(const op::TransposedConv& o) {
  return {o.stride, 1, o.padding, o.groups};
}

/// The outputs [begin, end) whose input position out * stride + shift lies in [0, in).
std::pair<std::int64_t, std::int64_t> valid_outputs(std::int64_t out, std::int64_t in, int stride,
                                                    std::int64_t shift) {
  const std::int64_t begin = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
  const std::int64_t end = shift >= in ? 0 : (in - 1 - shift) / stride + 1;
  return {begin, std::min(end, out)};
}

/// y += x correlated with w. x [N,I,H,W], w [O,I/groups,kh,kw], y [N,O,H',W'].
template <typename T>
void correlate(const Geometry& g, BasicTensorView<const T> x, BasicTensorView<const T> w,
               BasicTensorView<T> y) {
  const Shape& xs = x.shape;
  const Shape& ys = y.shape;
  const std::int64_t group_in = w.shape[1];
  const std::int64_t group_out = ys.c() / g.groups;
  parallel_for(ys.n() * ys.c(), [&](std::int64_t plane) {
    const std::int64_t n = plane / ys.c();
    const std::int64_t o = plane % ys.c();
    std::vector<double> row(static_cast<std::size_t>(ys.w()));
    for (std::int64_t oy = 0; oy < ys.h(); ++oy) {
      std::ranges::fill(row, 0.0);
      for (std::int64_t i = 0; i < group_in; ++i) {
        for (std::int64_t ky = 0; ky < w.shape[2]; ++ky) {
          const std::int64_t iy = oy * g.stride.h - g.padding.top + ky * g.dilation.h;
          if (iy < 0 || iy >= xs.h()) continue;
          const T* source = &x(n, o / group_out * group_in + i, iy, 0);
          for (std::int64_t kx = 0; kx < w.shape[3]; ++kx) {
            const double weight = w(o, i, ky, kx);
            const std::int64_t shift = kx * g.dilation.w - g.padding.left;
            const auto [begin, end] = valid_outputs(ys.w(), xs.w(), g.stride.w, shift);
            for (std::int64_t ox = begin; ox < end; ++ox) {
              row[static_cast<std::size_t>(ox)] += weight * source[ox * g.stride.w + shift];
            }
          }
        }
      }
      for (std::int64_t ox = 0; ox < ys.w(); ++ox) {
        T& target = y(n, o, oy, ox);
        target = static_cast<T>(target + row[static_cast<std::size_t>(ox)]);
      }
    }
  });
}

/// x += what `correlate` does, transposed: its gradient with respect to x, given y's.
template <typename T>
void correlate_transposed(const Geometry& g, BasicTensorView<const T> y, BasicTensorView<const T> w,
                          BasicTensorView<T> x) {
  const Shape& xs = x.shape;
  const Shape& ys = y.shape;
  const std::int64_t group_in = w.shape[1];
  const std::int64_t group_out = ys.c() / g.groups;
  parallel_for(xs.n() * xs.c(), [&](std::int64_t plane) {
    const std::int64_t n = plane / xs.c();
    const std::int64_t c = plane % xs.c();
    const std::int64_t first_out = c / group_in * group_out;
    std::vector<double> row(static_cast<std::size_t>(xs.w()));
    for (std::int64_t iy = 0; iy < xs.h(); ++iy) {
      std::ranges::fill(row, 0.0);
      for (std::int64_t ky = 0; ky < w.shape[2]; ++ky) {
        const std::int64_t scaled = iy + g.padding.top - ky * g.dilation.h;
        if (scaled < 0 || scaled % g.stride.h != 0 || scaled / g.stride.h >= ys.h()) continue;
        for (std::int64_t o = first_out; o < first_out + group_out; ++o) {
          const T* source = &y(n, o, scaled / g.stride.h, 0);
          for (std::int64_t kx = 0; kx < w.shape[3]; ++kx) {
            const double weight = w(o, c % group_in, ky, kx);
            const std::int64_t shift = kx * g.dilation.w - g.padding.left;
            const auto [begin, end] = valid_outputs(ys.w(), xs.w(), g.stride.w, shift);
            for (std::int64_t ox = begin; ox < end; ++ox) {
              row[static_cast<std::size_t>(ox * g.stride.w + shift)] += weight * source[ox];
            }
          }
        }
      }
      for (std::int64_t ix = 0; ix < xs.w(); ++ix) {
        T& target = x(n, c, iy, ix);
        target = static_cast<T>(target + row[static_cast<std::size_t>(ix)]);
      }
    }
  });
}

/// One weight's gradient: the sum over all output positions of x under the tap times y.
template <typename T>
double tap_gradient(const Geometry& g, BasicTensorView<const T> x, BasicTensorView<const T> y,
                    std::int64_t c, std::int64_t o, std::int64_t ky, std::int64_t kx) {
  const std::int64_t shift = kx * g.dilation.w - g.padding.left;
  const auto [begin, end] = valid_outputs(y.shape.w(), x.shape.w(), g.stride.w, shift);
  double sum = 0;
  for (std::int64_t n = 0; n < y.shape.n(); ++n) {
    for (std::int64_t oy = 0; oy < y.shape.h(); ++oy) {
      const std::int64_t iy = oy * g.stride.h - g.padding.top + ky * g.dilation.h;
      if (iy < 0 || iy >= x.shape.h()) continue;
      const T* source = &x(n, c, iy, 0);
      const T* gradient = &y(n, o, oy, 0);
      for (std::int64_t ox = begin; ox < end; ++ox) {
        sum += double{source[ox * g.stride.w + shift]} * gradient[ox];
      }
    }
  }
  return sum;
}

/// w += the gradient of `correlate` with respect to w, given y's.
template <typename T>
void correlate_weights(const Geometry& g, BasicTensorView<const T> x, BasicTensorView<const T> y,
                       BasicTensorView<T> w) {
  const std::int64_t group_in = w.shape[1];
  const std::int64_t group_out = y.shape.c() / g.groups;
  parallel_for(w.shape[0] * group_in, [&](std::int64_t pair) {
    const std::int64_t o = pair / group_in;
    const std::int64_t i = pair % group_in;
    const std::int64_t c = o / group_out * group_in + i;
    for (std::int64_t ky = 0; ky < w.shape[2]; ++ky) {
      for (std::int64_t kx = 0; kx < w.shape[3]; ++kx) {
        T& target = w(o, i, ky, kx);
        target = static_cast<T>(target + tap_gradient(g, x, y, c, o, ky, kx));
      }
    }
  });
}

/// Fills each channel with its bias, 0 without one.
template <typename T>
void fill_bias(const Sources<T>& sources, bool bias, BasicTensorView<T> y) {
  const std::int64_t plane = y.shape.h() * y.shape.w();
  for (std::int64_t n = 0; n < y.shape.n(); ++n) {
    for (std::int64_t c = 0; c < y.shape.c(); ++c) {
      std::fill_n(&y(n, c, 0, 0), plane, bias ? sources.parameters[1].data[c] : T{0});
    }
  }
}

template <typename T>
void bias_backward(BasicTensorView<const T> gradient, BasicTensorView<T> bias) {
  const std::int64_t plane = gradient.shape.h() * gradient.shape.w();
  for (std::int64_t c = 0; c < gradient.shape.c(); ++c) {
    double sum = 0;
    for (std::int64_t n = 0; n < gradient.shape.n(); ++n) {
      const T* values = &gradient(n, c, 0, 0);
      for (std::int64_t i = 0; i < plane; ++i) sum += values[i];
    }
    bias.data[c] = static_cast<T>(bias.data[c] + sum);
  }
}

}  // namespace

template <typename T>
void forward(const op::Conv& o, const Sources<T>& sources, BasicTensorView<T> output) {
  fill_bias(sources, o.bias, output);
  if (o.add) {
    const auto added = sources.inputs[1].values();
    const auto values = output.values();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += added[i];
  }
  correlate(geometry(o), sources.inputs[0], sources.parameters[0], output);
}

template <typename T>
void backward(const op::Conv& o, const Sources<T>& sources, const Gradients<T>& gradients) {
  const Geometry g = geometry(o);
  correlate_transposed(g, gradients.output, sources.parameters[0], gradients.inputs[0]);
  correlate_weights(g, sources.inputs[0], gradients.output, gradients.parameters[0]);
  if (o.bias) bias_backward(gradients.output, gradients.parameters[1]);
  if (o.add) {
    const auto added = gradients.inputs[1].values();
    const auto from = gradients.output.values();
    for (std::size_t i = 0; i < added.size(); ++i) added[i] += from[i];
  }
}

template <typename T>
void forward(const op::TransposedConv& o, const Sources<T>& sources, BasicTensorView<T> output) {
  fill_bias(sources, o.bias, output);
  correlate_transposed(geometry(o), sources.inputs[0], sources.parameters[0], output);
}

template <typename T>
void backward(const op::TransposedConv& o, const Sources<T>& sources,
              const Gradients<T>& gradients) {
  const Geometry g = geometry(o);
  correlate(g, gradients.output, sources.parameters[0], gradients.inputs[0]);
  if (o.learnt) {
    correlate_weights(g, gradients.output, sources.inputs[0], gradients.parameters[0]);
  }
  if (o.bias) bias_backward(gradients.output, gradients.parameters[1]);
}

SEGMENTUM_INSTANTIATE_REFERENCE(op::Conv);
SEGMENTUM_INSTANTIATE_REFERENCE(op::TransposedConv);

}  // namespace segmentum::reference
