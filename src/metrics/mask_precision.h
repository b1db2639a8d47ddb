// How well objects were cut out: masks against the instances of a picture.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "image/box.h"
#include "segmentum/image.h"

namespace segmentum {

/// Pixels of each instance, by id; 0 and kIgnoreLabel have none.
std::vector<std::int64_t> instance_sizes(const LabelMap& ids);

struct MaskOverlap {
  std::uint16_t id = 0;
  double iou = 0;
};

/// The intersection over union of a mask with every instance that it meets, by id. Ignored pixels
/// are in neither. `sizes`: those of `ids`. O(pixels of the mask's rectangle).
std::vector<MaskOverlap> mask_overlaps(const Mask& mask, const LabelMap& ids,
                                       std::span<const std::int64_t> sizes);

/// The intersection over union with one instance: 0 where they do not meet.
double mask_iou(const Mask& mask, const LabelMap& ids, std::span<const std::int64_t> sizes,
                std::uint16_t id);

/// A mask that was claimed to be an object, and the instances of its class that it meets.
struct ScoredMask {
  double score = 0;
  int picture = 0;
  std::vector<MaskOverlap> overlaps;
};

/// AP^r of one class: average precision of masks. In the order of their scores (of equals, their
/// own) each mask claims the instance that it overlaps most. It is right if that overlap is at
/// least `iou_threshold` and no mask before claimed the same instance rightly. The area under
/// precision over recall, precision being made to fall (that of PASCAL VOC from 2010 on).
/// `instances`: how many of the class there are; none: no score.
/// Hariharan et al., Simultaneous Detection and Segmentation, ECCV 2014, section 2.
std::optional<double> average_precision(std::vector<ScoredMask> masks, std::int64_t instances,
                                        double iou_threshold);

}  // namespace segmentum
