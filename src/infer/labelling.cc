#include "infer/labelling.h"

#include <algorithm>
#include <vector>

#include "base/threads.h"
#include "image/most_likely.h"

namespace segmentum {
void mirror_rows(TensorView tensor) {
  const auto width = static_cast<std::ptrdiff_t>(tensor.shape.w());
  for (float* row = tensor.data; row != tensor.data + tensor.shape.count(); row += width) {
    std::reverse(row, row + width);
  }
}

PixelRect mirrored(const PixelRect& rect, int width) {
  return {rect.y, width - rect.x - rect.width, rect.height, rect.width};
}

void label_part(const ScoreRows& scores, const PixelRect& part, LabelMap& labels) {
  parallel_for(part.height, [&](std::int64_t i) {
    scores.labels(0, i, {0, part.width}, labels.row(part.y + static_cast<int>(i)) + part.x);
  });
}

void add_probabilities(const ScoreRows& scores, const PixelRect& part, float weight, bool flipped,
                       Probabilities& sum) {
  const int width = part.width;
  parallel_for(part.height, [&](std::int64_t i) {
    const int row = part.y + static_cast<int>(i);
    std::vector<float> values(static_cast<std::size_t>(scores.classes() * width));
    scores.probabilities(0, i, {0, width}, values.data(), width);
    for (int k = 0; k < sum.classes(); ++k) {
      const float* in = values.data() + static_cast<std::ptrdiff_t>(k) * width;
      if (flipped) {
        float* out = sum.row(k, row) + sum.width() - 1 - part.x;
        for (int x = 0; x < width; ++x) out[-x] += weight * in[x];
      } else {
        float* out = sum.row(k, row) + part.x;
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
