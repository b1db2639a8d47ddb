#include "report/crf_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "image/colour.h"
#include "image/resize.h"
#include "metrics/confusion_matrix.h"
#include "model_file/crf_json.h"
#include "report/notable_pictures.h"
#include "report/panel.h"
#include "report/plot.h"
#include "report/sections.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// 0, 1, 2, 5, 10, 20, 50, ...
bool worth_a_look(int iterations) {
  int rest = iterations;
  while (rest >= 10 && rest % 10 == 0) rest /= 10;
  return rest == 0 || rest == 1 || rest == 2 || rest == 5;
}

/// Labels and picture at the size in which a page shows them.
struct Shown {
  int height = 0;
  int width = 0;

  explicit Shown(const Image& picture) {
    const double scale = std::min(
        1.0, static_cast<double>(kReportSide) / std::max(picture.height(), picture.width()));
    height = std::max(1, static_cast<int>(scale * picture.height() + 0.5));
    width = std::max(1, static_cast<int>(scale * picture.width() + 0.5));
  }
  LabelMap labels(const LabelMap& map) const { return resize_nearest(map, height, width); }
  Image picture(const Image& image) const {
    return resize(to_rgb(image), height, width, {.antialias = true});
  }
};

std::string caption_of(const CrfReport& report, const CrfCourse::Labels& labels) {
  std::string caption = labels.iterations == 0 ? "before"
                        : labels.iterations == 1
                            ? "after 1 iteration"
                            : fmt::format("after {} iterations", labels.iterations);
  if (report.truth.empty()) return caption;
  ConfusionMatrix matrix(static_cast<int>(report.classes.size()));
  matrix.add(labels.map, report.truth);
  return caption + " · mean IoU " + percent(scores(matrix).mean_iou) + " %";
}

void write_course(HtmlWriter& html, const CrfReport& report) {
  const Shown shown(report.picture);
  const Palette palette = palette_of(report.classes);
  SeenLabels seen(report.classes.size());
  html.element("h3", report.picture_name).open("div", {{"class", "panels"}});
  const auto panel = [&](const std::string& caption, const std::string& uri) {
    write_panel(html, report.picture_name, caption, uri, shown.width, shown.height);
  };
  const auto label_panel = [&](const std::string& caption, const LabelMap& map) {
    seen.add(map);
    panel(caption, label_uri(shown.labels(map), palette));
  };
  panel("source", jpeg_uri(shown.picture(report.picture)));
  if (!report.truth.empty()) label_panel("truth", report.truth);
  for (const CrfCourse::Labels& labels : report.course.labels) {
    label_panel(caption_of(report, labels), labels.map);
  }
  html.close().open("p", {{"class", "legend"}});
  write_legend_entries(html, seen, report.classes, palette);
  html.close();
}

Plot energy_plot(const CrfReport& report) {
  Plot plot{.title = "Free energy, nats a pixel", .x_label = "iterations", .x_low = 0};
  PlotCurve curve{.points = true};
  const double pixels = static_cast<double>(report.picture.height()) * report.picture.width();
  for (std::size_t i = 0; i < report.course.free_energy.size(); ++i) {
    curve.x.push_back(static_cast<double>(i));
    curve.y.push_back(report.course.free_energy[i] / pixels);
  }
  plot.curves.push_back(std::move(curve));
  return plot;
}

Plot change_plot(const CrfCourse& course) {
  Plot plot{.title = "Probability that moves, %",
            .x_label = "iteration",
            .x_low = 0,
            .logarithmic = true};
  PlotCurve curve{.points = true};
  for (std::size_t i = 0; i < course.change.size(); ++i) {
    curve.x.push_back(static_cast<double>(i) + 1);
    curve.y.push_back(100 * course.change[i]);
  }
  plot.curves.push_back(std::move(curve));
  return plot;
}

void write_curves(HtmlWriter& html, const CrfReport& report) {
  html.element("h3", "Course").open("div", {{"class", "plots"}});
  html.raw(plot_html(energy_plot(report)));
  if (!report.course.change.empty()) html.raw(plot_html(change_plot(report.course)));
  html.close();
  html.element(
      "p",
      "Mean field lowers the free energy: the expected energy of the labels less the "
      "entropy of their probabilities. Up to a constant it is the KL divergence from the "
      "CRF's own distribution. All pixels are updated at once, so a step may also raise it.",
      {{"class", "note"}});
}

void write_search_row(HtmlWriter& html, const std::string& what, const CrfScores& scores) {
  html.open("tr").element("th", what, {{"scope", "row"}});
  html.element("td", percent(scores.mean_iou));
  html.element("td", percent(scores.pixel_accuracy));
  html.element("td", percent(scores.boundary_f));
  html.close();
}

/// All that were tried, the best first.
void write_search(HtmlWriter& html, const CrfSearch& search) {
  std::vector<CrfTrial> trials = search.trials;
  std::ranges::stable_sort(
      trials, [](const CrfTrial& a, const CrfTrial& b) { return better(a.scores, b.scores); });
  html.element("h3", fmt::format("Search: {} settings", trials.size()));
  html.element("p", search.improves()
                        ? "The best setting has a higher mean IoU than no CRF; it comes first."
                        : "No setting has a higher mean IoU than no CRF at all.");
  constexpr std::size_t kShown = 12;
  const auto table = [&](std::size_t from, std::size_t to) {
    html.open("div", {{"class", "wide"}}).open("table", {{"class", "classes"}});
    html.open("thead").open("tr").element("th", "settings", {{"scope", "col"}});
    for (const char* name : {"mean IoU %", "pixel accuracy %", "boundary F %"}) {
      html.element("th", name, {{"scope", "col"}});
    }
    html.close().close().open("tbody");
    if (from == 0) write_search_row(html, "without a CRF", search.before);
    for (std::size_t i = from; i < to; ++i) {
      write_search_row(html, crf_text(trials[i].settings), trials[i].scores);
    }
    html.close().close().close();
  };
  table(0, std::min(kShown, trials.size()));
  if (trials.size() <= kShown) return;
  html.open("details").element("summary", "All others");
  table(kShown, trials.size());
  html.close();
}

void require_equal_sizes(const CrfReport& report) {
  const auto fits = [&](const LabelMap& map) {
    return map.height() == report.picture.height() && map.width() == report.picture.width();
  };
  const bool courses_fit = std::ranges::all_of(
      report.course.labels, [&](const CrfCourse::Labels& labels) { return fits(labels.map); });
  if (courses_fit && (report.truth.empty() || fits(report.truth))) return;
  throw Error("picture, labels and truth of " + report.picture_name + " differ in size");
}

}  // namespace

CrfCourse follow(DenseCrf& crf, int iterations) {
  CrfCourse course;
  crf.start();
  course.labels.push_back({0, crf.most_likely()});
  for (int i = 1; i <= iterations; ++i) {
    const CrfStep step = crf.step();
    course.free_energy.push_back(step.free_energy_before);
    course.change.push_back(step.change);
    if (worth_a_look(i) || i == iterations) course.labels.push_back({i, crf.most_likely()});
  }
  course.free_energy.push_back(crf.free_energy());
  return course;
}

std::string crf_report_html(const CrfReport& report) {
  require_equal_sizes(report);
  HtmlWriter html;
  open_page(html, report.title);
  html.open("header").element("h1", report.title).element("p", crf_text(report.settings));
  if (!report.subtitle.empty()) html.element("p", report.subtitle, {{"class", "note"}});
  html.close();
  html.open("section", {{"id", "crf"}});
  if (report.search) write_search(html, *report.search);
  write_course(html, report);
  write_curves(html, report);
  if (report.trimaps) {
    const std::pair<std::string, const TrimapCounts*> curves[] = {
        {"before, " + report.trimaps->of, &report.trimaps->before},
        {"after, " + report.trimaps->of, &report.trimaps->after}};
    write_trimaps(html, curves);
  }
  html.close();
  return std::move(html).finish();
}

void write_crf_report(const std::filesystem::path& path, const CrfReport& report) {
  write_file(path, crf_report_html(report));
}

}  // namespace segmentum
