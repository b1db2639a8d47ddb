// Scores of objects cut out of boxes, for other programs.
#pragma once

#include "cli/json_object.h"
#include "infer/evaluate_boxes.h"

namespace segmentum {

/// {"pictures": ..., "all": {...}, "classes": [{"name", "objects", "boxes", "mean_iou"} or
/// {..., "apr_50", "apr_70"}], "failures": [...]}; null where there is no score.
JsonObject box_scores_json(const BoxEvaluation& evaluation);

}  // namespace segmentum
