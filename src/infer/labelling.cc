#include "infer/labelling.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/threads.h"

namespace segmentum {
namespace {

/// labels[x] = argmax over k of plane(k)[x], the first of equals.
template <typename PlaneRow>
void argmax_row(const PlaneRow& plane, int classes, int width, std::uint16_t* labels) {
  std::vector<float> best(plane(0), plane(0) + width);
  std::fill_n(labels, width, std::uint16_t{0});
  for (int k = 1; k < classes; ++k) {
    const float* value = plane(k);
    for (int x = 0; x < width; ++x) {
      const bool better = value[x] > best[x];
      best[x] = better ? value[x] : best[x];
      labels[x] = better ? static_cast<std::uint16_t>(k) : labels[x];
    }
  }
}

/// Row `k` of the result holds exp(logit - max) / sum, for `width` pixels.
std::vector<float> softmax_row(ConstTensorView logits, int y, int x0, int width) {
  const int classes = static_cast<int>(logits.shape.c());
  std::vector<float> greatest(width, -INFINITY);
  for (int k = 0; k < classes; ++k) {
    const float* value = &logits(0, k, y, x0);
    for (int x = 0; x < width; ++x) greatest[x] = std::max(greatest[x], value[x]);
  }
  std::vector<float> result(static_cast<std::size_t>(classes) * width);
  std::vector<float> sum(width, 0.0f);
  for (int k = 0; k < classes; ++k) {
    const float* value = &logits(0, k, y, x0);
    float* out = result.data() + static_cast<std::size_t>(k) * width;
    for (int x = 0; x < width; ++x) {
      out[x] = std::exp(value[x] - greatest[x]);
      sum[x] += out[x];
    }
  }
  for (int k = 0; k < classes; ++k) {
    float* out = result.data() + static_cast<std::size_t>(k) * width;
    for (int x = 0; x < width; ++x) out[x] /= sum[x];
  }
  return result;
}

/// The same for one logit: rows 1 - p and p.
std::vector<float> sigmoid_row(ConstTensorView logits, int y, int x0, int width) {
  const float* value = &logits(0, 0, y, x0);
  std::vector<float> result(2 * static_cast<std::size_t>(width));
  for (int x = 0; x < width; ++x) {
    const float p = 1.0f / (1.0f + std::exp(-value[x]));
    result[x] = 1.0f - p;
    result[width + x] = p;
  }
  return result;
}

}  // namespace

void label_tile(ConstTensorView logits, const Tile& tile, LabelMap& labels) {
  const int classes = static_cast<int>(logits.shape.c());
  const int width = tile.columns.keep_to - tile.columns.keep_from;
  const int x0 = tile.columns.keep_from - tile.columns.from;
  parallel_for(tile.rows.keep_to - tile.rows.keep_from, [&](std::int64_t i) {
    const int row = tile.rows.keep_from + static_cast<int>(i);
    const int y = row - tile.rows.from;
    std::uint16_t* out = labels.row(row) + tile.columns.keep_from;
    if (classes == 1) {
      const float* logit = &logits(0, 0, y, x0);
      for (int x = 0; x < width; ++x) out[x] = logit[x] >= 0 ? 1 : 0;
    } else {
      argmax_row([&](int k) { return &logits(0, k, y, x0); }, classes, width, out);
    }
  });
}

void add_probabilities(ConstTensorView logits, const Tile& tile, float weight, bool flipped,
                       Probabilities& sum) {
  const int width = tile.columns.keep_to - tile.columns.keep_from;
  const int x0 = tile.columns.keep_from - tile.columns.from;
  parallel_for(tile.rows.keep_to - tile.rows.keep_from, [&](std::int64_t i) {
    const int row = tile.rows.keep_from + static_cast<int>(i);
    const int y = row - tile.rows.from;
    const std::vector<float> values = logits.shape.c() == 1 ? sigmoid_row(logits, y, x0, width)
                                                            : softmax_row(logits, y, x0, width);
    for (int k = 0; k < sum.classes(); ++k) {
      const float* in = values.data() + static_cast<std::size_t>(k) * width;
      if (flipped) {
        float* out = sum.row(k, row) + sum.width() - 1 - tile.columns.keep_from;
        for (int x = 0; x < width; ++x) out[-x] += weight * in[x];
      } else {
        float* out = sum.row(k, row) + tile.columns.keep_from;
        for (int x = 0; x < width; ++x) out[x] += weight * in[x];
      }
    }
  });
}

LabelMap most_probable(const Probabilities& probabilities, bool one_class) {
  LabelMap labels(probabilities.height(), probabilities.width());
  parallel_for(labels.height(), [&](std::int64_t i) {
    const int y = static_cast<int>(i);
    const auto row = [&](int k) { return probabilities.row(k, y); };
    if (one_class) {
      for (int x = 0; x < labels.width(); ++x) labels(y, x) = row(1)[x] >= row(0)[x] ? 1 : 0;
    } else {
      argmax_row(row, probabilities.classes(), labels.width(), labels.row(y));
    }
  });
  return labels;
}

}  // namespace segmentum
