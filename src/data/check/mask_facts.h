// What one mask file holds: its form, its values, and where those lie that nothing is known of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/check/label_steps.h"
#include "data/dataset.h"
#include "image/codec.h"

namespace segmentum {

/// Pixels of each value, or of each colour 0xRRGGBB. Past this many no new ones are counted.
using Histogram = std::map<std::uint32_t, std::int64_t>;
inline constexpr std::size_t kMostCounted = 512;

/// A mask file, whatever its values mean.
struct MaskContent {
  StoredForm form;
  int height = 0;
  int width = 0;
  int channels = 0;
  PixelType type = PixelType::u8;
  bool colourful = false;                // the channels of some pixel differ
  Histogram values;                      // grey value or index; kNoMaskValue where there is none
  Histogram colours;                     // of palette files and colourful ones
  Histogram alpha;                       // of files that have it
  std::map<std::uint32_t, Rgb> palette;  // of palette files: the entries that occur

  std::int64_t pixels() const { return std::int64_t{height} * width; }
  bool is_palette() const { return !palette.empty(); }
};

/// Where values that an encoding does not know lie.
struct UnknownPixels {
  std::int64_t count = 0;
  std::int64_t on_edges = 0;    // within 3 pixels of two labels
  std::int64_t near_edges = 0;  // within 8 to 16 pixels of two labels
};

/// Larger masks are not read a third time.
inline constexpr std::int64_t kMostForSteps = std::int64_t{1} << 27;

/// What an encoding makes of a mask.
struct MaskReading {
  std::vector<std::int64_t> class_pixels;
  std::int64_t ignored = 0;
  UnknownPixels unknown;
  LabelSteps steps;          // of masks of values, up to kMostForSteps pixels
  std::uint64_t digest = 0;  // equal for equal labels

  std::int64_t labelled() const;
  /// The class of all labelled pixels, -1 if there are several or none.
  int only_class() const;
};

MaskContent mask_content(const RawMask& mask, const StoredForm& form);
MaskReading mask_reading(const RawMask& mask, const LabelEncoding& encoding, int classes);

}  // namespace segmentum
