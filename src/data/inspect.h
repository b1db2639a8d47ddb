// Looks at a folder of pictures and masks and says what data set it is: `segmentum init`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/sample_list.h"
#include "segmentum/progress.h"

namespace segmentum {

/// What a folder was found to be.
struct Inspection {
  Dataset dataset;
  std::vector<std::string> notes;         // what was found and decided, one line each
  std::vector<std::string> questions;     // what a person should decide or look at
  std::vector<std::string> obstacles;     // why nothing can be trained like this; empty is good
  std::vector<std::string> about_values;  // of notes and questions, those about values of masks
  std::map<std::string, std::filesystem::path> lists;  // splits that stand in list files
  PathPatterns patterns;                               // how most samples' names become paths
  std::vector<std::filesystem::path> absent;           // what lists name but does not exist
};

/// Finds samples, splits, classes, the meaning of the mask values, and the pictures' mean and
/// deviation, from up to 200 masks and 200 training pictures. Where there is no split it makes one,
/// the same for one `seed`: 70 % train, 15 % val, 15 % test, or 80/20 below 100 pictures, by groups
/// where names show them. Throws Error if `folder` is none or holds no picture at all.
Inspection inspect_folder(const std::filesystem::path& folder, std::uint64_t seed = 0);

/// `open_dataset` for a person: of a folder without a dataset.toml, `progress` is told what was
/// found and decided there, and what is left open.
Dataset open_dataset(const std::filesystem::path& path, ProgressSink& progress);

/// The dataset.toml of an inspection, to lie in `folder`: notes and questions are comments in it.
std::string dataset_toml(const Inspection& inspection, const std::filesystem::path& folder);

}  // namespace segmentum
