// Writes labelled pictures in any of the formats that annotation tools and trainers read: the other
// half of `segmentum convert`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "annotations/label_source.h"
#include "annotations/region.h"
#include "segmentum/progress.h"

namespace segmentum {

enum class LabelFormat : std::uint8_t { masks, coco, coco_polygons, labelme, geojson, yolo };

/// The format of this name. Throws Error listing those there are.
LabelFormat label_format(const std::string& name);
/// The names of the formats that can be written.
inline constexpr const char* kLabelFormats = "masks, coco, coco-polygons, labelme, geojson, yolo";

struct WriteOptions {
  LabelFormat format = LabelFormat::masks;
  std::filesystem::path out;               // a new or empty folder
  ObjectRule objects = ObjectRule::parts;  // where nothing numbers single objects
  bool link = false;                       // pictures as symbolic links instead of copies
  std::uint64_t seed = 0;                  // of a split, where none is said (masks)
  ProgressSink* progress = nullptr;        // may ask to stop
};

struct WriteSummary {
  std::size_t pictures = 0;
  std::size_t objects = 0;
  std::int64_t overlapping = 0;       // pixels of more than one object
  std::int64_t ignored = 0;           // pixels that YOLO has no word for and that are left out
  std::vector<std::string> failures;  // one line each, with the file's name; the others are written
  std::vector<std::string> notes;     // of the description that masks get
  std::vector<std::string> questions;
};

/// Writes images/[SPLIT/]NAME.EXT for pictures that are there (pages of stacks as PNG), and
///   masks          masks/[SPLIT/]NAME.png of class numbers with the classes' colours, 255 ignored,
///                  instances/ of object numbers, classes.csv, lists of splits, dataset.toml
///   coco           annotations/instances_[SPLIT].json with run lengths
///   coco_polygons  the same with polygons
///   labelme        images/[SPLIT/]NAME.json beside the pictures, labels.txt
///   geojson        geojson/[SPLIT/]NAME.geojson, labels.txt
///   yolo           labels/[SPLIT/]NAME.txt and data.yaml
/// The class that stands for background is not drawn in formats of objects. The folder appears when
/// all of it is written. Throws Error if it is not empty or cannot be written, or if no picture can
/// be read; Interrupted. Pictures that cannot be read are left out and told of.
WriteSummary write_labels(const LabelSource& source, const WriteOptions& options);

}  // namespace segmentum
