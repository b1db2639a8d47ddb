#include <algorithm>

#include "image/tiff_reader.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Class values that were stored in wide integers, as u16; unchanged if any does not fit.
Image narrowed(Image image) {
  const std::int64_t count = std::int64_t{image.width()} * image.channels();
  Image narrow(image.height(), image.width(), image.channels(), PixelType::u16);
  for (int y = 0; y < image.height(); ++y) {
    const auto* from = image.row<float>(y);
    auto* to = narrow.row<std::uint16_t>(y);
    for (std::int64_t i = 0; i < count; ++i) {
      if (!(from[i] >= 0 && from[i] <= 65535)) return image;
      to[i] = static_cast<std::uint16_t>(from[i]);
    }
  }
  return narrow;
}

}  // namespace

ImageSize tiff_size(const std::filesystem::path& path, int page) {
  const TiffHeader header = TiffReader(path, page).read_header();
  check_size(path.string(), header.height, header.width, header.samples, unlimited());
  return shown_size(header);
}

int tiff_page_count(const std::filesystem::path& path) {
  return TiffReader(path).count_pages();
}

int tiff_orientation(const std::filesystem::path& path) {
  return TiffReader(path).read_header().orientation;
}

RawMask decode_tiff(const std::filesystem::path& path, Purpose purpose,
                    const ReadOptions& options) {
  TiffReader reader(path, options.page);
  const TiffHeader header = reader.read_header();
  check_size(path.string(), header.height, header.width, header.samples, options,
             header.stored_type());
  reader.check_plausible(header);
  RawMask mask;
  mask.values = header.converted ? reader.read_converted(header) : reader.read_values(header);
  if (header.has_palette()) mask.palette = reader.palette(header);
  mask.values = shown_values(std::move(mask.values), header, purpose, mask.palette);
  if (purpose == Purpose::picture) mask.palette.clear();
  const StoredSample& sample = header.sample;
  if (purpose == Purpose::mask && !header.converted && sample.type() == PixelType::f32 &&
      sample.kind != SampleKind::real) {
    mask.values = narrowed(std::move(mask.values));
  }
  mask.values = oriented(std::move(mask.values), header.orientation);
  return mask;
}

}  // namespace segmentum
