// The inner loops of a mean field that learns, over rows of one number for each label, `stride`
// floats apart (crf/rows.h): aligned to kRowUnit floats.
#pragma once

#include <cstdint>

#include "crf/rows.h"
#include "engine/cpu/layout.h"

namespace segmentum::cpu {

/// What a score beyond the last label is: no probability is left for it.
inline constexpr float kNoScore = -1e30f;

/// How rows of labels stand for channels.
struct LabelRows {
  float single = 0;  // of a single channel, the score of label 1: what label 0 has times it
  float beyond = 0;  // what stands after the last label
};

/// The labels' rows of the pixels in `range` of picture `n`.
void load_label_rows(const View& value, std::int64_t n, PixelRange range, const LabelRows& form,
                     float* rows);
/// The reverse; a single channel gets the row of label 1 plus `form.single` times that of label 0.
enum class Store : std::uint8_t { replace, add };
void store_label_rows(const float* rows, PixelRange range, const LabelRows& form, const View& value,
                      std::int64_t n, Store how);

/// In place, each row := its softmax.
void softmax_rows(float* rows, std::int64_t pixels, int stride);
/// dx = q * (dq - sum of q dq) for rows q of a softmax.
void softmax_rows_backward(const float* q, const float* dq, std::int64_t pixels, int stride,
                           float* dx);
/// to[i][l] += weights[l] * rows[i][l]
void add_weighted_rows(const float* rows, const float* weights, std::int64_t pixels, int stride,
                       float* to);
/// sums[k][l] = the sum over i of a[i][k] * b[i][l]: `labels` rows.
void outer_products(const float* a, const float* b, std::int64_t pixels, int labels, float* sums);

}  // namespace segmentum::cpu
