#include "infer/labelling.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/threads.h"
#include "image/most_likely.h"

namespace segmentum {
namespace {

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

void mirror_rows(TensorView tensor) {
  const auto width = static_cast<std::ptrdiff_t>(tensor.shape.w());
  for (float* row = tensor.data; row != tensor.data + tensor.shape.count(); row += width) {
    std::reverse(row, row + width);
  }
}

void label_tile(ConstTensorView logits, const Tile& tile, LabelMap& labels) {
  const Shape& shape = logits.shape;
  const int width = tile.columns.keep_to - tile.columns.keep_from;
  const int x0 = tile.columns.keep_from - tile.columns.from;
  parallel_for(tile.rows.keep_to - tile.rows.keep_from, [&](std::int64_t i) {
    const int row = tile.rows.keep_from + static_cast<int>(i);
    most_likely(&logits(0, 0, row - tile.rows.from, x0), shape.h() * shape.w(),
                static_cast<int>(shape.c()), width, labels.row(row) + tile.columns.keep_from);
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
  const int width = probabilities.width();
  LabelMap labels(probabilities.height(), width);
  const std::ptrdiff_t plane = std::ptrdiff_t{labels.height()} * width;
  parallel_for(labels.height(), [&](std::int64_t i) {
    const int y = static_cast<int>(i);
    const float* row = probabilities.row(0, y);
    if (one_class) {
      for (int x = 0; x < width; ++x) labels(y, x) = row[plane + x] >= row[x] ? 1 : 0;
    } else {
      most_likely(row, plane, probabilities.classes(), width, labels.row(y));
    }
  });
  return labels;
}

}  // namespace segmentum
