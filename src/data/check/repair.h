// Writes a data set that was checked once more, without its faults, beside the source.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/check/check.h"

namespace segmentum {

struct RepairOptions {
  std::filesystem::path folder;      // new or empty, and neither in the data's folder nor around it
  bool link = false;                 // unchanged pictures as symbolic links instead of copies
  ProgressSink* progress = nullptr;  // may ask to stop
};

struct RepairSummary {
  int written = 0;         // samples
  int turned = 0;          // of them, pictures that are now upright without a tag
  int changed_labels = 0;  // of them, masks whose labels were read in another way or filled in
  std::vector<std::string> left_out;  // "train's images/a.png: it cannot be read"
};

/// Throws Error where `folder` does not fit the data at `data` (see `RepairOptions`) or cannot be
/// written, WriteError there: before all of the data are read.
void require_repair_folder(const std::filesystem::path& folder, const std::filesystem::path& data);

/// Writes images/SPLIT/NAME.EXT, masks/SPLIT/NAME.png (class numbers as palette PNG, 255 ignored;
/// 16-bit beyond 255 classes), instance maps, dataset.toml and repairs.txt, which says what became
/// of each file that changed. The folder appears when all of it is written; the source is only
/// read. Throws Error if the folder does not fit or cannot be written, and where no class is known;
/// Interrupted. O(pixels).
RepairSummary repair_dataset(const CheckResult& result, const RepairOptions& options);

/// The labels of a sample's mask after its remedy, at the picture's size.
LabelMap repaired_labels(const Checkup& checkup, const CheckedSample& sample);

}  // namespace segmentum
