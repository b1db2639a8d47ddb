#include "segmentum/image.h"

#include <fmt/format.h>

#include <new>

#include "segmentum/classes.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr double kMaxBytes = 0x1p62;  // beyond it, sizes and offsets would not fit 64 bits

}  // namespace

Image::Image(int height, int width, int channels, PixelType type)
    : height_(height), width_(width), channels_(channels), type_(type) {
  if (height <= 0 || width <= 0 || channels <= 0) {
    throw Error(fmt::format(
        "a picture of {}x{} pixels with {} channels was asked for; all sides must be positive",
        width, height, channels));
  }
  try {
    if (static_cast<double>(height) * width * channels * sample_bytes(type) > kMaxBytes) {
      throw std::bad_alloc();
    }
    data_.resize(static_cast<std::size_t>(height) * row_bytes());
  } catch (const std::exception&) {  // bad_alloc or length_error
    throw Error(fmt::format("a picture of {}x{} pixels with {} channels does not fit into memory",
                            width, height, channels));
  }
}

LabelMap::LabelMap(int height, int width, std::uint16_t label) : height_(height), width_(width) {
  if (height <= 0 || width <= 0) {
    throw Error(fmt::format(
        "a label map of {}x{} pixels was asked for; both sides must be positive", width, height));
  }
  try {
    labels_.assign(static_cast<std::size_t>(height) * width, label);
  } catch (const std::exception&) {
    throw Error(fmt::format("a label map of {}x{} pixels does not fit into memory", width, height));
  }
}

Palette Palette::voc(int count) {
  Palette palette;
  palette.colours.resize(count > 0 ? count : 0);
  for (int index = 0; index < count; ++index) {
    Rgb& colour = palette.colours[index];
    for (int bit = 0, rest = index; bit < 8; ++bit, rest >>= 3) {
      colour.r |= static_cast<std::uint8_t>((rest & 1) << (7 - bit));
      colour.g |= static_cast<std::uint8_t>(((rest >> 1) & 1) << (7 - bit));
      colour.b |= static_cast<std::uint8_t>(((rest >> 2) & 1) << (7 - bit));
    }
  }
  return palette;
}

Palette palette_of(const std::vector<ClassInfo>& classes) {
  Palette palette;
  for (const ClassInfo& c : classes) palette.colours.push_back(c.colour);
  return palette;
}

}  // namespace segmentum
