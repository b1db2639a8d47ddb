// How well a model does on a split of a data set, all counted in one confusion matrix.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "metrics/bootstrap.h"
#include "metrics/confusion_matrix.h"
#include "segmentum/progress.h"
#include "segmentum/segmenter.h"

namespace segmentum {

/// Scores of one picture; meaningless where `scores.pixels` is 0, when all of it is ignored.
struct ImageScores {
  std::string name;
  Scores scores;
};

struct Evaluation {
  ConfusionMatrix matrix;
  std::vector<ImageScores> images;    // in the order of the split
  std::vector<std::string> failures;  // pictures that could not be read or segmented, one line each
};

/// What else a caller may do with every result: other scores, pictures for a report.
using EvaluationVisitor = std::function<void(const Sample& sample, const Image& picture,
                                             const LabelMap& prediction, const LabelMap& truth)>;

/// The same for what needs the network's probabilities; they cost the network a second time.
using ProbabilityVisitor = std::function<void(const Probabilities& probabilities,
                                              const LabelMap& prediction, const LabelMap& truth)>;

/// Segments every labelled picture of the split whole and counts it against its mask, at the
/// mask's own resolution. A picture that fails is reported through `progress` and left out.
/// Throws Error if the split is unknown or has no masks, if classes differ in number, or if every
/// picture failed; Interrupted on request.
Evaluation evaluate(const Segmenter& segmenter, const Dataset& dataset, const std::string& split,
                    ProgressSink* progress = nullptr, const EvaluationVisitor& visit = {},
                    const ProbabilityVisitor& visit_probabilities = {});

/// What the scores of each picture follow from, for `bootstrap` and `paired_test`.
std::vector<PictureCounts> picture_counts(const Evaluation& evaluation);

}  // namespace segmentum
