// Whether a file's fourth channel is an alpha or a band like the others.
#pragma once

#include <filesystem>

namespace segmentum {

/// Whether the file says that the last channel is an alpha: PNG always where there are 2 or 4
/// channels, TIFF where its ExtraSamples tag says so (red, green, blue and infrared have none),
/// JPEG never. Reads the header only. Throws Error naming the file.
bool has_stored_alpha(const std::filesystem::path& path);

}  // namespace segmentum
