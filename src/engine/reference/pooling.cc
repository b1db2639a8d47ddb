// Pooling, with PyTorch's windows.
#include <algorithm>

#include "engine/reference/operators.h"

namespace segmentum::reference {
namespace {

/// One window: the part inside the picture, and how many pixels it has with the padding's.
struct Window {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t bottom = 0;  // exclusive
  std::int64_t right = 0;
  std::int64_t padded_count = 0;

  bool empty() const { return top >= bottom || left >= right; }
  std::int64_t count() const { return (bottom - top) * (right - left); }
};

template <typename Pool>
Window window(const Pool& o, const Shape& picture, std::int64_t y, std::int64_t x) {
  const std::int64_t top = y * o.stride.h - o.padding.top;
  const std::int64_t left = x * o.stride.w - o.padding.left;
  // A window of `ceil` may reach beyond the padding: that part counts nowhere.
  const std::int64_t bottom = std::min(top + o.kernel.h, picture.h() + o.padding.bottom);
  const std::int64_t right = std::min(left + o.kernel.w, picture.w() + o.padding.right);
  return {std::max<std::int64_t>(top, 0), std::max<std::int64_t>(left, 0),
          std::min(bottom, picture.h()), std::min(right, picture.w()),
          (bottom - top) * (right - left)};
}

/// Calls body(n, c, y, x) for every element of `shape`.
template <typename Body>
void for_each(const Shape& shape, const Body& body) {
  for (std::int64_t n = 0; n < shape.n(); ++n) {
    for (std::int64_t c = 0; c < shape.c(); ++c) {
      for (std::int64_t y = 0; y < shape.h(); ++y) {
        for (std::int64_t x = 0; x < shape.w(); ++x) body(n, c, y, x);
      }
    }
  }
}

/// Where the largest value of a window stands; the first in reading order where several are equal.
struct Place {
  std::int64_t y = 0;
  std::int64_t x = 0;
};

template <typename T>
Place largest(const Window& area, BasicTensorView<const T> x, std::int64_t n, std::int64_t c) {
  Place best{area.top, area.left};
  for (std::int64_t iy = area.top; iy < area.bottom; ++iy) {
    for (std::int64_t ix = area.left; ix < area.right; ++ix) {
      if (x(n, c, iy, ix) > x(n, c, best.y, best.x)) best = {iy, ix};
    }
  }
  return best;
}

std::int64_t divisor(const op::AveragePool& o, const Window& area) {
  return o.count_padding ? area.padded_count : area.count();
}

}  // namespace

// A window that lies in the padding alone makes 0.
template <typename T>
void forward(const op::MaxPool& o, const Sources<T>& sources, BasicTensorView<T> output) {
  const auto x = sources.inputs[0];
  for_each(output.shape, [&](auto n, auto c, auto oy, auto ox) {
    const Window area = window(o, x.shape, oy, ox);
    const Place best = largest(area, x, n, c);
    output(n, c, oy, ox) = area.empty() ? T{0} : x(n, c, best.y, best.x);
  });
}

template <typename T>
void backward(const op::MaxPool& o, const Sources<T>& sources, const Gradients<T>& gradients) {
  const auto x = sources.inputs[0];
  for_each(gradients.output.shape, [&](auto n, auto c, auto oy, auto ox) {
    const Window area = window(o, x.shape, oy, ox);
    if (area.empty()) return;
    const Place best = largest(area, x, n, c);
    gradients.inputs[0](n, c, best.y, best.x) += gradients.output(n, c, oy, ox);
  });
}

template <typename T>
void forward(const op::AveragePool& o, const Sources<T>& sources, BasicTensorView<T> output) {
  const auto x = sources.inputs[0];
  for_each(output.shape, [&](auto n, auto c, auto oy, auto ox) {
    const Window area = window(o, x.shape, oy, ox);
    double sum = 0;
    for (std::int64_t iy = area.top; iy < area.bottom; ++iy) {
      for (std::int64_t ix = area.left; ix < area.right; ++ix) sum += x(n, c, iy, ix);
    }
    output(n, c, oy, ox) =
        area.empty() ? T{0} : static_cast<T>(sum / static_cast<double>(divisor(o, area)));
  });
}

template <typename T>
void backward(const op::AveragePool& o, const Sources<T>&, const Gradients<T>& gradients) {
  const auto dx = gradients.inputs[0];
  for_each(gradients.output.shape, [&](auto n, auto c, auto oy, auto ox) {
    const Window area = window(o, dx.shape, oy, ox);
    if (area.empty()) return;
    const T share = gradients.output(n, c, oy, ox) / static_cast<T>(divisor(o, area));
    for (std::int64_t iy = area.top; iy < area.bottom; ++iy) {
      for (std::int64_t ix = area.left; ix < area.right; ++ix) dx(n, c, iy, ix) += share;
    }
  });
}

template <typename T>
void forward(const op::GlobalAveragePool&, const Sources<T>& sources, BasicTensorView<T> output) {
  const auto x = sources.inputs[0];
  const std::int64_t plane = x.shape.h() * x.shape.w();
  for_each(output.shape, [&](auto n, auto c, auto, auto) {
    double sum = 0;
    for (std::int64_t i = 0; i < plane; ++i) sum += (&x(n, c, 0, 0))[i];
    output(n, c, 0, 0) = static_cast<T>(sum / static_cast<double>(plane));
  });
}

template <typename T>
void backward(const op::GlobalAveragePool&, const Sources<T>&, const Gradients<T>& gradients) {
  const auto dx = gradients.inputs[0];
  const T plane = static_cast<T>(dx.shape.h() * dx.shape.w());
  for_each(dx.shape, [&](auto n, auto c, auto y, auto x) {
    dx(n, c, y, x) += gradients.output(n, c, 0, 0) / plane;
  });
}

SEGMENTUM_INSTANTIATE_REFERENCE(op::MaxPool);
SEGMENTUM_INSTANTIATE_REFERENCE(op::AveragePool);
SEGMENTUM_INSTANTIATE_REFERENCE(op::GlobalAveragePool);

}  // namespace segmentum::reference
