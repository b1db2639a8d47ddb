#include "metrics/score_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using Score = std::optional<double>;

void check_names(std::size_t scored, std::span<const ClassInfo> classes) {
  if (scored != classes.size()) {
    throw Error(fmt::format("scores of {} classes but {} class names", scored, classes.size()));
  }
}

// Characters that a terminal shows: UTF-8 bytes that do not continue one.
std::size_t shown_width(const std::string& text) {
  return std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
}

std::string left(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, shown_width(text)), ' ');
}

std::string percent(const Score& score) {
  constexpr std::size_t kWidth = 10;
  const std::string text = score ? fmt::format("{:.2f}", 100 * *score) : "–";
  return std::string(kWidth - shown_width(text), ' ') + text;
}

std::string interval_text(const std::optional<ScoreInterval>& interval) {
  if (!interval) return "";
  return fmt::format("  [{:.2f}, {:.2f}]", 100 * interval->low, 100 * interval->high);
}

nlohmann::ordered_json json_of(const ScoreInterval& interval) {
  return {interval.low, interval.high};
}

nlohmann::ordered_json json_of(const Score& score) {
  return score ? nlohmann::ordered_json(*score) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json json_of(const std::optional<ScoreInterval>& interval) {
  return interval ? json_of(*interval) : nlohmann::ordered_json(nullptr);
}

std::string text_of(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

/// As wide as the names of classes and the words below them need it.
std::size_t name_width(std::span<const ClassInfo> classes, const std::string& longest_word) {
  std::size_t width = longest_word.size();
  for (const ClassInfo& info : classes) width = std::max(width, shown_width(info.name));
  return width;
}

/// Dense where the curve bends.
constexpr std::array kTabledWidths{1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40};

Score where_counted(const TrimapPoint& point, double score) {
  return point.pixels > 0 ? Score(score) : Score();
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace

std::string score_table(const Scores& scores, std::span<const ClassInfo> classes,
                        const ScoreIntervals* intervals) {
  check_names(scores.classes.size(), classes);
  const std::size_t width = name_width(classes, "frequency-weighted IoU");
  std::string text =
      left("class, in %", width) + fmt::format("{:>10}{:>10}{:>10}{:>10}{:>10}", "pixels", "IoU",
                                               "Dice", "accuracy", "precision");
  if (intervals) text += fmt::format("  IoU, {:g} % of resamples", 100 * intervals->options.level);
  text += '\n';
  for (std::size_t k = 0; k < classes.size(); ++k) {
    const ClassScores& of_class = scores.classes[k];
    Score share;
    if (of_class.truth_pixels > 0) {
      share = static_cast<double>(of_class.truth_pixels) / static_cast<double>(scores.pixels);
    }
    text += left(classes[k].name, width) + percent(share) + percent(of_class.iou) +
            percent(of_class.dice) + percent(of_class.accuracy) + percent(of_class.precision) +
            (intervals ? interval_text(intervals->iou.at(k)) : "") + '\n';
  }
  struct Mean {
    const char* name;
    double value;
    ScoreInterval ScoreIntervals::*interval;
  };
  const Mean means[] = {{"mean IoU", scores.mean_iou, &ScoreIntervals::mean_iou},
                        {"mean Dice", scores.mean_dice, &ScoreIntervals::mean_dice},
                        {"mean accuracy", scores.mean_accuracy, &ScoreIntervals::mean_accuracy},
                        {"pixel accuracy", scores.pixel_accuracy, &ScoreIntervals::pixel_accuracy},
                        {"frequency-weighted IoU", scores.frequency_weighted_iou,
                         &ScoreIntervals::frequency_weighted_iou}};
  text += '\n';
  for (const Mean& mean : means) {
    text += left(mean.name, width) + percent(mean.value) +
            (intervals ? interval_text(intervals->*mean.interval) : "") + '\n';
  }
  return text;
}

std::string score_json(const Scores& scores, std::span<const ClassInfo> classes) {
  check_names(scores.classes.size(), classes);
  nlohmann::ordered_json json = {{"pixels", scores.pixels},
                                 {"pixel_accuracy", scores.pixel_accuracy},
                                 {"mean_accuracy", scores.mean_accuracy},
                                 {"mean_iou", scores.mean_iou},
                                 {"frequency_weighted_iou", scores.frequency_weighted_iou},
                                 {"mean_dice", scores.mean_dice},
                                 {"classes", nlohmann::ordered_json::array()}};
  for (std::size_t k = 0; k < classes.size(); ++k) {
    const ClassScores& of_class = scores.classes[k];
    json["classes"].push_back({{"name", classes[k].name},
                               {"truth_pixels", of_class.truth_pixels},
                               {"predicted_pixels", of_class.predicted_pixels},
                               {"iou", json_of(of_class.iou)},
                               {"dice", json_of(of_class.dice)},
                               {"accuracy", json_of(of_class.accuracy)},
                               {"precision", json_of(of_class.precision)}});
  }
  return text_of(json);
}

std::string interval_json(const ScoreIntervals& intervals, std::span<const ClassInfo> classes) {
  check_names(intervals.iou.size(), classes);
  nlohmann::ordered_json iou = nlohmann::ordered_json::object();
  for (std::size_t k = 0; k < classes.size(); ++k) {
    iou[classes[k].name] = json_of(intervals.iou[k]);
  }
  return text_of({{"resamples", intervals.options.resamples},
                  {"level", intervals.options.level},
                  {"seed", intervals.options.seed},
                  {"mean_iou", json_of(intervals.mean_iou)},
                  {"mean_dice", json_of(intervals.mean_dice)},
                  {"mean_accuracy", json_of(intervals.mean_accuracy)},
                  {"pixel_accuracy", json_of(intervals.pixel_accuracy)},
                  {"frequency_weighted_iou", json_of(intervals.frequency_weighted_iou)},
                  {"iou", iou}});
}

std::string boundary_table(const BoundaryCounts& counts, std::span<const ClassInfo> classes,
                           const BoundaryIntervals* intervals) {
  const BoundaryScores of = scores(counts);
  check_names(of.classes.size(), classes);
  const std::size_t width = name_width(classes, "frequency-weighted IoU");
  const std::string gap(5, ' ');
  std::string text =
      left("borders, in %", width) +
      fmt::format("{:>10}{:>10}{:>10}{:>15}\n", "F", "precision", "recall", "F of pictures");
  for (std::size_t k = 0; k < classes.size(); ++k) {
    const BoundaryClassScores& one = of.classes[k];
    text += left(classes[k].name, width) + percent(one.f) + percent(one.precision) +
            percent(one.recall) + gap + percent(one.f_of_pictures);
    if (intervals) {
      text += interval_text(intervals->f.at(k)) + interval_text(intervals->f_of_pictures.at(k));
    }
    text += '\n';
  }
  const std::optional<ScoreInterval> none;
  return text + '\n' + left("mean boundary F", width) + percent(of.mean_f) +
         interval_text(intervals ? intervals->mean_f : none) + "  within " +
         counts.tolerance().text() + '\n' + left("mean of pictures (BF)", width) +
         percent(of.mean_f_of_pictures) +
         interval_text(intervals ? intervals->mean_f_of_pictures : none) + '\n';
}

std::string boundary_json(const BoundaryCounts& counts, std::span<const ClassInfo> classes,
                          const BoundaryIntervals* intervals) {
  const BoundaryScores of = scores(counts);
  check_names(of.classes.size(), classes);
  nlohmann::ordered_json json = {{"tolerance", counts.tolerance().text()},
                                 {"mean_f", json_of(of.mean_f)},
                                 {"mean_f_of_pictures", json_of(of.mean_f_of_pictures)}};
  if (intervals) {
    json["intervals"] = {{"mean_f", json_of(intervals->mean_f)},
                         {"mean_f_of_pictures", json_of(intervals->mean_f_of_pictures)}};
  }
  json["classes"] = nlohmann::ordered_json::array();
  for (std::size_t k = 0; k < classes.size(); ++k) {
    nlohmann::ordered_json of_class = {{"name", classes[k].name},
                                       {"f", json_of(of.classes[k].f)},
                                       {"precision", json_of(of.classes[k].precision)},
                                       {"recall", json_of(of.classes[k].recall)},
                                       {"f_of_pictures", json_of(of.classes[k].f_of_pictures)},
                                       {"truth_border_pixels", counts.classes()[k].truth},
                                       {"predicted_border_pixels", counts.classes()[k].predicted}};
    if (intervals) {
      of_class["intervals"] = {{"f", json_of(intervals->f.at(k))},
                               {"f_of_pictures", json_of(intervals->f_of_pictures.at(k))}};
    }
    json["classes"].push_back(std::move(of_class));
  }
  return text_of(json);
}

std::string trimap_table(const TrimapCounts& counts, const TrimapIntervals* intervals) {
  std::string text =
      fmt::format("{:>19}{:>16}{:>16}", "band around borders", "pixel accuracy", "mean IoU");
  if (intervals) text += "  intervals of both";
  text += '\n';
  for (const TrimapPoint& point : trimap_curve(counts)) {
    if (std::ranges::find(kTabledWidths, point.width_px) == kTabledWidths.end()) continue;
    text += fmt::format("{:>16} px", point.width_px) + "      " +
            percent(where_counted(point, point.pixel_accuracy)) + "      " +
            percent(where_counted(point, point.mean_iou));
    if (intervals) {
      const auto i = static_cast<std::size_t>(point.width_px) - 1;
      text +=
          interval_text(intervals->pixel_accuracy.at(i)) + interval_text(intervals->mean_iou.at(i));
    }
    text += '\n';
  }
  return text;
}

std::string trimap_json(const TrimapCounts& counts, const TrimapIntervals* intervals) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const TrimapPoint& point : trimap_curve(counts)) {
    nlohmann::ordered_json band = {
        {"width_px", point.width_px},
        {"pixels", point.pixels},
        {"pixel_accuracy", json_of(where_counted(point, point.pixel_accuracy))},
        {"mean_iou", json_of(where_counted(point, point.mean_iou))}};
    if (intervals) {
      const auto i = static_cast<std::size_t>(point.width_px) - 1;
      band["intervals"] = {{"pixel_accuracy", json_of(intervals->pixel_accuracy.at(i))},
                           {"mean_iou", json_of(intervals->mean_iou.at(i))}};
    }
    json.push_back(std::move(band));
  }
  return text_of(json);
}

std::string score_csv_header(std::span<const ClassInfo> classes) {
  std::string line = "image,pixels,pixel_accuracy,mean_iou";
  for (const ClassInfo& info : classes) line += ',' + csv_field("iou " + info.name);
  return line + '\n';
}

std::string score_csv_row(const std::string& image, const Scores& scores) {
  std::string line = csv_field(image) + fmt::format(",{}", scores.pixels);
  line += scores.pixels > 0 ? fmt::format(",{:.6f},{:.6f}", scores.pixel_accuracy, scores.mean_iou)
                            : ",,";
  for (const ClassScores& of_class : scores.classes) {
    line += of_class.iou ? fmt::format(",{:.6f}", *of_class.iou) : ",";
  }
  return line + '\n';
}

}  // namespace segmentum
