// What the shares of classes suggest for a training.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "segmentum/classes.h"

namespace segmentum {

struct CheckResult;

/// Settings that may help, and what in the data speaks for them.
struct Advice {
  std::string settings;  // as behind --set
  std::string why;       // one line
};

/// Advice about rare classes from the labelled pixels of each class and the pictures that show it,
/// of `pictures` in all; some of it a training follows by itself (docs/training.md). A class is
/// rare below 1/10 of an equal share, of two classes below 20 %: cross entropy counts pixels, so
/// that is all the say it has there. Nothing where none is. Rules of thumb, not measurements of
/// this data set. Throws Error if the numbers of classes differ.
std::vector<Advice> imbalance_advice(std::span<const ClassInfo> classes,
                                     std::span<const std::int64_t> class_pixels,
                                     std::span<const int> class_pictures, int pictures);

/// The same for the training split of a checked data set; of another where there is none.
std::vector<Advice> imbalance_advice(const CheckResult& result);

}  // namespace segmentum
