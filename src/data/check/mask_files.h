// Masks by how their files are stored: palettes, JPEG, alpha, 16 bits.
#pragma once

#include "data/check/checkup.h"

namespace segmentum {

/// Palette files whose colours have other numbers than in the rest, converted with a palette made
/// for each file: gives them a reading by their colours. Before values are judged.
void check_palettes(Checkup& checkup);

/// What can be told of masks whose values are understood, or lost for good. After they were judged.
void check_mask_files(Checkup& checkup);

bool is_jpeg(const CheckedSample& sample);

/// Numbers of classes that lie so near to each other that JPEG turned one into another.
bool is_lost_in_jpeg(const Checkup& checkup, const CheckedSample& sample);

}  // namespace segmentum
