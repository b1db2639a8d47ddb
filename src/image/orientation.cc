#include <cstring>

#include "image/formats.h"

namespace segmentum {

bool orientation_transposes(int orientation) {
  return orientation >= 5 && orientation <= 8;
}

Image oriented(Image image, int orientation) {
  if (orientation <= kUpright || orientation > 8) return image;
  const bool transpose = orientation_transposes(orientation);
  // Stored row and column counted from the end, by orientation (TIFF 6.0, tag 274).
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const int stored_height = image.height();
  const int stored_width = image.width();
  Image shown(transpose ? stored_width : stored_height, transpose ? stored_height : stored_width,
              image.channels(), image.type());
  const std::size_t pixel = sample_bytes(image.type()) * image.channels();
  for (int y = 0; y < shown.height(); ++y) {
    std::byte* to = shown.row<std::byte>(y);
    for (int x = 0; x < shown.width(); ++x, to += pixel) {
      int row = transpose ? x : y;
      int column = transpose ? y : x;
      if (from_bottom) row = stored_height - 1 - row;
      if (from_right) column = stored_width - 1 - column;
      std::memcpy(to, image.row<std::byte>(row) + column * pixel, pixel);
    }
  }
  return shown;
}

}  // namespace segmentum
