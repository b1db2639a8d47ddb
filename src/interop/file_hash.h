// Is a downloaded file the one that was published?
#pragma once

#include <filesystem>
#include <string>

namespace segmentum {

/// The beginning of the SHA-256 that a file's name promises, as PyTorch's files do: "cd0a2569" of
/// deeplabv3_resnet50_coco-cd0a2569.pth. At least 8 hexadecimal digits after the last "-"; empty
/// where there are none, or where eight of them are a date such as 20240131.
std::string promised_hash(const std::filesystem::path& path);

/// Whether `sha256` begins as the file's name promises. Throws Error if it does not, unless the
/// promise is all decimal: that may be a number of steps, as in iter-00012000.pth, and promises
/// nothing then.
bool require_promised_hash(const std::filesystem::path& path, const std::string& sha256);

}  // namespace segmentum
