#include <toml++/toml.h>

#include <sstream>

#include "segmentum/error.h"
#include "train/config.h"

namespace segmentum {
namespace {

/// A leaf of the document as the text that `set_option` takes.
std::string leaf_text(const toml::node& node, const std::string& key) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (!node.is_number()) throw Error(key + " must be a text, a number, true or false");
  std::ostringstream text;
  if (const auto* whole = node.as_integer()) {
    text << whole->get();
  } else {
    text.precision(17);
    text << node.as_floating_point()->get();
  }
  return text.str();
}

void read_table(TrainConfig& config, const toml::table& table, const std::string& prefix,
                const std::string& name) {
  for (const auto& [word, node] : table) {
    const std::string key = prefix + std::string(word.str());
    if (const toml::table* inner = node.as_table()) {
      read_table(config, *inner, key + ".", name);
      continue;
    }
    try {
      set_option(config, key, leaf_text(node, key));
    } catch (const Error& error) {
      throw Error::in_file(name + ":" + std::to_string(node.source().begin.line), error.what());
    }
  }
}

}  // namespace

void read_train_config(TrainConfig& config, std::string_view text, const std::string& name) {
  toml::table document;
  try {
    document = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    throw Error::in_file(name + ":" + std::to_string(error.source().begin.line),
                         "not TOML: " + std::string(error.description()));
  }
  read_table(config, document, "", name);
}

}  // namespace segmentum
