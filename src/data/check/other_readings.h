// The usual ways in which masks differ from their description, each as an encoding that reads them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/check/finding.h"
#include "data/check/mask_facts.h"
#include "data/dataset.h"

namespace segmentum {

/// Another way to read masks than the described one, and what must have gone wrong if it fits.
struct OtherReading {
  Fault fault;
  std::string what;         // "the labels are one too high: 1 stands for the first class"
  LabelEncoding encoding;   // to the classes of the data set
  bool from_alpha = false;  // the values stand in the alpha channel
  int least_classes = 1;    // that masks show before it is believed: it fits few by chance
};

/// The readings that make sense for a data set, the most specific first.
std::vector<OtherReading> other_readings(const Dataset& dataset);

/// The pixels that an encoding gives no class or ignore label to, of all pixels; 1 where the mask
/// has no such values (colours, alpha).
double unknown_share(const MaskContent& mask, const LabelEncoding& encoding,
                     bool from_alpha = false);

/// Whether a reading knows all but a thousandth of a mask's pixels and finds a class in it.
bool explains(const OtherReading& reading, const MaskContent& mask);

/// Whether masks together show as many classes as a reading asks for.
bool shows_enough(const OtherReading& reading, std::span<const MaskContent* const> masks);

/// The pixels of each of `classes` classes in a mask, and how many classes there are.
std::vector<std::int64_t> pixels_of_classes(const OtherReading& reading, const MaskContent& mask,
                                            int classes);
int classes_shown(const OtherReading& reading, const MaskContent& mask);
/// The pixels of all classes together.
std::int64_t classes_pixels(const OtherReading& reading, const MaskContent& mask);

/// Pixels that two encodings of values, or two of colours, give different labels to, of all pixels;
/// 1 where one reads values and the other colours.
double disagreement(const MaskContent& mask, const LabelEncoding& a, const LabelEncoding& b);

/// Grey of a colour, as programs that turn pictures grey compute it (Rec. 601, rounded).
std::uint32_t luma(Rgb colour);

}  // namespace segmentum
