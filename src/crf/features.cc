#include "crf/features.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/counted.h"
#include "base/threads.h"
#include "crf/number_text.h"
#include "image/sample.h"

namespace segmentum {
namespace {

constexpr float kFarthest = 1e5f;  // sigmas from zero: a float's step is 1/128 there

void check_sigma(float sigma, const char* name) {
  if (std::isfinite(sigma) && sigma > 0) return;
  throw Error(std::string(name) + " is " + number_text(sigma) +
              "; it must be positive (give the kernel no weight, or do not add it, to be without)");
}

/// One over each sigma of a position.
struct PositionScale {
  float xy = 0;
  float z = 0;
  bool has_z = false;

  int dimensions() const { return has_z ? 3 : 2; }
};

PositionScale position_scale(const CrfSize& size, float sigma_xy, float sigma_z) {
  check_sigma(sigma_xy, "sigma_xy_px");
  if (size.depth > 1) check_sigma(sigma_z, "sigma_z_px");
  return {1.0f / sigma_xy, 1.0f / sigma_z, size.depth > 1};
}

/// A pixel's coordinates, counted up from pixel to pixel where all take part.
struct Position {
  Position(const CrfSize& size, std::int64_t pixel)
      : x(static_cast<int>(pixel % size.width)),
        y(static_cast<int>(pixel / size.width % size.height)),
        z(static_cast<int>(pixel / size.width / size.height)) {}

  void write(const PositionScale& scale, float* out) const {
    out[0] = static_cast<float>(x) * scale.xy;
    out[1] = static_cast<float>(y) * scale.xy;
    if (scale.has_z) out[2] = static_cast<float>(z) * scale.z;
  }

  int x, y, z;
};

template <typename Body>
void for_positions(const CrfSize& size, const ActivePixels& active, PixelRange range,
                   const Body& body) {
  if (range.count() == 0) return;
  Position at(size, active[range.begin]);
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    if (!active.everyone()) at = Position(size, active[i]);
    body(at);
    if (++at.x == size.width) {
      at.x = 0;
      if (++at.y == size.height) at.y = 0, ++at.z;
    }
  }
}

std::string size_of(const ImageView& picture) {
  return std::to_string(picture.width) + "x" + std::to_string(picture.height);
}

void check_slices(const CrfSize& size, std::span<const ImageView> slices) {
  if (static_cast<int>(slices.size()) != size.depth) {
    throw Error("the CRF has " + counted(size.depth, "slice") + ", and got " +
                counted(slices.size(), "picture") + "; give one for each slice");
  }
  for (const ImageView& slice : slices) {
    if (slice.data == nullptr) throw Error("the CRF's picture is empty");
    if (slice.width != size.width || slice.height != size.height) {
      throw Error("the picture is " + size_of(slice) + " pixels but the CRF's labels are " +
                  std::to_string(size.width) + "x" + std::to_string(size.height) +
                  "; give a picture of the labels' size");
    }
    if (slice.channels < 1 || slice.channels != slices[0].channels ||
        slice.type != slices[0].type) {
      throw Error("the slices' pictures differ in channels or type; give all of one kind");
    }
  }
}

std::vector<float> channel_scales(const BilateralKernel& kernel, int channels) {
  const std::vector<float>& sigma = kernel.sigma_samples;
  if (sigma.size() != 1 && static_cast<int>(sigma.size()) != channels) {
    throw Error("there are " + counted(sigma.size(), "value") + " of sigma_samples for " +
                counted(channels, "channel") + "; give one, or one for each");
  }
  std::vector<float> scales;
  for (int c = 0; c < channels; ++c) {
    const float value = sigma[sigma.size() == 1 ? 0 : c];
    check_sigma(value, "sigma_samples");
    scales.push_back(1.0f / value);
  }
  return scales;
}

[[noreturn]] void throw_too_far(float sigmas) {
  throw Error("a pixel's position or colour is " + number_text(sigmas) +
              " sigmas from zero; it must be finite and at most " +
              std::to_string(static_cast<int>(kFarthest)) + ", which a larger sigma makes it");
}

}  // namespace

ActivePixels::ActivePixels(std::int64_t pixels, std::span<const std::uint8_t> ignored)
    : pixels_(pixels) {
  if (ignored.empty()) return;
  if (static_cast<std::int64_t>(ignored.size()) != pixels) {
    throw Error("the mask of ignored pixels has " + counted(ignored.size(), "value") + " for " +
                std::to_string(pixels) + " pixels; give one for each, or none");
  }
  everyone_ = std::all_of(ignored.begin(), ignored.end(), [](std::uint8_t v) { return v == 0; });
  if (everyone_) return;
  for (std::int64_t i = 0; i < pixels; ++i) {
    if (ignored[i] == 0) list_.push_back(i);
  }
}

Features spatial_features(const CrfSize& size, const SpatialKernel& kernel,
                          const ActivePixels& active) {
  const PositionScale scale = position_scale(size, kernel.sigma_xy_px, kernel.sigma_z_px);
  return {scale.dimensions(), active.count(), [=, &active](PixelRange range, float* out) {
            for_positions(size, active, range, [&](const Position& at) {
              at.write(scale, out);
              out += scale.dimensions();
            });
          }};
}

Features bilateral_features(const CrfSize& size, std::span<const ImageView> slices,
                            const BilateralKernel& kernel, const ActivePixels& active) {
  check_slices(size, slices);
  const PositionScale scale = position_scale(size, kernel.sigma_xy_px, kernel.sigma_z_px);
  const int channels = slices[0].channels;
  const int dimensions = scale.dimensions() + channels;
  const std::vector<float> channel_scale = channel_scales(kernel, channels);
  const auto write = [=, &active](PixelRange range, float* out) {
    with_sample_type(slices[0].type, [&]<typename T>(T) {
      for_positions(size, active, range, [&](const Position& at) {
        at.write(scale, out);
        const T* sample =
            slices[at.z].template row<T>(at.y) + static_cast<std::ptrdiff_t>(at.x) * channels;
        float* colour = out + scale.dimensions();
        for (int c = 0; c < channels; ++c) {
          colour[c] = static_cast<float>(sample[c]) * channel_scale[c];
        }
        out += dimensions;
      });
    });
  };
  return {dimensions, active.count(), write};
}

Features given_features(std::span<const float> values, int dimensions, const CrfSize& size,
                        const ActivePixels& active) {
  if (dimensions < 1 || static_cast<std::int64_t>(values.size()) != size.pixels() * dimensions) {
    throw Error(std::to_string(values.size()) + " feature values do not make " +
                std::to_string(dimensions) + " for each of " + std::to_string(size.pixels()) +
                " pixels");
  }
  return {dimensions, active.count(), [=, &active](PixelRange range, float* out) {
            for (std::int64_t i = range.begin; i < range.end; ++i) {
              out = std::copy_n(values.data() + active[i] * dimensions, dimensions, out);
            }
          }};
}

FeatureBox box_of(const Features& features) {
  const int d = features.dimensions;
  if (d > kMostFeatures) {
    throw Error("a kernel of " + std::to_string(d) + " features; at most " +
                std::to_string(kMostFeatures) + " are possible");
  }
  const Bands bands(features.pixels);
  std::vector<FeatureBox> boxes(bands.count());
  parallel_for(bands.count(), [&](std::int64_t b) {
    FeatureBox& box = boxes[b];
    box.least.assign(d, INFINITY);
    box.largest.assign(d, -INFINITY);
    std::vector<float> values(block_pixels(row_stride(d)) * d);
    for_blocks(bands[static_cast<int>(b)], row_stride(d), [&](PixelRange range) {
      features.write(range, values.data());
      for (std::int64_t i = 0; i < range.count(); ++i) {
        for (int j = 0; j < d; ++j) {
          const float v = values[i * d + j];
          if (!(std::fabs(v) <= kFarthest)) throw_too_far(v);
          box.least[j] = std::min(box.least[j], v);
          box.largest[j] = std::max(box.largest[j], v);
        }
      }
    });
  });
  FeatureBox all{std::vector<float>(d, 0.0f), std::vector<float>(d, 0.0f)};
  for (std::size_t b = 0; b < boxes.size(); ++b) {
    for (int j = 0; j < d; ++j) {
      all.least[j] = b == 0 ? boxes[b].least[j] : std::min(all.least[j], boxes[b].least[j]);
      all.largest[j] = b == 0 ? boxes[b].largest[j] : std::max(all.largest[j], boxes[b].largest[j]);
    }
  }
  return all;
}

}  // namespace segmentum
