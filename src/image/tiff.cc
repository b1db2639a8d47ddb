#include <fmt/format.h>
#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <limits>
#include <memory>
#include <string_view>

#include "image/formats.h"
#include "image/tiff_samples.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// The first thing that libtiff complained of in one step; the rest follows from it.
struct TiffProblem {
  char text[200] = "";

  void forget() { text[0] = '\0'; }
};

int on_error(TIFF*, void* user, const char*, const char* format, va_list arguments) {
  auto* problem = static_cast<TiffProblem*>(user);
  if (problem->text[0] == '\0') {
    std::vsnprintf(problem->text, sizeof problem->text, format, arguments);
  }
  return 1;  // do not print it
}

int on_warning(TIFF*, void*, const char*, const char*, va_list) {
  return 1;
}

struct CloseTiff {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
struct FreeOptions {
  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};

constexpr tmsize_t kMaxLibraryAllocation = tmsize_t{1} << 31;

/// How the first page is stored and what becomes of it.
struct TiffHeader {
  std::uint32_t height = 0;
  std::uint32_t width = 0;
  std::uint16_t samples = 1;
  std::uint16_t photometric = PHOTOMETRIC_MINISBLACK;
  std::uint16_t compression = COMPRESSION_NONE;
  std::uint16_t orientation = ORIENTATION_TOPLEFT;
  bool planar = false;
  bool converted = false;  // libtiff makes RGB of it
  StoredSample sample;
  // Strips and tiles alike: a strip is a tile as wide as the picture.
  bool tiled = false;
  std::uint32_t block_height = 0;
  std::uint32_t block_width = 0;

  bool has_palette() const { return photometric == PHOTOMETRIC_PALETTE && !converted; }
};

class TiffReader {
 public:
  explicit TiffReader(const std::filesystem::path& path, int page = 0) : name_(path.string()) {
    std::error_code code;
    file_bytes_ = static_cast<double>(std::filesystem::file_size(path, code));
    const std::unique_ptr<TIFFOpenOptions, FreeOptions> options(TIFFOpenOptionsAlloc());
    if (options == nullptr) throw Error::in_file(name_, "not enough memory to read a TIFF file");
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, problem_.get());
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, nullptr);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMaxLibraryAllocation);
    // m: no memory map, whose reads would fault if the file shrank meanwhile.
    tiff_.reset(TIFFOpenExt(path.c_str(), "rm", options.get()));
    if (tiff_ == nullptr) fail("its first page cannot be read");
    problem_->forget();  // of tags that are not needed
    if (page > 0 && TIFFSetDirectory(tiff_.get(), static_cast<tdir_t>(page)) == 0) {
      fail(fmt::format("its page {} cannot be read", page + 1));
    }
  }

  int page_count() { return static_cast<int>(TIFFNumberOfDirectories(tiff_.get())); }

  TiffHeader read_header() {
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

  /// The stored values [height, width, samples], planes interleaved.
  Image read_values(const TiffHeader& header) {
    Image image(static_cast<int>(header.height), static_cast<int>(header.width), header.samples,
                header.sample.type());
    const std::int64_t samples_in_row =
        std::int64_t{header.block_width} * (header.planar ? 1 : header.samples);
    const std::int64_t row_bytes = (samples_in_row * header.sample.bits + 7) / 8;
    std::vector<std::byte> block(checked_block_bytes(header, row_bytes));
    const int planes = header.planar ? header.samples : 1;
    for (int plane = 0; plane < planes; ++plane) {
      for (std::uint32_t y = 0; y < header.height; y += header.block_height) {
        for (std::uint32_t x = 0; x < header.width; x += header.block_width) {
          const std::uint32_t rows = std::min(header.block_height, header.height - y);
          read_block(header, x, y, plane, row_bytes * (header.tiled ? header.block_height : rows),
                     block);
          place_block(header, x, y, plane, row_bytes, block, image);
        }
      }
    }
    return image;
  }

  /// 8-bit RGB by libtiff's own conversion of CMYK, Lab, LogLuv and subsampled YCbCr.
  Image read_converted(const TiffHeader& header) {
    Image image(static_cast<int>(header.height), static_cast<int>(header.width), 3);
    std::vector<std::uint32_t> raster(static_cast<std::size_t>(header.height) * header.width);
    // Asked for in the stored orientation: it would mirror pictures, but never turn them.
    if (TIFFReadRGBAImageOriented(tiff_.get(), header.width, header.height, raster.data(),
                                  header.orientation, 1) == 0) {
      fail("its pixels cannot be decoded");
    }
    for (int y = 0; y < image.height(); ++y) {
      const std::uint32_t* from = raster.data() + static_cast<std::size_t>(y) * header.width;
      auto* to = image.row<std::uint8_t>(y);
      for (int x = 0; x < image.width(); ++x, to += 3) {
        to[0] = static_cast<std::uint8_t>(TIFFGetR(from[x]));
        to[1] = static_cast<std::uint8_t>(TIFFGetG(from[x]));
        to[2] = static_cast<std::uint8_t>(TIFFGetB(from[x]));
      }
    }
    return image;
  }

  std::vector<Rgb> palette(const TiffHeader& header) {
    std::uint16_t *r = nullptr, *g = nullptr, *b = nullptr;
    if (TIFFGetField(tiff_.get(), TIFFTAG_COLORMAP, &r, &g, &b) == 0)
      fail("its palette is missing");
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

  /// A header that promises more than the file can hold is found before memory is taken. Only
  /// compressions with a known bound are judged.
  void check_plausible(const TiffHeader& header) {
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

 private:
  /// With what libtiff said of it, which may start with the file's name.
  [[noreturn]] void fail(const std::string& what) const {
    std::string reason = problem_->text;
    if (reason.starts_with(name_ + ": ")) reason.erase(0, name_.size() + 2);
    // What libtiff says where it reads no scanlines.
    constexpr std::string_view kNoScanline = " at scanline 4294967295";
    const std::size_t noise = reason.find(kNoScanline);
    if (noise != std::string::npos) reason.erase(noise, kNoScanline.size());
    throw Error::in_file(name_, fmt::format("damaged or unsupported TIFF file: {}{}", what,
                                            reason.empty() ? "" : fmt::format(" ({})", reason)));
  }

  void require(ttag_t id, const char* what, std::uint32_t* value) {
    if (TIFFGetField(tiff_.get(), id, value) == 0) fail(fmt::format("it states no {}", what));
  }
  void tag(ttag_t id, std::uint16_t* value) { TIFFGetFieldDefaulted(tiff_.get(), id, value); }

  void read_sample(TiffHeader& header) {
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

  void choose_conversion(TiffHeader& header) {
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

  void read_blocks(TiffHeader& header) {
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

  std::size_t checked_block_bytes(const TiffHeader& header, std::int64_t row_bytes) {
    const double bytes = static_cast<double>(row_bytes) * header.block_height;
    const double most = std::max<double>(0x1p26, 4.0 * row_bytes * header.height);
    if (bytes > most) fail("its tiles are far larger than the picture");
    return static_cast<std::size_t>(row_bytes) * header.block_height;
  }

  void read_block(const TiffHeader& header, std::uint32_t x, std::uint32_t y, int plane,
                  std::int64_t bytes, std::vector<std::byte>& block) {
    const auto sample = static_cast<std::uint16_t>(plane);
    problem_->forget();
    const tmsize_t got =
        header.tiled
            ? TIFFReadEncodedTile(tiff_.get(), TIFFComputeTile(tiff_.get(), x, y, 0, sample),
                                  block.data(), bytes)
            : TIFFReadEncodedStrip(tiff_.get(), TIFFComputeStrip(tiff_.get(), y, sample),
                                   block.data(), bytes);
    if (got != bytes) {
      fail(fmt::format("the pixels at row {}, column {} cannot be read; is it cut off?", y, x));
    }
  }

  static void place_block(const TiffHeader& header, std::uint32_t x, std::uint32_t y, int plane,
                          std::int64_t row_bytes, const std::vector<std::byte>& block,
                          Image& image) {
    const std::uint32_t rows = std::min(header.block_height, header.height - y);
    const std::uint32_t columns = std::min(header.block_width, header.width - x);
    const std::int64_t count = std::int64_t{columns} * (header.planar ? 1 : header.samples);
    const std::size_t first = std::size_t{x} * header.samples + static_cast<std::size_t>(plane);
    for (std::uint32_t row = 0; row < rows; ++row) {
      unpack_row(
          block.data() + row * row_bytes, header.sample, count,
          image.row<std::byte>(static_cast<int>(y + row)) + first * sample_bytes(image.type()),
          header.planar ? header.samples : 1);
    }
  }

  std::string name_;
  double file_bytes_ = 0;
  // On the heap, because libtiff keeps its address.
  std::unique_ptr<TiffProblem> problem_ = std::make_unique<TiffProblem>();
  std::unique_ptr<TIFF, CloseTiff> tiff_;
};

ImageSize shown_size(const TiffHeader& header) {
  const bool turned = orientation_transposes(header.orientation);
  const bool rgb = header.converted || header.has_palette();
  return {static_cast<int>(turned ? header.width : header.height),
          static_cast<int>(turned ? header.height : header.width), rgb ? 3 : header.samples,
          rgb ? PixelType::u8 : header.sample.type()};
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

ImageSize tiff_size(const std::filesystem::path& path) {
  const TiffHeader header = TiffReader(path).read_header();
  check_size(path.string(), header.height, header.width, header.samples,
             {.max_pixels = std::numeric_limits<std::int64_t>::max()});
  return shown_size(header);
}

int tiff_page_count(const std::filesystem::path& path) {
  return TiffReader(path).page_count();
}

int tiff_orientation(const std::filesystem::path& path) {
  return TiffReader(path).read_header().orientation;
}

RawMask decode_tiff(const std::filesystem::path& path, Purpose purpose,
                    const ReadOptions& options) {
  TiffReader reader(path, options.page);
  const TiffHeader header = reader.read_header();
  check_size(path.string(), header.height, header.width, header.samples, options);
  reader.check_plausible(header);
  RawMask mask;
  if (header.converted) {
    mask.values = reader.read_converted(header);
    return {oriented(std::move(mask.values), header.orientation), {}};
  }
  mask.values = reader.read_values(header);
  const StoredSample& sample = header.sample;
  if (header.photometric == PHOTOMETRIC_MINISWHITE && sample.type() != PixelType::f32) {
    invert(mask.values, sample.max_value());
  }
  if (header.has_palette()) {
    mask.palette = reader.palette(header);
    if (purpose == Purpose::picture) mask.values = apply_palette(mask.values, mask.palette);
  } else if (purpose == Purpose::picture && sample.narrow()) {
    scale_to_full_range(mask.values, sample.max_value());
  } else if (purpose == Purpose::mask && sample.type() == PixelType::f32 &&
             sample.kind != SampleKind::real) {
    mask.values = narrowed(std::move(mask.values));
  }
  mask.values = oriented(std::move(mask.values), header.orientation);
  return mask;
}

}  // namespace segmentum
