#include "image/warp.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "image/sample.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Where the pixels of one output row come from. Pictures and labels both ask here.
struct SourcePositions {
  std::vector<float> x;
  std::vector<float> y;

  explicit SourcePositions(int width) : x(width), y(width) {}

  void compute(int row, const Affine& to_source, const DisplacementView* displacement) {
    const double* a = to_source.a;
    const double centre_y = row + 0.5;
    const double x0 = a[1] * centre_y + a[2];
    const double y0 = a[4] * centre_y + a[5];
    const int width = static_cast<int>(x.size());
    for (int i = 0; i < width; ++i) {
      x[i] = static_cast<float>(a[0] * (i + 0.5) + x0);
      y[i] = static_cast<float>(a[3] * (i + 0.5) + y0);
    }
    if (displacement == nullptr) return;
    const std::size_t offset = static_cast<std::size_t>(row) * x.size();
    for (int i = 0; i < width; ++i) {
      x[i] += displacement->dx[offset + i];
      y[i] += displacement->dy[offset + i];
    }
  }
};

// False for NaN as well.
bool inside(float position, float size) {
  return position >= 0 && position < size;
}

/// The position mirrored at 0 and `size` until it is inside.
float reflected(float position, float size) {
  if (inside(position, size)) return position;
  if (!std::isfinite(position)) return 0;
  const float period = 2 * size;
  float p = std::fmod(std::fabs(position), period);
  if (p >= size) p = period - p;
  return std::min(p, std::nextafter(size, 0.0f));
}

/// The two neighbours along one side and the share of the second; edges are continued.
struct Neighbours {
  int first;
  int second;
  float share;

  Neighbours(float position, int size) {
    const float centred = position - 0.5f;
    const int below = static_cast<int>(centred + 1.0f) - 1;  // floor: the position is not negative
    share = centred - static_cast<float>(below);
    first = std::max(below, 0);
    second = std::min(below + 1, size - 1);
  }
};

/// kChannels = 0: known at run time only.
template <typename T, int kChannels>
void sample_bilinear(ImageView image, float x, float y, T* out) {
  const int channels = kChannels > 0 ? kChannels : image.channels;
  const Neighbours across(x, image.width);
  const Neighbours down(y, image.height);
  const T* top = image.row<T>(down.first);
  const T* bottom = image.row<T>(down.second);
  const std::ptrdiff_t left = std::ptrdiff_t{across.first} * channels;
  const std::ptrdiff_t right = std::ptrdiff_t{across.second} * channels;
  for (int c = 0; c < channels; ++c) {
    const float top_left = top[left + c];
    const float bottom_left = bottom[left + c];
    const float upper = top_left + across.share * (top[right + c] - top_left);
    const float lower = bottom_left + across.share * (bottom[right + c] - bottom_left);
    const float value = upper + down.share * (lower - upper);
    // Between samples, so in range: only rounding is left to do.
    out[c] = std::is_same_v<T, float> ? static_cast<T>(value) : static_cast<T>(value + 0.5f);
  }
}

template <typename T, int kChannels>
void warp_rows(ImageView image, const Affine& to_source, const DisplacementView* displacement,
               const std::vector<T>& outside, bool reflect, Image& warped) {
  const float height = static_cast<float>(image.height);
  const float width = static_cast<float>(image.width);
  SourcePositions from(warped.width());
  for (int y = 0; y < warped.height(); ++y) {
    from.compute(y, to_source, displacement);
    T* out = warped.row<T>(y);
    for (int x = 0; x < warped.width(); ++x, out += image.channels) {
      float source_x = from.x[x];
      float source_y = from.y[x];
      if (!inside(source_x, width) || !inside(source_y, height)) {
        if (!reflect) {
          std::copy(outside.begin(), outside.end(), out);
          continue;
        }
        source_x = reflected(source_x, width);
        source_y = reflected(source_y, height);
      }
      sample_bilinear<T, kChannels>(image, source_x, source_y, out);
    }
  }
}

template <typename T>
std::vector<T> border_samples(const Border& border, int channels) {
  std::vector<T> samples(channels, T{});
  const std::size_t given = border.values.size();
  if (given > 1 && given != samples.size()) {
    throw Error(fmt::format(
        "{} border values were given for a picture of {} channels; give one value or one a channel",
        given, channels));
  }
  for (int c = 0; c < channels && given > 0; ++c) {
    samples[c] = to_sample<T>(border.values[given == 1 ? 0 : c]);
  }
  return samples;
}

}  // namespace

Affine Affine::translation(double dx_px, double dy_px) {
  return {{1, 0, dx_px, 0, 1, dy_px}};
}

Affine Affine::scaling(double along_x, double along_y) {
  return {{along_x, 0, 0, 0, along_y, 0}};
}

Affine Affine::rotation(double radians) {
  const double cosine = std::cos(radians);
  const double sine = std::sin(radians);
  return {{cosine, -sine, 0, sine, cosine, 0}};
}

Affine operator*(const Affine& outer, const Affine& inner) {
  const double* o = outer.a;
  const double* i = inner.a;
  return {{o[0] * i[0] + o[1] * i[3], o[0] * i[1] + o[1] * i[4], o[0] * i[2] + o[1] * i[5] + o[2],
           o[3] * i[0] + o[4] * i[3], o[3] * i[1] + o[4] * i[4], o[3] * i[2] + o[4] * i[5] + o[5]}};
}

Image warp(ImageView image, int out_height, int out_width, const Affine& to_source,
           const DisplacementView* displacement, const Border& border) {
  Image warped(out_height, out_width, image.channels, image.type);
  const bool reflect = border.mode == BorderMode::reflect;
  with_sample_type(image.type, [&]<typename T>(T) {
    const std::vector<T> outside = border_samples<T>(border, image.channels);
    const auto rows = image.channels == 1   ? warp_rows<T, 1>
                      : image.channels == 3 ? warp_rows<T, 3>
                      : image.channels == 4 ? warp_rows<T, 4>
                                            : warp_rows<T, 0>;
    rows(image, to_source, displacement, outside, reflect, warped);
  });
  return warped;
}

LabelMap warp_nearest(const LabelMap& labels, int out_height, int out_width,
                      const Affine& to_source, const DisplacementView* displacement) {
  LabelMap warped(out_height, out_width, kIgnoreLabel);
  const float height = static_cast<float>(labels.height());
  const float width = static_cast<float>(labels.width());
  SourcePositions from(out_width);
  for (int y = 0; y < out_height; ++y) {
    from.compute(y, to_source, displacement);
    std::uint16_t* out = warped.row(y);
    for (int x = 0; x < out_width; ++x) {
      if (inside(from.x[x], width) && inside(from.y[x], height)) {
        out[x] = labels(static_cast<int>(from.y[x]), static_cast<int>(from.x[x]));
      }
    }
  }
  return warped;
}

}  // namespace segmentum
