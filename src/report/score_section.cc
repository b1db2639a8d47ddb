#include <fmt/format.h>

#include <cstddef>

#include "base/counted.h"
#include "metrics/confusion_matrix.h"
#include "report/sections.h"

namespace segmentum {
namespace {

using Score = std::optional<double>;

std::string pictures(std::size_t count) {
  return grouped(static_cast<std::int64_t>(count)) + (count == 1 ? " picture" : " pictures");
}

void write_tile(HtmlWriter& html, const std::string& name, const std::string& value,
                const char* unit, const char* kind = "") {
  html.open("div", {{"class", std::string("tile") + kind}});
  html.open("b").text(value);
  if (*unit != 0) html.element("small", unit);
  html.close().element("span", name).close();
}

void write_means(HtmlWriter& html, const Scores& scores, const EvaluationPart& part) {
  const auto mean = [&](double value) { return scores.pixels > 0 ? Score(value) : Score(); };
  html.open("div", {{"class", "tiles"}});
  write_tile(html, "mean IoU", percent(mean(scores.mean_iou)), "%", " chief");
  write_tile(html, "mean Dice", percent(mean(scores.mean_dice)), "%");
  write_tile(html, "pixel accuracy", percent(mean(scores.pixel_accuracy)), "%");
  write_tile(html, "mean accuracy", percent(mean(scores.mean_accuracy)), "%");
  write_tile(html, "frequency-weighted IoU", percent(mean(scores.frequency_weighted_iou)), "%");
  if (part.boundary) {
    write_tile(html, "boundary F, within " + part.boundary->tolerance().text(),
               percent(segmentum::scores(*part.boundary).mean_f), "%");
  }
  for (const auto& [name, value] : part.more_scores) {
    write_tile(html, name, fmt::format("{:.4g}", value), "");
  }
  html.close();
}

/// A number with a bar of its length behind it.
void write_bar(HtmlWriter& html, const Score& score) {
  html.open("td", {{"class", score ? "bar" : "none"},
                   {"style", score ? fmt::format("--part:{:.4f}", *score) : ""}});
  html.element("span", percent(score)).close();
}

void write_number(HtmlWriter& html, const Score& score) {
  html.element("td", percent(score), {{"class", score ? "" : "none"}});
}

void write_class(HtmlWriter& html, const ClassInfo& info, const ClassScores& scores,
                 std::int64_t pixels) {
  Score share;
  if (scores.truth_pixels > 0) {
    share = static_cast<double>(scores.truth_pixels) / static_cast<double>(pixels);
  }
  html.open("tr").open("th", {{"scope", "row"}});
  write_swatch(html, info.colour);
  html.text(info.name).close();
  write_bar(html, scores.iou);
  write_number(html, scores.dice);
  write_number(html, scores.accuracy);
  write_number(html, scores.precision);
  write_number(html, share);
  html.element("td", grouped(scores.truth_pixels), {{"class", "pixels"}}).close();
}

void write_classes(HtmlWriter& html, const Scores& scores, const EvaluationPart& part) {
  html.element("h3", "Classes").open("div", {{"class", "wide"}});
  html.open("table", {{"class", "classes"}}).open("thead").open("tr");
  html.element("th", "class", {{"scope", "col"}});
  for (const char* name :
       {"IoU %", "Dice %", "accuracy %", "precision %", "share of pixels %", "pixels"}) {
    html.element("th", name, {{"scope", "col"}});
  }
  html.close().close().open("tbody");
  bool absent = false;
  for (std::size_t k = 0; k < part.classes.size(); ++k) {
    write_class(html, part.classes[k], scores.classes[k], scores.pixels);
    absent = absent || scores.classes[k].truth_pixels == 0;
  }
  html.close().close().close();
  std::string note =
      "IoU = right / (true + predicted − right). Dice = 2 right / (true + predicted). Accuracy: "
      "the "
      "part of a class that was found. Precision: the part of its predictions that is right. "
      "Ignored pixels count nowhere.";
  if (absent) {
    note +=
        " A class without pixels, true or predicted, has no score (–) and is in no mean; one that "
        "is predicted but never true has an IoU of 0.";
  }
  html.element("p", note, {{"class", "note"}});
}

void write_failures(HtmlWriter& html, const std::vector<std::string>& failures) {
  if (failures.empty()) return;
  html.open("details", {{"class", "warning"}});
  html.element("summary",
               pictures(failures.size()) + " left out: not readable, or not to be segmented");
  html.open("ul");
  for (const std::string& failure : failures) html.element("li", failure);
  html.close().close();
}

}  // namespace

void write_scores(HtmlWriter& html, const EvaluationPart& part) {
  const Scores split = scores(part.evaluation.matrix);
  html.open("section", {{"id", "scores"}}).element("h2", "Scores");
  html.open("p", {{"class", "facts"}});
  if (!part.data.empty()) html.element("b", part.data).text(" · ");
  html.text(fmt::format("{} · {} labelled pixels · {}", pictures(part.evaluation.images.size()),
                        grouped(split.pixels), counted(part.classes.size(), "class")));
  html.close();
  write_means(html, split, part);
  write_failures(html, part.evaluation.failures);
  write_classes(html, split, part);
  if (part.trimap) {
    const std::pair<std::string, const TrimapCounts*> curve{"", &*part.trimap};
    write_trimaps(html, {&curve, 1});
  }
  html.close();
}

}  // namespace segmentum
