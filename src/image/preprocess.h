// From a picture to what a network reads, as data: the same description serves training and
// inference.
#pragma once

#include <vector>

#include "segmentum/image.h"
#include "tensor/tensor.h"

namespace segmentum {

/// How a picture becomes a tensor: samples are brought to [0,1] by their type's full range (float
/// samples are taken as they are), then (x - mean) / std for each channel.
/// Channels: grey is replicated to a 3-channel network, colour is averaged by luma for a 1-channel
/// one, alpha is dropped; any other mismatch is an Error.
struct Preprocess {
  std::vector<float> mean{0.5f, 0.5f, 0.5f};
  std::vector<float> std{0.25f, 0.25f, 0.25f};

  int channels() const { return static_cast<int>(mean.size()); }
  bool operator==(const Preprocess&) const = default;
};

/// Writes `image` into batch entry `n` of `batch` [N,C,H,W], whose H and W are the picture's own.
/// Throws Error if the channels cannot be matched or sizes differ. O(H*W*C).
void to_tensor(ImageView image, const Preprocess& preprocess, TensorView batch, std::int64_t n);

/// The same into a new tensor [1,C,H,W].
Tensor to_tensor(ImageView image, const Preprocess& preprocess);

}  // namespace segmentum
