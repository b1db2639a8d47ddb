// Opens a data set to examine it: also one that could not be trained on, and as it is meant where
// a few of its masks are unlike the others.
#pragma once

#include <filesystem>

#include "data/check/checkup.h"

namespace segmentum {

/// A described data set, or what `inspect_folder` finds. There the encoding follows from the masks
/// of the commonest form alone, so that the others show. What stands in the way of a training is a
/// finding. Throws Error as `read_dataset_file` does, and where there is no picture at all.
Checkup open_checkup(const std::filesystem::path& path);

}  // namespace segmentum
