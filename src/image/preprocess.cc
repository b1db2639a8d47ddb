#include "image/preprocess.h"

#include <string>

#include "base/counted.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

enum class ChannelRule { same, replicate_grey, luma };

/// Which source channels feed a network of `wanted` channels, or an Error that says what would
/// work.
ChannelRule channel_rule(int have, int wanted) {
  if (have == wanted) return ChannelRule::same;
  if (have == wanted + 1 && (wanted == 1 || wanted == 3)) return ChannelRule::same;  // drop alpha
  if (have <= 2 && wanted == 3) return ChannelRule::replicate_grey;
  if ((have == 3 || have == 4) && wanted == 1) return ChannelRule::luma;
  throw Error("the picture has " + counted(have, "channel") + " but the network reads " +
              std::to_string(wanted) + "; give pictures of that many channels");
}

template <typename T>
void convert(ImageView image, float full_range, const Preprocess& preprocess, TensorView batch,
             std::int64_t n) {
  const int have = image.channels;
  const int wanted = preprocess.channels();
  const ChannelRule rule = channel_rule(have, wanted);
  for (int c = 0; c < wanted; ++c) {
    const float scale = 1.0f / (full_range * preprocess.std[c]);
    const float shift = -preprocess.mean[c] / preprocess.std[c];
    const int source = rule == ChannelRule::same ? c : 0;
    for (int y = 0; y < image.height; ++y) {
      const T* in = image.row<T>(y);
      float* out = &batch(n, c, y, 0);
      if (rule == ChannelRule::luma) {  // ITU-R BT.601
        for (int x = 0; x < image.width; ++x) {
          const T* p = in + static_cast<std::ptrdiff_t>(x) * have;
          out[x] = (0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2]) * scale + shift;
        }
      } else {
        for (int x = 0; x < image.width; ++x) {
          out[x] = static_cast<float>(in[static_cast<std::ptrdiff_t>(x) * have + source]) * scale +
                   shift;
        }
      }
    }
  }
}

}  // namespace

void to_tensor(ImageView image, const Preprocess& preprocess, TensorView batch, std::int64_t n) {
  const Shape& shape = batch.shape;
  if (shape.h() != image.height || shape.w() != image.width || shape.c() != preprocess.channels()) {
    throw Error("a picture of " + std::to_string(image.height) + "x" + std::to_string(image.width) +
                " does not fit a batch of shape " + shape.to_string());
  }
  switch (image.type) {
    case PixelType::u8:
      return convert<std::uint8_t>(image, 255.0f, preprocess, batch, n);
    case PixelType::u16:
      return convert<std::uint16_t>(image, 65535.0f, preprocess, batch, n);
    case PixelType::f32:
      return convert<float>(image, 1.0f, preprocess, batch, n);
  }
}

Tensor to_tensor(ImageView image, const Preprocess& preprocess) {
  Tensor tensor({1, preprocess.channels(), image.height, image.width});
  to_tensor(image, preprocess, tensor.view(), 0);
  return tensor;
}

}  // namespace segmentum
