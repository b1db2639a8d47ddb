// What is done for rare classes: the numbers that the choice of settings (configure/rules) and the
// advice of the label doctor (data/check/advice) share.
#pragma once

namespace segmentum {

/// Of the pixels: a crop at a random place hardly shows a class with less.
inline constexpr double kSeldomShare = 0.02;

/// The part of the crops that are laid around a class drawn at random. Of two classes the rare one
/// is drawn half of the time; of more all are to be seen, and places as they come, too.
constexpr double crops_around_classes(int classes) {
  return classes == 2 ? 0.5 : 0.3;
}

}  // namespace segmentum
