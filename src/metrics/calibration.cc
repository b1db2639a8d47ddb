#include "metrics/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "metrics/confusion_matrix.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using Bins = std::vector<CalibrationCounts::Bin>;

std::optional<CalibrationScores> scores_of(const Bins& bins) {
  std::int64_t pixels = 0, right = 0;
  double confidence = 0, gaps = 0;
  CalibrationScores result;
  for (const CalibrationCounts::Bin& bin : bins) {
    if (bin.pixels == 0) continue;
    pixels += bin.pixels;
    right += bin.right;
    confidence += bin.confidence_sum;
    const double gap = std::abs(bin.accuracy() - bin.confidence());
    gaps += static_cast<double>(bin.pixels) * gap;
    result.largest_error = std::max(result.largest_error, gap);
  }
  if (pixels == 0) return std::nullopt;
  const auto all = static_cast<double>(pixels);
  result.expected_error = gaps / all;
  result.confidence = confidence / all;
  result.accuracy = static_cast<double>(right) / all;
  return result;
}

void add_to(Bins& sum, const Bins& more) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += more[i];
}

}  // namespace

CalibrationCounts::Bin& CalibrationCounts::Bin::operator+=(const Bin& other) {
  pixels += other.pixels;
  right += other.right;
  confidence_sum += other.confidence_sum;
  return *this;
}

CalibrationCounts::CalibrationCounts(int bins) {
  if (bins < 1) throw Error(fmt::format("calibration in {} bins; it needs 1", bins));
  bins_.resize(static_cast<std::size_t>(bins));
}

void CalibrationCounts::add(const Probabilities& probabilities, const LabelMap& prediction,
                            const LabelMap& truth) {
  if (probabilities.height() != truth.height() || probabilities.width() != truth.width()) {
    throw Error(fmt::format("the probabilities are {}x{} but the labels are {}x{}",
                            probabilities.width(), probabilities.height(), truth.width(),
                            truth.height()));
  }
  require_comparable(prediction, truth, probabilities.classes());
  const auto bins = static_cast<double>(bins_.size());
  Bins picture(bins_.size());
  for (int y = 0; y < truth.height(); ++y) {
    for (int x = 0; x < truth.width(); ++x) {
      if (truth(y, x) == kIgnoreLabel) continue;
      const std::uint16_t chosen = prediction(y, x);
      const double probability = probabilities(chosen, y, x);
      const double confidence = probability > 0 ? std::min(probability, 1.0) : 0;  // NaN: 0
      Bin& bin = picture[static_cast<std::size_t>(std::min(confidence * bins, bins - 1))];
      ++bin.pixels;
      bin.right += chosen == truth(y, x);
      bin.confidence_sum += confidence;
    }
  }
  add_to(bins_, picture);
  pictures_.push_back(std::move(picture));
}

std::optional<CalibrationScores> scores(const CalibrationCounts& counts) {
  return scores_of(counts.bins());
}

std::optional<CalibrationScores> scores(const CalibrationCounts& counts,
                                        std::span<const std::uint32_t> pictures) {
  Bins sum(counts.bins().size());
  for (const std::uint32_t i : pictures) add_to(sum, counts.pictures().at(i));
  return scores_of(sum);
}

}  // namespace segmentum
