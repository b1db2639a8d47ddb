#include "tensor/shape.h"

#include "segmentum/error.h"

namespace segmentum {

Shape::Shape(std::initializer_list<std::int64_t> extents) {
  if (extents.size() > 4) {
    throw Error("a tensor of " + std::to_string(extents.size()) + " axes; at most 4 are supported");
  }
  for (std::int64_t extent : extents) {
    if (extent < 0) throw Error("a tensor extent of " + std::to_string(extent) + " is negative");
    extents_[rank_++] = extent;
  }
}

std::int64_t Shape::count() const {
  std::int64_t product = 1;
  for (int axis = 0; axis < rank_; ++axis) product *= extents_[axis];
  return product;
}

std::string Shape::to_string() const {
  if (rank_ == 0) return "scalar";
  std::string text;
  for (int axis = 0; axis < rank_; ++axis) {
    if (axis > 0) text += 'x';
    text += std::to_string(extents_[axis]);
  }
  return text;
}

}  // namespace segmentum
