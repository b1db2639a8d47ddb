// A picture that takes a while, and its segmentation part by part.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace segmentum {

/// Squares of noise, so that there is something to tell apart.
void write_large_picture(const std::filesystem::path& path, int height, int width);

/// The words that segment FOLDER/large.png into FOLDER/OUT with one thread.
std::vector<std::string> large_prediction(const std::filesystem::path& folder,
                                          const std::filesystem::path& model,
                                          const std::string& out,
                                          const std::vector<std::string>& more = {});

}  // namespace segmentum
