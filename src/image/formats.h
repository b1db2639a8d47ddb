// What each file format offers to codec.cc, and what the formats share. Private to image/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "image/codec.h"

namespace segmentum {

/// A picture's samples are for looking at: scaled, with palettes applied. A mask's are values.
enum class Purpose { picture, mask };

/// `name` is the file's, for errors. The palette is filled for masks only.
RawMask decode_png(std::span<const std::byte> bytes, const std::string& name, Purpose purpose,
                   const ReadOptions& options);
Image decode_jpeg(std::span<const std::byte> bytes, const std::string& name,
                  const ReadOptions& options);
RawMask decode_tiff(const std::filesystem::path& path, Purpose purpose, const ReadOptions& options);

/// From the first bytes of a file; throws Error if they do not hold the whole header.
ImageSize png_size(std::span<const std::byte> start, const std::string& name);
ImageSize jpeg_size(std::span<const std::byte> start, const std::string& name);
ImageSize tiff_size(const std::filesystem::path& path, int page = 0);
int tiff_page_count(const std::filesystem::path& path);

/// As the header states it; upright where it says nothing.
int jpeg_orientation(std::span<const std::byte> start);
int tiff_orientation(const std::filesystem::path& path);

/// An 8-bit palette PNG of indices [height, width], packed.
std::string encode_palette_png(std::span<const std::uint8_t> indices, int height, int width,
                               std::span<const Rgb> palette);

/// Throws Error if a picture of this size is over a limit. Sides come as files state them.
void check_size(const std::string& name, std::int64_t height, std::int64_t width,
                std::int64_t channels, const ReadOptions& options, PixelType type = PixelType::u8);

/// For pictures that are never in memory as a whole.
ReadOptions unlimited();

/// Orientation 1..8 as in EXIF and TIFF: how the stored rows and columns are to be shown.
inline constexpr int kUpright = 1;
/// True where showing exchanges height and width.
bool orientation_transposes(int orientation);

}  // namespace segmentum
