// How many steps a training takes, decided once at its start.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/executor.h"
#include "segmentum/progress.h"
#include "train/setup.h"

namespace segmentum {

/// What work costs on this machine.
struct TrainingSpeed {
  double step_seconds = 0;
  double validation_seconds = 0;  // of the whole validation split
};

struct TrainingLength {
  std::int64_t steps = 1;
  int validate_every = 1;  // epochs
};

/// As many steps as `seconds` allow together with their validations. Where `validate_every` is not
/// given there are so many validations that they take a tenth of the time, 1 to 20.
TrainingLength length_within(double seconds, const TrainingSpeed& speed,
                             std::int64_t steps_per_epoch, std::optional<int> validate_every);

/// Times a few steps and validation pictures on a copy of the start that is thrown away: the
/// training itself begins from untouched numbers. Timing of steps ends after `most_seconds`, but
/// not before one is timed. Throws Interrupted when asked to stop.
TrainingSpeed measure_speed(const TrainingSetup& setup, Executor& executor, ProgressSink& progress,
                            double most_seconds);

/// Turns minutes, epochs or neither into `setup.config.steps` and decides what follows from it:
/// warm-up, weight average, validations. Steps that are set stay.
void decide_length(TrainingSetup& setup, Executor& executor, ProgressSink& progress);

}  // namespace segmentum
