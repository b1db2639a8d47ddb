#include "metrics/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "base/threads.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::uint32_t kStream = 0xB007;  // of the random numbers, apart from other uses of a seed

void check(std::size_t pictures, const BootstrapOptions& options) {
  if (options.resamples < 1 || !(options.level > 0 && options.level < 1)) {
    throw Error(fmt::format(
        "a bootstrap of {} resamples for intervals of {}; expected 1 or more, and a level between "
        "0 and 1",
        options.resamples, options.level));
  }
  if (pictures == 0) throw Error("a bootstrap of no pictures; there is nothing to draw from");
}

void check_classes(std::span<const PictureCounts> pictures) {
  for (const PictureCounts& counts : pictures) {
    if (counts.size() == pictures.front().size()) continue;
    throw Error(fmt::format("a bootstrap of pictures with {} and with {} classes",
                            pictures.front().size(), counts.size()));
  }
}

/// The numbers of the pictures in a resample.
std::vector<std::uint32_t> draw(std::size_t pictures, std::uint64_t seed, int number) {
  RandomStream random(seed, static_cast<std::uint32_t>(number), kStream);
  std::vector<std::uint32_t> drawn(pictures);
  for (std::uint32_t& one : drawn) one = random.below(static_cast<std::uint32_t>(pictures));
  return drawn;
}

Scores resampled(std::span<const PictureCounts> pictures, std::uint64_t seed, int number) {
  PictureCounts sum(pictures.front().size());
  for (const std::uint32_t i : draw(pictures.size(), seed, number)) {
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += pictures[i][k];
  }
  return scores(sum);
}

ScoreInterval interval_of(const std::vector<Scores>& all, double Scores::*score, double level) {
  std::vector<double> values;
  for (const Scores& one : all) values.push_back(one.*score);
  return central_interval(values, level);
}

}  // namespace

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], place - static_cast<double>(below));
}

ScoreInterval central_interval(const std::vector<double>& values, double level) {
  const double tail = (1 - level) / 2;
  return {quantile(values, tail), quantile(values, 1 - tail)};
}

ScoreIntervals bootstrap(std::span<const PictureCounts> pictures, const BootstrapOptions& options) {
  check(pictures.size(), options);
  check_classes(pictures);
  std::vector<Scores> all(static_cast<std::size_t>(options.resamples));
  parallel_for(options.resamples, [&](std::int64_t i) {
    all[static_cast<std::size_t>(i)] = resampled(pictures, options.seed, static_cast<int>(i));
  });
  ScoreIntervals result{.options = options};
  result.pixel_accuracy = interval_of(all, &Scores::pixel_accuracy, options.level);
  result.mean_accuracy = interval_of(all, &Scores::mean_accuracy, options.level);
  result.mean_iou = interval_of(all, &Scores::mean_iou, options.level);
  result.frequency_weighted_iou = interval_of(all, &Scores::frequency_weighted_iou, options.level);
  result.mean_dice = interval_of(all, &Scores::mean_dice, options.level);
  for (std::size_t k = 0; k < pictures.front().size(); ++k) {
    std::vector<double> values;
    for (const Scores& one : all) {
      if (one.classes[k].iou) values.push_back(*one.classes[k].iou);
    }
    result.iou.emplace_back();
    if (!values.empty()) result.iou.back() = central_interval(values, options.level);
  }
  return result;
}

ScoreInterval bootstrap_mean(std::span<const double> of_pictures, const BootstrapOptions& options) {
  check(of_pictures.size(), options);
  std::vector<double> means;
  for (int n = 0; n < options.resamples; ++n) {
    double sum = 0;
    for (const std::uint32_t i : draw(of_pictures.size(), options.seed, n)) sum += of_pictures[i];
    means.push_back(sum / static_cast<double>(of_pictures.size()));
  }
  return central_interval(means, options.level);
}

std::vector<std::optional<ScoreInterval>> bootstrap_scores(std::size_t pictures,
                                                           const BootstrapOptions& options,
                                                           const ResampleScores& score) {
  check(pictures, options);
  std::vector<std::vector<std::optional<double>>> all(static_cast<std::size_t>(options.resamples));
  parallel_for(options.resamples, [&](std::int64_t i) {
    all[static_cast<std::size_t>(i)] = score(draw(pictures, options.seed, static_cast<int>(i)));
  });
  std::vector<std::optional<ScoreInterval>> intervals(all.front().size());
  for (std::size_t k = 0; k < intervals.size(); ++k) {
    std::vector<double> values;
    for (const auto& scores : all) {
      if (scores.at(k)) values.push_back(*scores[k]);
    }
    if (!values.empty()) intervals[k] = central_interval(values, options.level);
  }
  return intervals;
}

}  // namespace segmentum
