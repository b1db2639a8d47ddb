// How well a model on boxes cuts objects out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/box_file.h"
#include "data/dataset.h"
#include "infer/box_segmenter.h"
#include "segmentum/progress.h"

namespace segmentum {

/// Of one class of objects, or of all.
struct BoxScores {
  std::string name;
  std::int64_t objects = 0;        // instances of the split
  std::int64_t boxes = 0;          // that were segmented
  std::optional<double> mean_iou;  // over objects, each cut out of its own box
  std::optional<double> apr_50;    // average precision of masks at an IoU of 0.5
  std::optional<double> apr_70;
};

struct BoxEvaluation {
  std::vector<BoxScores> classes;  // without the background
  BoxScores all;  // the mean IoU over all objects; means of APr over the classes that have objects
  bool scored = false;  // by APr, else by mean IoU
  int pictures = 0;
  std::vector<std::string> failures;  // pictures that could not be scored, one line each
};

/// Masks from the boxes of the objects themselves: mean IoU. Each object is compared with the mask
/// of its box, ignored pixels left out. A picture that fails is reported through `progress` and
/// left out. Throws Error if the split is unknown or the model's classes
/// differ in number; if every picture failed; Interrupted on request.
BoxEvaluation evaluate_true_boxes(BoxSegmenter& segmenter, const Dataset& dataset,
                                  const std::string& split, ProgressSink* progress = nullptr);

/// Masks from a detector's boxes: APr, "simultaneous detection and segmentation" (see
/// `average_precision`). All boxes need scores. Pictures without boxes count with their objects.
/// Throws as `evaluate_true_boxes`.
BoxEvaluation evaluate_scored_boxes(BoxSegmenter& segmenter, const Dataset& dataset,
                                    const std::string& split, const BoxFile& boxes,
                                    ProgressSink* progress = nullptr);

/// The scores as a table for a terminal, in percent, "–" where there is none; ends with a newline.
std::string box_score_table(const BoxEvaluation& evaluation);

}  // namespace segmentum
