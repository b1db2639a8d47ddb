// Rectangles of a picture that is decoded row by row. Private to image/.
#pragma once

#include <cstddef>
#include <vector>

#include "image/formats.h"
#include "image/picture_source.h"

namespace segmentum {

/// Keeps the rows of the last rectangle and of what overlaps it further down.
class RowWindow : public PictureSource {
 public:
  Image read(const PixelRect& rect) final;
  bool by_rows() const final { return true; }
  std::size_t held_bytes(int height) const final { return row_bytes() * height; }

 protected:
  std::size_t row_bytes() const { return sample_bytes(size_.type) * size_.channels * size_.width; }
  /// Back to the first row.
  virtual void restart() = 0;
  /// Decodes the next row into `row`, `row_bytes()` long.
  virtual void next_row(std::byte* row) = 0;

 private:
  const std::byte* row_at(int y) const;
  void hold(int first, int end);

  std::vector<std::byte> ring_;  // row y lies at y modulo `capacity_`
  int capacity_ = 0;
  int first_ = 0, end_ = 0;  // rows that are held
  int decoded_ = -1;         // the next row to come; -1: nothing began
};

std::unique_ptr<PictureSource> open_png_rows(const std::filesystem::path& path);
std::unique_ptr<PictureSource> open_jpeg_rows(const std::filesystem::path& path);
std::unique_ptr<PictureSource> open_tiff(const std::filesystem::path& path, Purpose purpose,
                                         const SourceOptions& options);

/// The picture decoded whole, where that takes no more than `options.whole_bytes`; `why` it has to
/// be, for the error.
std::unique_ptr<PictureSource> open_whole(const std::filesystem::path& path,
                                          const SourceOptions& options, const char* why);

}  // namespace segmentum
