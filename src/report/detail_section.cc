#include <fmt/format.h>

#include <vector>

#include "base/counted.h"
#include "report/plot.h"
#include "report/sections.h"

namespace segmentum {
namespace {

/// An interval in brackets, or nothing.
std::string bracketed(const std::optional<ScoreInterval>& interval) {
  return interval ? " (" + percent(*interval) + ")" : "";
}

void write_calibration(HtmlWriter& html, const CalibrationCounts& counts,
                       const CalibrationIntervals& intervals) {
  const auto of_all = scores(counts);
  if (!of_all) return;
  PlotCurve curve{.name = "network", .points = true};
  for (const CalibrationCounts::Bin& bin : counts.bins()) {
    if (bin.pixels == 0) continue;
    curve.x.push_back(100 * bin.confidence());
    curve.y.push_back(100 * bin.accuracy());
  }
  html.element("h3", "Calibration").open("div", {{"class", "plots"}});
  html.raw(plot_html({.title = "How often it was right, by how sure it was, %",
                      .x_label = "probability of the predicted class, %",
                      .curves = {curve, {.name = "as sure as right", .x = {0, 100}, .y = {0, 100}}},
                      .marks = {},
                      .x_low = 0,
                      .y_low = 0,
                      .y_high = 100}));
  html.close();
  html.element(
      "p",
      fmt::format("Expected calibration error {:.2f} %{}, largest {:.2f} %{}; mean probability "
                  "{:.2f} %, pixel accuracy {:.2f} %. Below the line the network is surer "
                  "than it should be.",
                  100 * of_all->expected_error, bracketed(intervals.expected_error),
                  100 * of_all->largest_error, bracketed(intervals.largest_error),
                  100 * of_all->confidence, 100 * of_all->accuracy),
      {{"class", "note"}});
}

void write_sweep(HtmlWriter& html, const ThresholdSweep& sweep) {
  const std::vector<SweptScores> points = sweep_curve(sweep);
  if (points.empty()) return;
  const auto curve_of = [&](const char* name, double SweptScores::*score) {
    PlotCurve curve{.name = name, .points = true};
    for (const SweptScores& point : points) {
      curve.x.push_back(100 * point.threshold);
      curve.y.push_back(100 * point.*score);
    }
    return curve;
  };
  html.element("h3", "Cells by threshold").open("div", {{"class", "plots"}});
  html.raw(plot_html(
      {.title = "How well cells are told apart, F-scores in %",
       .x_label = "probability above which a pixel is part of a cell, %",
       .curves = {curve_of("Rand, thinned borders", &SweptScores::thinned_rand_f),
                  curve_of("information, thinned borders", &SweptScores::thinned_information_f),
                  curve_of("Rand, borders as thick as predicted", &SweptScores::rand_f)},
       .marks = {},
       .x_low = 0,
       .y_high = 100}));
  html.close();
}

void write_objects(HtmlWriter& html, const ObjectPrecision& precision) {
  PlotCurve curve{.points = true};
  for (int step = 0; step < kObjectThresholds; ++step) {
    curve.x.push_back(object_threshold(step));
    curve.y.push_back(100 * precision.at[static_cast<std::size_t>(step)]);
  }
  html.element("h3", "Objects").open("div", {{"class", "plots"}});
  html.raw(plot_html({.title = "Objects found: TP / (TP + FP + FN), %",
                      .x_label = "IoU that a match must exceed",
                      .curves = {curve},
                      .marks = {},
                      .y_low = 0,
                      .y_high = 100}));
  html.close();
  html.element(
      "p",
      fmt::format("{} true and {} predicted objects; a mean over {} with any.", precision.all.truth,
                  precision.all.predicted, counted(precision.pictures, "picture")),
      {{"class", "note"}});
}

}  // namespace

void write_details(HtmlWriter& html, const EvaluationPart& part) {
  if (part.objects) write_objects(html, *part.objects);
  if (part.sweep) write_sweep(html, *part.sweep);
  if (part.calibration) {
    write_calibration(
        html, *part.calibration,
        part.calibration_intervals ? *part.calibration_intervals : CalibrationIntervals());
  }
}

}  // namespace segmentum
