// The settings `up` and `align_corners`: how a network makes values larger.
#pragma once

#include <string>

#include "models/blocks.h"
#include "models/settings.h"

namespace segmentum {

/// `up` of networks whose published form resizes: bilinear by default. `what` is magnified.
SettingInfo up_setting(const std::string& what);

/// What stands in `up`, with align_corners; transposed convolutions are one for each channel.
/// Throws as `aligned_corners`.
UpsampleOptions up_choice(const Settings& settings);

/// What stands in `align_corners` of a network whose `up` means `how`. Throws Error where it is
/// true and has no effect, telling which `up` has one: `bilinear_choices`.
bool aligned_corners(const Settings& settings, Upsampling how, const std::string& bilinear_choices);

}  // namespace segmentum
