#include "infer/stored_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/threads.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::size_t kMostPaletteClasses = 255;

}  // namespace

Image StoredValues::image_of(const LabelMap& labels) const {
  Image image(labels.height(), labels.width(), 1, type);
  parallel_for(labels.height(), [&](std::int64_t row) {
    const int y = static_cast<int>(row);
    for (int x = 0; x < labels.width(); ++x) {
      const std::uint16_t label = labels(y, x);
      const std::uint16_t value = label < of_class.size() ? of_class[label] : ignore;
      if (type == PixelType::u8) {
        image.row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(value);
      } else {
        image.row<std::uint16_t>(y)[x] = value;
      }
    }
  });
  return image;
}

StoredValues index_values(const Segmenter& segmenter) {
  StoredValues values;
  const Palette palette = palette_of(segmenter.classes());
  values.of_class.resize(palette.colours.size());
  std::iota(values.of_class.begin(), values.of_class.end(), std::uint16_t{0});
  if (palette.colours.size() > kMostPaletteClasses) {
    values.type = PixelType::u16;
    values.ignore = kIgnoreLabel;
    return values;
  }
  values.palette = palette.colours;
  values.palette.resize(256);
  values.palette[values.ignore] = palette.ignore;
  return values;
}

StoredValues source_values(const Segmenter& segmenter) {
  if (segmenter.source_values_are_colours()) {
    throw Error(
        "the training data's own masks are of colours, which a streamed label map cannot hold; "
        "--values index would work");
  }
  if (segmenter.source_values().empty()) return index_values(segmenter);
  const std::vector<std::uint32_t>& given = segmenter.source_values();
  const std::uint32_t ignore = segmenter.source_ignore_value();
  const std::uint32_t greatest = std::max(ignore, *std::ranges::max_element(given));
  if (greatest > 65535) {
    throw Error(
        fmt::format("the mask value {} does not fit into 16 bits; write class indices", greatest));
  }
  StoredValues values{.type = greatest > 255 ? PixelType::u16 : PixelType::u8,
                      .of_class = {given.begin(), given.end()},
                      .ignore = static_cast<std::uint16_t>(ignore),
                      .palette = {}};
  return values;
}

}  // namespace segmentum
