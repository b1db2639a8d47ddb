// Which object each pixel belongs to: maps of single objects, from files or from masks.
#pragma once

#include "data/dataset.h"

namespace segmentum {

/// Numbers the objects of a mask from 1: pixels of one class other than 0 that share sides.
/// Background is 0, ignored pixels are kIgnoreLabel. Throws Error for more than 65534 objects.
/// O(H*W).
LabelMap connected_instances(const LabelMap& labels);

/// The objects of a sample: those of its instance map, each of whose values (grey, index or
/// colour) but 0 is an object, or the connected ones of `labels`, its mask, where it has none.
/// 0 where the mask shows background, kIgnoreLabel where it is ignored. Throws Error naming the
/// file, also where its size is not that of `labels`.
LabelMap read_instances(const Dataset& dataset, const Sample& sample, const LabelMap& labels);

}  // namespace segmentum
