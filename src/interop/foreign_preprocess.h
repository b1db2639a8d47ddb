// The pre-processing of foreign networks, which their files seldom state.
#pragma once

#include <vector>

#include "image/preprocess.h"

namespace segmentum {

/// Mean and deviation of the training's pictures in [0,1], for each channel or for RGB; empty:
/// ImageNet's, with which practically all published networks were trained. Of RGB's, one channel
/// takes the mean, others take them again and again, as a first convolution is adapted. Throws
/// Error for another number of them.
Preprocess foreign_preprocess(const std::vector<float>& mean, const std::vector<float>& std,
                              int channels);

}  // namespace segmentum
