// What a sample of a data set's masks holds: the values or colours, and how they look together.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace segmentum {

struct MaskSurvey {
  LabelEncoding::Kind kind = LabelEncoding::Kind::value;  // colour if a mask shows one
  int masks = 0;                                          // that were read
  int palette_masks = 0;                                  // of them, palette files
  int wide_masks = 0;                                     // of them, of more than 8 bits
  int jpeg_masks = 0;                                     // of them, JPEG files
  std::vector<Rgb> palette;                               // the first one
  std::map<std::uint32_t, std::int64_t> pixels;           // of each value or 0xRRGGBB
  std::map<std::uint32_t, std::int64_t> blended;          // of colours, those in soft edges
  bool too_many_values = false;                           // counting stopped at kMostMaskValues
  std::int64_t all_pixels = 0;
  std::map<std::uint32_t, int> counted_to;  // masks that hold exactly 0..n, by n
  std::vector<std::string> errors;          // masks that cannot be read, one line each

  double share(std::uint32_t value) const;
};

inline constexpr std::size_t kMostMaskValues = 1 << 17;

/// Reads the masks of `samples` (paths below `root`) and counts. O(pixels).
MaskSurvey survey_masks(const std::filesystem::path& root, std::span<const Sample> samples);

}  // namespace segmentum
