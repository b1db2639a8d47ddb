#include "image/codec.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <fstream>
#include <limits>
#include <set>
#include <string_view>

#include "base/counted.h"
#include "base/file.h"
#include "image/formats.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using std::string_view_literals::operator""sv;

struct Signature {
  std::string_view start;
  FileFormat format;
};
constexpr std::array kSignatures = {Signature{"\x89PNG\r\n\x1a\n"sv, FileFormat::png},
                                    Signature{"\xff\xd8\xff"sv, FileFormat::jpeg},
                                    Signature{"II*\0"sv, FileFormat::tiff},
                                    Signature{"MM\0*"sv, FileFormat::tiff},
                                    Signature{"II+\0"sv, FileFormat::tiff},
                                    Signature{"MM\0+"sv, FileFormat::tiff}};

// Formats that we name in the error, so that nobody has to guess what a file really is.
struct Foreign {
  std::string_view start;
  std::string_view name;
};
constexpr std::array kForeign = {Foreign{"GIF8"sv, "a GIF file"},  Foreign{"BM"sv, "a BMP file"},
                                 Foreign{"RIFF"sv, "a WebP file"}, Foreign{"P5"sv, "a PGM file"},
                                 Foreign{"P6"sv, "a PPM file"},    Foreign{"%PDF"sv, "a PDF file"}};

FileFormat detect(std::string_view start, const std::string& name) {
  for (const Signature& signature : kSignatures) {
    if (start.starts_with(signature.start)) return signature.format;
  }
  std::string_view is = start.empty() ? "an empty file" : "no picture that we know";
  for (const Foreign& foreign : kForeign) {
    if (start.starts_with(foreign.start)) is = foreign.name;
  }
  throw Error::in_file(
      name, fmt::format("is {}; PNG, JPEG or TIFF was expected, convert it to one of these", is));
}

/// In lower case, with its dot.
std::string extension_of(const fs::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

std::string read_start(const fs::path& path, std::size_t count) {
  std::ifstream stream(path, std::ios::binary);
  std::error_code code;
  if (!stream || fs::is_directory(path, code)) return read_file(path);  // throws, and says why
  std::string start(count, '\0');
  stream.read(start.data(), static_cast<std::streamsize>(count));
  start.resize(static_cast<std::size_t>(stream.gcount()));
  return start;
}

constexpr std::size_t kSignatureBytes = 8;
// A JPEG file's EXIF segment is one of its first, and none is longer.
constexpr std::size_t kHeaderBytes = std::size_t{1} << 17;

std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

RawMask read(const fs::path& path, Purpose purpose, const ReadOptions& options) {
  const std::string name = path.string();
  const FileFormat format = detect(read_start(path, kSignatureBytes), name);
  if (format == FileFormat::tiff) return decode_tiff(path, purpose, options);
  const std::string content = read_file(path);
  if (format == FileFormat::png) return decode_png(as_bytes(content), name, purpose, options);
  return {decode_jpeg(as_bytes(content), name, options), {}};
}

constexpr const char* kTiffInMemory =
    "is a TIFF file, PNG or JPEG was expected; save it as a file first";

std::atomic<std::int64_t> limit_bytes{std::int64_t{1} << 32};

// 8-bit files have room for 255 classes beside the ignore value.
constexpr std::size_t kMaxPaletteClasses = 255;

std::uint16_t checked_ignore_value(const std::string& name, std::size_t classes,
                                   const LabelPngOptions& options) {
  const bool eight_bit = classes <= kMaxPaletteClasses;
  const std::uint16_t value = options.ignore_value.value_or(eight_bit ? 255 : kIgnoreLabel);
  if (value < classes) {
    throw Error::in_file(
        name, fmt::format("the ignore value {} is also the index of one of the {} classes", value,
                          classes));
  }
  if (eight_bit && value > 255) {
    throw Error::in_file(
        name,
        fmt::format("the ignore value {} does not fit an 8-bit file; choose up to 255", value));
  }
  return value;
}

void check_labels(const std::string& name, const LabelMap& labels, std::size_t classes) {
  for (int y = 0; y < labels.height(); ++y) {
    for (int x = 0; x < labels.width(); ++x) {
      const std::uint16_t label = labels(y, x);
      if (label >= classes && label != kIgnoreLabel) {
        throw Error::in_file(name, fmt::format("label {} at row {}, column {} is outside the {} "
                                               "classes that the palette has colours for",
                                               label, y, x, classes));
      }
    }
  }
}

}  // namespace

std::int64_t picture_limit() {
  return limit_bytes;
}

void set_picture_limit(std::int64_t bytes) {
  if (bytes < 1)
    throw Error(fmt::format("the limit on pictures is {} bytes; expected 1 or more", bytes));
  limit_bytes = bytes;
}

ReadOptions unlimited() {
  constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
  return {.max_pixels = kAny, .max_bytes = kAny};
}

void check_size(const std::string& name, std::int64_t height, std::int64_t width,
                std::int64_t channels, const ReadOptions& options, PixelType type) {
  if (height <= 0 || width <= 0 || channels <= 0) {
    throw Error::in_file(name, fmt::format("states a size of {}x{} pixels with {} channels; all "
                                           "must be positive",
                                           width, height, channels));
  }
  constexpr std::int64_t kMaxSide = std::int64_t{1} << 31;
  const std::int64_t limit = options.max_pixels;
  if (height >= kMaxSide || width >= kMaxSide || height > limit / width ||
      static_cast<double>(height) * width * channels > 4.0 * limit) {
    throw Error::in_file(
        name, fmt::format("has {}x{} pixels with {} channels, over the limit of {} pixels; raise "
                          "max_pixels if that is right",
                          width, height, channels, limit));
  }
  const double bytes =
      static_cast<double>(height) * width * channels * static_cast<double>(sample_bytes(type));
  if (bytes > static_cast<double>(options.max_bytes)) {
    throw Error::in_file(
        name,
        fmt::format("would take {:.0f} MB ({}x{} pixels with {} channels of {} bits), over the "
                    "limit of {:.0f} MB; --picture-limit or set_picture_limit raises it",
                    bytes / 1e6, width, height, channels, 8 * sample_bytes(type),
                    static_cast<double>(options.max_bytes) / 1e6));
  }
}

Image read_image(const fs::path& path, const ReadOptions& options) {
  return read(path, Purpose::picture, options).values;
}

RawMask read_mask(const fs::path& path, const ReadOptions& options) {
  return read(path, Purpose::mask, options);
}

Image read_image_memory(std::span<const std::byte> bytes, const std::string& name,
                        const ReadOptions& options) {
  const std::string_view content(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  switch (detect(content, name)) {
    case FileFormat::png:
      return decode_png(bytes, name, Purpose::picture, options).values;
    case FileFormat::jpeg:
      return decode_jpeg(bytes, name, options);
    case FileFormat::tiff:
      break;
  }
  throw Error::in_file(name, kTiffInMemory);
}

ImageSize image_size_memory(std::span<const std::byte> bytes, const std::string& name) {
  const std::string_view content(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  switch (detect(content, name)) {
    case FileFormat::png:
      return png_size(bytes, name);
    case FileFormat::jpeg:
      return jpeg_size(bytes, name);
    case FileFormat::tiff:
      break;
  }
  throw Error::in_file(name, kTiffInMemory);
}

StoredForm stored_form(const fs::path& path) {
  const std::string start = read_start(path, kHeaderBytes);
  StoredForm form{.format = detect(start, path.string())};
  if (form.format == FileFormat::jpeg) form.orientation = jpeg_orientation(as_bytes(start));
  if (form.format == FileFormat::tiff) form.orientation = tiff_orientation(path);
  return form;
}

ImageSize image_size(const fs::path& path, int page) {
  const std::string name = path.string();
  // Headers are short, but embedded thumbnails and colour profiles may stand before the size.
  for (std::size_t count = std::size_t{1} << 16;; count *= 16) {
    const std::string start = read_start(path, count);
    const FileFormat format = detect(start, name);
    if (format == FileFormat::tiff) return tiff_size(path, page);
    try {
      return format == FileFormat::png ? png_size(as_bytes(start), name)
                                       : jpeg_size(as_bytes(start), name);
    } catch (const Error&) {
      if (start.size() < count) throw;  // the whole file was seen
    }
  }
}

int page_count(const fs::path& path) {
  const FileFormat format = detect(read_start(path, kSignatureBytes), path.string());
  return format == FileFormat::tiff ? tiff_page_count(path) : 1;
}

bool is_image_file(const fs::path& path) {
  constexpr std::array kExtensions = {".png"sv, ".jpg"sv, ".jpeg"sv, ".tif"sv, ".tiff"sv};
  return std::ranges::find(kExtensions, extension_of(path)) != kExtensions.end();
}

bool is_foreign_image_file(const fs::path& path) {
  constexpr std::array kExtensions = {".bmp"sv, ".dib"sv,  ".gif"sv,  ".webp"sv, ".ppm"sv,
                                      ".pgm"sv, ".pbm"sv,  ".pnm"sv,  ".jp2"sv,  ".j2k"sv,
                                      ".jxl"sv, ".heic"sv, ".heif"sv, ".avif"sv, ".tga"sv,
                                      ".psd"sv, ".exr"sv,  ".dcm"sv,  ".nii"sv};
  return std::ranges::find(kExtensions, extension_of(path)) != kExtensions.end();
}

std::string left_out_text(std::span<const fs::path> foreign) {
  if (foreign.empty()) return "";
  std::set<std::string> extensions;
  for (const fs::path& path : foreign) extensions.insert(extension_of(path));
  return fmt::format(
      "{} of kinds that are not read ({}) left out, first {}; PNG, JPEG and TIFF are read: convert "
      "them to one of these",
      counted(foreign.size(), "picture"), fmt::join(extensions, ", "),
      foreign.front().generic_string());
}

void write_png(const fs::path& path, ImageView image) {
  write_file(path, encode_png(image));
}

void write_label_png(const fs::path& path, const LabelMap& labels, const Palette& palette,
                     const LabelPngOptions& options) {
  const std::string name = path.string();
  const std::size_t classes = palette.colours.size();
  const std::uint16_t ignore = checked_ignore_value(name, classes, options);
  check_labels(name, labels, classes);
  const auto stored = [&](std::uint16_t label) { return label == kIgnoreLabel ? ignore : label; };
  const std::span<const std::uint16_t> all = labels.labels();
  if (classes <= kMaxPaletteClasses) {
    std::vector<std::uint8_t> indices(all.size());
    std::transform(all.begin(), all.end(), indices.begin(),
                   [&](std::uint16_t label) { return static_cast<std::uint8_t>(stored(label)); });
    std::vector<Rgb> colours = palette.colours;
    colours.resize(256);
    colours[ignore] = palette.ignore;
    write_file(path, encode_palette_png(indices, labels.height(), labels.width(), colours));
  } else {
    std::vector<std::uint16_t> values(all.size());
    std::transform(all.begin(), all.end(), values.begin(), stored);
    write_png(path, {values.data(), labels.height(), labels.width(), 1, PixelType::u16});
  }
}

}  // namespace segmentum
