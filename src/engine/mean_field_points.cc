#include "engine/mean_field_points.h"

#include <vector>

namespace segmentum {
namespace {

/// Writes (x, y) / sigma of pixel `i`.
void write_position(std::int64_t i, std::int64_t width, float inverse_sigma, float* out) {
  out[0] = static_cast<float>(i % width) * inverse_sigma;
  out[1] = static_cast<float>(i / width) * inverse_sigma;
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
  std::vector<float> scales;
  for (std::int64_t c = 0; c < shape.c(); ++c) {
    const float level = o.levels[o.levels.size() == 1 ? 0 : static_cast<std::size_t>(c)];
    scales.push_back(level / o.bilateral_sigma_colour);
  }
  const T* planes = &pictures(n, 0, 0, 0);
  return {2 + static_cast<int>(shape.c()), pixels, [=](PixelRange range, float* out) {
            for (std::int64_t i = range.begin; i < range.end; ++i) {
              write_position(i, width, inverse, out);
              out += 2;
              const T* sample = planes + i;
              for (const float scale : scales) {
                *out++ = static_cast<float>(*sample) * scale;
                sample += pixels;
              }
            }
          }};
}

std::size_t mean_field_bytes(const op::MeanField& o, const Shape& scores,
                             std::int64_t picture_channels) {
  const int labels = label_count(o, static_cast<int>(scores.c()));
  std::int64_t corners = 0;
  if (o.spatial_weight > 0) corners += 3;
  if (o.bilateral_weight > 0) corners += 3 + picture_channels;
  const std::int64_t row = o.iterations * std::int64_t{row_stride(labels)} * sizeof(float);
  const std::int64_t corner = sizeof(std::uint32_t) + sizeof(float);
  return static_cast<std::size_t>(scores.n() * scores.h() * scores.w() * (row + corners * corner));
}

template Features bilateral_points(const op::MeanField&, BasicTensorView<const float>,
                                   std::int64_t);
template Features bilateral_points(const op::MeanField&, BasicTensorView<const double>,
                                   std::int64_t);

}  // namespace segmentum
