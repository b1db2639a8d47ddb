#include "infer/labelling.h"

#include <algorithm>
#include <vector>

#include "base/threads.h"
#include "image/most_likely.h"

namespace segmentum {
namespace {

/// Of the tile's region.
Interval kept_columns(const Tile& tile) {
  return {tile.columns.keep_from - tile.columns.from, tile.columns.keep_to - tile.columns.from};
}

}  // namespace

void mirror_rows(TensorView tensor) {
  const auto width = static_cast<std::ptrdiff_t>(tensor.shape.w());
  for (float* row = tensor.data; row != tensor.data + tensor.shape.count(); row += width) {
    std::reverse(row, row + width);
  }
}

void label_tile(const ScoreRows& scores, const Tile& tile, LabelMap& labels) {
  const Interval columns = kept_columns(tile);
  parallel_for(tile.rows.keep_to - tile.rows.keep_from, [&](std::int64_t i) {
    const int row = tile.rows.keep_from + static_cast<int>(i);
    scores.labels(0, row - tile.rows.from, columns, labels.row(row) + tile.columns.keep_from);
  });
}

void add_probabilities(const ScoreRows& scores, const Tile& tile, float weight, bool flipped,
                       Probabilities& sum) {
  const Interval columns = kept_columns(tile);
  const auto width = static_cast<int>(columns.size());
  parallel_for(tile.rows.keep_to - tile.rows.keep_from, [&](std::int64_t i) {
    const int row = tile.rows.keep_from + static_cast<int>(i);
    std::vector<float> values(static_cast<std::size_t>(scores.classes() * width));
    scores.probabilities(0, row - tile.rows.from, columns, values.data(), width);
    for (int k = 0; k < sum.classes(); ++k) {
      const float* in = values.data() + static_cast<std::ptrdiff_t>(k) * width;
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
