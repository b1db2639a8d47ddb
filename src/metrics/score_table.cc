#include "metrics/score_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using Score = std::optional<double>;

void check_names(const Scores& scores, std::span<const ClassInfo> classes) {
  if (scores.classes.size() != classes.size()) {
    throw Error(fmt::format("scores of {} classes but {} class names", scores.classes.size(),
                            classes.size()));
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

nlohmann::ordered_json json_of(const Score& score) {
  return score ? nlohmann::ordered_json(*score) : nlohmann::ordered_json(nullptr);
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace

std::string score_table(const Scores& scores, std::span<const ClassInfo> classes) {
  check_names(scores, classes);
  std::size_t width = sizeof("frequency-weighted IoU") - 1;
  for (const ClassInfo& info : classes) width = std::max(width, shown_width(info.name));

  std::string text =
      left("class, in %", width) + fmt::format("{:>10}{:>10}{:>10}{:>10}{:>10}\n", "pixels", "IoU",
                                               "Dice", "accuracy", "precision");
  for (std::size_t k = 0; k < classes.size(); ++k) {
    const ClassScores& of_class = scores.classes[k];
    Score share;
    if (of_class.truth_pixels > 0) {
      share = static_cast<double>(of_class.truth_pixels) / static_cast<double>(scores.pixels);
    }
    text += left(classes[k].name, width) + percent(share) + percent(of_class.iou) +
            percent(of_class.dice) + percent(of_class.accuracy) + percent(of_class.precision) +
            '\n';
  }
  const std::pair<const char*, double> means[] = {
      {"mean IoU", scores.mean_iou},
      {"mean Dice", scores.mean_dice},
      {"mean accuracy", scores.mean_accuracy},
      {"pixel accuracy", scores.pixel_accuracy},
      {"frequency-weighted IoU", scores.frequency_weighted_iou}};
  text += '\n';
  for (const auto& [name, value] : means) text += left(name, width) + percent(value) + '\n';
  return text;
}

std::string score_json(const Scores& scores, std::span<const ClassInfo> classes) {
  check_names(scores, classes);
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
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
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
