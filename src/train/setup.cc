#include "train/setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/threads.h"
#include "data/class_statistics.h"
#include "losses/class_weights.h"
#include "models/registry.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

// Mean and variance of fewer values than this say little about the picture.
constexpr std::int64_t kFewestBatchNormValues = 16;

std::vector<Sample> labelled(const std::vector<Sample>& samples, const std::string& split,
                             ProgressSink& progress) {
  std::vector<Sample> kept;
  std::ranges::copy_if(samples, std::back_inserter(kept),
                       [](const Sample& sample) { return !sample.mask.empty(); });
  if (kept.size() < samples.size()) {
    progress.message(fmt::format("{} of {} pictures of the split \"{}\" have no mask and are left out",
                                 samples.size() - kept.size(), samples.size(), split));
  }
  return kept;
}

void find_samples(const Dataset& dataset, TrainingSetup& setup, ProgressSink& progress) {
  const TrainConfig& config = setup.config;
  setup.samples = labelled(dataset.split(config.train_split), config.train_split, progress);
  if (setup.samples.empty()) {
    throw Error(fmt::format("the split \"{}\" of the data set has no labelled picture to train on",
                            config.train_split));
  }
  if (dataset.splits.contains(config.val_split)) {
    setup.validation_samples =
        labelled(dataset.split(config.val_split), config.val_split, progress);
  }
  if (setup.validation_samples.empty()) {
    progress.message(fmt::format(
        "the data set has no labelled split \"{}\": no validation, the last weights are kept",
        config.val_split));
  }
}

/// How many values the scarcest batch statistic rests on.
std::int64_t fewest_batch_norm_values(const Graph& graph, const Shape& batch) {
  const std::array inputs{batch};
  const std::vector<Shape> shapes = infer_shapes(graph, inputs);
  std::int64_t fewest = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!std::holds_alternative<op::BatchNorm>(graph.nodes[i].op)) continue;
    fewest = std::min(fewest, shapes[i].n() * shapes[i].h() * shapes[i].w());
  }
  return fewest;
}

void decide_batch_norm(TrainingSetup& setup, ProgressSink& progress) {
  if (setup.config.frozen_batch_norm) return;
  const std::int64_t values = fewest_batch_norm_values(setup.graph, setup.batch_shape());
  setup.config.frozen_batch_norm = values < kFewestBatchNormValues;
  if (*setup.config.frozen_batch_norm) {
    progress.message(
        fmt::format("a batch norm would see {} values of a batch: its statistics are frozen "
                    "(a larger batch or crop would let it learn)",
                    values));
  }
}

void decide_classes(const Dataset& dataset, TrainConfig& config) {
  const int classes = dataset.class_count();
  if (classes < 2) {
    throw Error(fmt::format("the data set has {} class{}; at least two are needed to tell apart",
                            classes, classes == 1 ? "" : "es"));
  }
  if (!config.one_class) config.one_class = classes == 2;
  if (*config.one_class && classes != 2) {
    throw Error(fmt::format(
        "one_class is true but the data set has {} classes; it needs two, background first",
        classes));
  }
  if (!config.class_weights) {
    config.class_weights = classes == 2 ? WeightRule::none : WeightRule::median_frequency;
  }
}

}  // namespace

std::int64_t TrainingSetup::steps_per_epoch() const {
  const auto pictures = static_cast<std::int64_t>(samples.size());
  return std::max<std::int64_t>(1, (pictures + pictures_per_step() - 1) / pictures_per_step());
}

std::int64_t TrainingSetup::epochs() const {
  return (*config.steps + steps_per_epoch() - 1) / steps_per_epoch();
}

std::int64_t TrainingSetup::end_of_epoch(std::int64_t epoch) const {
  return std::min(*config.steps, (epoch + 1) * steps_per_epoch());
}

Shape TrainingSetup::batch_shape() const {
  return {config.batch, preprocess.channels(), config.crop, config.crop};
}

Schedule TrainingSetup::schedule() const {
  return {.kind = config.schedule,
          .power = config.poly_power,
          .warmup_steps = config.warmup_steps.value_or(0),
          .total_steps = config.steps.value_or(1)};
}

StepOptions TrainingSetup::step_options() const {
  return {.loss = loss,
          .aux_weight = config.aux_weight,
          .accumulate = config.accumulate,
          .clip = config.clip,
          .frozen_batch_norm = config.frozen_batch_norm.value_or(false),
          // Not the loader's streams: dropout must not follow the augmentation.
          .seed = static_cast<std::uint64_t>(config.seed) ^ 0x64726f706f757421u};
}

TrainingSetup set_up(const Dataset& dataset, const TrainConfig& config, ProgressSink& progress) {
  TrainingSetup setup;
  setup.config = config;
  decide_classes(dataset, setup.config);
  find_samples(dataset, setup, progress);
  setup.preprocess = preprocess_of(dataset);
  setup.graph = build_model(config.architecture, ...);
  decide_batch_norm(setup, progress);
  weigh_classes();
  return setup;
}

TrainingState initial_state(const TrainingSetup& setup) {
  const TrainConfig& config = setup.config;
  ParameterStore parameters = initialise(setup.graph, static_cast<std::uint64_t>(config.seed));
  Optimizer optimizer(config.optimizer, parameters);
  std::optional<WeightAverage> average;
  if (config.ema_decay.value_or(0) > 0) average.emplace(parameters, *config.ema_decay);
  return {std::move(parameters), std::move(optimizer), std::move(average), {}};
}

}  // namespace segmentum
