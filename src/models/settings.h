// The settings of one network, read as what they mean.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/registry.h"
#include "segmentum/error.h"

namespace segmentum {

/// Given settings over defaults.
class Settings {
 public:
  /// Throws Error for a name that `info` does not list.
  Settings(const ArchitectureInfo& info, const std::map<std::string, std::string>& given);

  /// Each throws Error naming the setting, its value and what would work.
  int integer(const std::string& name, int lowest, int highest) const;
  float real(const std::string& name, float lowest, float highest) const;
  bool flag(const std::string& name) const;  // true, false
  template <typename Choice>
  Choice choice(const std::string& name,
                std::initializer_list<std::pair<const char*, Choice>> choices) const {
    for (const auto& [text, value] : choices) {
      if (values_.at(name) == text) return value;
    }
    std::string known;
    for (const auto& [text, value] : choices)
      known += (known.empty() ? "" : ", ") + std::string(text);
    throw_expected(name, known);
  }

  const std::map<std::string, std::string>& values() const { return values_; }

 private:
  [[noreturn]] void throw_expected(const std::string& name, const std::string& expected) const;

  std::string architecture_;
  std::map<std::string, std::string> values_;
};

/// A network's name card and how to build it: what each file of networks gives to the registry.
struct Architecture {
  ArchitectureInfo info;
  Graph (*build)(const ModelOptions& options, const Settings& settings);
};

/// `did you mean "width"? `, or nothing where no known word is near (at most two letters off).
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

/// "a, b, c".
std::string joined(const std::vector<std::string>& words);

}  // namespace segmentum
