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

std::string note_of(const EvaluationPart& part, ScoreInterval ScoreIntervals::*interval) {
  return part.intervals ? percent(*part.intervals.*interval) : "";
}

void write_more_scores(HtmlWriter& html, const EvaluationPart& part) {
  for (const auto& [name, value] : part.more_scores) {
    const auto found = part.more_intervals.find(name);
    const std::string note =
        found == part.more_intervals.end()
            ? ""
            : fmt::format("{:.4g} to {:.4g}", found->second.low, found->second.high);
    write_tile(html, name, fmt::format("{:.4g}", value), "", "", note);
  }
}

void write_boundary(HtmlWriter& html, const BoundaryCounts& counts,
                    const BoundaryIntervals& intervals) {
  const BoundaryScores of = scores(counts);
  const auto note = [](const std::optional<ScoreInterval>& interval) {
    return interval ? percent(*interval) : "";
  };
  write_tile(html, "boundary F, within " + counts.tolerance().text(), percent(of.mean_f), "%", "",
             note(intervals.mean_f));
  write_tile(html, "boundary F, mean of pictures (BF)", percent(of.mean_f_of_pictures), "%", "",
             note(intervals.mean_f_of_pictures));
}

void write_means(HtmlWriter& html, const Scores& scores, const EvaluationPart& part) {
  struct Mean {
    const char* name;
    double value;
    ScoreInterval ScoreIntervals::*interval;
  };
  const Mean means[] = {{"mean IoU", scores.mean_iou, &ScoreIntervals::mean_iou},
                        {"mean Dice", scores.mean_dice, &ScoreIntervals::mean_dice},
                        {"pixel accuracy", scores.pixel_accuracy, &ScoreIntervals::pixel_accuracy},
                        {"mean accuracy", scores.mean_accuracy, &ScoreIntervals::mean_accuracy},
                        {"frequency-weighted IoU", scores.frequency_weighted_iou,
                         &ScoreIntervals::frequency_weighted_iou}};
  html.open("div", {{"class", "tiles"}});
  const char* kind = " chief";
  for (const Mean& mean : means) {
    const Score score = scores.pixels > 0 ? Score(mean.value) : Score();
    write_tile(html, mean.name, percent(score), "%", kind, note_of(part, mean.interval));
    kind = "";
  }
  if (part.boundary) {
    write_boundary(html, *part.boundary,
                   part.boundary_intervals ? *part.boundary_intervals : BoundaryIntervals());
  }
  write_more_scores(html, part);
  html.close();
  if (!part.intervals) return;
  html.element(
      "p",
      fmt::format("Below a score: where {:g} % of {} resamples lie that draw pictures of "
                  "this split anew, with replacement (bootstrap). Pictures that are alike, "
                  "such as frames of one video, make it too narrow.",
                  100 * part.intervals->options.level, part.intervals->options.resamples),
      {{"class", "note"}});
}

/// By whose rules the scores were taken, and those that it is known by.
void write_protocol(HtmlWriter& html, const EvaluationPart& part) {
  if (!part.protocol) return;
  html.open("p", {{"class", "note"}}).element("b", "Protocol " + part.protocol->name);
  html.text(": " + part.protocol->about + ". " + part.protocol->source + ".").close();
  html.open("p");
  std::string line;
  for (const auto& [name, value] : protocol_scores(part)) {
    line += fmt::format("{}{} {:.4f}", line.empty() ? "" : " · ", name, value);
  }
  html.text(line).close();
  const std::string exchanged =
      exchanged_classes(*part.protocol, part.classes, scores(part.evaluation.matrix));
  if (!exchanged.empty()) html.element("p", exchanged, {{"class", "warning"}});
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
                 std::int64_t pixels, const std::optional<ScoreInterval>& interval) {
  Score share;
  if (scores.truth_pixels > 0) {
    share = static_cast<double>(scores.truth_pixels) / static_cast<double>(pixels);
  }
  html.open("tr").open("th", {{"scope", "row"}});
  write_swatch(html, info.colour);
  html.text(info.name);
  if (interval) html.element("small", " " + percent(*interval));
  html.close();
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
    write_class(html, part.classes[k], scores.classes[k], scores.pixels,
                part.intervals ? part.intervals->iou.at(k) : std::nullopt);
    absent = absent || scores.classes[k].truth_pixels == 0;
  }
  html.close().close().close();
  std::string note = part.intervals ? "Behind a class: the interval of its IoU. " : "";
  note +=
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
  write_protocol(html, part);
  write_means(html, split, part);
  write_failures(html, part.evaluation.failures);
  write_classes(html, split, part);
  if (part.trimap) {
    const std::pair<std::string, const TrimapCounts*> curve{"", &*part.trimap};
    write_trimaps(html, {&curve, 1});
  }
  write_details(html, part);
  html.close();
}

std::string percent(const ScoreInterval& interval) {
  return fmt::format("{:.2f} to {:.2f}", 100 * interval.low, 100 * interval.high);
}

void write_tile(HtmlWriter& html, const std::string& name, const std::string& value,
                const char* unit, const char* kind, const std::string& note) {
  html.open("div", {{"class", std::string("tile") + kind}});
  html.open("b").text(value);
  if (*unit != 0) html.element("small", unit);
  html.close();
  if (!note.empty()) html.element("small", note);
  html.element("span", name).close();
}

}  // namespace segmentum
