#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "segmentum/error.h"
#include "train/config.h"

namespace segmentum {
namespace {

/// The shortest text that reads back the same.
std::string number_text(const toml::node& node) {
  if (const auto* whole = node.as_integer()) return fmt::format("{}", whole->get());
  return fmt::format("{}", node.as_floating_point()->get());
}

/// A leaf of the document as the text that `set_option` takes.
std::string leaf_text(const toml::node& node, const std::string& key) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (node.is_number()) return number_text(node);
  const toml::array* list = node.as_array();
  if (list == nullptr || list->empty() ||
      !std::ranges::all_of(*list, [](const toml::node& n) { return n.is_number(); })) {
    throw Error(key + " must be a text, a number, a list of numbers, true or false");
  }
  std::string text;
  for (const toml::node& number : *list) text += (text.empty() ? "" : ", ") + number_text(number);
  return "[" + text + "]";
}

void read_table(std::vector<TrainSetting>& settings, const toml::table& table,
                const std::string& prefix, const std::string& name) {
  for (const auto& [word, node] : table) {
    const std::string key = prefix + std::string(word.str());
    if (const toml::table* inner = node.as_table()) {
      read_table(settings, *inner, key + ".", name);
      continue;
    }
    const std::string place = name + ":" + std::to_string(node.source().begin.line);
    try {
      settings.push_back({key, leaf_text(node, key), place});
    } catch (const Error& error) {
      throw Error::in_file(place, error.what());
    }
  }
}

}  // namespace

std::vector<TrainSetting> parse_train_config(std::string_view text, const std::string& name) {
  toml::table document;
  try {
    document = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    throw Error::in_file(name + ":" + std::to_string(error.source().begin.line),
                         "not TOML: " + std::string(error.description()));
  }
  std::vector<TrainSetting> settings;
  read_table(settings, document, "", name);
  return settings;
}

void read_train_config(TrainConfig& config, std::string_view text, const std::string& name) {
  for (const TrainSetting& setting : parse_train_config(text, name)) {
    try {
      set_option(config, setting.key, setting.value);
    } catch (const Error& error) {
      throw Error::in_file(setting.place, error.what());
    }
  }
}

}  // namespace segmentum
