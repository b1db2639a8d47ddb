// The parts of a report, each as one <section> of the page.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "report/html.h"
#include "report/report.h"

namespace segmentum {

/// The style sheet of the page; it refers to nothing outside of itself.
std::string_view page_style();

/// Everything up to the first element of the page's body.
void open_page(HtmlWriter& html, const std::string& title);

/// Means over the split as large numbers; then one line for each class.
void write_scores(HtmlWriter& html, const EvaluationPart& part);

/// How sure the network was and how often it was right; precision of objects. Nothing where neither
/// was counted.
void write_details(HtmlWriter& html, const EvaluationPart& part);

/// Pixel accuracy and mean IoU near borders, a curve for each of the named counts.
void write_trimaps(HtmlWriter& html,
                   std::span<const std::pair<std::string, const TrimapCounts*>> named);

/// What was taken for what: a heat map whose rows are true classes, and the commonest mistakes.
void write_confusion(HtmlWriter& html, const ConfusionMatrix& matrix,
                     std::span<const ClassInfo> classes);

/// The best and worst pictures: source, truth, prediction, errors.
void write_pictures(HtmlWriter& html, const EvaluationPart& part);

/// Curves and settings of a training.
void write_training(HtmlWriter& html, const TrainingRun& run);

/// Architecture and provenance.
void write_model(HtmlWriter& html, const ModelFacts& model);

/// 1234567 as "1,234,567".
std::string grouped(std::int64_t number);

/// 0.12345 as "12.35", "–" where there is no score.
std::string percent(const std::optional<double>& score);

/// "12.35 to 14.02", in percent.
std::string percent(const ScoreInterval& interval);

/// A number of the page with its name below; `note` stands between them, small, or is empty.
void write_tile(HtmlWriter& html, const std::string& name, const std::string& value,
                const char* unit, const char* kind = "", const std::string& note = "");

/// A square in the colour of a class.
void write_swatch(HtmlWriter& html, Rgb colour);

}  // namespace segmentum
