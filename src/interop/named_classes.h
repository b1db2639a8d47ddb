// Names and colours for the class indices of foreign weights.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "segmentum/classes.h"

namespace segmentum {

/// PASCAL VOC's 21: background, aeroplane, ..., tvmonitor, in VOC's colours.
std::vector<ClassInfo> voc_classes();

/// class_0, class_1, ... in VOC's colours.
std::vector<ClassInfo> numbered_classes(int count);

/// The classes of a dataset.toml, or of a legend: a CSV file with a header (id, name, r, g, b or
/// colour), or one name a line; VOC's colours where it has none. What is called void, unlabelled or
/// the like is no class, unless `count` classes are looked for and only then there are as many.
/// Throws Error naming the file if it holds no classes.
std::vector<ClassInfo> read_classes(const std::filesystem::path& path, int count);

}  // namespace segmentum
