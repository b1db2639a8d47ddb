#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>

#include "report/plot.h"
#include "report/sections.h"

namespace segmentum {
namespace {

PlotCurve step_curve(const TrainingRun& run, const std::string& name, double StepRecord::*value) {
  PlotCurve curve{.name = name};
  for (const StepRecord& record : run.steps) {
    curve.x.push_back(static_cast<double>(record.step));
    curve.y.push_back(record.*value);
  }
  return curve;
}

using ScoreOf = std::function<double(const ValidationRecord&)>;

PlotCurve score_curve(const TrainingRun& run, const std::string& name, const ScoreOf& score) {
  PlotCurve curve{.name = name, .points = run.validations.size() <= 60};
  for (const ValidationRecord& record : run.validations) {
    curve.x.push_back(static_cast<double>(record.step));
    curve.y.push_back(score(record));
  }
  return curve;
}

/// A loss that falls by more than this factor is drawn on a logarithmic axis.
constexpr double kLogarithmicRange = 30;

Plot loss_plot(const TrainingRun& run) {
  PlotCurve raw = step_curve(run, "", &StepRecord::loss);
  PlotCurve smooth = raw;
  smooth.name = "loss, smoothed";
  smooth.y = smoothed(raw.y, static_cast<double>(raw.y.size()) / 40);
  const auto [low, high] = std::ranges::minmax(smooth.y);
  Plot plot{.title = "Training loss",
            .x_label = "step",
            .x_low = 0,
            .logarithmic = low > 0 && high / low > kLogarithmicRange};
  if (!plot.logarithmic && low >= 0) plot.y_low = 0;
  raw.faint = true;
  plot.curves = {raw, smooth};
  return plot;
}

const ValidationRecord* best_of(const TrainingRun& run) {
  const ValidationRecord* best = nullptr;
  for (const ValidationRecord& record : run.validations) {
    if (record.best) best = &record;
  }
  return best;
}

Plot score_plot(const TrainingRun& run) {
  Plot plot{.title = "Validation scores", .x_label = "step", .x_low = 0, .y_low = 0, .y_high = 1};
  plot.curves = {
      score_curve(run, "mean IoU", [](const auto& record) { return record.scores.mean_iou; }),
      score_curve(run, "pixel accuracy",
                  [](const auto& record) { return record.scores.pixel_accuracy; }),
      score_curve(run, "mean Dice", [](const auto& record) { return record.scores.mean_dice; })};
  if (const ValidationRecord* best = best_of(run)) {
    plot.marks = {{.x = static_cast<double>(best->step),
                   .y = best->scores.mean_iou,
                   .text = fmt::format("best {:.3f}", best->scores.mean_iou)}};
  }
  return plot;
}

Plot step_plot(const TrainingRun& run, const char* title, double StepRecord::*value) {
  Plot plot{.title = title, .x_label = "step", .x_low = 0, .y_low = 0};
  plot.curves = {step_curve(run, "", value)};
  return plot;
}

void write_summary(HtmlWriter& html, const TrainingRun& run) {
  html.open("p", {{"class", "facts"}});
  std::string text;
  if (!run.steps.empty()) {
    text = fmt::format("{} step{}, {} epoch{}", grouped(run.steps.back().step),
                       run.steps.back().step == 1 ? "" : "s", grouped(run.steps.back().epoch),
                       run.steps.back().epoch == 1 ? "" : "s");
  }
  if (const ValidationRecord* best = best_of(run)) {
    text += fmt::format("{}best mean IoU {} % at step {}", text.empty() ? "" : " · ",
                        percent(best->scores.mean_iou), grouped(best->step));
  }
  html.text(text).close();
}

void write_curves(HtmlWriter& html, const TrainingRun& run) {
  html.open("div", {{"class", "plots"}});
  if (!run.steps.empty()) html.raw(plot_html(loss_plot(run)));
  if (!run.validations.empty()) html.raw(plot_html(score_plot(run)));
  if (!run.steps.empty()) {
    html.raw(plot_html(step_plot(run, "Learning rate", &StepRecord::lr)));
    html.raw(plot_html(step_plot(run, "Pictures a second", &StepRecord::images_per_second)));
  }
  html.close();
}

/// One line for each class: its IoU on the validation pictures over time.
void write_class_curves(HtmlWriter& html, const TrainingRun& run) {
  if (run.validations.size() < 2) return;
  html.element("h3", "Validation IoU of each class").open("div", {{"class", "wide"}});
  html.open("table", {{"class", "courses"}}).open("thead").open("tr");
  for (const char* name : {"class", "course, 0 to 100 %", "last %", "highest %"}) {
    html.element("th", name, {{"scope", "col"}});
  }
  html.close().close().open("tbody");
  for (std::size_t k = 0; k < run.classes.size(); ++k) {
    std::optional<double> last, highest;
    const PlotCurve curve = score_curve(run, run.classes[k], [&](const ValidationRecord& record) {
      last = k < record.scores.classes.size() ? record.scores.classes[k].iou : std::nullopt;
      if (last) highest = std::max(highest.value_or(0), *last);
      return last.value_or(std::nan(""));
    });
    html.open("tr").element("th", run.classes[k], {{"scope", "row"}});
    html.open("td").raw(sparkline_html(curve)).close();
    html.element("td", percent(last)).element("td", percent(highest)).close();
  }
  html.close().close().close();
}

void write_settings(HtmlWriter& html, const TrainingRun& run) {
  if (run.config_text.empty()) return;
  html.element("h3", "Settings").open("dl");
  for (const auto& [name, value] : run.settings) html.element("dt", name).element("dd", value);
  html.close().open("details").element("summary", "The whole config.toml");
  html.element("pre", run.config_text).close();
}

}  // namespace

void write_training(HtmlWriter& html, const TrainingRun& run) {
  html.open("section", {{"id", "training"}}).element("h2", "Training");
  write_summary(html, run);
  write_curves(html, run);
  write_class_curves(html, run);
  write_settings(html, run);
  html.close();
}

}  // namespace segmentum
