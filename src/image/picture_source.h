// Pictures too large for memory, read a rectangle at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "image/codec.h"
#include "image/tiff_tag.h"

namespace segmentum {

/// Rows y, ..., y + height - 1 and columns x, ..., x + width - 1.
struct PixelRect {
  int y = 0;
  int x = 0;
  int height = 0;
  int width = 0;
  bool operator==(const PixelRect&) const = default;
};

/// One picture of a file, upright, with the samples that `read_image` gives. Not thread-safe.
class PictureSource {
 public:
  virtual ~PictureSource() = default;

  const ImageSize& size() const { return size_; }
  /// The pixels of a rectangle inside of the picture. Any order works; where `by_rows`, one that
  /// goes down the picture is fast and all else decodes again from the first row.
  /// Throws Error if the rectangle lies outside or its pixels cannot be read.
  virtual Image read(const PixelRect& rect) = 0;
  /// Whether the file can only be decoded from its first row to its last.
  virtual bool by_rows() const { return false; }
  /// Bytes that stay in memory between reads of rectangles of up to `height` rows.
  virtual std::size_t held_bytes(int height) const = 0;
  /// What a GeoTIFF says of where on earth the picture lies; empty for all other files.
  const std::vector<TiffTag>& geo_tags() const { return geo_tags_; }

 protected:
  void require_inside(const PixelRect& rect) const;

  std::string name_;
  ImageSize size_;
  std::vector<TiffTag> geo_tags_;
};

struct SourceOptions {
  /// Decoded tiles and strips that are kept for the next rectangle.
  std::size_t cache_bytes = std::size_t{64} << 20;
  /// What can only be decoded whole (interlaced PNG, progressive JPEG, pictures in rows that are
  /// turned by a tag) is, up to so many bytes.
  std::size_t whole_bytes = std::size_t{256} << 20;
};

/// TIFF in tiles and in strips of any form that `read_image` reads, PNG and JPEG files.
/// `mask`: values and indices instead of colours, as `read_mask`; TIFF alone.
/// Throws Error naming the file, also where it can only be decoded whole and is too large for that.
std::unique_ptr<PictureSource> open_picture(const std::filesystem::path& path,
                                            const SourceOptions& options = {});
std::unique_ptr<PictureSource> open_mask(const std::filesystem::path& path,
                                         const SourceOptions& options = {});

/// ImageDescription of a TIFF file; empty where there is none.
std::string tiff_description(const std::filesystem::path& path);

}  // namespace segmentum
