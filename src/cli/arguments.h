// The operands and options of one verb: declared by name, read, explained. The only door to CLI11,
// which is costly to compile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/command.h"
#include "segmentum/error.h"

namespace segmentum {

/// The command line itself is wrong: exit 2.
struct UsageError : Error {
  using Error::Error;
};

/// What a number may be; both ends are allowed.
struct Limits {
  double lowest;
  double highest;
};

/// Variables are bound when options are declared, filled by `parse`, and keep their value, the
/// default, where the person says nothing.
class Arguments {
 public:
  explicit Arguments(const Command& command);
  ~Arguments();
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;

  /// What must be given, in this order: "DATA".
  void operand(std::string& value, const char* name, const char* about);
  /// What may be given behind it.
  void optional_operand(std::string& value, const char* name, const char* about);
  /// One or more.
  void operands(std::vector<std::string>& values, const char* name, const char* about);

  void flag(bool& value, const char* name, const char* about);
  /// `kind` stands for the value in the help: "FILE".
  void option(std::string& value, const char* name, const char* kind, const char* about);
  void required_option(std::string& value, const char* name, const char* kind, const char* about);
  void option(int& value, const char* name, Limits limits, const char* about);
  void option(std::optional<std::int64_t>& value, const char* name, Limits limits,
              const char* about);
  void option(std::optional<double>& value, const char* name, Limits limits, const char* about);
  /// "--set key=value ...", which may also be repeated.
  void settings(std::vector<std::string>& values, const char* about);
  /// Options that many verbs have.
  void threads(int& value);
  /// "--scales 0.75,1,1.25", each from 0.1 to 10; left empty where it is not given.
  void scales(std::vector<float>& factors);
  /// A file in a folder that is there: a missing one is an Error of `parse`, before the work.
  void json(std::string& file);

  /// More lines for the end of the help.
  void help_footer(std::function<std::string()> text);

  /// Fills the variables from the words behind the verb. Returns false if help was asked for.
  /// Throws UsageError, and Error for what `json` says.
  bool parse(std::span<const char* const> words);
  std::string help() const;

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

/// The two sides of "key=value". Throws UsageError.
std::pair<std::string, std::string> key_and_value(const std::string& setting);

/// The two numbers of "360x480", each at least 1. Throws UsageError naming the option.
std::pair<int, int> height_and_width(const char* option, const std::string& text);

}  // namespace segmentum
