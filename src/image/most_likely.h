// From scores to labels: one rule for training and inference.
#pragma once

#include <cstddef>
#include <cstdint>

namespace segmentum {

/// labels[x] = the k whose scores[k * plane + x] is largest, of equals the first, for `width`
/// neighbouring pixels. With `classes` = 1 the score is the logit of a sigmoid head: class 1 where
/// it is at least 0, else 0.
void most_likely(const float* scores, std::ptrdiff_t plane, int classes, int width,
                 std::uint16_t* labels);

}  // namespace segmentum
