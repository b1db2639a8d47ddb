// TIFF files a rectangle at a time: by tiles and strips that are kept for a while, or, where a
// strip is larger than that, by rows.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <list>
#include <unordered_map>
#include <utility>

#include "image/picture_source.h"
#include "image/row_window.h"
#include "image/tiff_reader.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

// ModelPixelScale, ModelTiepoint, ModelTransformation, GeoKeyDirectory, GeoDoubleParams,
// GeoAsciiParams, GDAL_NODATA.
constexpr std::array<std::uint16_t, 7> kGeoTags = {33550, 33922, 34264, 34735, 34736, 34737, 42113};

/// Where a rectangle of the upright picture is stored (TIFF 6.0, tag 274).
PixelRect stored_rect(const PixelRect& shown, const TiffHeader& header) {
  PixelRect rect = shown;
  if (orientation_transposes(header.orientation)) {
    rect = {shown.x, shown.y, shown.width, shown.height};
  }
  const int o = header.orientation;
  if (o == 3 || o == 4 || o == 6 || o == 7) {
    rect.y = static_cast<int>(header.height) - rect.y - rect.height;
  }
  if (o == 2 || o == 3 || o == 7 || o == 8) {
    rect.x = static_cast<int>(header.width) - rect.x - rect.width;
  }
  return rect;
}

class TiffBlocks final : public PictureSource {
 public:
  TiffBlocks(const std::filesystem::path& path, TiffReader reader, const TiffHeader& header,
             Purpose purpose, const SourceOptions& options)
      : reader_(std::move(reader)), header_(header), purpose_(purpose) {
    name_ = path.string();
    size_ = shown_size(header, purpose);
    geo_tags_ = reader_.tags(kGeoTags);
    if (header.has_palette()) palette_ = reader_.palette(header);
    const std::size_t block = std::max<std::size_t>(header.block_bytes(), 1);
    // A row of blocks serves the rectangles beside each other, however large it is.
    const std::size_t across = (header.width + header.block_width - 1) / header.block_width;
    most_blocks_ = std::max({options.cache_bytes / block, std::size_t{4},
                             std::min(across + 1, 4 * options.cache_bytes / block)});
  }

  Image read(const PixelRect& rect) override {
    require_inside(rect);
    const PixelRect stored = stored_rect(rect, header_);
    Image values(stored.height, stored.width, header_.stored_channels(), header_.stored_type());
    const auto block_height = static_cast<int>(header_.block_height);
    const auto block_width = static_cast<int>(header_.block_width);
    for (int y = stored.y / block_height * block_height; y < stored.y + stored.height;
         y += block_height) {
      for (int x = stored.x / block_width * block_width; x < stored.x + stored.width;
           x += block_width) {
        place(block(x, y), x, y, stored, values);
      }
    }
    values = shown_values(std::move(values), header_, purpose_, palette_);
    return oriented(std::move(values), header_.orientation);
  }

  std::size_t held_bytes(int) const override { return most_blocks_ * header_.block_bytes(); }

 private:
  using Key = std::uint64_t;
  struct Kept {
    Key key;
    Image image;
  };

  /// The block that begins there; the one used longest ago makes room for it.
  const Image& block(int x, int y) {
    const Key key = static_cast<Key>(y) << 32 | static_cast<std::uint32_t>(x);
    if (const auto found = places_.find(key); found != places_.end()) {
      kept_.splice(kept_.begin(), kept_, found->second);
      return kept_.front().image;
    }
    if (kept_.size() >= most_blocks_) {
      places_.erase(kept_.back().key);
      kept_.pop_back();
    }
    kept_.push_front({key, reader_.read_part(header_, static_cast<std::uint32_t>(x),
                                             static_cast<std::uint32_t>(y))});
    places_[key] = kept_.begin();
    return kept_.front().image;
  }

  static void place(const Image& block, int x, int y, const PixelRect& rect, Image& values) {
    const int left = std::max(x, rect.x), right = std::min(x + block.width(), rect.x + rect.width);
    const int top = std::max(y, rect.y),
              bottom = std::min(y + block.height(), rect.y + rect.height);
    const std::size_t pixel = sample_bytes(block.type()) * block.channels();
    for (int row = top; row < bottom; ++row) {
      std::memcpy(values.row<std::byte>(row - rect.y) + (left - rect.x) * pixel,
                  block.row<std::byte>(row - y) + (left - x) * pixel, (right - left) * pixel);
    }
  }

  TiffReader reader_;
  TiffHeader header_;
  Purpose purpose_;
  std::vector<Rgb> palette_;
  std::size_t most_blocks_ = 0;
  std::list<Kept> kept_;  // the one used last in front
  std::unordered_map<Key, std::list<Kept>::iterator> places_;
};

/// Long strips, which libtiff decodes from their first row on.
class TiffRows final : public RowWindow {
 public:
  TiffRows(const std::filesystem::path& path, TiffReader reader, const TiffHeader& header,
           Purpose purpose)
      : path_(path), reader_(std::move(reader)), header_(header), purpose_(purpose) {
    name_ = path.string();
    size_ = shown_size(header, purpose);
    geo_tags_ = reader_.tags(kGeoTags);
    if (header.has_palette()) palette_ = reader_.palette(header);
    row_ = Image(1, static_cast<int>(header.width), header.stored_channels(), header.stored_type());
  }

 private:
  void restart() override {
    if (next_ == 0) return;
    reader_ = TiffReader(path_);
    reader_.read_header();  // sets how colours are decoded
    next_ = 0;
  }
  void next_row(std::byte* row) override {
    reader_.read_row(header_, next_++, row_.row<std::byte>(0));
    const Image shown = shown_values(row_, header_, purpose_, palette_);
    std::memcpy(row, shown.data(), row_bytes());
  }

  std::filesystem::path path_;
  TiffReader reader_;
  TiffHeader header_;
  Purpose purpose_;
  std::vector<Rgb> palette_;
  Image row_;
  std::uint32_t next_ = 0;
};

}  // namespace

namespace {

void require_row_fits(const std::filesystem::path& path, const TiffHeader& header,
                      const SourceOptions& options) {
  const double bytes = static_cast<double>(header.width) * header.stored_channels() *
                       static_cast<double>(sample_bytes(header.stored_type()));
  if (bytes <= static_cast<double>(options.whole_bytes)) return;
  throw Error::in_file(path.string(), fmt::format("one row of it takes {:.0f} MB; a tiled TIFF, or "
                                                  "one of fewer channels, would work",
                                                  bytes / 1e6));
}

}  // namespace

std::unique_ptr<PictureSource> open_tiff(const std::filesystem::path& path, Purpose purpose,
                                         const SourceOptions& options) {
  if (purpose == Purpose::mask && stored_form(path).format != FileFormat::tiff) {
    throw Error::in_file(path.string(), "is no TIFF file");
  }
  TiffReader reader(path);
  const TiffHeader header = reader.read_header();
  check_size(path.string(), header.height, header.width, header.samples, unlimited());
  reader.check_plausible(header);
  if (header.block_bytes() <= options.cache_bytes) {
    return std::make_unique<TiffBlocks>(path, std::move(reader), header, purpose, options);
  }
  const bool in_rows = !header.tiled && !header.planar && !header.converted;
  if (in_rows && header.orientation == kUpright) {
    require_row_fits(path, header, options);
    return std::make_unique<TiffRows>(path, std::move(reader), header, purpose);
  }
  if (purpose == Purpose::mask) {
    throw Error::in_file(path.string(), "its strips are too large to read a part of it");
  }
  return open_whole(path, options,
                    in_rows ? "is stored in one piece and turned by a tag"
                            : "is stored in pieces that are larger than the memory for them");
}

std::string tiff_description(const std::filesystem::path& path) {
  return TiffReader(path).description();
}

}  // namespace segmentum
