#include "image/picture_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "image/formats.h"
#include "image/row_window.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

void copy_part(const std::byte* row, const PixelRect& rect, std::size_t pixel_bytes,
               std::byte* to) {
  std::memcpy(to, row + static_cast<std::size_t>(rect.x) * pixel_bytes,
              static_cast<std::size_t>(rect.width) * pixel_bytes);
}

class WholePicture final : public PictureSource {
 public:
  WholePicture(const std::filesystem::path& path, const ImageSize& size)
      : image_(read_image(path, unlimited())) {
    name_ = path.string();
    size_ = size;
  }

  Image read(const PixelRect& rect) override {
    require_inside(rect);
    Image part(rect.height, rect.width, size_.channels, size_.type);
    for (int y = 0; y < rect.height; ++y) {
      copy_part(image_.row<std::byte>(rect.y + y), rect, sample_bytes(size_.type) * size_.channels,
                part.row<std::byte>(y));
    }
    return part;
  }
  std::size_t held_bytes(int) const override { return image_.row_bytes() * image_.height(); }

 private:
  Image image_;
};

}  // namespace

void PictureSource::require_inside(const PixelRect& rect) const {
  if (rect.y >= 0 && rect.x >= 0 && rect.height > 0 && rect.width > 0 &&
      rect.height <= size_.height - rect.y && rect.width <= size_.width - rect.x) {
    return;
  }
  throw Error::in_file(
      name_, fmt::format("{}x{} pixels from row {}, column {} were asked for, but "
                         "it has {}x{}",
                         rect.width, rect.height, rect.y, rect.x, size_.width, size_.height));
}

Image RowWindow::read(const PixelRect& rect) {
  require_inside(rect);
  hold(rect.y, rect.y + rect.height);
  Image part(rect.height, rect.width, size_.channels, size_.type);
  for (int y = 0; y < rect.height; ++y) {
    copy_part(row_at(rect.y + y), rect, sample_bytes(size_.type) * size_.channels,
              part.row<std::byte>(y));
  }
  return part;
}

const std::byte* RowWindow::row_at(int y) const {
  return ring_.data() + static_cast<std::size_t>(y % capacity_) * row_bytes();
}

void RowWindow::hold(int first, int end) {
  if (decoded_ < 0 || first < first_) {
    restart();
    first_ = end_ = decoded_ = 0;
  }
  if (end - first > capacity_) {  // rows lie elsewhere in a larger ring
    std::vector<std::byte> larger(static_cast<std::size_t>(end - first) * row_bytes());
    for (int y = std::max(first_, first); y < end_; ++y) {
      std::memcpy(larger.data() + static_cast<std::size_t>(y % (end - first)) * row_bytes(),
                  row_at(y), row_bytes());
    }
    ring_ = std::move(larger);
    capacity_ = end - first;
  }
  first_ = std::max(first_, first);
  for (; decoded_ < end; ++decoded_) {
    next_row(ring_.data() + static_cast<std::size_t>(decoded_ % capacity_) * row_bytes());
    end_ = decoded_ + 1;
  }
}

std::unique_ptr<PictureSource> open_whole(const std::filesystem::path& path,
                                          const SourceOptions& options, const char* why) {
  const ImageSize size = image_size(path);
  const double bytes = static_cast<double>(size.height) * size.width * size.channels *
                       static_cast<double>(sample_bytes(size.type));
  if (bytes > static_cast<double>(options.whole_bytes)) {
    throw Error::in_file(
        path.string(),
        fmt::format("{}, so it can only be decoded whole, and would take {:.0f} MB; a tiled TIFF "
                    "would work (gdal_translate -co TILED=YES, or vips tiffsave --tile)",
                    why, bytes / 1e6));
  }
  return std::make_unique<WholePicture>(path, size);
}

std::unique_ptr<PictureSource> open_picture(const std::filesystem::path& path,
                                            const SourceOptions& options) {
  const StoredForm form = stored_form(path);
  if (form.format == FileFormat::tiff) return open_tiff(path, Purpose::picture, options);
  if (form.orientation != kUpright) {
    return open_whole(path, options, "is stored in rows and turned by its EXIF tag");
  }
  if (form.format == FileFormat::png) {
    auto rows = open_png_rows(path);
    return rows ? std::move(rows) : open_whole(path, options, "is an interlaced PNG file");
  }
  auto rows = open_jpeg_rows(path);
  return rows ? std::move(rows) : open_whole(path, options, "is a progressive or CMYK JPEG file");
}

std::unique_ptr<PictureSource> open_mask(const std::filesystem::path& path,
                                         const SourceOptions& options) {
  return open_tiff(path, Purpose::mask, options);
}

}  // namespace segmentum
