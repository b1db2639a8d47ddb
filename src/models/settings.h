// The settings of one network, read as what they mean.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/spelling.h"
#include "models/registry.h"

namespace segmentum {

/// Given settings over the defaults of presets over defaults.
class Settings {
 public:
  /// Throws Error for a name that `info` does not list.
  Settings(const ArchitectureInfo& info, const std::map<std::string, std::string>& given);

  /// Each throws Error naming the setting, its value and what would work.
  int integer(const std::string& name, int lowest, int highest) const;
  /// None where `word` stands in the place of a number.
  std::optional<int> integer_or(const std::string& word, const std::string& name, int lowest,
                                int highest) const;
  float real(const std::string& name, float lowest, float highest) const;
  bool flag(const std::string& name) const;  // true, false
  template <typename Choice>
  Choice choice(const std::string& name,
                std::initializer_list<std::pair<const char*, Choice>> choices) const {
    for (const auto& [text, value] : choices) {
      if (values_.at(name) == text) return value;
    }
    std::vector<std::string> known;
    for (const auto& [text, value] : choices) known.emplace_back(text);
    throw_expected(name, joined(known));
  }

  const std::map<std::string, std::string>& values() const { return values_; }

  [[noreturn]] void throw_expected(const std::string& name, const std::string& expected) const;

 private:
  std::string architecture_;
  std::map<std::string, std::string> values_;
};

/// A network's name card and how to build it: what each file of networks gives to the registry.
struct Architecture {
  ArchitectureInfo info;
  Graph (*build)(const ModelOptions& options, const Settings& settings);
};

}  // namespace segmentum
