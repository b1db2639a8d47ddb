#include "image/overlay.h"

#include <fmt/format.h>

#include "image/colour.h"
#include "image/sample.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr float kBorderShade = 0.5f;

bool on_border(const LabelMap& labels, int y, int x) {
  const std::uint16_t label = labels(y, x);
  return (x + 1 < labels.width() && labels(y, x + 1) != label) ||
         (y + 1 < labels.height() && labels(y + 1, x) != label);
}

}  // namespace

Image overlay(ImageView image, const LabelMap& labels, const Palette& palette, double opacity) {
  if (image.height != labels.height() || image.width != labels.width()) {
    throw Error(
        fmt::format("the labels are {}x{} but the picture is {}x{}; give labels of the "
                    "picture's size",
                    labels.width(), labels.height(), image.width, image.height));
  }
  if (!(opacity >= 0 && opacity <= 1)) {
    throw Error(fmt::format("opacity is {}; a value from 0 to 1 was expected", opacity));
  }
  Image shown = to_rgb(image);
  const float of_colour = static_cast<float>(opacity);
  for (int y = 0; y < shown.height(); ++y) {
    auto* pixel = shown.row<std::uint8_t>(y);
    for (int x = 0; x < shown.width(); ++x, pixel += 3) {
      const std::uint16_t label = labels(y, x);
      if (label == kIgnoreLabel) continue;
      const Rgb colour = palette[label];
      const std::uint8_t over[3] = {colour.r, colour.g, colour.b};
      const float shade = on_border(labels, y, x) ? kBorderShade : 1.0f;
      for (int c = 0; c < 3; ++c) {
        const float mixed = (1 - of_colour) * pixel[c] + of_colour * shade * over[c];
        pixel[c] = to_sample<std::uint8_t>(mixed);
      }
    }
  }
  return shown;
}

Image draw_labels(const LabelMap& labels, const Palette& palette) {
  Image drawn(labels.height(), labels.width(), 3);
  for (int y = 0; y < drawn.height(); ++y) {
    auto* pixel = drawn.row<std::uint8_t>(y);
    for (int x = 0; x < drawn.width(); ++x, pixel += 3) {
      const Rgb colour = palette[labels(y, x)];
      pixel[0] = colour.r;
      pixel[1] = colour.g;
      pixel[2] = colour.b;
    }
  }
  return drawn;
}

}  // namespace segmentum
