#include "report/training_run.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/file.h"
#include "segmentum/error.h"
#include "train/config.h"

namespace segmentum {
namespace {

using Json = nlohmann::ordered_json;

/// JSON has no infinities: a loss that was none is written as null.
double number(const Json& line, const char* key) {
  const Json& value = line.at(key);
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

StepRecord step_of(const Json& line) {
  return {.step = line.at("step").get<std::int64_t>(),
          .epoch = line.at("epoch").get<std::int64_t>(),
          .loss = number(line, "loss"),
          .lr = number(line, "lr"),
          .gradient_norm = number(line, "gradient_norm"),
          .images_per_second = number(line, "images_per_second"),
          .loader_wait_seconds = number(line, "loader_wait_seconds")};
}

std::optional<double> score(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

ValidationRecord validation_of(const Json& line) {
  ValidationRecord record{.step = line.at("step").get<std::int64_t>(),
                          .epoch = line.at("epoch").get<std::int64_t>(),
                          .best = line.at("best").get<bool>(),
                          .seconds = number(line, "seconds")};
  record.scores.mean_iou = number(line, "mean_iou");
  record.scores.pixel_accuracy = number(line, "pixel_accuracy");
  record.scores.mean_accuracy = number(line, "mean_accuracy");
  record.scores.mean_dice = number(line, "mean_dice");
  for (const auto& [name, iou] : line.at("iou").items()) {
    record.scores.classes.push_back({.iou = score(iou), .dice = score(line.at("dice").at(name))});
  }
  return record;
}

void read_line(TrainingRun& run, std::string_view text) {
  const Json line = Json::parse(text);
  const auto event = line.at("event").get<std::string>();
  if (event == "step") run.steps.push_back(step_of(line));
  if (event != "validation") return;
  run.validations.push_back(validation_of(line));
  run.classes.clear();
  for (const auto& item : line.at("iou").items()) run.classes.push_back(item.key());
}

void read_log(TrainingRun& run, const std::filesystem::path& path) {
  const std::string text = read_file(path);
  std::size_t begin = 0;
  for (int number = 1;; ++number) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) return;
    try {
      read_line(run, std::string_view(text).substr(begin, end - begin));
    } catch (const Json::exception&) {
      throw Error::in_file(fmt::format("{}:{}", path.string(), number),
                           "is no line of a training log");
    }
    begin = end + 1;
  }
}

template <typename Number>
std::string decided(const std::optional<Number>& value) {
  return value ? fmt::format("{}", *value) : "auto";
}

std::string word(ScheduleKind kind) {
  return kind == ScheduleKind::poly ? "poly" : kind == ScheduleKind::cosine ? "cosine" : "constant";
}

std::string word(WeightRule rule) {
  return rule == WeightRule::none               ? "none"
         : rule == WeightRule::median_frequency ? "median frequency"
                                                : "ENet";
}

std::vector<std::pair<std::string, std::string>> settings_of(const TrainConfig& config) {
  std::string network = config.architecture.value_or("unet");
  for (const auto& [name, value] : config.model) network += fmt::format(", {} {}", name, value);
  const bool adamw = config.optimizer.kind == OptimizerKind::adamw;
  return {
      {"network", network},
      {"weights at the start", config.init.empty() ? "random" : config.init},
      {"frozen", config.freeze.empty() ? "nothing" : config.freeze},
      {"steps", decided(config.steps)},
      {"batch",
       fmt::format(
           "{} crops of {}²{}", config.batch, config.crop,
           config.accumulate > 1 ? fmt::format(", {} batches a step", config.accumulate) : "")},
      {"optimizer", fmt::format("{}, weight decay {:g}", adamw ? "AdamW" : "SGD",
                                config.optimizer.weight_decay)},
      {"learning rate", fmt::format("{:g}, {}, warm-up of {} steps", config.lr,
                                    word(config.schedule), decided(config.warmup_steps))},
      {"class weights", config.class_weights ? word(*config.class_weights) : "auto"},
      {"weight average", config.ema_decay == 0.0 ? "none" : "decay " + decided(config.ema_decay)},
      {"augmentation",
       fmt::format("scale {:g} to {:g}, rotation ±{:g}°, flips: {:g} horizontal, {:g} vertical",
                   config.augment.scale_min, config.augment.scale_max,
                   config.augment.rotation_degrees, config.augment.flip_horizontal,
                   config.augment.flip_vertical)},
      {"seed", fmt::format("{}", config.seed)},
      {"threads", config.threads == 0 ? "all" : fmt::format("{}", config.threads)}};
}

}  // namespace

TrainingRun read_training_run(const std::filesystem::path& run_folder) {
  const std::filesystem::path config_file = run_folder / "config.toml";
  const std::filesystem::path log_file = run_folder / "log.jsonl";
  const bool has_config = std::filesystem::exists(config_file);
  const bool has_log = std::filesystem::exists(log_file);
  if (!has_config && !has_log) {
    throw Error::in_file(run_folder.string(),
                         "holds neither config.toml nor log.jsonl; expected the folder of a "
                         "training");
  }
  TrainingRun run;
  if (has_config) {
    run.config_text = read_file(config_file);
    TrainConfig config;
    read_train_config(config, run.config_text, config_file.string());
    run.settings = settings_of(config);
  }
  if (has_log) read_log(run, log_file);
  return run;
}

}  // namespace segmentum
