// Finds the pictures of a folder, their masks, and the splits that lists or folders make.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/sample_list.h"

namespace segmentum {

/// The samples of a folder as they lie there.
struct FolderLayout {
  std::map<std::string, std::vector<Sample>> splits;      // "all" where nothing divides them
  std::map<std::string, std::filesystem::path> lists;     // splits that list files give completely
  PathPatterns patterns;                                  // of most samples; empty if none fits
  std::vector<std::string> notes;                         // what was found, one line each
  std::vector<std::filesystem::path> absent;              // what lists name but does not exist
  std::map<std::filesystem::path, std::string> unusable;  // lists of what mostly is not here: why
  std::string left_out;  // one line on pictures of kinds that are not read; empty: none
};

/// Looks at names only. Recognised, in this order: list files of "image mask" lines; folders or
/// names that pair pictures and masks (images/ and masks/, JPEGImages and SegmentationClass,
/// x_rgb.png and x_fg.png), divided by lists of names or by folders named train, val, test; pairs
/// of x.jpg and x.png in one folder. Paths in lists may have folders before them that do not exist
/// here. Throws Error where there is no picture at all; no pairs give no splits.
FolderLayout find_samples(const std::filesystem::path& root);

/// "train" for train.txt and train_list.txt, "fold1_train" for fold1_train.txt.
std::string split_of_list(const std::filesystem::path& list);

/// The name of the split that is not one yet.
inline constexpr const char* kUndivided = "all";

}  // namespace segmentum
