// The settings of a training that nobody set, chosen from the data, the machine and the time there
// is.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "configure/rules.h"
#include "data/dataset.h"
#include "engine/executor.h"
#include "segmentum/progress.h"
#include "train/config.h"

namespace segmentum {

/// Chooses for a training on `dataset` what `given`, the settings that a person set (by key, as in
/// `set_option`), leaves open; `config` holds those over the defaults. Without any length the
/// training is to take kUsualMinutes. Looks at pictures and masks of the training split; where the
/// length is one of time, times a few steps here: what follows from that is in the choices, so a
/// training with them does not depend on the stopwatch. Nothing is chosen for a network on boxes,
/// without labelled pictures, and where all is given. A network is chosen where none and none of
/// its settings is given, its width and depth for a U-Net or hypercolumns; none of it where `init`
/// decides. Throws the errors of `profile_data`, Interrupted.
std::vector<Choice> choose_settings(const Dataset& dataset, const TrainConfig& config,
                                    const std::set<std::string>& given, Executor& executor,
                                    ProgressSink& progress);
inline constexpr int kUsualMinutes = 20;

/// Whether a setting is one of those that may be chosen.
bool can_be_chosen(std::string_view key);

/// Sets them.
void set_choices(std::span<const Choice> choices, TrainConfig& config);

/// A line for each, keys and values in columns.
std::vector<std::string> choice_table(std::span<const Choice> choices);

}  // namespace segmentum
