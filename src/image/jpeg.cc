#include <fmt/format.h>
#include <turbojpeg.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>

#include "image/formats.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

struct CloseHandle {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using JpegHandle = std::unique_ptr<std::remove_pointer_t<tjhandle>, CloseHandle>;

JpegHandle checked_handle(tjhandle handle) {
  if (handle == nullptr) throw Error("not enough memory for a JPEG codec");
  return JpegHandle(handle);
}

[[noreturn]] void fail(const std::string& name, std::string_view why) {
  throw Error::in_file(name, fmt::format("damaged JPEG file: {}", why));
}

const std::uint8_t* as_u8(std::span<const std::byte> bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

/// The numbers of a TIFF structure inside an EXIF segment, in its byte order.
class ExifReader {
 public:
  explicit ExifReader(std::span<const std::byte> bytes) : bytes_(bytes) {
    big_endian_ = !bytes.empty() && bytes[0] == std::byte{'M'};
  }
  std::optional<std::uint32_t> number(std::size_t at, int count) const {
    if (at + count > bytes_.size()) return std::nullopt;
    std::uint32_t value = 0;
    for (int i = 0; i < count; ++i) {
      value |= std::to_integer<std::uint32_t>(bytes_[at + i])
               << (8 * (big_endian_ ? count - 1 - i : i));
    }
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  bool big_endian_ = false;
};

/// Tag 0x0112 of the first directory; upright where there is none.
int exif_orientation(std::span<const std::byte> tiff) {
  const ExifReader reader(tiff);
  const std::size_t directory = reader.number(4, 4).value_or(0);
  const std::uint32_t entries = reader.number(directory, 2).value_or(0);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + std::size_t{12} * i;
    const std::optional<std::uint32_t> tag = reader.number(entry, 2);
    if (!tag) break;
    if (*tag == 0x0112) return static_cast<int>(reader.number(entry + 8, 2).value_or(kUpright));
  }
  return kUpright;
}

/// What turbojpeg does not tell of the segments before the first scan.
struct JpegSegments {
  int orientation = kUpright;
  bool adobe = false;    // CMYK of Adobe is stored inverted
  std::size_t scan = 0;  // where the first scan begins; 0 if none was found
};

JpegSegments read_segments(std::span<const std::byte> bytes) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::uint8_t* b = as_u8(bytes);
  JpegSegments segments;
  bool exif_seen = false;
  std::size_t at = 2;
  while (at + 4 <= bytes.size() && b[at] == 0xFF) {
    const int marker = b[at + 1];
    if (marker == 0xFF) {  // fill byte
      ++at;
      continue;
    }
    if (marker == 0xDA) {
      segments.scan = at;
      break;
    }
    const std::size_t length = std::size_t{b[at + 2]} * 256 + b[at + 3];
    if (length < 2 || at + 2 + length > bytes.size()) break;
    const std::string_view body = file.substr(at + 4, length - 2);
    if (marker == 0xE1 && body.starts_with(kExif) && !exif_seen) {
      exif_seen = true;
      segments.orientation = exif_orientation(bytes.subspan(at + 4, length - 2).subspan(6));
    }
    segments.adobe |= marker == 0xEE && body.starts_with("Adobe");
    at += 2 + length;
  }
  return segments;
}

struct JpegHeader {
  int height = 0;
  int width = 0;
  int channels = 0;
  TJPF form = TJPF_RGB;
};

JpegHeader read_header(tjhandle handle, std::span<const std::byte> bytes, const std::string& name) {
  JpegHeader header;
  int subsampling = 0;
  int colour_space = 0;
  const int result = tjDecompressHeader3(handle, as_u8(bytes), bytes.size(), &header.width,
                                         &header.height, &subsampling, &colour_space);
  if (result != 0 && tjGetErrorCode(handle) != TJERR_WARNING) fail(name, tjGetErrorStr2(handle));
  if (header.width <= 0 || header.height <= 0) fail(name, "it has no picture");
  const bool cmyk = colour_space == TJCS_CMYK || colour_space == TJCS_YCCK;
  header.form = colour_space == TJCS_GRAY ? TJPF_GRAY : cmyk ? TJPF_CMYK : TJPF_RGB;
  header.channels = colour_space == TJCS_GRAY ? 1 : 3;
  return header;
}

/// libjpeg goes on after a warning and fills what is missing with grey. Stray bytes between
/// segments are harmless and common; missing or undecodable data are not.
void check_warning(tjhandle handle, std::span<const std::byte> bytes, const JpegSegments& segments,
                   const std::string& name) {
  const std::string_view warning = tjGetErrorStr2(handle);
  for (const char* harmful : {"remature end", "bad Huffman code", "bad arithmetic"}) {
    if (warning.find(harmful) != std::string_view::npos) fail(name, warning);
  }
  // Only the first warning is told, so a missing end may hide behind a harmless one.
  const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (file.find("\xff\xd9", segments.scan) == std::string_view::npos) {
    fail(name, "its end is missing");
  }
}

/// Even a flat picture takes a fraction of a bit for each 8x8 block; no file holds more than this.
constexpr double kMaxPixelsPerByte = 8192;

Image cmyk_to_rgb(const Image& cmyk, bool inverted) {
  Image rgb(cmyk.height(), cmyk.width(), 3);
  const int flip = inverted ? 0 : 255;
  for (int y = 0; y < cmyk.height(); ++y) {
    const std::uint8_t* from = cmyk.row<std::uint8_t>(y);
    std::uint8_t* to = rgb.row<std::uint8_t>(y);
    for (int x = 0; x < cmyk.width(); ++x, from += 4, to += 3) {
      for (int c = 0; c < 3; ++c) {
        to[c] = static_cast<std::uint8_t>(((from[c] ^ flip) * (from[3] ^ flip) + 127) / 255);
      }
    }
  }
  return rgb;
}

}  // namespace

ImageSize jpeg_size(std::span<const std::byte> start, const std::string& name) {
  const JpegHandle handle = checked_handle(tjInitDecompress());
  const JpegHeader header = read_header(handle.get(), start, name);
  const bool turned = orientation_transposes(read_segments(start).orientation);
  return {turned ? header.width : header.height, turned ? header.height : header.width,
          header.channels, PixelType::u8};
}

int jpeg_orientation(std::span<const std::byte> start) {
  return read_segments(start).orientation;
}

Image decode_jpeg(std::span<const std::byte> bytes, const std::string& name,
                  const ReadOptions& options) {
  const JpegHandle handle = checked_handle(tjInitDecompress());
  const JpegHeader header = read_header(handle.get(), bytes, name);
  check_size(name, header.height, header.width, header.channels, options);
  if (static_cast<double>(header.height) * header.width > kMaxPixelsPerByte * bytes.size()) {
    fail(name, fmt::format("its {} bytes cannot hold {}x{} pixels; is it cut off?", bytes.size(),
                           header.width, header.height));
  }
  const JpegSegments segments = read_segments(bytes);
  Image image(header.height, header.width, tjPixelSize[header.form]);
  const int result =
      tjDecompress2(handle.get(), as_u8(bytes), bytes.size(), image.row<std::uint8_t>(0),
                    header.width, 0, header.height, header.form, TJFLAG_ACCURATEDCT);
  if (result != 0) {
    if (tjGetErrorCode(handle.get()) != TJERR_WARNING) fail(name, tjGetErrorStr2(handle.get()));
    check_warning(handle.get(), bytes, segments, name);
  }
  if (header.form == TJPF_CMYK) image = cmyk_to_rgb(image, segments.adobe);
  return oriented(std::move(image), segments.orientation);
}

std::string encode_jpeg(ImageView image, int quality) {
  if (image.type != PixelType::u8 || (image.channels != 1 && image.channels != 3)) {
    throw Error(fmt::format("a JPEG file holds 1 or 3 channels of 8 bits, not {} of {}",
                            image.channels, 8 * sample_bytes(image.type)));
  }
  if (quality < 1 || quality > 100) {
    throw Error(fmt::format("JPEG quality is {}; 1 to 100 was expected", quality));
  }
  const JpegHandle handle = checked_handle(tjInitCompress());
  unsigned char* file = nullptr;
  unsigned long size = 0;
  const int result = tjCompress2(
      handle.get(), image.row<std::uint8_t>(0), image.width, static_cast<int>(image.stride()),
      image.height, image.channels == 1 ? TJPF_GRAY : TJPF_RGB, &file, &size,
      image.channels == 1 ? TJSAMP_GRAY : TJSAMP_420, quality, TJFLAG_ACCURATEDCT);
  const std::unique_ptr<unsigned char, decltype(&tjFree)> owner(file, tjFree);
  if (result != 0) {
    throw Error(fmt::format("cannot encode a JPEG file: {}", tjGetErrorStr2(handle.get())));
  }
  return std::string(reinterpret_cast<const char*>(file), size);
}

}  // namespace segmentum
