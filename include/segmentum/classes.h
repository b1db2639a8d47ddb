// What the class indices of a label map mean.
#pragma once

#include <string>
#include <vector>

#include "segmentum/image.h"

namespace segmentum {

/// One class: its name and the colour it is drawn in.
struct ClassInfo {
  std::string name;
  Rgb colour;
  bool operator==(const ClassInfo&) const = default;
};

/// The colours of `classes` in index order.
Palette palette_of(const std::vector<ClassInfo>& classes);

}  // namespace segmentum
