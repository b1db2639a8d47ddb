// Every option of a training, with defaults that work, and its text form.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/augment.h"
#include "data/border_weights.h"
#include "losses/class_weights.h"
#include "losses/loss_terms.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace segmentum {

/// Whether a part of the masks is looked at before a training (data/check).
enum class DataCheck : std::uint8_t { on, off };

/// What a training step keeps in memory. lean: little; the rest is computed again.
enum class TrainMemory : std::uint8_t { normal, lean };

/// An option that is not set ("auto") is decided at the start of a training from the data, the
/// network and the machine; the run's config.toml holds what was decided.
struct TrainConfig {
  // The network.
  std::optional<std::string> architecture;   // auto: that of `init`, else unet
  std::map<std::string, std::string> model;  // its settings, "model.width" and so on
  std::optional<bool> one_class;             // auto: for two classes
  std::optional<bool> frozen_batch_norm;     // auto: if a statistic would rest on under 16 values
  double aux_weight = 0.4;                   // of the loss of every output but "logits"

  // Fine-tuning.
  std::string init;    // a model file that the weights are taken from; empty: random
  std::string freeze;  // patterns (graph/parts.h) of what stays as it is, with commas between
  // What pictures are normalised by; auto: as `init` does, else by the data set's own.
  std::optional<std::vector<float>> mean, std;

  // How long: the first of these that is set decides (setting one by name unsets the others); none:
  // 2,000 steps, at least 10 epochs.
  std::optional<std::int64_t> steps;
  std::optional<double> minutes;  // measured once at the start and turned into steps
  std::optional<double> epochs;
  // "minutes" or "epochs" that `steps` were made of, and these steps, for --resume to compare.
  std::map<std::string, std::string> asked;

  // One step.
  int batch = 4;       // pictures that go through the network together
  int accumulate = 1;  // batches whose gradients are summed to one step
  int crop = 256;      // height and width of training crops
  AugmentOptions augment{.brightness = 0.2, .contrast = 0.2};  // its crop is the one above
  double box_jitter = 0.1;  // of networks on boxes: how far each side of a box moves, in boxes

  // The optimizer.
  OptimizerOptions optimizer;
  double lr = 2e-3;
  std::map<std::string, double> lr_factors;  // on lr, by pattern (graph/parts.h): "lr.backbone"
  ScheduleKind schedule = ScheduleKind::poly;
  double poly_power = 0.9;
  std::optional<std::int64_t> warmup_steps;  // auto: a twentieth of the steps, at most 100
  double clip = 5.0;                         // largest norm of the gradient; 0: never clipped
  std::optional<double> ema_decay;  // weight averaging; 0: none; auto: over a twentieth of the run

  // The loss.
  LossTerms loss{{}};  // what is added up; cross entropy
  double focal_gamma = 2;
  double tversky_alpha = 0.3;
  double tversky_beta = 0.7;
  double hard_threshold = 0.7;              // of ohem
  double hard_share = 0.25;                 // of ohem and top_k
  std::optional<WeightRule> class_weights;  // auto: median_frequency, none for two classes
  double class_weight_cap = 5.0;
  std::optional<double> class_weight_beta;  // of effective_number; auto: by the mean class
  BorderOptions border;                     // weights of the pixels between neighbouring instances

  // Validation and the run's files.
  std::string train_split = "train";
  std::string val_split = "val";
  std::optional<int> validate_every;  // epochs; auto: about 20 times in the run
  double checkpoint_minutes = 5.0;    // also written after each validation
  int log_every = 10;                 // steps

  // Before the first step; changes nothing of the training.
  DataCheck data_check = DataCheck::on;

  // The machine.
  std::int64_t seed = 1;
  int threads = 0;      // 0: all
  int workers = 1;      // threads that load and augment pictures
  int cache_mb = 1024;  // decoded pictures kept in memory
  TrainMemory memory = TrainMemory::normal;
};

/// Sets one option by its name, as in `--set lr=0.01`, `--set model.width=32` or
/// `--set lr.backbone=0.1` (a factor on the rate of a part); "auto" unsets it.
/// Throws Error for an unknown name, listing near matches, and for a value of the wrong kind.
void set_option(TrainConfig& config, const std::string& key, const std::string& value);

/// From here on `steps` say how long; notes the minutes or epochs that they were made of.
void settle_length(TrainConfig& config, std::int64_t steps);

/// Throws Error naming the option if a value can never work, such as a negative batch.
void check(const TrainConfig& config);

/// All options as a commented TOML document that `read_train_config` takes back.
std::string to_toml(const TrainConfig& config);

/// One option as a person wrote it.
struct TrainSetting {
  std::string key;
  std::string value;
  std::string place;  // "config.toml:3" for messages; empty: the command line
};

/// What a TOML document sets, in its order. `name`: the file, for messages. Throws Error naming
/// file and line of what is no setting.
std::vector<TrainSetting> parse_train_config(std::string_view text, const std::string& name);

/// Sets in `config` what the TOML document `text` says. Throws Error naming file and line of what
/// it does not understand.
void read_train_config(TrainConfig& config, std::string_view text, const std::string& name);

/// The first of `given` whose value in `wanted` is another one than in `run`, the options that a
/// run was started with: "lr is 0.1, the run has 0.002". Nothing where all agree; auto agrees with
/// everything. `wanted`: what `given` makes of the defaults.
std::optional<std::string> difference_from_run(const std::vector<TrainSetting>& given,
                                               const TrainConfig& wanted, const TrainConfig& run);

/// One line of help about an option.
struct OptionDescription {
  std::string key;
  std::string value;  // the default, as TOML
  std::string about;
};
std::vector<OptionDescription> train_options();

}  // namespace segmentum
