// dataset.toml: what a person reads and edits to say what a data set is.
//
//   root = "."                          # pictures and masks are found from here
//   channels = 3
//   mean = [0.41, 0.43, 0.44]           # of the training pictures, in [0,1]
//   std = [0.30, 0.31, 0.31]
//   image_pattern = "images/{}.jpg"     # only where samples are given by name
//   mask_pattern = "masks/{}.png"
//
//   [masks]
//   kind = "value"                      # or "colour"
//   ignore = [11]                       # values, or colours as "#rrggbb"
//   threshold = 128                     # only for soft masks: value >= 128 is the second class
//
//   [[classes]]
//   name = "Road"
//   colour = "#804080"
//   values = [3, 4]                     # several values make one class
//
//   [splits]
//   train = "train.txt"                 # a list file below root: "image mask [instances]" or a
//   name val = ["0016E5", ["images/b.jpg", "masks/b.png"]]   # a third path: the instance map
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/sample_list.h"

namespace segmentum {

/// The dataset.toml that says what the data at `path` are: the one in that folder, or `path`
/// itself. Empty for a folder without one.
std::filesystem::path description_of(const std::filesystem::path& path);

/// Reads a dataset.toml. Throws Error "FILE:LINE: ..." for whatever does not fit together; the
/// pictures themselves are not looked at.
Dataset read_dataset_file(const std::filesystem::path& path);

/// How the text of a dataset.toml is written.
struct DatasetFileOptions {
  std::filesystem::path folder;  // where the file will lie; `root` is written relative to it
  std::map<std::string, std::filesystem::path> lists;  // splits that stand in list files below root
  PathPatterns patterns;                               // used for samples that they fit
  std::vector<std::string> notes;                      // comments at the top
  std::vector<std::string> questions;                  // comments below them: to be decided
};

/// The text of a dataset.toml that reads back as `dataset`.
std::string dataset_file_text(const Dataset& dataset, const DatasetFileOptions& options);

}  // namespace segmentum
