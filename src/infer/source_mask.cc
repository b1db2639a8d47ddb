#include "infer/source_mask.h"

#include <algorithm>
#include <numeric>

#include "image/codec.h"

namespace segmentum {
namespace {

template <typename T>
void fill_grey(const LabelMap& labels, const std::vector<std::uint32_t>& values,
               std::uint32_t ignore, Image& mask) {
  for (int y = 0; y < labels.height(); ++y) {
    for (int x = 0; x < labels.width(); ++x) {
      const std::uint16_t label = labels(y, x);
      mask.row<T>(y)[x] = static_cast<T>(label < values.size() ? values[label] : ignore);
    }
  }
}

void fill_colours(const LabelMap& labels, const std::vector<std::uint32_t>& values,
                  std::uint32_t ignore, Image& mask) {
  for (int y = 0; y < labels.height(); ++y) {
    std::uint8_t* out = mask.row<std::uint8_t>(y);
    for (int x = 0; x < labels.width(); ++x) {
      const std::uint16_t label = labels(y, x);
      const std::uint32_t value = label < values.size() ? values[label] : ignore;
      for (int shift : {16, 8, 0}) *out++ = static_cast<std::uint8_t>(value >> shift);
    }
  }
}

}  // namespace

void write_source_mask(const std::filesystem::path& path, const LabelMap& labels,
                       const Segmenter& segmenter) {
  std::vector<std::uint32_t> values = segmenter.source_values();
  if (values.empty()) {
    values.resize(segmenter.classes().size());
    std::iota(values.begin(), values.end(), 0u);
  }
  const std::uint32_t ignore = segmenter.source_ignore_value();
  const std::uint32_t greatest = std::max(ignore, *std::ranges::max_element(values));
  const auto mask_of = [&](int channels, PixelType type) {
    return Image(labels.height(), labels.width(), channels, type);
  };
  Image mask;
  if (segmenter.source_values_are_colours()) {
    mask = mask_of(3, PixelType::u8);
    fill_colours(labels, values, ignore, mask);
  } else if (greatest > 65535) {
    throw Error::in_file(path.string(), "the mask value " + std::to_string(greatest) +
                                            " does not fit into 16 bits; write class indices");
  } else if (greatest > 255) {
    mask = mask_of(1, PixelType::u16);
    fill_grey<std::uint16_t>(labels, values, ignore, mask);
  } else {
    mask = mask_of(1, PixelType::u8);
    fill_grey<std::uint8_t>(labels, values, ignore, mask);
  }
  write_png(path, mask);
}

}  // namespace segmentum
