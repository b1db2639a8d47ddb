// Mean and deviation of pictures, for the pre-processing of a network.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace segmentum {

struct PictureStatistics {
  int channels = 0;              // the most that a picture has, alpha not counted
  std::vector<float> mean, std;  // for each channel, samples in [0,1], to four decimals
  int least_height = 0, greatest_height = 0, least_width = 0, greatest_width = 0;
  std::vector<std::string> errors;  // pictures that cannot be read, one line each
};

/// Reads the pictures of `samples` below `root`. Grey pictures among coloured ones count in every
/// channel. Float samples are taken as they are. A channel without contrast gets deviation 1.
PictureStatistics picture_statistics(const std::filesystem::path& root,
                                     std::span<const Sample> samples);

}  // namespace segmentum
