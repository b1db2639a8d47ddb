// Opens a data set to examine it: also one that could not be trained on, and as it is meant where
// a few of its masks are unlike the others.
#pragma once

#include <filesystem>

#include "data/check/checkup.h"

namespace segmentum {

/// A described data set (`description_of`), or what `inspect_folder` finds. There the encoding
/// follows from the masks of the commonest form alone, so that the others show. What stands in the
/// way of a training is a finding. Throws Error as `read_dataset_file` does, and where there is no
/// picture at all.
Checkup open_checkup(const std::filesystem::path& path);

/// Gives a checkup of a data set that nobody described, as `inspect_folder` found it, the classes
/// and the encoding that its masks are meant to have, as `open_checkup` does, from those of its
/// samples, which were read. Returns whether that changed how they are to be read.
bool read_as_meant(Checkup& checkup);

}  // namespace segmentum
