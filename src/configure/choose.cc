#include "configure/choose.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/threads.h"
#include "configure/pace.h"
#include "graph/analysis.h"
#include "models/registry.h"
#include "segmentum/error.h"
#include "train/memory_forecast.h"

namespace segmentum {
namespace {

constexpr const char* kUnet = "unet";
constexpr const char* kHypercolumn = "hypercolumn";
constexpr std::array kWidths{16, 24, 32, 48, 64};
constexpr int kMostDepth = 6;
// A plan takes more than its values once, which is what the forecast counts: gradients, scratch.
constexpr double kPlanOverForecast = 2;

constexpr std::array<std::string_view, 19> kChosen{"minutes",
                                                   "architecture",
                                                   "model.layers",
                                                   "crop",
                                                   "model.depth",
                                                   "model.width",
                                                   "batch",
                                                   "loss",
                                                   "class_weights",
                                                   "cache_mb",
                                                   "augment.scale_min",
                                                   "augment.scale_max",
                                                   "augment.class_crop",
                                                   "augment.flip_horizontal",
                                                   "augment.flip_vertical",
                                                   "augment.rotation_degrees",
                                                   "augment.brightness",
                                                   "augment.contrast",
                                                   "augment.saturation"};

class Chooser {
 public:
  Chooser(const Dataset& dataset, const TrainConfig& config, const std::set<std::string>& given,
          Executor& executor, ProgressSink& progress)
      : dataset_(dataset),
        config_(config),
        given_(given),
        executor_(executor),
        progress_(progress) {}

  std::vector<Choice> choose() {
    if (!has_something_to_choose()) return {};
    const ThreadsInScope threads_of_the_run(config_.threads);
    profile_ = profile_data(dataset_, config_.train_split, progress_);
    if (profile_.looked_at == 0) return {};
    choose_length();
    choose_step();
    choose_network();
    choose_crop_in_time();
    choose_batch();
    fit_memory();
    take_all(augmentation(profile_, passes(profile_, crops(), config_.crop)));
    take_all(loss_of_shares(profile_));
    if (available_) take_all(picture_cache(profile_, *available_, config_.cache_mb));
    return std::move(choices_);
  }

 private:
  bool is_open(const std::string& key) const { return !given_.contains(key); }

  bool has_length() const { return config_.steps || config_.minutes || config_.epochs; }

  bool has_network_settings() const {
    return std::ranges::any_of(given_,
                               [](const std::string& key) { return key.starts_with("model."); });
  }

  bool has_something_to_choose() const {
    const auto open = [&](std::string_view key) {
      if (key == "minutes" && has_length()) return false;
      if (key.starts_with("model.") && has_network_settings()) return false;
      return is_open(std::string(key));
    };
    if (std::ranges::none_of(kChosen, open)) return false;
    if (!dataset_.splits.contains(config_.train_split) || dataset_.class_count() < 2) return false;
    return !box_crop(architecture(), {.settings = config_.model});
  }

  std::string architecture() const { return config_.architecture.value_or(kUnet); }

  void take(const Choice& choice) {
    if (!is_open(choice.key)) return;
    set_option(config_, choice.key, choice.value);
    const auto before = std::ranges::find(choices_, choice.key, &Choice::key);
    if (before == choices_.end()) {
      choices_.push_back(choice);
    } else {
      *before = choice;
    }
  }
  void take(const std::string& key, const Reasoned<int>& value) {
    take({key, fmt::format("{}", value.value), value.why});
  }
  void take_all(const std::vector<Choice>& choices) {
    for (const Choice& choice : choices) {
      // Both ends of a range, or none: half of it might not fit what is given.
      if (choice.key.starts_with("augment.scale_") &&
          !(is_open("augment.scale_min") && is_open("augment.scale_max"))) {
        continue;
      }
      take(choice);
    }
  }

  void choose_length() {
    if (has_length()) return;
    take("minutes", {kUsualMinutes, "no length is given"});
  }

  void choose_step() { take("crop", crop_side(profile_)); }

  /// Where the time is short; the depth follows. Scenes keep their surroundings.
  void choose_crop_in_time() {
    if (!pace_ || !config_.minutes || !is_open("crop") || architecture() != kUnet) return;
    const int before = config_.crop;
    take("crop", crop_in_time(crop_side(profile_), crops()));
    const double share = static_cast<double>(config_.crop) / before;
    pace_->crop_seconds *= share * share;
    if (config_.crop != before && has_open_size()) take("model.depth", depth());
  }

  bool has_open_network() const {
    return is_open("architecture") && config_.init.empty() && !has_network_settings();
  }

  /// Whether the size of the network is that of one of ours, and nobody's yet.
  bool has_open_size() const {
    const bool plain = architecture() == kUnet
                           ? is_open("model.block") && is_open("model.padding")
                           : architecture() == kHypercolumn && is_open("model.backbone");
    return plain && config_.init.empty();
  }

  Graph network() const {
    const int classes = dataset_.class_count();
    const bool one_class = config_.one_class.value_or(classes == 2);
    return build_model(architecture(), {.input_channels = dataset_.channels,
                                        .classes = one_class ? 1 : classes,
                                        .settings = config_.model});
  }

  Graph network(int width) {
    config_.model["width"] = fmt::format("{}", width);
    return network();
  }

  void choose_network() {
    if (has_open_network()) {
      const Reasoned<std::string> network = segmentum::architecture(profile_, config_.crop);
      take({"architecture", network.value, network.why});
      if (network.value == kHypercolumn) {
        take({"model.layers", "1,2,3,4,5", "from every second pixel to every 32nd"});
      }
    }
    if (has_open_size()) {
      if (architecture() == kUnet) take("model.depth", depth());
      if (is_open("model.width") && config_.minutes) return choose_width();
    }
    if (!config_.minutes) return;
    pace_ = measure_pace(network(), config_.crop, config_.optimizer, executor_);
  }

  Reasoned<int> depth() const {
    std::vector<DepthReach> reaches;
    for (int depth = 1; depth <= kMostDepth; ++depth) {
      const Graph graph =
          build_model(kUnet, {.settings = {{"width", "1"}, {"depth", fmt::format("{}", depth)}}});
      const std::array inputs{Shape{1, 3, 64, 64}};
      const Analysis analysis = analyse(graph, inputs);
      const auto logits = static_cast<std::size_t>(graph.output("logits"));
      const auto field = analysis.nodes[logits].receptive_field;
      reaches.push_back({depth, field ? field->h : 0});
    }
    return unet_depth(profile_, config_.crop, reaches);
  }

  void choose_width() {
    const double seconds = 60 * *config_.minutes;
    std::vector<Pace> paces;
    for (const int width : kWidths) {
      if (progress_.stop_requested()) throw Interrupted();
      paces.push_back(measure_pace(network(width), config_.crop, config_.optimizer, executor_));
      paces.back().width = width;
      if (!sees_enough(seconds, paces.back())) break;
    }
    const Reasoned<int> width = network_width(paces, seconds);
    pace_ = *std::ranges::find(paces, width.value, &Pace::width);
    take("model.width", width);
  }

  /// How many crops the training sees.
  std::int64_t crops() const {
    if (config_.steps) return *config_.steps * config_.batch * config_.accumulate;
    if (config_.epochs) {
      return static_cast<std::int64_t>(*config_.epochs * static_cast<double>(profile_.pictures));
    }
    return crops_within(60 * config_.minutes.value_or(kUsualMinutes), pace_.value_or(Pace{}),
                        config_.batch);
  }

  void choose_batch() {
    if (!config_.steps) take("batch", batch_size(crops()));
  }

  /// Smaller batches, then smaller crops, until the network fits into half of what is free.
  void fit_memory() {
    available_ = available_memory();
    if (!available_) return;
    const Graph graph = network();
    const auto fits = [&] {
      const MemoryForecast forecast = forecast_memory(
          graph, {config_.batch, dataset_.channels, config_.crop, config_.crop}, config_, 0);
      return kPlanOverForecast * static_cast<double>(forecast.activations) +
                 static_cast<double>(forecast.weights) <=
             static_cast<double>(*available_) / 2;
    };
    const std::string why =
        fmt::format("fits into half of {:.1f} GB", static_cast<double>(*available_) / 1e9);
    while (!fits()) {
      if (config_.batch > 1 && is_open("batch")) {
        take("batch", {config_.batch / 2, why});
      } else if (config_.crop > 64 && is_open("crop")) {
        take("crop", {config_.crop / 64 * 32, why});
      } else {
        return;
      }
    }
  }

  const Dataset& dataset_;
  TrainConfig config_;
  const std::set<std::string>& given_;
  Executor& executor_;
  ProgressSink& progress_;
  DataProfile profile_;
  std::optional<Pace> pace_;
  std::optional<std::size_t> available_;
  std::vector<Choice> choices_;
};

}  // namespace

std::vector<Choice> choose_settings(const Dataset& dataset, const TrainConfig& config,
                                    const std::set<std::string>& given, Executor& executor,
                                    ProgressSink& progress) {
  return Chooser(dataset, config, given, executor, progress).choose();
}

bool can_be_chosen(std::string_view key) {
  return std::ranges::find(kChosen, key) != kChosen.end();
}

void set_choices(std::span<const Choice> choices, TrainConfig& config) {
  for (const Choice& choice : choices) set_option(config, choice.key, choice.value);
}

std::vector<std::string> choice_table(std::span<const Choice> choices) {
  std::size_t key = 0, value = 0;
  for (const Choice& choice : choices) {
    key = std::max(key, choice.key.size());
    value = std::max(value, choice.value.size());
  }
  std::vector<std::string> lines;
  for (const Choice& choice : choices) {
    lines.push_back(
        fmt::format("  {:<{}}  {:<{}}  {}", choice.key, key, choice.value, value, choice.why));
    lines.back().erase(lines.back().find_last_not_of(' ') + 1);
  }
  return lines;
}

}  // namespace segmentum
