#include "data/label_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using Kind = LabelEncoding::Kind;

std::uint32_t whole_number(std::uint8_t value) {
  return value;
}
std::uint32_t whole_number(std::uint16_t value) {
  return value;
}
std::uint32_t whole_number(float value) {
  const bool whole = value >= 0 && value < 16777216.0f && value == std::floor(value);
  return whole ? static_cast<std::uint32_t>(value) : kNoMaskValue;
}

template <typename T>
std::uint32_t value_of(const T* pixel, int channels) {
  if (channels >= 3 && (pixel[1] != pixel[0] || pixel[2] != pixel[0])) return kNoMaskValue;
  return whole_number(pixel[0]);
}

template <typename T>
std::uint32_t colour_of(const T* pixel, int channels) {
  std::uint32_t colour = 0;
  for (int c = 0; c < 3; ++c) {
    std::uint32_t value = whole_number(pixel[channels >= 3 ? c : 0]);
    if constexpr (sizeof(T) == 2) value >>= 8;
    if (value > 255) return kNoMaskValue;
    colour = colour << 8 | value;
  }
  return colour;
}

template <typename T>
void read_row(const RawMask& mask, Kind kind, int y, std::vector<std::uint32_t>& row) {
  const T* pixel = mask.values.row<T>(y);
  const int channels = mask.values.channels();
  for (std::uint32_t& number : row) {
    number = kind == Kind::value ? value_of(pixel, channels) : colour_of(pixel, channels);
    pixel += channels;
  }
}

void indices_to_colours(const std::vector<Rgb>& palette, std::vector<std::uint32_t>& row) {
  for (std::uint32_t& number : row) {
    number = number < palette.size() ? packed(palette[number]) : kNoMaskValue;
  }
}

constexpr std::uint32_t kUnknown = 0x10000;  // beside the 16-bit labels

// Classes by number: a table for values that fit one, and the last answer, which repeats in runs.
class Decoder {
 public:
  explicit Decoder(const LabelEncoding& encoding) : encoding_(encoding), table_(256, kUnknown) {
    for (std::uint32_t value = 0; value < table_.size(); ++value) table_[value] = look_up(value);
  }

  std::uint32_t operator()(std::uint32_t value) {
    if (value < table_.size()) return table_[value];
    if (value != last_value_ || last_label_ == kUnknown) {
      last_value_ = value;
      last_label_ = look_up(value);
    }
    return last_label_;
  }

 private:
  std::uint32_t look_up(std::uint32_t value) const {
    if (value == kNoMaskValue) return kUnknown;
    if (encoding_.threshold) {
      return value >= static_cast<std::uint32_t>(*encoding_.threshold) ? 1 : 0;
    }
    const auto found = encoding_.to_class.find(value);
    return found == encoding_.to_class.end() ? kUnknown : found->second;
  }

  const LabelEncoding& encoding_;
  std::vector<std::uint32_t> table_;
  std::uint32_t last_value_ = 0;
  std::uint32_t last_label_ = kUnknown;
};

[[noreturn]] void fail_unknown(const RawMask& mask, Kind kind, std::uint32_t value, int y, int x) {
  const std::string place = fmt::format("at x={} y={}", x, y);
  if (value != kNoMaskValue) {
    throw Error(fmt::format(
        "the mask holds {} {} {}, which no class has; add it to the `values` of a class or to "
        "`ignore` in dataset.toml",
        kind == Kind::value ? "value" : "colour", label_value_text(value, kind), place));
  }
  if (mask.values.channels() >= 3) {
    throw Error("the mask holds a colour " + place +
                " but grey values were expected; masks of colours need `kind = \"colour\"` and a "
                "colour as `values` of each class in dataset.toml");
  }
  throw Error("the mask holds a value " + place + " that is no whole number from 0 up");
}

}  // namespace

void mask_row(const RawMask& mask, Kind kind, int y, std::vector<std::uint32_t>& row) {
  row.resize(mask.values.width());
  const bool palette_colours = kind == Kind::colour && !mask.palette.empty();
  const Kind stored = palette_colours ? Kind::value : kind;
  switch (mask.values.type()) {
    case PixelType::u8:
      read_row<std::uint8_t>(mask, stored, y, row);
      break;
    case PixelType::u16:
      read_row<std::uint16_t>(mask, stored, y, row);
      break;
    case PixelType::f32:
      read_row<float>(mask, stored, y, row);
      break;
  }
  if (palette_colours) indices_to_colours(mask.palette, row);
}

LabelMap decode_labels(const RawMask& mask, const LabelEncoding& encoding) {
  LabelMap labels(mask.values.height(), mask.values.width());
  Decoder decode(encoding);
  std::vector<std::uint32_t> row;
  for (int y = 0; y < labels.height(); ++y) {
    mask_row(mask, encoding.kind, y, row);
    std::uint16_t* out = labels.row(y);
    for (int x = 0; x < labels.width(); ++x) {
      const std::uint32_t label = decode(row[x]);
      if (label == kUnknown) fail_unknown(mask, encoding.kind, row[x], y, x);
      out[x] = static_cast<std::uint16_t>(label);
    }
  }
  return labels;
}

LabelMap decode_known_labels(const RawMask& mask, const LabelEncoding& encoding) {
  LabelMap labels(mask.values.height(), mask.values.width());
  Decoder decode(encoding);
  std::vector<std::uint32_t> row;
  for (int y = 0; y < labels.height(); ++y) {
    mask_row(mask, encoding.kind, y, row);
    std::ranges::transform(row, labels.row(y), [&](std::uint32_t value) {
      const std::uint32_t label = decode(value);
      return label == kUnknown ? kUnknownLabel : static_cast<std::uint16_t>(label);
    });
  }
  return labels;
}

std::vector<std::uint32_t> source_values(const LabelEncoding& encoding, int classes) {
  std::vector<std::uint32_t> values(classes);
  std::vector<bool> known(classes, false);
  for (int k = 0; k < classes; ++k) values[k] = static_cast<std::uint32_t>(k);
  for (const auto& [value, label] : encoding.to_class) {  // ascending: the least comes first
    if (label < classes && !known[label]) {
      values[label] = value;
      known[label] = true;
    }
  }
  return values;
}

std::uint32_t unused_value(const LabelEncoding& encoding) {
  std::uint32_t value = 255;
  while (value > 0 && encoding.to_class.contains(value)) --value;
  return value;
}

std::optional<Rgb> colour_of_text(std::string_view text) {
  if (text.size() != 7 || text[0] != '#') return std::nullopt;
  std::uint32_t colour = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data() + 1, end, colour, 16);
  if (code != std::errc() || stop != end) return std::nullopt;
  return unpacked(colour);
}

std::string label_value_text(std::uint32_t value, Kind kind) {
  return kind == Kind::value ? std::to_string(value) : fmt::format("#{:06x}", value);
}

}  // namespace segmentum
