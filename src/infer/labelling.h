// From the logits of one tile to labels and probabilities at their place in the picture.
#pragma once

#include "infer/tiles.h"
#include "segmentum/segmenter.h"
#include "tensor/tensor.h"

namespace segmentum {

/// Each row of [N,C,H,W] from right to left.
void mirror_rows(TensorView tensor);

/// Writes the class with the largest logit (the first of equals) of each kept pixel into `labels`.
/// `logits` [1,K,h,w] are of the tile's region; K = 1 is a sigmoid head: class 1 where logit >= 0.
void label_tile(ConstTensorView logits, const Tile& tile, LabelMap& labels);

/// Adds `weight` times the softmax over classes of each kept pixel to `sum`; of a sigmoid head
/// (K = 1) the two probabilities 1 - p and p. With `flipped`, the tile is one of the picture
/// mirrored left to right, and is added where its pixels belong.
void add_probabilities(ConstTensorView logits, const Tile& tile, float weight, bool flipped,
                       Probabilities& sum);

/// The most probable class of each pixel: the first of equals, or class 1 where `one_class` (as a
/// logit of 0 is).
LabelMap most_probable(const Probabilities& probabilities, bool one_class);

}  // namespace segmentum
