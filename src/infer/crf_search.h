// Which CRF suits a network on its data: DeepLab's grid, then finer steps around the best, on
// probabilities that the network computed once.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "infer/probability_cache.h"
#include "metrics/boundary.h"
#include "segmentum/crf.h"
#include "segmentum/progress.h"
#include "segmentum/segmenter.h"

namespace segmentum {

/// Runs the network on the labelled pictures of a split, or on `limit` of them spread evenly over
/// it (0: all), and keeps what it says. Returns a line for each picture that failed; these are
/// reported and left out. Throws Error if the split is unknown or has no masks, if classes differ
/// in number, or if every picture failed; Interrupted on request.
std::vector<std::string> gather_probabilities(const Segmenter& segmenter, const Dataset& dataset,
                                              const std::string& split, int limit,
                                              ProbabilityCache& cache,
                                              ProgressSink* progress = nullptr);

/// Summed over all pictures.
struct CrfScores {
  double mean_iou = 0;
  double pixel_accuracy = 0;
  std::optional<double> boundary_f;
};

/// By mean IoU; of equals the one whose borders are better.
bool better(const CrfScores& a, const CrfScores& b);

struct CrfTrial {
  CrfSettings settings;
  CrfScores scores;
};

/// The grid of Chen et al., DeepLab, PAMI 2018: bilateral weight 3..6, position 30..100 px in steps
/// of 10, colour 3..6 levels; spatial 3 px of weight 3 and 10 iterations: 128 settings.
std::vector<CrfSettings> deeplab_grid();

struct CrfSearchOptions {
  std::vector<CrfSettings> grid = deeplab_grid();
  int refinements = 40;  // settings at most that are tried around the best of the grid
  BoundaryTolerance tolerance;
};

struct CrfSearch {
  CrfScores before;              // without a CRF
  std::vector<CrfTrial> trials;  // in the order in which they were tried, the grid first

  const CrfTrial& best() const;
  /// Whether the best setting has a higher mean IoU than no CRF.
  bool improves() const { return best().scores.mean_iou > before.mean_iou; }
};

/// Tries all of the grid; then changes one number at a time, up and down by a factor, and all that
/// helped together; goes on from the best, with a smaller factor where nothing helped, until that
/// is below 1.1 or the trials are used up. Deterministic. Throws Error if the cache or the grid is
/// empty; Interrupted on request. O(trials * pictures) runs of a CRF; settings that differ in
/// weights alone share their lattices.
CrfSearch search_crf(ProbabilityCache& cache, const CrfSearchOptions& options,
                     ProgressSink* progress = nullptr);

/// Calls visit(picture, labels) for every picture: with the network's own labels, or with those of
/// a CRF of these settings.
void for_each_labelling(ProbabilityCache& cache, const std::optional<CrfSettings>& settings,
                        const std::function<void(const CachedPicture&, const LabelMap&)>& visit);

}  // namespace segmentum
