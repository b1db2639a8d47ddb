// The smallest data set and the shortest training that are worth a test.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "program.h"

namespace segmentum {

/// 8 pictures to train on, 3 to validate and 3 to test, of 48x64.
void write_tiny_scenes(const std::filesystem::path& folder);

/// The words of a training that takes less than a second: a tiny U-Net, crops of 32 pixels.
std::vector<std::string> tiny_training(const std::filesystem::path& data,
                                       const std::filesystem::path& run, int steps,
                                       const std::vector<std::string>& more = {});

/// A model trained for three steps on scenes in `folder`/data. Fails the test if it cannot be made.
std::filesystem::path tiny_model(const std::filesystem::path& folder);

}  // namespace segmentum
