#include "metrics/object_precision.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using Sizes = std::map<std::uint16_t, std::int64_t>;

std::uint16_t class_of(const ObjectMap& map, std::uint16_t id) {
  if (map.classes.empty()) return 0;
  if (id < map.classes.size()) return map.classes[id];
  throw Error(fmt::format("object {} has no class; there are classes for 0..{}", id,
                          map.classes.size() - 1));
}

}  // namespace

ObjectMatches& ObjectMatches::operator+=(const ObjectMatches& other) {
  for (std::size_t step = 0; step < matched.size(); ++step) matched[step] += other.matched[step];
  predicted += other.predicted;
  truth += other.truth;
  return *this;
}

std::optional<double> ObjectMatches::precision(int step) const {
  const std::int64_t right = matched[static_cast<std::size_t>(step)];
  const std::int64_t all = predicted + truth - right;  // TP + FP + FN
  if (all == 0) return std::nullopt;
  return static_cast<double>(right) / static_cast<double>(all);
}

std::optional<double> ObjectMatches::mean_precision() const {
  if (predicted + truth == 0) return std::nullopt;
  double sum = 0;
  for (int step = 0; step < kObjectThresholds; ++step) sum += precision(step).value_or(0);
  return sum / kObjectThresholds;
}

ObjectMatches match_objects(const ObjectMap& predicted, const ObjectMap& truth) {
  const LabelMap &s = predicted.ids, &t = truth.ids;
  if (s.height() != t.height() || s.width() != t.width()) {
    throw Error(fmt::format("the predicted objects are on {}x{} pixels, the true ones on {}x{}",
                            s.width(), s.height(), t.width(), t.height()));
  }
  Sizes predicted_sizes, true_sizes;
  std::map<std::pair<std::uint16_t, std::uint16_t>, std::int64_t> common;
  for (std::size_t i = 0; i < t.labels().size(); ++i) {
    const std::uint16_t of_truth = t.labels()[i], of_prediction = s.labels()[i];
    if (of_truth == kIgnoreLabel) continue;
    const bool predicted_here = of_prediction != 0 && of_prediction != kIgnoreLabel;
    if (predicted_here) ++predicted_sizes[of_prediction];
    if (of_truth != 0) ++true_sizes[of_truth];
    if (predicted_here && of_truth != 0) ++common[{of_prediction, of_truth}];
  }
  ObjectMatches result;
  result.predicted = static_cast<std::int64_t>(predicted_sizes.size());
  result.truth = static_cast<std::int64_t>(true_sizes.size());
  for (const auto& [ids, both] : common) {
    if (class_of(predicted, ids.first) != class_of(truth, ids.second)) continue;
    const std::int64_t either = predicted_sizes[ids.first] + true_sizes[ids.second] - both;
    for (std::size_t step = 0; step < result.matched.size(); ++step) {
      // Exactly both / either > 0.50 + 0.05 step.
      result.matched[step] += 20 * both > (10 + static_cast<std::int64_t>(step)) * either;
    }
  }
  return result;
}

std::optional<ObjectPrecision> object_precision(std::span<const ObjectMatches> pictures) {
  ObjectPrecision mean;
  for (const ObjectMatches& picture : pictures) {
    if (picture.predicted + picture.truth == 0) continue;
    ++mean.pictures;
    mean.all += picture;
    for (int step = 0; step < kObjectThresholds; ++step) {
      mean.at[static_cast<std::size_t>(step)] += picture.precision(step).value_or(0);
    }
  }
  if (mean.pictures == 0) return std::nullopt;
  for (double& precision : mean.at) precision /= mean.pictures;
  return mean;
}

}  // namespace segmentum
