#include "image/resize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/threads.h"
#include "image/sample.h"

namespace segmentum {
namespace {

/// Along one side, new sample i is the sum over k < count of weight(i, k) * old sample first[i] +
/// k.
struct Taps {
  int count = 0;
  std::vector<int> first;
  std::vector<float> weights;

  Taps(int old_size, int new_size, int count_)
      : count(std::min(count_, old_size)),
        first(new_size),
        weights(static_cast<std::size_t>(new_size) * count) {}
  float* of(int i) { return weights.data() + static_cast<std::size_t>(i) * count; }
  const float* of(int i) const { return weights.data() + static_cast<std::size_t>(i) * count; }
};

Taps linear_taps(int old_size, int new_size) {
  Taps taps(old_size, new_size, 2);
  const double scale = static_cast<double>(old_size) / new_size;
  for (int i = 0; i < new_size; ++i) {
    const double centre = std::clamp((i + 0.5) * scale - 0.5, 0.0, old_size - 1.0);
    const int first = std::clamp(static_cast<int>(centre), 0, std::max(old_size - 2, 0));
    taps.first[i] = first;
    taps.of(i)[0] = static_cast<float>(1.0 - (centre - first));
    if (taps.count == 2) taps.of(i)[1] = static_cast<float>(centre - first);
  }
  return taps;
}

Taps area_taps(int old_size, int new_size) {
  const double scale = static_cast<double>(old_size) / new_size;
  Taps taps(old_size, new_size, static_cast<int>(std::ceil(scale)) + 1);
  for (int i = 0; i < new_size; ++i) {
    const double begin = i * scale;
    const double end = (i + 1) * scale;
    const int first = std::min(static_cast<int>(begin), old_size - taps.count);
    taps.first[i] = first;
    for (int k = 0; k < taps.count; ++k) {
      const double covered =
          std::min<double>(end, first + k + 1) - std::max<double>(begin, first + k);
      taps.of(i)[k] = static_cast<float>(std::max(covered, 0.0) / scale);
    }
  }
  return taps;
}

Taps choose_taps(int old_size, int new_size, const ResizeOptions& options) {
  return options.antialias && new_size < old_size ? area_taps(old_size, new_size)
                                                  : linear_taps(old_size, new_size);
}

/// The weighted sum of `count` old rows: one row at its new height and old width.
template <typename T>
void sum_rows(ImageView image, int first, const float* weights, int count,
              std::vector<float>& sum) {
  for (int k = 0; k < count; ++k) {
    const T* row = image.row<T>(first + k);
    const float weight = weights[k];
    if (k == 0) {
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = weight * row[i];
    } else if (weight != 0) {
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weight * row[i];
    }
  }
}

/// kChannels = 0: known at run time only.
template <typename T, int kChannels>
void resize_row(const std::vector<float>& row, const Taps& taps, int channels_, T* out) {
  const int channels = kChannels > 0 ? kChannels : channels_;
  for (std::size_t x = 0; x < taps.first.size(); ++x, out += channels) {
    const float* from = row.data() + static_cast<std::size_t>(taps.first[x]) * channels;
    const float* weights = taps.of(static_cast<int>(x));
    for (int c = 0; c < channels; ++c) {
      float sum = 0;
      for (int k = 0; k < taps.count; ++k) sum += weights[k] * from[k * channels + c];
      out[c] = to_sample<T>(sum);
    }
  }
}

}  // namespace

Image resize(ImageView image, int height, int width, const ResizeOptions& options) {
  Image resized(height, width, image.channels, image.type);
  const Taps vertical = choose_taps(image.height, height, options);
  const Taps horizontal = choose_taps(image.width, width, options);
  with_sample_type(image.type, [&]<typename T>(T) {
    const auto resize_one = image.channels == 1   ? resize_row<T, 1>
                            : image.channels == 3 ? resize_row<T, 3>
                                                  : resize_row<T, 0>;
    parallel_for(height, [&](std::int64_t y) {
      const int row = static_cast<int>(y);
      std::vector<float> sum(static_cast<std::size_t>(image.width) * image.channels);
      sum_rows<T>(image, vertical.first[row], vertical.of(row), vertical.count, sum);
      resize_one(sum, horizontal, image.channels, resized.row<T>(row));
    });
  });
  return resized;
}

LabelMap resize_nearest(const LabelMap& labels, int height, int width) {
  LabelMap resized(height, width);
  // floor((i + 1/2) * old / new) in integers.
  const auto old_index = [](std::int64_t i, std::int64_t old_size, std::int64_t new_size) {
    return static_cast<int>((2 * i + 1) * old_size / (2 * new_size));
  };
  std::vector<int> columns(width);
  for (int x = 0; x < width; ++x) columns[x] = old_index(x, labels.width(), width);
  for (int y = 0; y < height; ++y) {
    const std::uint16_t* from = labels.row(old_index(y, labels.height(), height));
    std::uint16_t* to = resized.row(y);
    for (int x = 0; x < width; ++x) to[x] = from[columns[x]];
  }
  return resized;
}

}  // namespace segmentum
