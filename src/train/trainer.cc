#include "train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/threads.h"
#include "base/version.h"
#include "segmentum/error.h"
#include "train/best_model.h"
#include "train/checkpoint.h"
#include "train/data_identity.h"
#include "train/memory_forecast.h"
#include "train/run_folder.h"
#include "train/run_log.h"
#include "train/run_record.h"
#include "train/setup.h"
#include "train/training_length.h"
#include "train/training_step.h"
#include "train/validation.h"

namespace segmentum {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kStepsAlone = 3;  // measured after each validation

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Bytes of activations in a normal training or a lean one, as a plan says.
using PlannedActivations = std::function<std::size_t(TrainMemory)>;

/// Throws Error if the machine is too small; `planned`: once plans can be made. Validation may take
/// half of what is left.
void divide_memory(TrainingSetup& setup, const Executor& executor,
                   std::optional<std::size_t> available, const PlannedActivations& planned = {}) {
  if (!available) return;
  MemoryForecast forecast = forecast_memory(setup.graph, setup.batch_shape(), setup.config,
                                            setup.cache_bytes, setup.frozen);
  if (planned) forecast.activations = planned(setup.config.memory);
  if (setup.validates()) {
    forecast.validation =
        least_validation_bytes(setup.graph, setup.largest_validation, executor.grid());
  }
  if (planned && forecast.total() > *available && forecast.lean_activations) {
    forecast.lean_activations = planned(TrainMemory::lean);
  }
  require_memory(forecast, setup.config, *available);
  setup.validation_bytes = forecast.validation + (*available - forecast.total()) / 2;
}

/// One run: what it was told, where it stands, and what it works with.
class Training {
 public:
  Training(TrainingSetup setup, std::string data_identity, const RunFolder& folder,
           Executor& executor, ProgressSink& progress);

  TrainSummary run();

 private:
  void train_one_epoch(std::int64_t epoch);
  void keep_if_best(const std::optional<Scores>& scores);
  std::optional<Scores> validate_weights(std::int64_t epoch);

  void train_one_step(std::int64_t epoch);
  double add_batches();
  void rest_loader(std::int64_t epoch);
  Batch next_batch();
  void note_step_alone(double seconds);
  [[noreturn]] void fail_at_step(const std::string& what) const;
  template <typename Work>
  auto reading(const Work& work, bool between_steps);
  void log_steps(std::int64_t epoch);
  void save_best(const std::optional<Scores>& scores);
  void write_checkpoint();
  void begin_progress();
  std::string epoch_text(std::int64_t epoch) const;
  std::string speed_text() const;

  bool validation_is_due(std::int64_t epoch) const {
    return (epoch + 1) % *setup_.config.validate_every == 0 || epoch + 1 == setup_.epochs();
  }
  double learning_rate() const;
  ParameterStore& chosen_weights() {
    return state_.average ? state_.average->parameters() : state_.parameters;
  }
  TrainSummary summary() const;

  TrainingSetup setup_;
  std::string data_identity_;
  const RunFolder& folder_;
  Executor& executor_;
  ProgressSink& progress_;
  TrainingState state_;
  TrainingPosition& position_ = state_.position;
  std::unique_ptr<TrainingStep> step_;
  std::unique_ptr<Loader> loader_;
  std::unique_ptr<RunLog> log_;
  std::optional<Scores> last_scores_;

  Clock::time_point start_ = Clock::now();
  Clock::time_point last_checkpoint_ = Clock::now();
  std::int64_t first_step_ = 0;  // of this call
  struct {
    std::int64_t steps = 0;
    double loss = 0, seconds = 0, wait = 0;
    std::vector<double> alone;              // seconds of steps while the loader rested
  } stretch_;                               // sums since the last validation, for the person
  std::deque<Batch> ahead_;                 // of the steps that will be measured alone
  std::optional<double> alone_per_second_;  // images, as measured last
  // Since the last line of the log; and in this call.
  double interval_seconds_ = 0, interval_wait_ = 0;
  std::int64_t interval_steps_ = 0;
  double training_seconds_ = 0;
};

Training::Training(TrainingSetup setup, std::string data_identity, const RunFolder& folder,
                   Executor& executor, ProgressSink& progress)
    : setup_(std::move(setup)),
      data_identity_(std::move(data_identity)),
      folder_(folder),
      executor_(executor),
      progress_(progress),
      state_(initial_state(setup_)) {
  const TrainConfig& config = setup_.config;
  if (std::filesystem::exists(folder_.checkpoint())) {
    load_checkpoint(folder_.checkpoint(), state_);
    progress_.message(fmt::format("going on from step {} of {}", position_.step, *config.steps));
  }
  first_step_ = position_.step;
  const std::optional<std::size_t> available = available_memory();
  step_ = std::make_unique<TrainingStep>(setup_.graph, state_, setup_.batch_shape(), executor_,
                                         setup_.step_options());
  divide_memory(setup_, executor_, available, [&](TrainMemory memory) {
    if (memory == setup_.config.memory) return step_->activation_bytes();
    StepOptions other = setup_.step_options();
    other.lean = memory == TrainMemory::lean;
    return TrainingStep(setup_.graph, state_, setup_.batch_shape(), executor_, other)
        .activation_bytes();
  });
  loader_ = std::make_unique<Loader>(setup_.dataset, setup_.loader_options(position_.step));
  log_ = std::make_unique<RunLog>(folder_.log(), position_.log_bytes);
}

/// Work that reads pictures: where it fails, nothing that was learnt is lost.
template <typename Work>
auto Training::reading(const Work& work, bool between_steps) {
  try {
    return work();
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    if (position_.step == 0) throw;
    if (between_steps) write_checkpoint();
    throw Error(
        fmt::format("{}; the training stopped at step {}: put that right, and --resume "
                    "goes on from its checkpoint",
                    error.what(), position_.step));
  }
}

TrainSummary Training::run() {
  const bool goes_on = first_step_ < *setup_.config.steps;
  if (goes_on) begin_progress();
  try {
    for (std::int64_t epoch = position_.epochs_done; epoch < setup_.epochs(); ++epoch) {
      train_one_epoch(epoch);
      if (validation_is_due(epoch)) keep_if_best(validate_weights(epoch));
      position_.epochs_done = epoch + 1;
      if (validation_is_due(epoch)) write_checkpoint();
    }
  } catch (const Interrupted&) {
    write_checkpoint();
    throw;
  }
  if (goes_on) progress_.end();
  return summary();
}

void Training::train_one_epoch(std::int64_t epoch) {
  const TrainConfig& config = setup_.config;
  while (position_.step < setup_.end_of_epoch(epoch)) {
    if (progress_.stop_requested()) throw Interrupted();
    if (stretch_.steps == 1) rest_loader(epoch);  // not the first, which may touch new memory
    train_one_step(epoch);
    if (position_.step % config.log_every == 0 || position_.step == *config.steps) {
      log_steps(epoch);
    }
    if (seconds_since(last_checkpoint_) >= 60 * config.checkpoint_minutes) write_checkpoint();
  }
}

void Training::train_one_step(std::int64_t epoch) {
  const Clock::time_point begin = Clock::now();
  const bool alone = !ahead_.empty();
  const double lr = learning_rate();
  const double loss = add_batches();
  const double norm = step_->update(lr);
  if (!std::isfinite(norm)) fail_at_step(fmt::format("the gradient became {}", norm));
  const double seconds = seconds_since(begin);
  position_.loss_sum += loss;
  position_.norm_sum += norm;
  ++position_.loss_count;
  interval_seconds_ += seconds;
  ++interval_steps_;
  stretch_.loss += loss;
  stretch_.seconds += seconds;
  ++stretch_.steps;
  if (alone) note_step_alone(seconds);
  progress_.update(position_.step - first_step_,
                   fmt::format("epoch {} of {}, loss {:.4f}", epoch + 1, setup_.epochs(), loss));
}

/// The mean loss of the step's batches, whose gradients are now in the plan.
double Training::add_batches() {
  double loss = 0;
  for (int i = 0; i < setup_.config.accumulate; ++i) {
    const Clock::time_point begin = Clock::now();
    // Within a step the running statistics of batch norms are not those of its beginning any more.
    const Batch batch = reading([&] { return next_batch(); }, i == 0);
    const double waited = seconds_since(begin);
    interval_wait_ += waited;
    stretch_.wait += waited;
    const Targets targets(batch.labels, batch.border_weights);
    loss += step_->add_batch(batch.images.view(), targets) / setup_.config.accumulate;
    if (!std::isfinite(loss)) fail_at_step(fmt::format("the loss became {}", loss));
  }
  return loss;
}

/// What a step takes without the loader beside it, which must be hidden behind the steps: a few
/// steps get their batches first, and begin when the loader's workers rest.
void Training::rest_loader(std::int64_t epoch) {
  const Clock::time_point begin = Clock::now();
  const std::int64_t steps = std::min(kStepsAlone, setup_.end_of_epoch(epoch) - position_.step);
  for (std::int64_t i = 0; i < steps * setup_.config.accumulate; ++i) {
    ahead_.push_back(reading([&] { return loader_->next(); }, true));
  }
  loader_->wait_until_full();
  const double waited = seconds_since(begin);
  for (double* sum : {&interval_seconds_, &interval_wait_, &stretch_.seconds, &stretch_.wait}) {
    *sum += waited;
  }
}

Batch Training::next_batch() {
  if (ahead_.empty()) return loader_->next();
  Batch batch = std::move(ahead_.front());
  ahead_.pop_front();
  return batch;
}

void Training::note_step_alone(double seconds) {
  stretch_.alone.push_back(seconds);
  std::ranges::sort(stretch_.alone);
  const double median = stretch_.alone[stretch_.alone.size() / 2];
  alone_per_second_ = static_cast<double>(setup_.pictures_per_step()) / median;
}

void Training::fail_at_step(const std::string& what) const {
  const TrainConfig& config = setup_.config;
  throw Error(fmt::format(
      "{} at step {} with a learning rate of {:.3g}; a smaller lr (it is {}), a smaller clip (it "
      "is {}) or more warmup_steps (they are {}) would help; {}",
      what, position_.step + 1, learning_rate(), config.lr, config.clip, *config.warmup_steps,
      std::filesystem::exists(folder_.best())
          ? "the best model so far stays in " + folder_.best().string()
          : "there was no validation yet, so no model is kept"));
}

std::optional<Scores> Training::validate_weights(std::int64_t epoch) {
  if (!setup_.validates()) {
    progress_.message(epoch_text(epoch) + speed_text());
    stretch_ = {};
    return std::nullopt;
  }
  const Clock::time_point begin = Clock::now();
  const Scores result = scores(reading(
      [&] { return validate(setup_, chosen_weights(), setup_.dataset, executor_, progress_); },
      true));
  const bool best = result.mean_iou > position_.best_mean_iou;
  log_->write({.step = position_.step,
               .epoch = epoch + 1,
               .scores = result,
               .best = best,
               .seconds = seconds_since(begin)},
              setup_.dataset.classes);
  const double foreground = result.classes.back().dice.value_or(0);
  progress_.message(fmt::format(
      "{}, mean IoU {:.4f}{}, pixel accuracy {:.4f}{}{}", epoch_text(epoch), result.mean_iou,
      best ? " (best)" : "", result.pixel_accuracy,
      *setup_.config.one_class ? fmt::format(", Dice {:.4f}", foreground) : "", speed_text()));
  stretch_ = {};
  last_scores_ = result;
  return result;
}

void Training::keep_if_best(const std::optional<Scores>& scores) {
  if (scores && scores->mean_iou <= position_.best_mean_iou) return;
  position_.best_mean_iou = scores ? scores->mean_iou : position_.best_mean_iou;
  position_.best_step = position_.step;
  save_best(scores);
}

void Training::save_best(const std::optional<Scores>& scores) {
  const TrainConfig& config = setup_.config;
  std::map<std::string, std::string> provenance{
      {"version", segmentum_version()},
      // The name alone: model files travel, and should not tell where their maker keeps things.
      {"data", std::filesystem::weakly_canonical(setup_.dataset.root).filename().string()},
      {"training_pictures", fmt::format("{}", setup_.samples().size())},
      {"steps", fmt::format("{}", position_.step)},
      {"steps_planned", fmt::format("{}", *config.steps)},
      {"seed", fmt::format("{}", config.seed)},
      {"threads", fmt::format("{}", config.threads)},
      {"engine", executor_.name()}};
  if (!config.init.empty()) {
    const std::filesystem::path init = config.init;
    provenance["init"] = (init.parent_path().filename() / init.filename()).string();
  }
  if (scores) {
    provenance["validation_mean_iou"] = fmt::format("{:.6f}", scores->mean_iou);
    provenance["validation_pixel_accuracy"] = fmt::format("{:.6f}", scores->pixel_accuracy);
  }
  save_model(folder_.best(), model_of(setup_, chosen_weights(), std::move(provenance)));
}

void Training::write_checkpoint() {
  position_.log_bytes = log_->bytes();
  save_checkpoint(folder_.checkpoint(), state_, data_identity_);
  last_checkpoint_ = Clock::now();
}

void Training::log_steps(std::int64_t epoch) {
  const auto steps = static_cast<double>(position_.loss_count);
  log_->write(
      {.step = position_.step,
       .epoch = epoch + 1,
       .loss = position_.loss_sum / steps,
       .lr = setup_.config.lr * learning_rate_factor(setup_.schedule(), position_.step - 1),
       .gradient_norm = position_.norm_sum / steps,
       .images_per_second =
           static_cast<double>(interval_steps_ * setup_.pictures_per_step()) / interval_seconds_,
       .step_images_per_second = alone_per_second_,
       .loader_wait_seconds = interval_wait_});
  training_seconds_ += interval_seconds_;
  position_.loss_sum = position_.norm_sum = 0;
  position_.loss_count = 0;
  interval_seconds_ = interval_wait_ = 0;
  interval_steps_ = 0;
}

std::string Training::epoch_text(std::int64_t epoch) const {
  std::string place =
      fmt::format("epoch {} of {}, step {}", epoch + 1, setup_.epochs(), position_.step);
  if (stretch_.steps == 0) return place;
  return fmt::format("{}: loss {:.4f}", place, stretch_.loss / static_cast<double>(stretch_.steps));
}

/// ", 11.8 pictures/s (97 % of the 12.2 that steps alone reach, 1 % of the time waiting for
/// pictures)".
std::string Training::speed_text() const {
  if (stretch_.steps == 0) return "";
  const double reached =
      static_cast<double>(stretch_.steps * setup_.pictures_per_step()) / stretch_.seconds;
  std::string of_alone;
  if (alone_per_second_) {
    of_alone = fmt::format("{:.0f} % of the {:.1f} that steps alone reach, ",
                           100 * reached / *alone_per_second_, *alone_per_second_);
  }
  return fmt::format(", {:.1f} pictures/s ({}{:.0f} % of the time waiting for pictures)", reached,
                     of_alone, 100 * stretch_.wait / stretch_.seconds);
}

/// One stretch over all steps, with the validations inside: its time left is that of the training.
void Training::begin_progress() {
  progress_.begin(first_step_ == 0 ? "train" : fmt::format("train from step {}", first_step_),
                  *setup_.config.steps - first_step_, "step");
}

double Training::learning_rate() const {
  return setup_.config.lr * learning_rate_factor(setup_.schedule(), position_.step);
}

TrainSummary Training::summary() const {
  TrainSummary result;
  result.steps = position_.step;
  result.epochs = position_.epochs_done;
  result.best_step = position_.best_step;
  if (position_.best_mean_iou >= 0) result.best_mean_iou = position_.best_mean_iou;
  result.last_scores = last_scores_;
  result.seconds = seconds_since(start_);
  if (training_seconds_ > 0) {
    result.images_per_second =
        static_cast<double>((position_.step - first_step_) * setup_.pictures_per_step()) /
        training_seconds_;
  }
  result.step_images_per_second = alone_per_second_;
  result.model = folder_.best();
  return result;
}

/// The options of the run: those given, or on a resume those it was started with.
TrainConfig starting_config(const TrainConfig& given, const RunFolder& folder, bool resume,
                            ProgressSink& progress) {
  const bool started = std::filesystem::exists(folder.checkpoint());
  if (started && !resume) {
    throw Error::in_file(folder.path().string(),
                         "this folder already holds a training; resume it (--resume) or choose "
                         "another folder");
  }
  TrainConfig config = given;
  if (resume && std::filesystem::exists(folder.config())) {
    config = TrainConfig{};
    read_train_config(config, read_file(folder.config()), folder.config().string());
  } else if (started) {
    throw Error::in_file(folder.config().string(),
                         "is missing, so the checkpoint beside it cannot be resumed");
  } else if (resume) {
    progress.message("there is nothing to resume in " + folder.path().string() +
                     "; the training starts at its beginning");
  }
  check(config);
  if (config.threads == 0) config.threads = threads();
  return config;
}

}  // namespace

TrainSummary train(const Dataset& dataset, const TrainConfig& config,
                   const std::filesystem::path& run_folder, bool resume, Executor& executor,
                   ProgressSink& progress, const RunFacts& facts) {
  const RunFolder folder(run_folder);
  const TrainConfig starting = starting_config(config, folder, resume, progress);
  const ThreadsInScope threads_of_the_run(starting.threads);
  const bool goes_on = std::filesystem::exists(folder.checkpoint());
  std::string identity = data_identity(dataset, {starting.train_split, starting.val_split});
  if (goes_on) require_same_data(folder.checkpoint(), identity);
  TrainingSetup setup =
      set_up(dataset, starting, progress, goes_on ? Start::checkpoint : Start::weights);
  divide_memory(setup, executor, available_memory());
  decide_length(setup, executor, progress);
  write_file(folder.config(), data_comment(dataset, identity) + to_toml(setup.config));
  RunRecord record(folder, facts, setup, identity, goes_on, progress);
  try {
    TrainSummary summary =
        Training(std::move(setup), std::move(identity), folder, executor, progress).run();
    record.finish(summary.steps, progress);
    return summary;
  } catch (const WriteError& error) {
    throw WriteError(std::string(error.what()) +
                     "; once that is put right, --resume goes on from the last checkpoint");
  }
}

}  // namespace segmentum
