// From the values in a mask file to classes, and back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "image/codec.h"

namespace segmentum {

/// The classes of a mask: by value (grey, palette index; of grey + alpha the grey; of RGB the
/// common value of the three) or by colour (palette files by the colours of their entries). Throws
/// Error for a value or colour that the encoding does not know, with its place. O(H*W).
LabelMap decode_labels(const RawMask& mask, const LabelEncoding& encoding);

/// The same, with `kUnknownLabel` where the encoding knows no class. O(H*W).
LabelMap decode_known_labels(const RawMask& mask, const LabelEncoding& encoding);
inline constexpr std::uint16_t kUnknownLabel = kIgnoreLabel - 1;

/// Row `y` of a mask as one number a pixel, value or 0xRRGGBB; `kNoMaskValue` where there is none:
/// no whole number, or unequal channels where one value is wanted. `row` gets `width` entries.
void mask_row(const RawMask& mask, LabelEncoding::Kind kind, int y,
              std::vector<std::uint32_t>& row);
inline constexpr std::uint32_t kNoMaskValue = 0xFFFFFFFFu;

/// For each class the value (or 0xRRGGBB) that stands for it in files: the least of those that
/// decode to it; the index itself where none does.
std::vector<std::uint32_t> source_values(const LabelEncoding& encoding, int classes);

/// A value that stands for no class, to write ignored pixels with where the data has no ignore
/// value of its own: 255 or the next free one below.
std::uint32_t unused_value(const LabelEncoding& encoding);

/// "12", or "#40c0ff" for colours: as dataset.toml writes them.
std::string label_value_text(std::uint32_t value, LabelEncoding::Kind kind);

/// The colour that "#rrggbb" in hexadecimal names; none where a text is no such.
std::optional<Rgb> colour_of_text(std::string_view text);

/// Colours as 0xRRGGBB.
constexpr std::uint32_t packed(Rgb colour) {
  return std::uint32_t{colour.r} << 16 | std::uint32_t{colour.g} << 8 | colour.b;
}
constexpr Rgb unpacked(std::uint32_t colour) {
  return {static_cast<std::uint8_t>(colour >> 16), static_cast<std::uint8_t>(colour >> 8),
          static_cast<std::uint8_t>(colour)};
}

}  // namespace segmentum
