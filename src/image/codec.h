// Pictures and masks in and out of PNG, JPEG and TIFF files.
//
// A file is recognised by its content, never by its name. Damaged, truncated and foreign files end
// in an Error that names the file; nothing is printed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "segmentum/image.h"

namespace segmentum {

/// Bytes of decoded samples beyond which pictures are refused unless `ReadOptions` says otherwise:
/// 4 GiB, or what `set_picture_limit` said last, for the whole process. Throws Error unless
/// positive.
std::int64_t picture_limit();
void set_picture_limit(std::int64_t bytes);

/// Larger pictures are refused from their header, before memory is taken for them.
struct ReadOptions {
  /// The limit on samples is four times this one.
  std::int64_t max_pixels = std::int64_t{1} << 31;
  /// Which picture of a TIFF file, from 0; other formats hold one.
  int page = 0;
  std::int64_t max_bytes = picture_limit();
};

/// What `read_image` would return, without its pixels.
struct ImageSize {
  int height = 0;
  int width = 0;
  int channels = 0;
  PixelType type = PixelType::u8;
  bool operator==(const ImageSize&) const = default;
};

/// A mask as its file stores it: values or indices, not colours.
struct RawMask {
  Image values;
  std::vector<Rgb> palette;  // of palette files; empty for all others
};

/// A picture of a PNG, JPEG or TIFF file, the first unless asked otherwise, upright: rotation by
/// EXIF or TIFF tag is applied. u8 for up to 8 bits a sample and u16 for up to 16, scaled to the
/// full range where a file has fewer bits; f32 for float and for signed or wider integers. Palettes
/// become RGB, or RGBA where entries are transparent; CMYK, Lab and the like become RGB; all else
/// keeps its channels.
Image read_image(const std::filesystem::path& path, const ReadOptions& options = {});

/// The same for a PNG or JPEG file in memory; `name` is used in errors.
Image read_image_memory(std::span<const std::byte> bytes, const std::string& name,
                        const ReadOptions& options = {});

/// The size of what `read_image_memory` would return. Reads the header only.
ImageSize image_size_memory(std::span<const std::byte> bytes, const std::string& name);

/// What a file is by its content, whatever its name says.
enum class FileFormat : std::uint8_t { png, jpeg, tiff };

/// How a file stores its picture.
struct StoredForm {
  FileFormat format = FileFormat::png;
  /// 1 to 8 as EXIF and TIFF number them; 1 is upright, from 5 up height and width change places.
  /// `read_image` and `read_mask` turn it upright.
  int orientation = 1;
};

/// Reads the header only.
StoredForm stored_form(const std::filesystem::path& path);

/// A picture that is stored in `orientation` as it is to be shown; numbers other than 1 to 8 leave
/// it as it is.
Image oriented(Image image, int orientation);

/// The size of what `read_image` would return, of a page as `ReadOptions` has it. Reads the header
/// only.
ImageSize image_size(const std::filesystem::path& path, int page = 0);

/// How many pictures a file holds: the pages of a TIFF file without overviews and masks, 1 for
/// others. Throws Error naming the file if it is no picture.
int page_count(const std::filesystem::path& path);

/// True for the extensions png, jpg, jpeg, tif and tiff in any case; the file is not looked at.
bool is_image_file(const std::filesystem::path& path);

/// True for the usual extensions of pictures that are not read: bmp, gif, webp and more.
bool is_foreign_image_file(const std::filesystem::path& path);

/// One line on such files that were left out, and what would work; empty for none of them.
std::string left_out_text(std::span<const std::filesystem::path> foreign);

/// The values of a mask file, upright. Palette files give their indices (and the palette), 1-, 2-
/// and 4-bit files give 0..1, 0..3 and 0..15 as u8; wider integers become u16 if all values fit,
/// else f32. Files of several channels keep them.
RawMask read_mask(const std::filesystem::path& path, const ReadOptions& options = {});

/// A PNG file of a u8 or u16 picture of 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels.
void write_png(const std::filesystem::path& path, ImageView image);
std::string encode_png(ImageView image);

/// A JPEG file of a u8 picture of 1 or 3 channels; `quality` is 1..100.
std::string encode_jpeg(ImageView image, int quality = 90);

struct LabelPngOptions {
  /// The value written for ignored pixels; by default 255 in 8-bit and 65535 in 16-bit files.
  std::optional<std::uint16_t> ignore_value;
};

/// A PNG file whose values are the class indices, one class for each colour of `palette`: 8-bit
/// palette up to 255 classes (the palette shows ignored pixels in their colour), else 16-bit grey.
/// Throws Error if a label has no colour or the ignore value is a class index.
void write_label_png(const std::filesystem::path& path, const LabelMap& labels,
                     const Palette& palette, const LabelPngOptions& options = {});

}  // namespace segmentum
