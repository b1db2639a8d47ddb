// Operators that only move values: resize, pad, crop; and location_grid, which weighs channels as a
// resize weighs pixels. Each is a table of sources per axis; forward gathers through it, backward
// scatters.
#include <algorithm>
#include <array>

#include "engine/reference/operators.h"
#include "graph/graph.h"

namespace segmentum::reference {
namespace {

/// One output position on one axis: a weighted mean of at most two input positions.
struct Tap {
  std::array<std::int64_t, 2> index{};
  std::array<double, 2> weight{1, 0};
};
using Axis = std::vector<Tap>;

/// The axis of length `out` whose tap i is tap_at(i).
template <typename TapAt>
Axis make_axis(std::int64_t out, const TapAt& tap_at) {
  Axis axis;
  for (std::int64_t i = 0; i < out; ++i) axis.push_back(tap_at(i));
  return axis;
}

Axis nearest_axis(std::int64_t in, std::int64_t out) {
  // floor((i + 0.5) * in / out) in whole numbers.
  return make_axis(out, [&](std::int64_t i) { return Tap{{(2 * i + 1) * in / (2 * out), 0}}; });
}

Axis bilinear_axis(std::int64_t in, std::int64_t out, bool align_corners) {
  return make_axis(out, [&](std::int64_t i) {
    double position = 0;
    if (align_corners) {
      position = out > 1 ? static_cast<double>(i * (in - 1)) / static_cast<double>(out - 1) : 0;
    } else {
      const double centre = static_cast<double>((2 * i + 1) * in) / static_cast<double>(2 * out);
      position = std::max(centre - 0.5, 0.0);
    }
    const auto low = std::min(static_cast<std::int64_t>(position), in - 1);
    const double fraction = position - static_cast<double>(low);
    return Tap{{low, std::min(low + 1, in - 1)}, {1 - fraction, fraction}};
  });
}

/// Positions outside the input are zeros: taps without weight.
Axis zero_axis(std::int64_t in, std::int64_t out, std::int64_t before) {
  return make_axis(out, [&](std::int64_t i) {
    const std::int64_t source = i - before;
    return source >= 0 && source < in ? Tap{{source, 0}} : Tap{{0, 0}, {0, 0}};
  });
}

/// Reflected at the edge pixels, as often as needed: ... 2 1 | 0 1 2 3 | 2 1 0 1 ...
Axis mirror_axis(std::int64_t in, std::int64_t out, std::int64_t before) {
  const std::int64_t period = std::max<std::int64_t>(2 * (in - 1), 1);
  return make_axis(out, [&](std::int64_t i) {
    const std::int64_t phase = ((i - before) % period + period) % period;
    return Tap{{std::min(phase, period - phase), 0}};
  });
}

/// The nearest pixel that there is.
Axis edge_axis(std::int64_t in, std::int64_t out, std::int64_t before) {
  return make_axis(out, [&](std::int64_t i) {
    return Tap{{std::clamp<std::int64_t>(i - before, 0, in - 1), 0}};
  });
}

struct Axes {
  Axis y;
  Axis x;
};

Axes axes(const op::Resize& o, const Shape& in, const Shape& out) {
  if (o.mode == Interpolation::nearest) {
    return {nearest_axis(in.h(), out.h()), nearest_axis(in.w(), out.w())};
  }
  return {bilinear_axis(in.h(), out.h(), o.align_corners),
          bilinear_axis(in.w(), out.w(), o.align_corners)};
}

Axes axes(const op::Pad& o, const Shape& in, const Shape& out) {
  const auto axis = o.mode == PadMode::zero   ? zero_axis
                    : o.mode == PadMode::edge ? edge_axis
                                              : mirror_axis;
  return {axis(in.h(), out.h(), o.margin.top), axis(in.w(), out.w(), o.margin.left)};
}

Axes axes(const op::Crop& o, const Shape& in, const Shape& out) {
  const Size2 at = resolve_crop(o, in.h(), in.w(), out.h(), out.w());
  return {zero_axis(in.h(), out.h(), -at.h), zero_axis(in.w(), out.w(), -at.w)};
}

/// Calls body(source y, source x, weight) for what one output pixel is made of.
template <typename Body>
void for_each_source(const Tap& y, const Tap& x, const Body& body) {
  for (std::size_t j = 0; j < 2; ++j) {
    for (std::size_t i = 0; i < 2; ++i) {
      const double weight = y.weight[j] * x.weight[i];
      if (weight != 0) body(y.index[j], x.index[i], weight);
    }
  }
}

template <typename T>
void gather(const Axes& a, BasicTensorView<const T> x, BasicTensorView<T> y) {
  for (std::int64_t n = 0; n < y.shape.n(); ++n) {
    for (std::int64_t c = 0; c < y.shape.c(); ++c) {
      T* target = &y(n, c, 0, 0);
      for (const Tap& ty : a.y) {
        for (const Tap& tx : a.x) {
          double sum = 0;
          for_each_source(ty, tx, [&](auto iy, auto ix, double w) { sum += w * x(n, c, iy, ix); });
          *target++ = static_cast<T>(sum);
        }
      }
    }
  }
}

template <typename T>
void scatter(const Axes& a, BasicTensorView<const T> dy, BasicTensorView<T> dx) {
  for (std::int64_t n = 0; n < dy.shape.n(); ++n) {
    for (std::int64_t c = 0; c < dy.shape.c(); ++c) {
      const T* source = &dy(n, c, 0, 0);
      for (const Tap& ty : a.y) {
        for (const Tap& tx : a.x) {
          const double gradient = *source++;
          for_each_source(ty, tx, [&](auto iy, auto ix, double w) {
            dx(n, c, iy, ix) += static_cast<T>(w * gradient);
          });
        }
      }
    }
  }
}

}  // namespace

#define SEGMENTUM_RESAMPLING_OPERATOR(Op)                                                 \
  template <typename T>                                                                   \
  void forward(const Op& o, const Sources<T>& sources, BasicTensorView<T> output) {       \
    gather(axes(o, sources.inputs[0].shape, output.shape), sources.inputs[0], output);    \
  }                                                                                       \
  template <typename T>                                                                   \
  void backward(const Op& o, const Sources<T>&, const Gradients<T>& gradients) {          \
    scatter(axes(o, gradients.inputs[0].shape, gradients.output.shape), gradients.output, \
            gradients.inputs[0]);                                                         \
  }                                                                                       \
  SEGMENTUM_INSTANTIATE_REFERENCE(Op)

SEGMENTUM_RESAMPLING_OPERATOR(op::Resize);
SEGMENTUM_RESAMPLING_OPERATOR(op::Pad);
SEGMENTUM_RESAMPLING_OPERATOR(op::Crop);
#undef SEGMENTUM_RESAMPLING_OPERATOR

namespace {

/// Calls body(channel, class, y, x, weight) for what each pixel of each class is made of.
template <typename Body>
void for_each_classifier(int grid, std::int64_t classes, std::int64_t height, std::int64_t width,
                         const Body& body) {
  const Axis rows = bilinear_axis(grid, height, false), columns = bilinear_axis(grid, width, false);
  for (std::int64_t k = 0; k < classes; ++k) {
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        for_each_source(rows[static_cast<std::size_t>(y)], columns[static_cast<std::size_t>(x)],
                        [&](auto row, auto column, double weight) {
                          body((k * grid + row) * grid + column, k, y, x, weight);
                        });
      }
    }
  }
}

}  // namespace

template <typename T>
void forward(const op::LocationGrid& o, const Sources<T>& sources, BasicTensorView<T> output) {
  const Shape& shape = output.shape;
  for (std::int64_t n = 0; n < shape.n(); ++n) {
    std::vector<double> sums(static_cast<std::size_t>(shape.c() * shape.h() * shape.w()), 0.0);
    for_each_classifier(o.grid, shape.c(), shape.h(), shape.w(),
                        [&](auto channel, auto k, auto y, auto x, double weight) {
                          sums[static_cast<std::size_t>((k * shape.h() + y) * shape.w() + x)] +=
                              weight * sources.inputs[0](n, channel, y, x);
                        });
    std::ranges::transform(sums, &output(n, 0, 0, 0), [](double v) { return static_cast<T>(v); });
  }
}

template <typename T>
void backward(const op::LocationGrid& o, const Sources<T>&, const Gradients<T>& gradients) {
  const Shape& shape = gradients.output.shape;
  for (std::int64_t n = 0; n < shape.n(); ++n) {
    for_each_classifier(o.grid, shape.c(), shape.h(), shape.w(),
                        [&](auto channel, auto k, auto y, auto x, double weight) {
                          gradients.inputs[0](n, channel, y, x) +=
                              static_cast<T>(weight * gradients.output(n, k, y, x));
                        });
  }
}
SEGMENTUM_INSTANTIATE_REFERENCE(op::LocationGrid);

}  // namespace segmentum::reference
