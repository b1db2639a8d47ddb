#include "metrics/detail_table.h"

#include <fmt/format.h>

#include <cstddef>

#include "base/counted.h"

namespace segmentum {
namespace {

using Bin = CalibrationCounts::Bin;

double edge(const CalibrationCounts& counts, std::size_t bin) {
  return static_cast<double>(bin) / static_cast<double>(counts.bins().size());
}

std::string bin_json(const CalibrationCounts& counts, std::size_t i) {
  const Bin& bin = counts.bins()[i];
  const auto number = [&](double value) {
    return bin.pixels > 0 ? fmt::format("{}", value) : std::string("null");
  };
  return fmt::format(R"({{"from": {}, "to": {}, "pixels": {}, "confidence": {}, "accuracy": {}}})",
                     edge(counts, i), edge(counts, i + 1), bin.pixels,
                     number(bin.pixels > 0 ? bin.confidence() : 0),
                     number(bin.pixels > 0 ? bin.accuracy() : 0));
}

std::string interval_text(const CalibrationIntervals* intervals,
                          std::optional<ScoreInterval> CalibrationIntervals::*which) {
  if (!intervals || !(intervals->*which)) return "";
  const ScoreInterval& interval = *(intervals->*which);
  return fmt::format(" [{:.2f}, {:.2f}]", 100 * interval.low, 100 * interval.high);
}

std::string interval_json(const std::optional<ScoreInterval>& interval) {
  return interval ? fmt::format("[{}, {}]", interval->low, interval->high) : "null";
}

}  // namespace

std::string calibration_table(const CalibrationCounts& counts,
                              const CalibrationIntervals* intervals) {
  std::string text = fmt::format("{:<24}{:>12}{:>12}{:>12}{:>14}\n", "confidence, in %", "pixels",
                                 "mean", "accuracy", "difference");
  for (std::size_t i = 0; i < counts.bins().size(); ++i) {
    const Bin& bin = counts.bins()[i];
    if (bin.pixels == 0) continue;
    text += fmt::format(
        "{:<24}{:>12}{:>12.2f}{:>12.2f}{:>+14.2f}\n",
        fmt::format("{:.1f} to {:.1f}", 100 * edge(counts, i), 100 * edge(counts, i + 1)),
        bin.pixels, 100 * bin.confidence(), 100 * bin.accuracy(),
        100 * (bin.accuracy() - bin.confidence()));
  }
  const auto of_all = scores(counts);
  if (!of_all) return text;
  return text + fmt::format(
                    "\nexpected calibration error (ECE) {:.2f}{}, largest (MCE) {:.2f}{}; "
                    "mean confidence {:.2f}, accuracy {:.2f}\n",
                    100 * of_all->expected_error,
                    interval_text(intervals, &CalibrationIntervals::expected_error),
                    100 * of_all->largest_error,
                    interval_text(intervals, &CalibrationIntervals::largest_error),
                    100 * of_all->confidence, 100 * of_all->accuracy);
}

std::string calibration_json(const CalibrationCounts& counts,
                             const CalibrationIntervals* intervals) {
  std::string bins;
  for (std::size_t i = 0; i < counts.bins().size(); ++i) {
    bins += (bins.empty() ? "" : ", ") + bin_json(counts, i);
  }
  const auto of_all = scores(counts);
  if (!of_all) {
    return fmt::format(
        R"({{"ece": null, "mce": null, "confidence": null, "accuracy": null, "bins": [{}]}})",
        bins);
  }
  const std::string of_resamples = intervals
                                       ? fmt::format(R"("intervals": {{"ece": {}, "mce": {}}}, )",
                                                     interval_json(intervals->expected_error),
                                                     interval_json(intervals->largest_error))
                                       : "";
  return fmt::format(
      R"({{"ece": {}, "mce": {}, "confidence": {}, "accuracy": {}, {}"bins": [{}]}})",
      of_all->expected_error, of_all->largest_error, of_all->confidence, of_all->accuracy,
      of_resamples, bins);
}

std::string object_table(const ObjectPrecision& precision) {
  std::string text =
      fmt::format("{:<24}{:>12}{:>12}\n", "objects, IoU above", "precision, %", "matched");
  for (int step = 0; step < kObjectThresholds; ++step) {
    const auto i = static_cast<std::size_t>(step);
    text += fmt::format("{:<24}{:>12.2f}{:>12}\n", fmt::format("{:.2f}", object_threshold(step)),
                        100 * precision.at[i], precision.all.matched[i]);
  }
  return text + fmt::format(
                    "\n{} true and {} predicted objects; precision is TP / (TP + FP + FN), "
                    "a mean over {}\n",
                    precision.all.truth, precision.all.predicted,
                    counted(precision.pictures, "picture"));
}

std::string object_json(const ObjectPrecision& precision) {
  std::string at, matched;
  for (int step = 0; step < kObjectThresholds; ++step) {
    const auto i = static_cast<std::size_t>(step);
    const char* comma = step == 0 ? "" : ", ";
    at += fmt::format(R"({}"{:.2f}": {})", comma, object_threshold(step), precision.at[i]);
    matched +=
        fmt::format(R"({}"{:.2f}": {})", comma, object_threshold(step), precision.all.matched[i]);
  }
  return fmt::format(
      R"({{"objects": {}, "predicted": {}, "pictures": {}, "precision": {{{}}}, "matched": {{{}}}}})",
      precision.all.truth, precision.all.predicted, precision.pictures, at, matched);
}

}  // namespace segmentum
