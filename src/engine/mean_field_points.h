// The pixels of a mean field as points whose distances make its kernels: one rule for every engine.
#pragma once

#include "crf/features.h"
#include "graph/operators.h"
#include "tensor/tensor.h"

namespace segmentum {

/// [height * width][2]: positions over their sigma.
Features spatial_points(const op::MeanField& o, std::int64_t height, std::int64_t width);

/// [H * W][2 + C] of picture `n` of [N,C,H,W], which must outlive them: positions over their sigma,
/// and each channel in 8-bit levels over the sigma of colours.
template <typename T>
Features bilateral_points(const op::MeanField& o, BasicTensorView<const T> pictures,
                          std::int64_t n);

/// What training a mean field of scores [N,K,H,W] by a picture of `picture_channels` holds beside
/// its result: a row of each pixel for every iteration, and of the kernels what each pixel needs;
/// the spatial one is shared by all pictures. Vertices, of which there are far fewer than pixels
/// where sigmas are wide and colours alike, are not counted.
std::size_t mean_field_bytes(const op::MeanField& o, const Shape& scores,
                             std::int64_t picture_channels);

}  // namespace segmentum
