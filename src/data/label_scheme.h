// Decides which values of a data set's masks are which classes.
#pragma once

#include <string>
#include <vector>

#include "data/class_legend.h"
#include "data/dataset.h"
#include "data/mask_survey.h"

namespace segmentum {

/// A decision, and what a person should know of it.
struct LabelScheme {
  std::vector<ClassInfo> classes;
  LabelEncoding encoding;
  std::vector<std::string> notes;      // what was found and decided
  std::vector<std::string> questions;  // decided for now, or left open; a person should look
  std::vector<std::string> obstacles;  // why nothing can be trained like this
};

/// The rules, the first that fits:
/// colours by the legend's colours, else each colour a class that does not only lie along borders
/// between two others, as soft edges do, which are then of no class; 0 and 255 alone are two
/// classes; many greys near black and white are a soft mask (threshold 128); numbers that count
/// objects make object and background (threshold 1); else values by the legend, by VOC's names
/// where the annotations use these, or each value a class. 255 (65535 in 16-bit files) beside small
/// values is ignored, so are legend entries named void or unlabelled, and values that a legend does
/// not know.
LabelScheme decide_labels(const MaskSurvey& survey, const Legend& legend,
                          const std::vector<std::string>& annotated_names);

}  // namespace segmentum
