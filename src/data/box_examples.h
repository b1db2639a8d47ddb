// Training on boxes: an example is an object, seen as the network sees a box around it.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "data/augment.h"
#include "data/dataset.h"
#include "data/instances.h"
#include "image/box.h"

namespace segmentum {

/// An object of a split.
struct BoxExample {
  int picture = 0;  // the index of its picture in the split
  Instance instance;
};

struct BoxExamples {
  std::vector<BoxExample> boxes;
  BoxCrop crop;
  double jitter = 0.1;  // each side of a box moves by up to this part of the box; below 1/2
};

/// All objects of a split, picture by picture. Reads every mask and instance map; throws their
/// errors.
std::vector<BoxExample> find_boxes(const Dataset& dataset, const std::string& split);

/// The crop around object `index` of `examples` in its picture, which comes with its instances; the
/// crop's labels are `box_label`s. Of `augment` it takes flips,
/// colours, noise and blur; the box moves by the jitter.
LabelledPicture box_example(const LabelledPicture& picture, const BoxExamples& examples, int index,
                            const AugmentOptions& augment, RandomStream& random);

}  // namespace segmentum
