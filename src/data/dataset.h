// A labelled data set: which pictures, which masks, what the mask values mean. Described by
// dataset.toml.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "image/preprocess.h"
#include "segmentum/classes.h"
#include "segmentum/image.h"

namespace segmentum {

/// One labelled picture; paths are relative to the data set's root.
struct Sample {
  std::string name;  // unique in its split: the stem, with folders where stems repeat
  std::filesystem::path image;
  std::filesystem::path mask;  // empty: unlabelled
  std::string group;           // sequence, plate, patient: never split apart; empty if none shows
  std::filesystem::path instances;  // a map of single objects; empty: none
};

/// Which value in a mask file means which class, both ways. Several values may map to one class.
struct LabelEncoding {
  enum class Kind { value, colour } kind = Kind::value;  // value: grey, palette index, 16-bit
  std::map<std::uint32_t, std::uint16_t>
      to_class;                      // file value, or 0xRRGGBB -> class or kIgnoreLabel
  std::uint32_t ignore_value = 255;  // what `--values source` writes for kIgnoreLabel
  std::optional<int> threshold;      // soft masks: value >= threshold -> class 1, else class 0

  bool operator==(const LabelEncoding&) const = default;
};

/// A described data set. `splits` keys are "train", "val", "test" or others found.
struct Dataset {
  std::filesystem::path root;
  std::vector<ClassInfo> classes;
  LabelEncoding encoding;
  int channels = 3;              // of the pictures, alpha not counted
  std::vector<float> mean, std;  // of the training pictures in [0,1], one for each channel
  std::map<std::string, std::vector<Sample>> splits;

  int class_count() const { return static_cast<int>(classes.size()); }
  /// The samples of a split; throws Error listing the splits there are.
  const std::vector<Sample>& split(const std::string& name) const;
};

/// Reads a dataset.toml, or a folder: its dataset.toml if it has one, else what `inspect` makes of
/// it. Instance maps that are not listed are found beside masks (data/instances.h).
/// Throws Error naming the file and what would work.
Dataset open_dataset(const std::filesystem::path& path);

/// The picture of a sample, without alpha. Throws Error naming the file.
Image read_picture(const Dataset& dataset, const Sample& sample);

/// The labels of a sample: dense classes or kIgnoreLabel.
/// Throws Error for a value that the encoding does not know, and where picture and mask differ in
/// size.
LabelMap read_labels(const Dataset& dataset, const Sample& sample);

/// A picture and its labels, of the same size.
struct LabelledPicture {
  Image image;
  LabelMap labels;
  LabelMap instances;  // the object of each pixel (data/instances.h); empty unless asked for
};

/// Picture and labels of a sample, with the same errors.
LabelledPicture read_labelled(const Dataset& dataset, const Sample& sample);

}  // namespace segmentum
