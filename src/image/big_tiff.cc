#include "image/big_tiff.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/version.h"

namespace segmentum {
namespace {

// TIFF 6.0, and the BigTIFF design of the libtiff project.
enum Type : std::uint16_t { kText = 2, kShort = 3, kLong = 4, kLong8 = 16 };

template <typename T>
std::string bytes_of(const T& value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

template <typename T>
TiffTag numbers(int number, Type type, const std::vector<T>& values) {
  std::string bytes(sizeof(T) * values.size(), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return {static_cast<std::uint16_t>(number), type, values.size(), bytes};
}

TiffTag small(int number, int value) {
  return {static_cast<std::uint16_t>(number), kShort, 1,
          bytes_of(static_cast<std::uint16_t>(value))};
}

TiffTag large(int number, std::int64_t value) {
  return {static_cast<std::uint16_t>(number), kLong, 1,
          bytes_of(static_cast<std::uint32_t>(value))};
}

TiffTag text(int number, const std::string& value) {
  return {static_cast<std::uint16_t>(number), kText, value.size() + 1, value + '\0'};
}

/// All reds, all greens, all blues, of 16 bits each.
TiffTag colour_map(const std::vector<Rgb>& palette) {
  constexpr std::uint16_t kTo16Bits = 257;
  std::vector<std::uint16_t> values(3 * palette.size());
  for (std::size_t i = 0; i < palette.size(); ++i) {
    values[i] = static_cast<std::uint16_t>(palette[i].r * kTo16Bits);
    values[palette.size() + i] = static_cast<std::uint16_t>(palette[i].g * kTo16Bits);
    values[2 * palette.size() + i] = static_cast<std::uint16_t>(palette[i].b * kTo16Bits);
  }
  return numbers(320, kShort, values);
}

std::vector<TiffTag> tags_of(const LabelTiffForm& form, const TiffLevel& level, int tile,
                             bool reduced) {
  constexpr int kDeflate = 8, kBlackIsZero = 1, kPalette = 3;
  std::vector<TiffTag> tags{large(254, reduced ? 1 : 0),
                            large(256, level.width),
                            large(257, level.height),
                            small(258, static_cast<int>(8 * sample_bytes(form.type))),
                            small(259, kDeflate),
                            small(262, form.palette.empty() ? kBlackIsZero : kPalette),
                            small(277, 1),
                            small(284, 1),
                            text(305, std::string("segmentum ") + segmentum_version()),
                            large(322, tile),
                            large(323, tile),
                            numbers(324, kLong8, level.offsets),
                            numbers(325, kLong8, level.bytes),
                            small(339, 1)};
  if (!form.palette.empty()) tags.push_back(colour_map(form.palette));
  if (!reduced) {
    if (!form.description.empty()) tags.push_back(text(270, form.description));
    tags.insert(tags.end(), form.tags.begin(), form.tags.end());
  }
  std::ranges::sort(tags, {}, &TiffTag::number);
  return tags;
}

}  // namespace

std::string big_tiff_start() {
  const bool little = std::endian::native == std::endian::little;
  return (little ? "II" : "MM") + bytes_of(std::uint16_t{43}) + bytes_of(std::uint16_t{8}) +
         bytes_of(std::uint16_t{0}) + bytes_of(std::uint64_t{0});
}

std::uint64_t append_big_tiff_page(const LabelTiffForm& form, const TiffLevel& level, int tile,
                                   bool reduced, std::uint64_t next,
                                   const std::function<std::uint64_t(const std::string&)>& append) {
  const std::vector<TiffTag> tags = tags_of(form, level, tile, reduced);
  std::string directory = bytes_of(static_cast<std::uint64_t>(tags.size()));
  for (const TiffTag& tag : tags) {
    std::string value = tag.bytes;
    constexpr std::size_t kInside = 8;  // longer values stand elsewhere
    if (value.size() > kInside) value = bytes_of(append(value));
    value.resize(kInside, '\0');
    directory += bytes_of(tag.number) + bytes_of(tag.type) + bytes_of(tag.count) + value;
  }
  return append(directory + bytes_of(next));
}

}  // namespace segmentum
