// The inner loops of a mean field that learns, over rows of one number for each label, `stride`
// floats apart (crf/rows.h): aligned to kRowUnit floats.
#pragma once

#include <cstdint>

#include "crf/rows.h"
#include "engine/cpu/layout.h"

namespace segmentum::cpu {

/// What a score beyond the last label is: no probability is left for it.
inline constexpr float kNoScore = -1e30f;

/// The labels' rows of the pixels in `range` of picture `n`, with `beyond` after the last label. Of
/// a single channel, the score of label 1, label 0 gets `other` times it.
void load_label_rows(const View& value, std::int64_t n, PixelRange range, float other, float beyond,
                     float* rows);
/// The reverse; of a single channel, the row of label 1 plus `other` times that of label 0.
void store_label_rows(const float* rows, PixelRange range, float other, const View& value,
                      std::int64_t n, bool add);

/// In place, each row := its softmax.
void softmax_rows(float* rows, std::int64_t pixels, int stride);
/// dx = q * (dq - sum of q dq) for rows q of a softmax.
void softmax_rows_backward(const float* q, const float* dq, std::int64_t pixels, int stride,
                           float* dx);
/// to[i][l] += weights[l] * rows[i][l]
void add_weighted_rows(const float* rows, const float* weights, std::int64_t pixels, int stride,
                       float* to);
/// to += rows
void add_rows(const float* rows, std::int64_t pixels, int stride, float* to);
/// sums[k][l] = the sum over i of a[i][k] * b[i][l]: `labels` rows.
void outer_products(const float* a, const float* b, std::int64_t pixels, int labels, float* sums);

}  // namespace segmentum::cpu
