#include "engine/mean_field_points.h"

#include <cmath>
#include <vector>

#include "crf/kernel.h"

namespace segmentum {
namespace {

/// Writes (x, y) / sigma of pixel `i`.
void write_position(std::int64_t i, std::int64_t width, float inverse_sigma, float* out) {
  const std::int64_t row = i / width;
  out[0] = static_cast<float>(i - row * width) * inverse_sigma;
  out[1] = static_cast<float>(row) * inverse_sigma;
}

float of_channel(const std::vector<float>& values, std::int64_t channel) {
  return values[values.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
}

/// A picture of 8 bits has whole levels, of which its pre-processing leaves some rounding. That is
/// taken back: points of equal channels lie on the border of simplices, where the least step to the
/// other side puts other vertices into the lattice.
float whole_where_near(float level) {
  const float whole = std::nearbyint(level);
  return std::fabs(level - whole) < 1e-3f ? whole : level;
}

}  // namespace

Features spatial_points(const op::MeanField& o, std::int64_t height, std::int64_t width) {
  const float inverse = 1.0f / o.spatial_sigma_px;
  return {2, height * width, [=](PixelRange range, float* out) {
            for (std::int64_t i = range.begin; i < range.end; ++i, out += 2) {
              write_position(i, width, inverse, out);
            }
          }};
}

template <typename T>
Features bilateral_points(const op::MeanField& o, BasicTensorView<const T> pictures,
                          std::int64_t n) {
  const Shape& shape = pictures.shape;
  const std::int64_t width = shape.w(), pixels = shape.h() * width;
  const float inverse = 1.0f / o.bilateral_sigma_px;
  const float inverse_colour = 1.0f / o.bilateral_sigma_colour;
  struct Scale {
    float level, zero;
  };
  std::vector<Scale> scales;
  for (std::int64_t c = 0; c < shape.c(); ++c) {
    scales.push_back({of_channel(o.levels, c), of_channel(o.zero_levels, c)});
  }
  const T* planes = &pictures(n, 0, 0, 0);
  return {2 + static_cast<int>(shape.c()), pixels, [=](PixelRange range, float* out) {
            for (std::int64_t i = range.begin; i < range.end; ++i) {
              write_position(i, width, inverse, out);
              out += 2;
              const T* sample = planes + i;
              for (const Scale& scale : scales) {
                const float level = static_cast<float>(*sample) * scale.level + scale.zero;
                *out++ = whole_where_near(level) * inverse_colour;
                sample += pixels;
              }
            }
          }};
}

std::size_t mean_field_bytes(const op::MeanField& o, const Shape& scores,
                             std::int64_t picture_channels) {
  const int labels = mean_field_labels(static_cast<int>(scores.c()));
  const std::int64_t row = o.iterations * std::int64_t{row_stride(labels)} * sizeof(float);
  const auto kernel = [&](float weight, std::int64_t features) {
    return weight > 0 ? kernel_bytes_per_pixel(static_cast<int>(features), o.normalisation) : 0;
  };
  const std::int64_t spatial = kernel(o.spatial_weight, 2);
  const std::int64_t bilateral = kernel(o.bilateral_weight, 2 + picture_channels);
  const std::int64_t pixels = scores.h() * scores.w();
  return static_cast<std::size_t>(pixels * (spatial + scores.n() * (bilateral + row)));
}

template Features bilateral_points(const op::MeanField&, BasicTensorView<const float>,
                                   std::int64_t);
template Features bilateral_points(const op::MeanField&, BasicTensorView<const double>,
                                   std::int64_t);

}  // namespace segmentum
