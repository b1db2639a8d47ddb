// From the scores of one part to labels and probabilities at their place in the picture.
#pragma once

#include "engine/score_rows.h"
#include "image/picture_source.h"
#include "segmentum/segmenter.h"
#include "tensor/tensor.h"

namespace segmentum {

/// Each row of [N,C,H,W] from right to left.
void mirror_rows(TensorView tensor);

/// The rectangle at the same place of the picture, `width` pixels wide, mirrored left to right.
PixelRect mirrored(const PixelRect& rect, int width);

/// Writes the class of each pixel (`ScoreRows::labels`) into `labels`. `scores` [1,K,h,w] are of
/// the rectangle `part` of the picture.
void label_part(const ScoreRows& scores, const PixelRect& part, LabelMap& labels);

/// Adds `weight` times the probabilities of each pixel (`ScoreRows::probabilities`) to `sum`. With
/// `flipped`, the part is one of the picture mirrored left to right, and is added where its pixels
/// belong.
void add_probabilities(const ScoreRows& scores, const PixelRect& part, float weight, bool flipped,
                       Probabilities& sum);

/// The most probable class of each pixel: the first of equals, or class 1 where `one_class` (as a
/// logit of 0 is).
LabelMap most_probable(const Probabilities& probabilities, bool one_class);

}  // namespace segmentum
