// From the scores of one tile to labels and probabilities at their place in the picture.
#pragma once

#include "engine/score_rows.h"
#include "infer/tiles.h"
#include "segmentum/segmenter.h"
#include "tensor/tensor.h"

namespace segmentum {

/// Each row of [N,C,H,W] from right to left.
void mirror_rows(TensorView tensor);

/// Writes the class of each kept pixel (`ScoreRows::labels`) into `labels`. `scores` [1,K,h,w] are
/// of the tile's region.
void label_tile(const ScoreRows& scores, const Tile& tile, LabelMap& labels);

/// Adds `weight` times the probabilities of each kept pixel (`ScoreRows::probabilities`) to `sum`.
/// With `flipped`, the tile is one of the picture mirrored left to right, and is added where its
/// pixels belong.
void add_probabilities(const ScoreRows& scores, const Tile& tile, float weight, bool flipped,
                       Probabilities& sum);

/// The most probable class of each pixel: the first of equals, or class 1 where `one_class` (as a
/// logit of 0 is).
LabelMap most_probable(const Probabilities& probabilities, bool one_class);

}  // namespace segmentum
