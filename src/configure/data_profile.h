// What a data set is like, as far as the settings of a training depend on it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "configure/orientation.h"
#include "data/dataset.h"
#include "segmentum/progress.h"

namespace segmentum {

struct DataProfile {
  std::int64_t pictures = 0;  // labelled ones of the split
  int looked_at = 0;          // of these; all else was found in them
  int channels = 3;
  bool coloured = false;      // three channels that differ in some picture
  int height = 0, width = 0;  // medians
  double picture_pixels = 0;  // mean
  std::vector<std::string> classes;
  std::vector<double> class_shares;    // of the labelled pixels
  std::vector<double> class_pictures;  // part of the pictures that show the class
  /// Half of the pixels of objects lie in one of at least this side (the root of its pixels); 0: no
  /// objects. Objects are connected regions of a class other than the first.
  double object_px = 0;
  /// By what factor that differs from picture to picture: e to the deviation of its logarithm.
  double object_spread = 1;
  /// The mean IoU that labels keep when only every fourth pixel, both ways, has one of its own.
  double kept_at_4 = 1;
  double brightness_spread = 0;  // deviation of the pictures' mean samples, by their mean
  Orientation orientation;

  int class_count() const { return static_cast<int>(classes.size()); }
};

/// Of up to `most_pictures` labelled pictures, spread evenly over the split; after `most_pixels` no
/// further one is read. What cannot be read is left out. Throws Error for an unknown split,
/// Interrupted when asked to stop. O(pixels looked at).
DataProfile profile_data(const Dataset& dataset, const std::string& split, ProgressSink& progress,
                         int most_pictures = 96, std::int64_t most_pixels = std::int64_t{1} << 26);

/// The side that half of the pixels of these objects reach; 0 for none.
double typical_object_px(std::vector<std::int64_t> object_pixels);

}  // namespace segmentum
