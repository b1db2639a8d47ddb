#include "report/report.h"

#include <fmt/format.h>

#include <string_view>

#include "base/file.h"
#include "metrics/score_table.h"
#include "report/sections.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Tells the browser itself to load nothing and run nothing.
constexpr std::string_view kNothingFromOutside =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

}  // namespace

void write_page_head(HtmlWriter& html, const std::string& title) {
  html.raw("<!DOCTYPE html>\n").open("html", {{"lang", "en"}}).open("head");
  html.empty("meta", {{"charset", "utf-8"}});
  html.empty("meta", {{"http-equiv", "Content-Security-Policy"}, {"content", kNothingFromOutside}});
  html.empty("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  html.empty("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
  html.element("title", title);
  html.open("style").raw(page_style()).close().close();
}

namespace {

/// What the page is about, in a line.
std::string model_line(const ModelFacts& model) {
  std::string line = model.architecture;
  for (const auto& [name, value] : model.settings) line += fmt::format(", {} {}", name, value);
  return line + " · " + grouped(model.parameters) + " parameters";
}

void write_header(HtmlWriter& html, const Report& report) {
  html.open("header").element("h1", report.title);
  if (report.model) html.element("p", model_line(*report.model));
  if (!report.subtitle.empty()) html.element("p", report.subtitle, {{"class", "note"}});
  html.close();
}

void check_classes(const EvaluationPart& part) {
  const auto rows = static_cast<std::size_t>(part.evaluation.matrix.classes());
  if (rows == part.classes.size()) return;
  throw Error(
      fmt::format("a report needs a name for each class: the confusion matrix has {}, the "
                  "list of classes {}",
                  rows, part.classes.size()));
}

}  // namespace

void write_model(HtmlWriter& html, const ModelFacts& model) {
  html.open("section", {{"id", "model"}}).element("h2", "Model").open("dl");
  html.element("dt", "architecture").element("dd", model.architecture);
  for (const auto& [name, value] : model.settings) html.element("dt", name).element("dd", value);
  html.element("dt", "parameters").element("dd", grouped(model.parameters)).close();
  if (!model.provenance.empty()) {
    html.element("h3", "Provenance").open("dl");
    for (const auto& [name, value] : model.provenance) {
      std::string words = name;
      for (char& letter : words) letter = letter == '_' ? ' ' : letter;
      html.element("dt", words).element("dd", value);
    }
    html.close();
  }
  html.close();
}

std::string grouped(std::int64_t number) {
  std::string text = fmt::format("{}", number);
  const std::size_t first_digit = number < 0 ? 1 : 0;
  for (std::size_t place = text.size(); place > first_digit + 3;) {
    place -= 3;
    text.insert(place, ",");
  }
  return text;
}

std::string percent(const std::optional<double>& score) {
  return score ? fmt::format("{:.2f}", 100 * *score) : "–";
}

void write_swatch(HtmlWriter& html, Rgb colour) {
  html.raw(fmt::format("<i class=\"swatch\" style=\"background:#{:02x}{:02x}{:02x}\"></i>",
                       colour.r, colour.g, colour.b));
}

std::string report_html(const Report& report) {
  if (report.evaluation) check_classes(*report.evaluation);
  HtmlWriter html;
  write_page_head(html, report.title);
  html.open("body").open("main");
  write_header(html, report);
  if (report.evaluation) {
    write_scores(html, *report.evaluation);
    write_confusion(html, report.evaluation->evaluation.matrix, report.evaluation->classes);
    write_pictures(html, *report.evaluation);
  }
  if (report.training) write_training(html, *report.training);
  if (report.model) write_model(html, *report.model);
  return std::move(html).finish();
}

void write_report(const std::filesystem::path& path, const Report& report) {
  write_file(path, report_html(report));
}

void write_image_scores_csv(const std::filesystem::path& path, std::span<const ImageScores> images,
                            std::span<const ClassInfo> classes) {
  std::string text = score_csv_header(classes);
  for (const ImageScores& image : images) text += score_csv_row(image.name, image.scores);
  write_file(path, text);
}

}  // namespace segmentum
