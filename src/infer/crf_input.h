// What a person gives a CRF to start from: a label map or probabilities, in files of many kinds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <variant>
#include <vector>

#include "segmentum/crf.h"
#include "segmentum/image.h"
#include "segmentum/probabilities.h"

namespace segmentum {

/// How the values of a label file are meant.
struct LabelRule {
  int classes = 0;  // values are 0..classes-1; 0: every value that occurs is a class
  /// The value of pixels without a label; none: 255 in files of 8 bits that hold more than 0 and
  /// 255, 65535 in others. Negative: there is no such value.
  std::optional<int> ignore_value;
};

/// A label map, and what is needed to write another one like it.
struct LabelFile {
  LabelMap labels;                    // a place in `values`, or kIgnoreLabel
  std::vector<std::uint16_t> values;  // the file's value of each class, ascending
  std::uint16_t ignore_value = 255;   // what ignored pixels hold
  bool deep = false;                  // of 16 bits, or with more classes than 8 can tell apart
  std::vector<Rgb> palette;           // empty: a grey file
};

using CrfInput = std::variant<LabelFile, Probabilities>;

/// Reads labels: PNG or TIFF, grey, palette or 16-bit, or .npy of integers [H,W]. Or probabilities:
/// .npy of floats [K,H,W], or TIFF of K bands of float or 16 bits (65535 is 1); of [H,W], [1,H,W]
/// or one band of float they are those of class 1 of two.
/// Throws Error naming the file, for masks of colours too.
CrfInput read_crf_input(const std::filesystem::path& path, const LabelRule& rule = {});

int class_count(const CrfInput& input);

/// The labels that `input` says by itself; without iterations a CRF says the same, save for
/// ignored pixels.
LabelMap labels_of(const CrfInput& input);

/// The labels of a mask in the values of `input`: ground truth to compare with. Values of no class
/// of it are ignored. Throws Error naming the file, where sizes differ too.
LabelMap read_truth(const std::filesystem::path& path, const CrfInput& input);

/// One colour for each class.
Palette palette_of(const CrfInput& input);

/// Writes labels as `input` has them: values, depth and palette of its file; class indices in VOC's
/// palette where it holds probabilities. Throws Error naming the file.
void write_labels_like(const std::filesystem::path& path, const LabelMap& labels,
                       const CrfInput& input);

/// How sure labels are, and what becomes of ignored ones (see CrfLabels).
struct LabelTrust {
  float confidence = CrfLabels().confidence;
  bool fill_ignored = false;
};

/// The CRF of a picture and an input of its size, ready to infer. Throws Error if sizes differ, and
/// as `make_crf` does, naming `file` where the input's numbers are at fault.
DenseCrf crf_of(const Image& picture, const CrfInput& input, const std::filesystem::path& file,
                const LabelTrust& trust, const CrfSettings& settings);

}  // namespace segmentum
