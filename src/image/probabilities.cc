#include "segmentum/probabilities.h"

#include <exception>
#include <string>

#include "base/counted.h"
#include "segmentum/error.h"

namespace segmentum {

Probabilities::Probabilities(int classes, int height, int width)
    : classes_(classes), height_(height), width_(width) {
  if (classes < 1 || height < 1 || width < 1) {
    throw Error("probabilities of " + counted(classes, "class") + " for " + std::to_string(width) +
                "x" + std::to_string(height) +
                " pixels were asked for; all extents must be positive");
  }
  try {
    values_.resize(index(classes, 0));
  } catch (const std::exception&) {  // bad_alloc or length_error
    throw Error("probabilities of " + counted(classes, "class") + " for " + std::to_string(width) +
                "x" + std::to_string(height) +
                " pixels do not fit into memory; labels alone would");
  }
}

}  // namespace segmentum
