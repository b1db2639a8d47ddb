#include "report/compare_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "base/counted.h"
#include "base/file.h"
#include "report/panel.h"
#include "report/sections.h"

namespace segmentum {
namespace {

constexpr std::size_t kListed = 20;
constexpr Rgb kBetter{34, 139, 70};
constexpr Rgb kWorse{222, 33, 48};
constexpr Rgb kBothWrong{226, 190, 60};

/// The counts of all pictures that both models were scored on.
Scores scores_of(const EvaluationFile& file, const std::vector<std::string>& left_out) {
  PictureCounts sum(file.classes.size());
  for (std::size_t i = 0; i < file.counts.size(); ++i) {
    if (std::ranges::find(left_out, file.names[i]) != left_out.end()) continue;
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += file.counts[i][k];
  }
  return scores(sum);
}

std::string points(double difference) {
  return fmt::format("{:+.2f}", 100 * difference);
}

void write_result(HtmlWriter& html, const Comparison& comparison, const Scores& a,
                  const Scores& b) {
  const PairedTest& test = comparison.test;
  const auto range = [](const ScoreInterval& interval) {
    return points(interval.low) + " to " + points(interval.high);
  };
  html.open("section", {{"id", "result"}})
      .element("h2", "Result")
      .open("div", {{"class", "tiles"}});
  write_tile(html, "mean IoU, A", percent(a.mean_iou), "%");
  write_tile(html, "mean IoU, B", percent(b.mean_iou), "%");
  write_tile(html, "B − A, mean IoU", points(test.mean_iou), "points", " chief",
             range(test.mean_iou_interval));
  write_tile(html, "B − A, pixel accuracy", points(test.pixel_accuracy), "points", "",
             range(test.pixel_accuracy_interval));
  write_tile(html, "p-value", fmt::format("{:.4f}", test.p_value), "");
  html.close();
  html.element("p", verdict(test));
  html.element("p",
               fmt::format("Paired permutation test over {}, {} permutations; intervals of {:g} % "
                           "from {} resamples of pictures; seed {}.",
                           counted(comparison.pictures.size(), "picture"),
                           test.options.permutations, 100 * test.options.bootstrap.level,
                           test.options.bootstrap.resamples, test.options.bootstrap.seed),
               {{"class", "note"}});
  if (!comparison.left_out.empty()) {
    html.element(
        "p",
        fmt::format("{} in only one of the results and left out, such as {}.",
                    counted(comparison.left_out.size(), "picture"), comparison.left_out.front()),
        {{"class", "note"}});
  }
  html.close();
}

void write_class_table(HtmlWriter& html, const Comparison& comparison, const Scores& a,
                       const Scores& b) {
  html.open("section", {{"id", "classes"}})
      .element("h2", "Classes")
      .open("div", {{"class", "wide"}});
  html.open("table", {{"class", "classes"}}).open("thead").open("tr");
  for (const char* name : {"class", "IoU, A %", "IoU, B %", "B − A"}) {
    html.element("th", name, {{"scope", "col"}});
  }
  html.close().close().open("tbody");
  for (std::size_t k = 0; k < comparison.a.classes.size(); ++k) {
    const auto &of_a = a.classes[k].iou, &of_b = b.classes[k].iou;
    html.open("tr").element("th", comparison.a.classes[k], {{"scope", "row"}});
    html.element("td", percent(of_a)).element("td", percent(of_b));
    html.element("td", of_a && of_b ? points(*of_b - *of_a) : "–").close();
  }
  html.close().close().close().close();
}

void write_list(HtmlWriter& html, const std::vector<ComparedPicture>& pictures) {
  html.open("div", {{"class", "wide"}}).open("table", {{"class", "classes"}});
  html.open("thead").open("tr");
  for (const char* name : {"picture", "mean IoU, A %", "mean IoU, B %", "B − A"}) {
    html.element("th", name, {{"scope", "col"}});
  }
  html.close().close().open("tbody");
  std::vector<std::size_t> order = most_changed(pictures);
  order.resize(std::min(order.size(), kListed));
  for (const std::size_t i : order) {
    const ComparedPicture& picture = pictures[i];
    html.open("tr").element("th", picture.name, {{"scope", "row"}});
    html.element("td", percent(picture.a)).element("td", percent(picture.b));
    html.element("td", points(picture.b - picture.a)).close();
  }
  html.close().close().close();
}

/// Where one prediction is right and the other wrong, over the pale picture.
Image draw_difference(const ChangedPicture& changed) {
  const ReportPicture& a = changed.a;
  Image drawn(a.picture.height(), a.picture.width(), 3);
  for (int y = 0; y < drawn.height(); ++y) {
    const auto* from = a.picture.row<std::uint8_t>(y);
    auto* to = drawn.row<std::uint8_t>(y);
    for (int x = 0; x < drawn.width(); ++x, from += 3, to += 3) {
      const std::uint16_t truth = a.truth(y, x);
      const auto grey = static_cast<std::uint8_t>(128 + (from[0] + 2 * from[1] + from[2]) / 8);
      const bool right_a = a.prediction(y, x) == truth,
                 right_b = changed.prediction_b(y, x) == truth;
      Rgb colour{grey, grey, grey};
      if (truth != kIgnoreLabel && !(right_a && right_b)) {
        colour = right_b ? kBetter : right_a ? kWorse : kBothWrong;
      }
      to[0] = colour.r;
      to[1] = colour.g;
      to[2] = colour.b;
    }
  }
  return drawn;
}

void write_changed(HtmlWriter& html, const ChangedPicture& changed, const Palette& palette) {
  const ReportPicture& a = changed.a;
  html.open("div", {{"class", "row"}}).open("h4").text(a.name);
  html.element("small",
               fmt::format("mean IoU {} → {} %", percent(a.score), percent(changed.score_b)))
      .close();
  html.open("div", {{"class", "panels"}});
  const auto panel = [&](const char* caption, const std::string& uri) {
    write_panel(html, a.name, caption, uri, a.picture.width(), a.picture.height());
  };
  panel("source", jpeg_uri(a.picture));
  panel("truth", label_uri(a.truth, palette));
  panel("A", label_uri(a.prediction, palette));
  panel("B", label_uri(changed.prediction_b, palette));
  panel("difference", jpeg_uri(draw_difference(changed)));
  html.close().close();
}

void write_pictures(HtmlWriter& html, const CompareReport& report) {
  html.open("section", {{"id", "pictures"}}).element("h2", "Pictures that changed most");
  if (!report.changed.empty()) {
    const Palette palette = palette_of(report.classes);
    SeenLabels seen(report.classes.size());
    for (const ChangedPicture& changed : report.changed) {
      seen.add(changed.a.truth);
      seen.add(changed.a.prediction);
      seen.add(changed.prediction_b);
    }
    html.open("p", {{"class", "legend"}});
    write_legend_entries(html, seen, report.classes, palette);
    write_legend_entry(html, kBetter, "only B is right");
    write_legend_entry(html, kWorse, "only A is right");
    write_legend_entry(html, kBothWrong, "both are wrong");
    html.close();
    for (const ChangedPicture& changed : report.changed) write_changed(html, changed, palette);
  }
  write_list(html, report.comparison.pictures);
  html.close();
}

}  // namespace

std::vector<std::size_t> most_changed(const std::vector<ComparedPicture>& pictures) {
  std::vector<std::size_t> order(pictures.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [&](std::size_t i) { return std::abs(pictures[i].b - pictures[i].a); });
  return order;
}

std::string verdict(const PairedTest& test) {
  if (test.mean_iou == 0) return "Both have the same mean IoU.";
  const std::string better = test.mean_iou > 0 ? "B" : "A";
  const std::string by = fmt::format("{} is better by {:.2f} points of mean IoU", better,
                                     100 * std::abs(test.mean_iou));
  const std::string times = fmt::format(
      "exchanging the results of pictures at random gives as much in {:.2g} of 100 cases",
      100 * test.p_value);
  return test.p_value < 0.05
             ? by + ", more than chance would explain on these pictures: " + times + "."
             : by + ", which may be chance on these pictures: " + times + ".";
}

std::string compare_report_html(const CompareReport& report) {
  const Comparison& comparison = report.comparison;
  const Scores a = scores_of(comparison.a, comparison.left_out);
  const Scores b = scores_of(comparison.b, comparison.left_out);
  HtmlWriter html;
  open_page(html, report.title);
  html.open("header").element("h1", report.title);
  html.element("p", "A: " + comparison.a.path).element("p", "B: " + comparison.b.path);
  if (!report.subtitle.empty()) html.element("p", report.subtitle, {{"class", "note"}});
  html.close();
  write_result(html, comparison, a, b);
  write_class_table(html, comparison, a, b);
  write_pictures(html, report);
  return std::move(html).finish();
}

void write_compare_report(const std::filesystem::path& path, const CompareReport& report) {
  write_file(path, compare_report_html(report));
}

}  // namespace segmentum
