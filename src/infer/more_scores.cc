#include "infer/more_scores.h"

#include <algorithm>
#include <numeric>

#include "data/instances.h"
#include "metrics/rand_error.h"
#include "metrics/variation_of_information.h"
#include "metrics/warping_error.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// The class of each id.
std::vector<std::uint16_t> classes_of(const LabelMap& ids, const LabelMap& labels) {
  std::vector<std::uint16_t> classes(std::size_t{kIgnoreLabel} + 1, 0);
  for (const Instance& object : list_instances(ids, labels)) classes[object.id] = object.label;
  return classes;
}

}  // namespace

MoreScores::MoreScores(int classes, const MoreScoresOptions& options) : options_(options) {
  if (options.boundary) boundary_.emplace(classes, *options.boundary);
  if (options.trimap) trimap_.emplace(classes);
  if (options.calibration) calibration_.emplace();
  if (!options.thresholds) return;
  if (!options.interior)
    throw Error("thresholds of the probability of cells need to know the cells");
  sweep_.emplace(*options.interior);
}

void MoreScores::add(const Dataset& dataset, const Sample& sample, const LabelMap& prediction,
                     const LabelMap& truth) {
  if (boundary_) boundary_->add(prediction, truth);
  if (trimap_) trimap_->add(prediction, truth);
  if (options_.interior) add_cells(prediction, truth);
  if (options_.objects) add_objects(dataset, sample, prediction, truth);
}

void MoreScores::add(const Probabilities& probabilities, const LabelMap& prediction,
                     const LabelMap& truth) {
  if (calibration_) calibration_->add(probabilities, prediction, truth);
  if (sweep_) sweep_->add(probabilities, truth);
}

void MoreScores::add_cells(const LabelMap& prediction, const LabelMap& truth) {
  const std::uint16_t interior = *options_.interior;
  const auto rand = rand_scores(prediction, truth, interior);
  if (!rand) return;
  note("Rand error", rand->error);
  note("Rand F-score", rand->f_score);
  note("Rand precision", rand->precision);
  note("Rand recall", rand->recall);
  const SegmentOverlaps overlaps =
      segment_overlaps(segments_of(prediction, truth, interior),
                       segments_of(truth, truth, interior), Gap::one_segment);
  const auto adapted = adapted_rand(overlaps);
  note("adapted Rand error", adapted->error);
  note("adapted Rand precision", adapted->precision);
  note("adapted Rand recall", adapted->recall);
  const auto information = variation_of_information(overlaps);
  note("variation of information (bits)", information->total_bits());
  note("VI of splits (bits)", information->split_bits);
  note("VI of merges (bits)", information->merge_bits);
  note("warping error", warping_error(prediction, truth, interior).share());
}

void MoreScores::add_objects(const Dataset& dataset, const Sample& sample,
                             const LabelMap& prediction, const LabelMap& truth) {
  const LabelMap true_ids = read_instances(dataset, sample, truth);
  // What was predicted where nothing is known joins and cuts no object.
  LabelMap known = prediction;
  for (std::size_t i = 0; i < truth.labels().size(); ++i) {
    if (truth.labels()[i] == kIgnoreLabel) known.labels()[i] = kIgnoreLabel;
  }
  const LabelMap predicted_ids = connected_instances(known);
  const ObjectMatches matches = match_objects({predicted_ids, classes_of(predicted_ids, known)},
                                              {true_ids, classes_of(true_ids, truth)});
  objects_.push_back(matches);
  const auto mean = matches.mean_precision();
  if (!mean) return;
  note("object precision 0.50..0.95", *mean);
  note("object precision 0.50", *matches.precision(0));
  note("object precision 0.75", *matches.precision(5));
}

void MoreScores::note(const std::string& name, double value) {
  for (auto& [known, values] : of_pictures_) {
    if (known == name) return values.push_back(value);
  }
  of_pictures_.push_back({name, {value}});
}

std::vector<std::pair<std::string, double>> MoreScores::means() const {
  std::vector<std::pair<std::string, double>> means;
  for (const auto& [name, values] : of_pictures_) {
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    means.emplace_back(name, sum / static_cast<double>(values.size()));
  }
  if (!sweep_) return means;
  for (const BestOfSweep& best : best_of(*sweep_)) {
    means.emplace_back(best.name, best.score);
    means.emplace_back("threshold of " + best.name, best.threshold);
  }
  return means;
}

std::map<std::string, ScoreInterval> MoreScores::intervals(const BootstrapOptions& options) const {
  std::map<std::string, ScoreInterval> intervals;
  for (const auto& [name, values] : of_pictures_) {
    intervals[name] = bootstrap_mean(values, options);
  }
  if (!sweep_) return intervals;
  for (const BestOfSweep& best : best_of(*sweep_, options)) intervals[best.name] = *best.interval;
  return intervals;
}

}  // namespace segmentum
