// The table of training options: how each is written, read and checked. Private to train/.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "train/config.h"

namespace segmentum {

/// `get` gives the value as TOML; `set` reads what a person wrote, "auto" where that is a choice,
/// and throws Error that says what was expected; `check` throws Error for what is out of range.
struct ConfigOption {
  std::string key;
  std::string about;
  std::function<std::string(const TrainConfig&)> get;
  std::function<void(TrainConfig&, const std::string&)> set;
  std::function<void(const TrainConfig&)> check;
};

/// In the order in which a run's config.toml has them.
const std::vector<ConfigOption>& config_options();

/// Null where there is none of this key.
const ConfigOption* find_config_option(const std::string& key);

/// A number as TOML, the shortest that reads back the same.
std::string number_text(double number);

/// The number that `text` is. Throws Error naming `key` unless it is one above 0.
double positive_number(const std::string& key, const std::string& text);

}  // namespace segmentum
