#include "train/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/counted.h"
#include "base/spelling.h"
#include "base/toml_string.h"
#include "segmentum/error.h"
#include "train/config_options.h"

namespace segmentum {
namespace {

/// How unlike `key` is what the person wrote: 0 and 1 are the same thing in other words.
int unlikeness(const std::string& word, const ConfigOption& candidate) {
  const std::string last = candidate.key.substr(candidate.key.find_last_of('.') + 1);
  std::string spoken = word;
  std::ranges::replace(spoken, '_', ' ');
  int best = std::min(edit_distance(word, candidate.key), edit_distance(word, last));
  if (candidate.about.find(spoken) != std::string::npos) best = std::min(best, 1);
  if (last.starts_with(word) || word.starts_with(last)) best = std::min(best, 2);
  return best;
}

std::string unknown_option(const std::string& key) {
  const int near_enough = std::max(2, static_cast<int>(key.size() / 3));
  std::vector<std::pair<int, std::string>> near;
  for (const ConfigOption& candidate : config_options()) {
    const int distance = unlikeness(key, candidate);
    if (distance <= near_enough) near.push_back({distance, candidate.key});
  }
  std::ranges::stable_sort(near, {}, &std::pair<int, std::string>::first);
  std::string message = fmt::format("there is no training option \"{}\"", key);
  for (std::size_t i = 0; i < std::min<std::size_t>(3, near.size()); ++i) {
    message += (i == 0 ? "; did you mean " : " or ") + near[i].second;
  }
  return message + (near.empty() ? "; a run's config.toml lists them all" : "?");
}

constexpr std::string_view kModelPrefix = "model.";
constexpr std::string_view kAskedPrefix = "asked.";
// Two spellings: in TOML `lr` is the rate itself and cannot be a table as well.
constexpr std::array<std::string_view, 2> kFactorPrefixes{"lr.", "lr_factors."};

/// What stands behind `prefix`; nothing where `key` does not begin with it.
std::string after(std::string_view prefix, const std::string& key) {
  return key.starts_with(prefix) ? key.substr(prefix.size()) : "";
}

std::string factor_pattern(const std::string& key) {
  std::string pattern;
  for (const std::string_view prefix : kFactorPrefixes) pattern += after(prefix, key);
  return pattern;
}

/// A table of names and texts; none where it is empty.
std::string table_text(const char* name, const std::map<std::string, std::string>& entries) {
  if (entries.empty()) return "";
  std::string text = fmt::format("\n[{}]\n", name);
  for (const auto& [key, value] : entries) {
    text += fmt::format("{} = {}\n", toml_string(key), toml_string(value));
  }
  return text;
}

/// The value of `key` for a person; empty where it is auto.
std::string shown(const TrainConfig& config, const std::string& key) {
  if (const std::string name = after(kModelPrefix, key); !name.empty()) {
    const auto found = config.model.find(name);
    return found == config.model.end() ? "" : found->second;
  }
  if (const std::string pattern = factor_pattern(key); !pattern.empty()) {
    const auto found = config.lr_factors.find(pattern);
    return number_text(found == config.lr_factors.end() ? 1.0 : found->second);
  }
  const ConfigOption* found = find_config_option(key);
  if (found == nullptr) return "";
  const std::string text = found->get(config);
  return text == toml_string("auto") ? "" : text;
}

/// What the run was asked for where its steps were made of minutes or epochs.
std::string asked(const TrainConfig& run, const std::string& key) {
  const auto steps = run.asked.find("steps");
  const auto length = run.asked.find(key);
  const bool of_this_run =
      steps != run.asked.end() && run.steps && steps->second == fmt::format("{}", *run.steps);
  return of_this_run && length != run.asked.end() ? length->second : "";
}

/// What the run has instead of a length in minutes or epochs.
std::string length_of(const TrainConfig& run) {
  std::string text = counted(run.steps.value_or(0), "step");
  for (const char* key : {"minutes", "epochs"}) {
    if (const std::string length = asked(run, key); !length.empty()) {
      text += fmt::format(" made of {} = {}", key, length);
    }
  }
  return text;
}

bool same_file(const std::string& a, const std::string& b) {
  namespace fs = std::filesystem;
  if (a == b || a.empty() || b.empty()) return a == b;
  return fs::weakly_canonical(fs::absolute(a)) == fs::weakly_canonical(fs::absolute(b));
}

}  // namespace

void set_option(TrainConfig& config, const std::string& key, const std::string& value) {
  if (key.starts_with(kModelPrefix) && key.size() > kModelPrefix.size()) {
    config.model[key.substr(kModelPrefix.size())] = value;
    return;
  }
  if (const std::string pattern = factor_pattern(key); !pattern.empty()) {
    config.lr_factors[pattern] = positive_number("lr." + pattern, value);
    return;
  }
  if (const std::string name = after(kAskedPrefix, key); !name.empty()) {
    config.asked[name] = value;
    return;
  }
  const ConfigOption* found = find_config_option(key);
  if (found == nullptr) throw Error(unknown_option(key));
  found->set(config, value);
  if (value == "auto") return;
  // Three ways to say how long: what was said last counts.
  if (key == "steps" || key == "minutes" || key == "epochs") {
    if (key != "steps") config.steps.reset();
    if (key != "minutes") config.minutes.reset();
    if (key != "epochs") config.epochs.reset();
  }
}

void check(const TrainConfig& config) {
  for (const ConfigOption& each : config_options()) each.check(config);
  check(config.augment);
}

std::string to_toml(const TrainConfig& config) {
  std::string text;
  std::string tables;
  std::string table;
  for (const ConfigOption& each : config_options()) {
    const std::size_t dot = each.key.find('.');
    if (dot == std::string::npos) {
      text += fmt::format("{} = {}  # {}\n", each.key, each.get(config), each.about);
      continue;
    }
    if (each.key.substr(0, dot) != table) {
      table = each.key.substr(0, dot);
      tables += fmt::format("\n[{}]\n", table);
    }
    tables +=
        fmt::format("{} = {}  # {}\n", each.key.substr(dot + 1), each.get(config), each.about);
  }
  text += table_text("model", config.model);
  if (!config.lr_factors.empty()) text += "\n[lr_factors]\n";
  for (const auto& [pattern, factor] : config.lr_factors) {
    text += fmt::format("{} = {}\n", toml_string(pattern), number_text(factor));
  }
  return text + tables + table_text("asked", config.asked);
}

std::optional<std::string> difference_from_run(const std::vector<TrainSetting>& given,
                                               const TrainConfig& wanted, const TrainConfig& run) {
  for (const TrainSetting& setting : given) {
    const std::string& key = setting.key;
    if (key == "check") continue;  // it is over, and changes nothing
    const std::string want = shown(wanted, key);
    std::string have = shown(run, key);
    if (want.empty() || want == have) continue;
    if (key == "minutes" || key == "epochs") {
      have = asked(run, key);
      if (want == have) continue;
      if (have.empty()) have = length_of(run);
    }
    if (key == "init" && same_file(wanted.init, run.init)) continue;
    return fmt::format("{} is {}, the run has {}", key, want, have.empty() ? "auto" : have);
  }
  return std::nullopt;
}

void settle_length(TrainConfig& config, std::int64_t steps) {
  config.asked.clear();
  for (const char* key : {"minutes", "epochs"}) {
    if (const std::string length = shown(config, key); !length.empty()) config.asked[key] = length;
  }
  config.asked["steps"] = fmt::format("{}", steps);
  config.steps = steps;
  config.minutes.reset();
  config.epochs.reset();
}

std::vector<OptionDescription> train_options() {
  const TrainConfig defaults;
  std::vector<OptionDescription> descriptions;
  for (const ConfigOption& each : config_options()) {
    descriptions.push_back({each.key, each.get(defaults), each.about});
  }
  return descriptions;
}

}  // namespace segmentum
