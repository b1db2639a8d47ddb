#include "engine/score_rows.h"

#include <algorithm>
#include <cmath>

#include "image/most_likely.h"

namespace segmentum {
namespace {

/// exp(score - largest) / sum for each of `width` pixels, in place.
void softmax_of_columns(std::int64_t classes, std::int64_t width, float* values,
                        std::ptrdiff_t plane) {
  for (std::int64_t i = 0; i < width; ++i) {
    float* value = values + i;
    float largest = value[0];
    for (std::int64_t k = 1; k < classes; ++k) largest = std::max(largest, value[k * plane]);
    float sum = 0;
    for (std::int64_t k = 0; k < classes; ++k) {
      value[k * plane] = std::exp(value[k * plane] - largest);
      sum += value[k * plane];
    }
    for (std::int64_t k = 0; k < classes; ++k) value[k * plane] /= sum;
  }
}

}  // namespace

void PlainScoreRows::labels(std::int64_t n, std::int64_t y, Interval x,
                            std::uint16_t* labels) const {
  const Shape& s = scores_.shape;
  most_likely(&scores_(n, 0, y, x.begin), s.h() * s.w(), static_cast<int>(s.c()),
              static_cast<int>(x.size()), labels);
}

void PlainScoreRows::probabilities(std::int64_t n, std::int64_t y, Interval x, float* values,
                                   std::ptrdiff_t plane) const {
  const std::int64_t scores = scores_.shape.c(), width = x.size();
  if (scores == 1) {
    const float* score = &scores_(n, 0, y, x.begin);
    for (std::int64_t i = 0; i < width; ++i) {
      const float p = 1.0f / (1.0f + std::exp(-score[i]));
      values[i] = 1.0f - p;
      values[plane + i] = p;
    }
    return;
  }
  for (std::int64_t k = 0; k < scores; ++k) {
    std::copy_n(&scores_(n, k, y, x.begin), width, values + k * plane);
  }
  softmax_of_columns(scores, width, values, plane);
}

}  // namespace segmentum
