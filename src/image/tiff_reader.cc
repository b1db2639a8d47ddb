#include "image/tiff_reader.h"

#include <fmt/format.h>
#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string_view>

#include "segmentum/error.h"

namespace segmentum {

/// The first thing that libtiff complained of in one step; the rest follows from it.
struct TiffReader::Problem {
  char text[200] = "";

  void forget() { text[0] = '\0'; }
  static int note(TIFF*, void* user, const char*, const char* format, va_list arguments) {
    auto* problem = static_cast<Problem*>(user);
    if (problem->text[0] == '\0') {
      std::vsnprintf(problem->text, sizeof problem->text, format, arguments);
    }
    return 1;  // do not print it
  }
};

namespace {

int on_warning(TIFF*, void*, const char*, const char*, va_list) {
  return 1;
}

struct FreeOptions {
  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};

constexpr tmsize_t kMaxLibraryAllocation = tmsize_t{1} << 31;

/// A packed row of samples.
std::int64_t block_row_bytes(const TiffHeader& header) {
  const std::int64_t samples =
      std::int64_t{header.block_width} * (header.planar ? 1 : header.samples);
  return (samples * header.sample.bits + 7) / 8;
}

/// `block` lies at column `x`, row `y` of the picture; `image` shows the picture from `left`,
/// `top`.
void place_block(const TiffHeader& header, std::uint32_t x, std::uint32_t y, int plane,
                 std::int64_t row_bytes, const std::vector<std::byte>& block, std::uint32_t left,
                 std::uint32_t top, Image& image) {
  const std::uint32_t rows = std::min(header.block_height, header.height - y);
  const std::uint32_t columns = std::min(header.block_width, header.width - x);
  const std::int64_t count = std::int64_t{columns} * (header.planar ? 1 : header.samples);
  const std::size_t first =
      std::size_t{x - left} * header.samples + static_cast<std::size_t>(plane);
  for (std::uint32_t row = 0; row < rows; ++row) {
    unpack_row(
        block.data() + row * row_bytes, header.sample, count,
        image.row<std::byte>(static_cast<int>(y + row - top)) + first * sample_bytes(image.type()),
        header.planar ? header.samples : 1);
  }
}

Image apply_palette(const Image& indices, const std::vector<Rgb>& palette) {
  Image image(indices.height(), indices.width(), 3);
  for (int y = 0; y < image.height(); ++y) {
    auto* to = image.row<std::uint8_t>(y);
    for (int x = 0; x < image.width(); ++x, to += 3) {
      const Rgb colour =
          palette[indices.type() == PixelType::u8 ? indices.row<std::uint8_t>(y)[x]
                                                  : indices.row<std::uint16_t>(y)[x]];
      to[0] = colour.r;
      to[1] = colour.g;
      to[2] = colour.b;
    }
  }
  return image;
}

Image rgb_of(const std::vector<std::uint32_t>& raster, std::uint32_t stride, int height, int width,
             bool bottom_up) {
  Image image(height, width, 3);
  for (int y = 0; y < height; ++y) {
    const auto row = static_cast<std::size_t>(bottom_up ? height - 1 - y : y);
    const std::uint32_t* from = raster.data() + row * stride;
    auto* to = image.row<std::uint8_t>(y);
    for (int x = 0; x < width; ++x, to += 3) {
      to[0] = static_cast<std::uint8_t>(TIFFGetR(from[x]));
      to[1] = static_cast<std::uint8_t>(TIFFGetG(from[x]));
      to[2] = static_cast<std::uint8_t>(TIFFGetB(from[x]));
    }
  }
  return image;
}

}  // namespace

bool TiffHeader::has_palette() const {
  return photometric == PHOTOMETRIC_PALETTE && !converted;
}

std::size_t TiffHeader::block_bytes() const {
  return std::size_t{std::min(block_height, height)} * std::min(block_width, width) *
         stored_channels() * sample_bytes(stored_type());
}

void TiffReader::CloseTiff::operator()(::tiff* file) const {
  TIFFClose(file);
}

TiffReader::TiffReader(const std::filesystem::path& path, int page)
    : name_(path.string()), problem_(std::make_unique<Problem>()) {
  std::error_code code;
  file_bytes_ = static_cast<double>(std::filesystem::file_size(path, code));
  const std::unique_ptr<TIFFOpenOptions, FreeOptions> options(TIFFOpenOptionsAlloc());
  if (options == nullptr) throw Error::in_file(name_, "not enough memory to read a TIFF file");
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), Problem::note, problem_.get());
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, nullptr);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMaxLibraryAllocation);
  // m: no memory map, whose reads would fault if the file shrank meanwhile.
  tiff_.reset(TIFFOpenExt(path.c_str(), "rm", options.get()));
  if (tiff_ == nullptr) fail("its first page cannot be read");
  problem_->forget();  // of tags that are not needed
  for (int left = page; left > 0;) {
    if (TIFFReadDirectory(tiff_.get()) == 0) {
      fail(fmt::format("its page {} cannot be read", page + 1));
    }
    left -= is_page() ? 1 : 0;
  }
}

bool TiffReader::is_page() {
  std::uint32_t kind = 0;
  TIFFGetField(tiff_.get(), TIFFTAG_SUBFILETYPE, &kind);
  return (kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) == 0;
}

int TiffReader::count_pages() && {
  auto pages = static_cast<int>(TIFFNumberOfDirectories(tiff_.get()));
  while (TIFFReadDirectory(tiff_.get()) != 0) pages -= is_page() ? 0 : 1;
  return pages;  // what cannot be read counts, so that it is told of
}

TiffReader::~TiffReader() = default;
TiffReader::TiffReader(TiffReader&&) noexcept = default;
TiffReader& TiffReader::operator=(TiffReader&&) noexcept = default;

TiffHeader TiffReader::read_header() {
  TiffHeader header;
  require(TIFFTAG_IMAGELENGTH, "height", &header.height);
  require(TIFFTAG_IMAGEWIDTH, "width", &header.width);
  tag(TIFFTAG_SAMPLESPERPIXEL, &header.samples);
  tag(TIFFTAG_COMPRESSION, &header.compression);
  TIFFGetField(tiff_.get(), TIFFTAG_ORIENTATION, &header.orientation);
  if (TIFFGetField(tiff_.get(), TIFFTAG_PHOTOMETRIC, &header.photometric) == 0) {
    header.photometric = header.samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
  }
  std::uint16_t planar = PLANARCONFIG_CONTIG;
  tag(TIFFTAG_PLANARCONFIG, &planar);
  header.planar = planar == PLANARCONFIG_SEPARATE && header.samples > 1;
  read_sample(header);
  choose_conversion(header);
  read_blocks(header);
  return header;
}

Image TiffReader::read_values(const TiffHeader& header) {
  Image image(static_cast<int>(header.height), static_cast<int>(header.width), header.samples,
              header.sample.type());
  const std::int64_t row_bytes = block_row_bytes(header);
  std::vector<std::byte> block(checked_block_bytes(header, row_bytes));
  const int planes = header.planar ? header.samples : 1;
  for (int plane = 0; plane < planes; ++plane) {
    for (std::uint32_t y = 0; y < header.height; y += header.block_height) {
      for (std::uint32_t x = 0; x < header.width; x += header.block_width) {
        const std::uint32_t rows = std::min(header.block_height, header.height - y);
        read_block(header, x, y, plane, row_bytes * (header.tiled ? header.block_height : rows),
                   block);
        place_block(header, x, y, plane, row_bytes, block, 0, 0, image);
      }
    }
  }
  return image;
}

Image TiffReader::read_converted(const TiffHeader& header) {
  std::vector<std::uint32_t> raster(static_cast<std::size_t>(header.height) * header.width);
  // Asked for in the stored orientation: it would mirror pictures, but never turn them.
  if (TIFFReadRGBAImageOriented(tiff_.get(), header.width, header.height, raster.data(),
                                header.orientation, 1) == 0) {
    fail("its pixels cannot be decoded");
  }
  return rgb_of(raster, header.width, static_cast<int>(header.height),
                static_cast<int>(header.width), false);
}

/// libtiff gives blocks with the last row first; rows of a tile stand at the end of what it fills,
/// whatever of the tile lies in the picture.
Image TiffReader::read_converted_part(const TiffHeader& header, std::uint32_t x, std::uint32_t y) {
  const std::uint32_t rows = std::min(header.block_height, header.height - y);
  const std::uint32_t columns = std::min(header.block_width, header.width - x);
  std::vector<std::uint32_t> raster(static_cast<std::size_t>(header.block_height) *
                                    header.block_width);
  problem_->forget();
  const int good = header.tiled ? TIFFReadRGBATileExt(tiff_.get(), x, y, raster.data(), 1)
                                : TIFFReadRGBAStripExt(tiff_.get(), y, raster.data(), 1);
  if (good == 0) fail("its pixels cannot be decoded");
  if (header.tiled) {
    const std::size_t below = std::size_t{header.block_height - rows} * header.block_width;
    raster.erase(raster.begin(), raster.begin() + static_cast<std::ptrdiff_t>(below));
  }
  return rgb_of(raster, header.block_width, static_cast<int>(rows), static_cast<int>(columns),
                true);
}

Image TiffReader::read_part(const TiffHeader& header, std::uint32_t x, std::uint32_t y) {
  if (header.converted) return read_converted_part(header, x, y);
  const std::uint32_t rows = std::min(header.block_height, header.height - y);
  const std::uint32_t columns = std::min(header.block_width, header.width - x);
  const std::int64_t row_bytes = block_row_bytes(header);
  block_.resize(checked_block_bytes(header, row_bytes));
  Image part(static_cast<int>(rows), static_cast<int>(columns), header.samples,
             header.sample.type());
  for (int plane = 0; plane < (header.planar ? header.samples : 1); ++plane) {
    read_block(header, x, y, plane, row_bytes * (header.tiled ? header.block_height : rows),
               block_);
    place_block(header, x, y, plane, row_bytes, block_, x, y, part);
  }
  return part;
}

void TiffReader::read_row(const TiffHeader& header, std::uint32_t y, std::byte* row) {
  block_.resize(std::max<std::size_t>(static_cast<std::size_t>(TIFFScanlineSize64(tiff_.get())),
                                      static_cast<std::size_t>(block_row_bytes(header))));
  problem_->forget();
  if (TIFFReadScanline(tiff_.get(), block_.data(), y, 0) < 0) {
    fail(fmt::format("the pixels at row {} cannot be read; is it cut off?", y));
  }
  unpack_row(block_.data(), header.sample, std::int64_t{header.width} * header.samples, row, 1);
}

bool TiffReader::last_is_alpha() {
  std::uint16_t count = 0;
  const std::uint16_t* kinds = nullptr;
  TIFFGetFieldDefaulted(tiff_.get(), TIFFTAG_EXTRASAMPLES, &count, &kinds);
  return count > 0 &&
         (kinds[count - 1] == EXTRASAMPLE_ASSOCALPHA || kinds[count - 1] == EXTRASAMPLE_UNASSALPHA);
}

std::string TiffReader::description() {
  const char* text = nullptr;
  return TIFFGetField(tiff_.get(), TIFFTAG_IMAGEDESCRIPTION, &text) != 0 && text ? text : "";
}

std::vector<TiffTag> TiffReader::tags(std::span<const std::uint16_t> numbers) {
  std::vector<TiffTag> found;
  for (const std::uint16_t number : numbers) {
    // libtiff knows none of these tags, so it counts their values in 32 bits whatever they hold.
    std::uint32_t count = 0;
    const void* values = nullptr;
    const TIFFField* field = TIFFFindField(tiff_.get(), number, TIFF_ANY);
    if (field == nullptr || TIFFFieldReadCount(field) != TIFF_VARIABLE2) continue;
    if (TIFFGetField(tiff_.get(), number, &count, &values) == 0 || values == nullptr) continue;
    const int type = TIFFFieldDataType(field);
    const int bytes = tiff_type_bytes(type);
    if (bytes == 0 || type == TIFF_RATIONAL || type == TIFF_SRATIONAL) continue;
    found.push_back({number, static_cast<std::uint16_t>(type), count,
                     std::string(static_cast<const char*>(values), std::size_t{count} * bytes)});
  }
  return found;
}

std::vector<Rgb> TiffReader::palette(const TiffHeader& header) {
  std::uint16_t *r = nullptr, *g = nullptr, *b = nullptr;
  if (TIFFGetField(tiff_.get(), TIFFTAG_COLORMAP, &r, &g, &b) == 0) fail("its palette is missing");
  const std::size_t count = std::size_t{header.sample.max_value()} + 1;
  // Some writers store 8-bit colours where the format asks for 16-bit ones.
  const auto small = [&](const std::uint16_t* map) {
    return std::all_of(map, map + count, [](std::uint16_t value) { return value < 256; });
  };
  const int shift = small(r) && small(g) && small(b) ? 0 : 8;
  std::vector<Rgb> colours(count);
  for (std::size_t i = 0; i < count; ++i) {
    colours[i] = {static_cast<std::uint8_t>(r[i] >> shift),
                  static_cast<std::uint8_t>(g[i] >> shift),
                  static_cast<std::uint8_t>(b[i] >> shift)};
  }
  return colours;
}

void TiffReader::check_plausible(const TiffHeader& header) {
  double most = std::numeric_limits<double>::infinity();  // bytes out for one byte in
  if (header.compression == COMPRESSION_NONE) most = 1;
  if (header.compression == COMPRESSION_PACKBITS) most = 128;
  if (header.compression == COMPRESSION_LZW) most = 4096;
  if (header.compression == COMPRESSION_ADOBE_DEFLATE) most = 1032;
  // Subsampled colours are stored in a third of their size at the least.
  const double samples = header.converted ? 1 : header.samples;
  const double bits =
      static_cast<double>(header.height) * header.width * samples * header.sample.bits;
  if (bits / 8 > most * file_bytes_) {
    fail(fmt::format("its {} bytes cannot hold {}x{} pixels; is it cut off?", file_bytes_,
                     header.width, header.height));
  }
}

/// With what libtiff said of it, which may start with the file's name.
void TiffReader::fail(const std::string& what) const {
  std::string reason = problem_->text;
  if (reason.starts_with(name_ + ": ")) reason.erase(0, name_.size() + 2);
  // What libtiff says where it reads no scanlines.
  constexpr std::string_view kNoScanline = " at scanline 4294967295";
  const std::size_t noise = reason.find(kNoScanline);
  if (noise != std::string::npos) reason.erase(noise, kNoScanline.size());
  throw Error::in_file(name_, fmt::format("damaged or unsupported TIFF file: {}{}", what,
                                          reason.empty() ? "" : fmt::format(" ({})", reason)));
}

void TiffReader::require(std::uint32_t id, const char* what, std::uint32_t* value) {
  if (TIFFGetField(tiff_.get(), id, value) == 0) fail(fmt::format("it states no {}", what));
}
void TiffReader::tag(std::uint32_t id, std::uint16_t* value) {
  TIFFGetFieldDefaulted(tiff_.get(), id, value);
}

void TiffReader::read_sample(TiffHeader& header) {
  std::uint16_t bits = 1;
  std::uint16_t format = SAMPLEFORMAT_UINT;
  tag(TIFFTAG_BITSPERSAMPLE, &bits);
  tag(TIFFTAG_SAMPLEFORMAT, &format);
  if (format > SAMPLEFORMAT_VOID) fail("complex samples are not supported");
  header.sample.bits = bits;
  header.sample.kind = format == SAMPLEFORMAT_INT      ? SampleKind::signed_integer
                       : format == SAMPLEFORMAT_IEEEFP ? SampleKind::real
                                                       : SampleKind::unsigned_integer;
}

void TiffReader::choose_conversion(TiffHeader& header) {
  switch (header.photometric) {
    case PHOTOMETRIC_YCBCR:
      // A JPEG codec converts by itself, at full speed and for tiles and strips alike.
      header.converted = header.compression != COMPRESSION_JPEG || header.planar;
      if (!header.converted) TIFFSetField(tiff_.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
      break;
    case PHOTOMETRIC_SEPARATED:
    case PHOTOMETRIC_CIELAB:
    case PHOTOMETRIC_ICCLAB:
    case PHOTOMETRIC_ITULAB:
    case PHOTOMETRIC_LOGL:
    case PHOTOMETRIC_LOGLUV:
      header.converted = true;
      break;
    default:
      break;
  }
  char why[1024] = "";
  if (header.converted && TIFFRGBAImageOK(tiff_.get(), why) == 0) {
    fail(fmt::format("its colours (photometric {}, {} bits) cannot be converted; save it as RGB",
                     header.photometric, header.sample.bits));
  }
  if (!header.converted && !header.sample.supported()) {
    fail(fmt::format("samples of {} bits are not supported; 8, 16 or 32 bits would work",
                     header.sample.bits));
  }
  if (header.has_palette() && (header.samples != 1 || header.sample.type() == PixelType::f32)) {
    fail("a palette was expected to come with one sample of up to 16 bits");
  }
}

void TiffReader::read_blocks(TiffHeader& header) {
  header.tiled = TIFFIsTiled(tiff_.get()) != 0;
  header.block_width = header.width;
  if (header.tiled) {
    require(TIFFTAG_TILEWIDTH, "tile width", &header.block_width);
    require(TIFFTAG_TILELENGTH, "tile height", &header.block_height);
  } else {
    TIFFGetFieldDefaulted(tiff_.get(), TIFFTAG_ROWSPERSTRIP, &header.block_height);
    header.block_height = std::min(header.block_height, header.height);
  }
  if (header.block_height == 0 || header.block_width == 0) fail("its strips or tiles are empty");
}

std::size_t TiffReader::checked_block_bytes(const TiffHeader& header, std::int64_t row_bytes) {
  const double bytes = static_cast<double>(row_bytes) * header.block_height;
  const double most = std::max<double>(0x1p26, 4.0 * row_bytes * header.height);
  if (bytes > most) fail("its tiles are far larger than the picture");
  return static_cast<std::size_t>(row_bytes) * header.block_height;
}

void TiffReader::read_block(const TiffHeader& header, std::uint32_t x, std::uint32_t y, int plane,
                            std::int64_t bytes, std::vector<std::byte>& block) {
  const auto sample = static_cast<std::uint16_t>(plane);
  problem_->forget();
  const tmsize_t got =
      header.tiled ? TIFFReadEncodedTile(tiff_.get(), TIFFComputeTile(tiff_.get(), x, y, 0, sample),
                                         block.data(), bytes)
                   : TIFFReadEncodedStrip(tiff_.get(), TIFFComputeStrip(tiff_.get(), y, sample),
                                          block.data(), bytes);
  if (got != bytes) {
    fail(fmt::format("the pixels at row {}, column {} cannot be read; is it cut off?", y, x));
  }
}

Image shown_values(Image values, const TiffHeader& header, Purpose purpose,
                   const std::vector<Rgb>& palette) {
  if (header.converted) return values;
  const StoredSample& sample = header.sample;
  if (header.photometric == PHOTOMETRIC_MINISWHITE && sample.type() != PixelType::f32) {
    invert(values, sample.max_value());
  }
  if (!palette.empty() && purpose == Purpose::picture) return apply_palette(values, palette);
  if (!header.has_palette() && purpose == Purpose::picture && sample.narrow()) {
    scale_to_full_range(values, sample.max_value());
  }
  return values;
}

ImageSize shown_size(const TiffHeader& header, Purpose purpose) {
  const bool turned = orientation_transposes(header.orientation);
  const bool coloured = header.has_palette() && purpose == Purpose::picture;
  return {static_cast<int>(turned ? header.width : header.height),
          static_cast<int>(turned ? header.height : header.width),
          coloured ? 3 : header.stored_channels(), coloured ? PixelType::u8 : header.stored_type()};
}

}  // namespace segmentum
