// Which object each pixel belongs to: maps of single objects, from files or from masks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "data/dataset.h"
#include "image/box.h"

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

/// Picture, labels and objects of a sample, with the same errors.
LabelledPicture read_with_instances(const Dataset& dataset, const Sample& sample);

/// The instance map that lies beside a mask, by its name: SegmentationObject/x.png of
/// SegmentationClass/x.png, instances/x.png of masks/x.png, x_label.png of x_fg.png,
/// x_instances.png of x_mask.png. Relative to `root` as the mask is; empty: there is none.
std::filesystem::path instance_map_beside(const std::filesystem::path& root,
                                          const std::filesystem::path& mask);

/// One object of a picture.
struct Instance {
  std::uint16_t id = 0;     // in the map of instances
  std::uint16_t label = 0;  // the class of most of its pixels, never 0
  Box box;                  // the smallest that holds all of them
  std::int64_t pixels = 0;
};

/// The objects of a map of instances by id, of the classes that `labels` gives their pixels; those
/// without a pixel of a class other than 0 are left out. Throws Error if the sizes differ.
std::vector<Instance> list_instances(const LabelMap& instances, const LabelMap& labels);

}  // namespace segmentum
