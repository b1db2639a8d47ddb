// What tells one data set from another, so that a training goes on with the data it began with.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace segmentum {

/// Facts about the classes, the values of masks, and the names of the labelled pictures and masks
/// of `splits`, a line each. Names are relative to the data's folder, which may move; no file is
/// opened. A split that the data do not have has no picture.
std::string data_identity(const Dataset& dataset, const std::vector<std::string>& splits);

/// A file's name in the folder of the data, which may move.
std::string name_in(const std::filesystem::path& root, const std::filesystem::path& file);

/// The first fact that two identities do not share: "\"3 classes\" then, \"4 classes\" now"; empty
/// where they are the same.
std::string first_difference(const std::string& then, const std::string& now);

/// Throws Error naming `checkpoint` and the first fact that differs if it was written for other
/// data than `identity`. A checkpoint that does not tell fits any.
void require_same_data(const std::filesystem::path& checkpoint, const std::string& identity);

/// The folder of the data, and of its identity the counts and splits, as comments of a TOML file.
std::string data_comment(const Dataset& dataset, const std::string& identity);

}  // namespace segmentum
