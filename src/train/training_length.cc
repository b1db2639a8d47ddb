#include "train/training_length.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/counted.h"
#include "segmentum/error.h"
#include "train/training_step.h"
#include "train/validation.h"

namespace segmentum {
namespace {

constexpr std::int64_t kDefaultSteps = 2000;
constexpr std::int64_t kDefaultEpochs = 10;
constexpr int kWarmUpSteps = 2;  // kernels are made, memory is touched
constexpr int kFewestTimedSteps = 1;
constexpr int kMostTimedSteps = 20;
constexpr double kMostValidations = 20;
constexpr double kValidationShare = 0.1;  // of the time
constexpr double kMeasuringShare = 0.02;
constexpr double kLargestDecay = 0.999999;  // of the weight average, as the option has it

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Passes only the wish to stop on: what is measured is thrown away, so it is no progress.
class SilentSink : public ProgressSink {
 public:
  explicit SilentSink(ProgressSink& outer) : outer_(outer) {}
  void begin(const std::string&, std::int64_t, const std::string&) override {}
  void update(std::int64_t, const std::string&) override {}
  void end() override {}
  void message(const std::string&) override {}
  bool stop_requested() override { return outer_.stop_requested(); }

 private:
  ProgressSink& outer_;
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

double measure_step(const TrainingSetup& setup, Executor& executor, ProgressSink& progress,
                    double most_seconds) {
  TrainingState scratch = initial_state(setup);
  TrainingStep step(setup.graph, scratch, setup.batch_shape(), executor, setup.step_options());
  Loader loader(setup.dataset, setup.loader_options(0));
  const Stopwatch watch;
  std::vector<double> seconds;
  for (int i = 0; i < kWarmUpSteps + kMostTimedSteps; ++i) {
    if (progress.stop_requested()) throw Interrupted();
    const Stopwatch one;
    for (int batch = 0; batch < setup.config.accumulate; ++batch) {
      const Batch pictures = loader.next();
      step.add_batch(pictures.images.view(), Targets(pictures.labels, pictures.border_weights));
    }
    step.update(setup.config.lr);
    if (i >= kWarmUpSteps) seconds.push_back(one.seconds());
    if (seconds.size() >= kFewestTimedSteps && watch.seconds() > most_seconds) break;
  }
  return median(seconds);
}

double measure_validation(const TrainingSetup& setup, Executor& executor, ProgressSink& progress) {
  if (!setup.validates()) return 0;
  TrainingState scratch = initial_state(setup);
  Dataset few = setup.dataset;
  std::vector<Sample>& samples = few.splits.at(setup.config.val_split);
  const auto all = static_cast<double>(samples.size());
  samples.resize(1);
  double seconds = 0;
  for (int i = 0; i < 2; ++i) {  // the first time touches memory and disk
    const Stopwatch watch;
    validate(setup, scratch.parameters, few, executor, progress);
    seconds = watch.seconds();
  }
  return seconds * all;
}

/// At least one, and no more than a whole number holds with room to count epochs.
std::int64_t whole_steps(double steps) {
  return static_cast<std::int64_t>(std::clamp(steps, 1.0, 1e15));
}

void decide_what_follows(TrainConfig& config, std::int64_t epochs) {
  const std::int64_t steps = *config.steps;
  if (!config.warmup_steps) config.warmup_steps = std::min<std::int64_t>(100, steps / 20);
  if (!config.ema_decay) {
    config.ema_decay = std::clamp(1.0 - 20.0 / static_cast<double>(steps), 0.0, kLargestDecay);
  }
  if (!config.validate_every) {
    config.validate_every =
        static_cast<int>(std::max<std::int64_t>(1, epochs / static_cast<int>(kMostValidations)));
  }
}

}  // namespace

TrainingLength length_within(double seconds, const TrainingSpeed& speed,
                             std::int64_t steps_per_epoch, std::optional<int> validate_every) {
  if (validate_every) {
    const auto between = static_cast<double>(*validate_every * steps_per_epoch);
    return {whole_steps(seconds / (speed.step_seconds + speed.validation_seconds / between)),
            *validate_every};
  }
  const double validations =
      std::floor(std::clamp(kValidationShare * seconds / std::max(speed.validation_seconds, 1e-9),
                            1.0, kMostValidations));
  const std::int64_t steps =
      whole_steps((seconds - validations * speed.validation_seconds) / speed.step_seconds);
  const auto between =
      static_cast<double>(steps) / static_cast<double>(steps_per_epoch) / validations;
  return {steps, std::max(1, static_cast<int>(std::ceil(between)))};
}

TrainingSpeed measure_speed(const TrainingSetup& setup, Executor& executor, ProgressSink& progress,
                            double most_seconds) {
  SilentSink silent(progress);
  return {.step_seconds = measure_step(setup, executor, silent, most_seconds),
          .validation_seconds = measure_validation(setup, executor, silent)};
}

void decide_length(TrainingSetup& setup, Executor& executor, ProgressSink& progress) {
  TrainConfig& config = setup.config;
  if (config.steps) {
    config.minutes.reset();
    config.epochs.reset();
  } else if (config.minutes) {
    const Stopwatch watch;
    const double seconds = *config.minutes * 60;
    const TrainingSpeed speed = measure_speed(setup, executor, progress, kMeasuringShare * seconds);
    const TrainingLength length = length_within(std::max(0.0, seconds - watch.seconds()), speed,
                                                setup.steps_per_epoch(), config.validate_every);
    progress.message(fmt::format("{:g} min are {} of {:.3g} s here", *config.minutes,
                                 counted(length.steps, "step"), speed.step_seconds));
    settle_length(config, length.steps);
    config.validate_every = length.validate_every;
  } else if (config.epochs) {
    settle_length(config, whole_steps(std::round(*config.epochs *
                                                 static_cast<double>(setup.steps_per_epoch()))));
  } else {
    config.steps = std::max(kDefaultSteps, kDefaultEpochs * setup.steps_per_epoch());
  }
  decide_what_follows(config, setup.epochs());
}

}  // namespace segmentum
