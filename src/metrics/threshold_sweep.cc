#include "metrics/threshold_sweep.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <numeric>
#include <utility>

#include "base/threads.h"
#include "metrics/border_thinning.h"
#include "metrics/segments.h"
#include "metrics/variation_of_information.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::uint16_t kCell = 1;

std::vector<double> usual_thresholds() {
  std::vector<double> thresholds;
  for (int tenths = 1; tenths < 10; ++tenths) thresholds.push_back(tenths / 10.0);
  return thresholds;
}

LabelMap cells_above(double threshold, const Probabilities& probabilities, int interior) {
  LabelMap cells(probabilities.height(), probabilities.width());
  for (int y = 0; y < cells.height(); ++y) {
    for (int x = 0; x < cells.width(); ++x) {
      cells(y, x) = probabilities(interior, y, x) > threshold ? kCell : 0;
    }
  }
  return cells;
}

ThresholdSweep::Counts counts_of(const LabelMap& cells, const LabelMap& truth,
                                 std::span<const std::int32_t> true_segments) {
  std::vector<std::int32_t> segments = segments_of(cells, truth, kCell);
  ThresholdSweep::Counts counts;
  counts.pairs = rand_pairs(segment_overlaps(segments, true_segments, Gap::own_segments));
  thin_borders(segments, truth);
  const SegmentOverlaps overlaps = segment_overlaps(segments, true_segments, Gap::own_segments);
  counts.thinned_pairs = rand_pairs(overlaps);
  counts.thinned_information_f = *information_f_score(overlaps);
  counts.thinned_information_bits = variation_of_information(overlaps)->total_bits();
  return counts;
}

struct Score {
  const char* name;
  double SweptScores::*value;
  bool least_is_best;
};
constexpr std::array kScores{
    Score{"best Rand F-score", &SweptScores::rand_f, false},
    Score{"thinned Rand F-score", &SweptScores::thinned_rand_f, false},
    Score{"thinned Rand F-score of all pairs", &SweptScores::thinned_rand_f_of_pairs, false},
    Score{"thinned information F-score", &SweptScores::thinned_information_f, false},
    Score{"thinned VI (bits)", &SweptScores::thinned_information_bits, true}};

SweptScores best_by(const Score& score, std::span<const SweptScores> curve) {
  SweptScores best = curve.front();
  for (const SweptScores& one : curve) {
    const double gain = one.*score.value - best.*score.value;
    if (score.least_is_best ? gain < 0 : gain > 0) best = one;
  }
  return best;
}

}  // namespace

ThresholdSweep::ThresholdSweep(std::uint16_t interior)
    : ThresholdSweep(interior, usual_thresholds()) {}

ThresholdSweep::ThresholdSweep(std::uint16_t interior, std::vector<double> thresholds)
    : interior_(interior), thresholds_(std::move(thresholds)) {
  if (thresholds_.empty()) throw Error("a sweep over no thresholds; it needs one");
}

void ThresholdSweep::add(const Probabilities& probabilities, const LabelMap& truth) {
  if (probabilities.height() != truth.height() || probabilities.width() != truth.width()) {
    throw Error(fmt::format("the probabilities are {}x{} but the labels are {}x{}",
                            probabilities.width(), probabilities.height(), truth.width(),
                            truth.height()));
  }
  if (interior_ >= probabilities.classes()) {
    throw Error(fmt::format("a sweep over thresholds of class {}, but there are {} classes",
                            interior_, probabilities.classes()));
  }
  const std::vector<std::int32_t> true_segments = segments_of(truth, truth, interior_);
  if (segment_overlaps(true_segments, true_segments, Gap::own_segments).pixels == 0) return;
  std::vector<Counts> counts(thresholds_.size());
  parallel_for(static_cast<std::int64_t>(counts.size()), [&](std::int64_t i) {
    const auto t = static_cast<std::size_t>(i);
    counts[t] =
        counts_of(cells_above(thresholds_[t], probabilities, interior_), truth, true_segments);
  });
  pictures_.push_back(std::move(counts));
}

std::vector<SweptScores> sweep_curve(const ThresholdSweep& sweep) {
  std::vector<std::uint32_t> all(sweep.pictures().size());
  std::iota(all.begin(), all.end(), 0U);
  return sweep_curve(sweep, all);
}

std::vector<SweptScores> sweep_curve(const ThresholdSweep& sweep,
                                     std::span<const std::uint32_t> pictures) {
  if (pictures.empty()) return {};
  const auto share = 1 / static_cast<double>(pictures.size());
  std::vector<SweptScores> curve;
  for (std::size_t t = 0; t < sweep.thresholds().size(); ++t) {
    SweptScores mean{.threshold = sweep.thresholds()[t]};
    RandPairs pairs;
    for (const std::uint32_t i : pictures) {
      const ThresholdSweep::Counts& counts = sweep.pictures().at(i)[t];
      mean.rand_f += share * counts.pairs.scores().f_score;
      mean.thinned_rand_f += share * counts.thinned_pairs.scores().f_score;
      mean.thinned_information_f += share * counts.thinned_information_f;
      mean.thinned_information_bits += share * counts.thinned_information_bits;
      pairs += counts.thinned_pairs;
    }
    mean.thinned_rand_f_of_pairs = pairs.scores().f_score;
    curve.push_back(mean);
  }
  return curve;
}

std::vector<BestOfSweep> best_of(const ThresholdSweep& sweep,
                                 const std::optional<BootstrapOptions>& bootstrap) {
  const std::vector<SweptScores> curve = sweep_curve(sweep);
  if (curve.empty()) return {};
  std::vector<std::optional<ScoreInterval>> intervals(kScores.size());
  if (bootstrap) {
    intervals = bootstrap_scores(sweep.pictures().size(), *bootstrap, [&](auto drawn) {
      const std::vector<SweptScores> of_drawn = sweep_curve(sweep, drawn);
      std::vector<std::optional<double>> values;
      for (const Score& score : kScores) values.push_back(best_by(score, of_drawn).*score.value);
      return values;
    });
  }
  std::vector<BestOfSweep> all;
  for (const Score& score : kScores) {
    const SweptScores best = best_by(score, curve);
    all.push_back({score.name, best.threshold, best.*score.value, intervals[all.size()]});
  }
  return all;
}

std::string sweep_table(const ThresholdSweep& sweep) {
  std::string text =
      fmt::format("{:<16}{:>10}{:>16}{:>12}{:>16}{:>12}\n", "cells above, in %", "Rand F",
                  "thinned: Rand F", "all pairs", "information F", "VI, bits");
  for (const SweptScores& at : sweep_curve(sweep)) {
    text +=
        fmt::format("{:<16.0f}{:>11.2f}{:>16.2f}{:>12.2f}{:>16.2f}{:>12.4f}\n", 100 * at.threshold,
                    100 * at.rand_f, 100 * at.thinned_rand_f, 100 * at.thinned_rand_f_of_pairs,
                    100 * at.thinned_information_f, at.thinned_information_bits);
  }
  return text;
}

std::string sweep_json(const ThresholdSweep& sweep) {
  std::string list;
  for (const SweptScores& at : sweep_curve(sweep)) {
    list += fmt::format(
        R"({}{{"threshold": {}, "rand_f": {}, "thinned_rand_f": {}, "thinned_rand_f_of_pairs": {}, )"
        R"("thinned_information_f": {}, "thinned_information_bits": {}}})",
        list.empty() ? "" : ", ", at.threshold, at.rand_f, at.thinned_rand_f,
        at.thinned_rand_f_of_pairs, at.thinned_information_f, at.thinned_information_bits);
  }
  return '[' + list + ']';
}

}  // namespace segmentum
