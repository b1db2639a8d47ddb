// Plain loops: each pixel of a class reads four channels, in four places.
#include <algorithm>
#include <vector>

#include "base/threads.h"
#include "engine/cpu/kernels/kernels.h"
#include "engine/resize_taps.h"

namespace segmentum::cpu {
namespace {

/// A channel's values of one row, `block` floats from one pixel to the next.
struct ChannelRow {
  float* data;
  int block;

  ChannelRow(const View& view, std::int64_t n, std::int64_t channel, std::int64_t y)
      : data(view.at(n, channel / view.block, y) + channel % view.block), block(view.block) {}
  float& operator[](std::int64_t x) const { return data[x * block]; }
};

/// The classifiers above and below a row, and the taps between those at the left and at the right.
struct LocationTaps {
  std::vector<ResizeTap> rows;
  std::vector<ResizeTap> columns;

  LocationTaps(int grid, const Shape& shape)
      : rows(resize_taps(grid, shape.h(), Interpolation::bilinear, false)),
        columns(resize_taps(grid, shape.w(), Interpolation::bilinear, false)) {}
};

void clear_row(const View& view, std::int64_t n, std::int64_t y) {
  for (std::int64_t cb = 0; cb < view.blocks(); ++cb) {
    std::fill_n(view.at(n, cb, y), view.row(), 0.0f);
  }
}

}  // namespace

void location_grid(const View& x, int grid, const View& y) {
  const LocationTaps taps(grid, y.shape);
  const std::int64_t height = y.shape.h();
  parallel_for(y.shape.n() * height, [&](std::int64_t i) {
    const std::int64_t n = i / height, row = i % height;
    const ResizeTap& down = taps.rows[static_cast<std::size_t>(row)];
    clear_row(y, n, row);
    for (std::int64_t k = 0; k < y.shape.c(); ++k) {
      const ChannelRow out(y, n, k, row);
      const std::int64_t above = (k * grid + down.first) * grid;
      const std::int64_t below = (k * grid + down.second) * grid;
      for (std::int64_t px = 0; px < y.shape.w(); ++px) {
        const ResizeTap& right = taps.columns[static_cast<std::size_t>(px)];
        const auto between = [&](std::int64_t line) {
          const float a = ChannelRow(x, n, line + right.first, row)[px];
          const float b = ChannelRow(x, n, line + right.second, row)[px];
          return a + (b - a) * right.weight;
        };
        const float top = between(above);
        out[px] = top + (between(below) - top) * down.weight;
      }
    }
  });
}

void location_grid_backward(const View& dy, int grid, const View& dx, bool add) {
  const LocationTaps taps(grid, dy.shape);
  const std::int64_t height = dy.shape.h();
  parallel_for(dy.shape.n() * height, [&](std::int64_t i) {
    const std::int64_t n = i / height, row = i % height;
    const ResizeTap& down = taps.rows[static_cast<std::size_t>(row)];
    if (!add) clear_row(dx, n, row);
    for (std::int64_t k = 0; k < dy.shape.c(); ++k) {
      const ChannelRow gradient(dy, n, k, row);
      for (std::int64_t px = 0; px < dy.shape.w(); ++px) {
        const ResizeTap& right = taps.columns[static_cast<std::size_t>(px)];
        const auto share = [&](std::int64_t grid_row, float weight) {
          const std::int64_t line = (k * grid + grid_row) * grid;
          const float g = gradient[px] * weight;
          ChannelRow(dx, n, line + right.first, row)[px] += g * (1 - right.weight);
          ChannelRow(dx, n, line + right.second, row)[px] += g * right.weight;
        };
        share(down.first, 1 - down.weight);
        share(down.second, down.weight);
      }
    }
  });
}

}  // namespace segmentum::cpu
