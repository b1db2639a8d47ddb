#include "cli/train_seeds.h"

#include <fmt/format.h>

#include <algorithm>

#include "metrics/spread.h"

namespace segmentum {
namespace {

std::vector<double> mean_ious(std::span<const SeedRun> runs) {
  std::vector<double> values;
  for (const SeedRun& run : runs) {
    if (run.mean_iou) values.push_back(*run.mean_iou);
  }
  return values;
}

/// The IoU of a class in the runs that score it.
std::vector<double> class_ious(std::span<const SeedRun> runs, std::size_t k) {
  std::vector<double> values;
  for (const SeedRun& run : runs) {
    if (run.scores && run.scores->classes[k].iou) values.push_back(*run.scores->classes[k].iou);
  }
  return values;
}

std::string line_of(const std::string& name, std::size_t width, std::span<const double> values) {
  if (values.empty()) return "";
  const Spread spread = spread_of(values);
  return fmt::format("{:<{}}{:>10.2f} ± {:.2f}  [{:.2f}, {:.2f}]\n", name, width, 100 * spread.mean,
                     100 * spread.deviation, 100 * spread.low, 100 * spread.high);
}

JsonObject json_of(std::span<const double> values) {
  const Spread spread = spread_of(values);
  return JsonObject()
      .set("runs", spread.count)
      .set("mean", spread.mean)
      .set("deviation", spread.deviation)
      .set("low", spread.low)
      .set("high", spread.high);
}

}  // namespace

std::string seed_table(std::span<const SeedRun> runs, std::span<const ClassInfo> classes) {
  std::size_t width = 16;
  for (const ClassInfo& info : classes) width = std::max(width, info.name.size() + 2);
  std::string text;
  for (const SeedRun& run : runs) {
    text += fmt::format(
        "{:<{}}{}  {}\n", fmt::format("seed {}", run.seed), width,
        run.mean_iou ? fmt::format("{:>10.2f}", 100 * *run.mean_iou) : std::string(9, ' ') + "–",
        run.folder.string());
  }
  const std::vector<double> means = mean_ious(runs);
  if (means.empty()) return text;
  text += "\nin %, mean ± standard deviation over seeds [lowest, highest]\n";
  text += line_of("mean IoU", width, means);
  for (std::size_t k = 0; k < classes.size(); ++k) {
    text += line_of("  " + classes[k].name, width, class_ious(runs, k));
  }
  return text;
}

JsonObject seed_json(std::span<const SeedRun> runs, std::span<const ClassInfo> classes) {
  std::vector<JsonObject> list;
  for (const SeedRun& run : runs) {
    list.push_back(JsonObject()
                       .set("seed", run.seed)
                       .set("folder", run.folder.string())
                       .set("mean_iou", run.mean_iou));
  }
  JsonObject iou;
  for (std::size_t k = 0; k < classes.size(); ++k) {
    const std::vector<double> values = class_ious(runs, k);
    if (!values.empty()) iou.set(classes[k].name, json_of(values));
  }
  return JsonObject().set("runs", list).set("mean_iou", json_of(mean_ious(runs))).set("iou", iou);
}

}  // namespace segmentum
