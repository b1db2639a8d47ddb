// Cityscapes' classes: the ids in its files, and the 19 classes that are trained on.
#pragma once

#include <cstdint>
#include <vector>

#include "data/class_legend.h"
#include "data/dataset.h"

namespace segmentum {

/// The label that each of Cityscapes' 34 ids is trained as, kIgnoreLabel for those that are not.
std::uint16_t cityscapes_train_id(std::uint32_t label_id);
inline constexpr std::uint32_t kCityscapesIds = 34;

/// The legend of masks that are called as Cityscapes calls its own: gtFine_labelIds (the 19 classes
/// by their ids, all other ids ignored) or gtFine_labelTrainIds (0 to 18, 255 ignored). Empty
/// unless more than half of the masks are called so.
Legend cityscapes_legend(const std::vector<Sample>& samples);

}  // namespace segmentum
