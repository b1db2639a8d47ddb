// A page of a TIFF file, block by block: what whole pictures and parts of them are read
// with. Private to image/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "image/formats.h"
#include "image/tiff_samples.h"
#include "image/tiff_tag.h"

struct tiff;  // libtiff's own name

namespace segmentum {

/// How a page is stored and what becomes of it.
struct TiffHeader {
  std::uint32_t height = 0;
  std::uint32_t width = 0;
  std::uint16_t samples = 1;
  std::uint16_t photometric = 1;  // black is zero
  std::uint16_t compression = 1;  // none
  std::uint16_t orientation = kUpright;
  bool planar = false;
  bool converted = false;  // libtiff makes RGB of it
  StoredSample sample;
  // Strips and tiles alike: a strip is a tile as wide as the picture.
  bool tiled = false;
  std::uint32_t block_height = 0;
  std::uint32_t block_width = 0;

  bool has_palette() const;
  int stored_channels() const { return converted ? 3 : samples; }
  PixelType stored_type() const { return converted ? PixelType::u8 : sample.type(); }
  /// Bytes of a block as `read_part` gives it.
  std::size_t block_bytes() const;
};

/// Errors name the file and what libtiff said.
class TiffReader {
 public:
  /// `page` counts from 0; overviews (reduced-resolution subfiles) and masks are no pages.
  explicit TiffReader(const std::filesystem::path& path, int page = 0);
  ~TiffReader();
  TiffReader(TiffReader&&) noexcept;
  TiffReader& operator=(TiffReader&&) noexcept;

  int count_pages() &&;
  TiffHeader read_header();
  /// The stored values [height, width, samples], planes interleaved.
  Image read_values(const TiffHeader& header);
  /// 8-bit RGB by libtiff's own conversion of CMYK, Lab, LogLuv and subsampled YCbCr.
  Image read_converted(const TiffHeader& header);
  /// The part of the block at `x`, `y` that lies in the picture, as either of them has it.
  Image read_part(const TiffHeader& header, std::uint32_t x, std::uint32_t y);
  /// Row `y` of a picture in strips whose samples are interleaved and not converted, into a row of
  /// `header.stored_type()`. Cheap for the row after the one read last.
  void read_row(const TiffHeader& header, std::uint32_t y, std::byte* row);
  std::vector<Rgb> palette(const TiffHeader& header);
  /// As the ExtraSamples tag has it.
  bool last_is_alpha();
  /// ImageDescription; empty where there is none.
  std::string description();
  /// The tags of these numbers that the page has; numbers that libtiff itself knows are passed
  /// over.
  std::vector<TiffTag> tags(std::span<const std::uint16_t> numbers);

  /// A header that promises more than the file can hold is found before memory is taken. Only
  /// compressions with a known bound are judged.
  void check_plausible(const TiffHeader& header);

 private:
  struct Problem;
  struct CloseTiff {
    void operator()(::tiff* file) const;
  };

  [[noreturn]] void fail(const std::string& what) const;
  /// Whether the directory at hand is a picture of its own.
  bool is_page();
  void require(std::uint32_t id, const char* what, std::uint32_t* value);
  void tag(std::uint32_t id, std::uint16_t* value);
  void read_sample(TiffHeader& header);
  void choose_conversion(TiffHeader& header);
  void read_blocks(TiffHeader& header);
  std::size_t checked_block_bytes(const TiffHeader& header, std::int64_t row_bytes);
  void read_block(const TiffHeader& header, std::uint32_t x, std::uint32_t y, int plane,
                  std::int64_t bytes, std::vector<std::byte>& block);
  Image read_converted_part(const TiffHeader& header, std::uint32_t x, std::uint32_t y);

  std::string name_;
  double file_bytes_ = 0;
  // On the heap, because libtiff keeps its address.
  std::unique_ptr<Problem> problem_;
  std::unique_ptr<::tiff, CloseTiff> tiff_;
  std::vector<std::byte> block_;  // kept from one part to the next
};

/// Stored values as they are shown: zero black, narrow samples spread over the full range, palettes
/// applied (`palette` is empty where there is none, or a mask is read).
Image shown_values(Image values, const TiffHeader& header, Purpose purpose,
                   const std::vector<Rgb>& palette);

/// The size of what is shown, upright.
ImageSize shown_size(const TiffHeader& header, Purpose purpose = Purpose::picture);

}  // namespace segmentum
