#include "cli/arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "image/codec.h"
#include "models/settings.h"

namespace segmentum {
namespace {

constexpr std::size_t kNameColumn = 30;

std::string limits_text(const Limits& limits) {
  return limits.highest >= 1e15 ? fmt::format("of at least {}", limits.lowest)
                                : fmt::format("from {} to {}", limits.lowest, limits.highest);
}

template <typename Number>
Number read_number(const std::string& name, const std::string& text, const Limits& limits) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, number);
  const auto value = static_cast<double>(number);
  if (code != std::errc() || stop != end || !(value >= limits.lowest && value <= limits.highest)) {
    throw UsageError(fmt::format("{} is \"{}\"; expected a {}number {}", name, text,
                                 std::is_integral_v<Number> ? "whole " : "", limits_text(limits)));
  }
  return number;
}

bool is_setting(const std::string& word) {
  const std::size_t equals = word.find('=');
  return equals != std::string::npos && equals > 0 && word[0] != '-' &&
         word.find('/') >= equals;  // not a path with "=" in it
}

/// "--set a=1 b=2" as "--set a=1 --set b=2".
std::vector<std::string> with_each_setting_named(std::span<const char* const> words) {
  std::vector<std::string> result;
  bool in_settings = false;
  for (const char* text : words) {
    const std::string word = text;
    const bool continued = in_settings && is_setting(word) && result.back() != "--set";
    if (continued) result.push_back("--set");
    in_settings = word == "--set" || (in_settings && is_setting(word));
    result.push_back(word);
  }
  return result;
}

void require_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  if (folder.empty() || std::filesystem::is_directory(folder)) return;
  throw Error::in_file(file.string(), "cannot be written: there is no folder " + folder.string() +
                                          "; create it first, or name another file");
}

}  // namespace

struct Arguments::Parser {
  CLI::App app;
  std::string name;
  std::string example;
  std::function<std::string()> more_help = [] { return std::string(); };

  explicit Parser(const Command& command)
      : app(command.summary + std::string("\n")), name(command.name), example(command.example) {
    app.name("segmentum " + name);
    app.get_formatter()->column_width(kNameColumn);
    app.get_formatter()->label("Positionals", "Arguments");
    app.get_formatter()->label("REQUIRED", "(required)");
    app.set_help_flag("-h,--help", "show this help");
    app.allow_extras();  // to say what might have been meant
    // Of every command; `segmentum --help` tells of it once.
    add_number<std::int64_t>("--picture-limit", {1, 1e9}, "",
                             [](std::int64_t megabytes) { set_picture_limit(megabytes << 20); });
    app.get_option("--picture-limit")->group("");
  }

  std::vector<std::string> option_names() const {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& long_name : option->get_lnames()) names.push_back("--" + long_name);
    }
    return names;
  }

  [[noreturn]] void refuse(const std::string& what, const std::string& meant = "") const {
    throw UsageError(fmt::format("{}; {}segmentum {} --help explains", what, meant, name));
  }

  void refuse_extras() const {
    const std::vector<std::string> extras = app.remaining();
    if (extras.empty()) return;
    const std::string& first = extras.front();
    if (!first.starts_with('-')) refuse(fmt::format("\"{}\" is one argument too many", first));
    refuse(fmt::format("there is no option {}", first),
           did_you_mean(first.substr(0, first.find('=')), option_names()));
  }

  template <typename Number>
  void add_number(const char* option, const Limits& limits, const char* about,
                  std::function<void(Number)> store) {
    app.add_option_function<std::string>(
           option,
           [=, option_name = std::string(option)](const std::string& text) {
             store(read_number<Number>(option_name, text, limits));
           },
           about)
        ->type_name("N");
  }
};

Arguments::Arguments(const Command& command) : parser_(std::make_unique<Parser>(command)) {}
Arguments::~Arguments() = default;

void Arguments::operand(std::string& value, const char* name, const char* about) {
  parser_->app.add_option(name, value, about)->required()->type_name("");
}

void Arguments::optional_operand(std::string& value, const char* name, const char* about) {
  parser_->app.add_option(name, value, about)->type_name("");
}

void Arguments::operands(std::vector<std::string>& values, const char* name, const char* about) {
  parser_->app.add_option(name, values, about)->required()->type_name("");
}

void Arguments::flag(bool& value, const char* name, const char* about) {
  parser_->app.add_flag(name, value, about);
}

void Arguments::option(std::string& value, const char* name, const char* kind, const char* about) {
  parser_->app.add_option(name, value, about)->type_name(kind);
}

void Arguments::required_option(std::string& value, const char* name, const char* kind,
                                const char* about) {
  parser_->app.add_option(name, value, about)->type_name(kind)->required();
}

void Arguments::option(int& value, const char* name, Limits limits, const char* about) {
  parser_->add_number<int>(name, limits, about, [&value](int number) { value = number; });
}

void Arguments::option(std::optional<std::int64_t>& value, const char* name, Limits limits,
                       const char* about) {
  parser_->add_number<std::int64_t>(name, limits, about,
                                    [&value](std::int64_t number) { value = number; });
}

void Arguments::option(std::optional<double>& value, const char* name, Limits limits,
                       const char* about) {
  parser_->add_number<double>(name, limits, about, [&value](double number) { value = number; });
}

void Arguments::settings(std::vector<std::string>& values, const char* about) {
  parser_->app.add_option("--set", values, about)->type_name("KEY=VALUE")->allow_extra_args(false);
}

void Arguments::threads(int& value) {
  option(value, "--threads", {0, 4096}, "threads that compute (default: all cores)");
}

void Arguments::scales(std::vector<float>& factors) {
  const auto store = [&factors](const std::string& text) {
    factors.clear();
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find(',', at), text.size());
      factors.push_back(read_number<float>("--scales", text.substr(at, end - at), {0.1, 10}));
      at = end + 1;
    }
  };
  parser_->app
      .add_option_function<std::string>(
          "--scales", store,
          "average over the picture at these multiples of its size, such as 0.75,1,1.25: better, "
          "and as slow as all of them together")
      ->type_name("LIST");
}

void Arguments::json(std::string& file) {
  const auto store = [&file](const std::string& text) {
    require_folder_of(text);
    file = text;
  };
  parser_->app.add_option_function<std::string>("--json", store, "also write the result as JSON")
      ->type_name("FILE");
}

void Arguments::help_footer(std::function<std::string()> text) {
  parser_->more_help = std::move(text);
}

bool Arguments::parse(std::span<const char* const> words) {
  std::vector<std::string> reversed = with_each_setting_named(words);
  std::ranges::reverse(reversed);  // as CLI11 takes them
  try {
    parser_->app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return false;
  } catch (const CLI::RequiredError& error) {
    parser_->refuse_extras();
    parser_->refuse(error.what());
  } catch (const CLI::ParseError& error) {
    parser_->refuse(error.what());
  }
  parser_->refuse_extras();
  return true;
}

std::string Arguments::help() const {
  std::string text = parser_->app.help();
  text.erase(text.find_last_not_of('\n') + 2);
  return text + parser_->more_help() + "\nExample:\n" + parser_->example;
}

std::pair<std::string, std::string> key_and_value(const std::string& setting) {
  const std::size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw UsageError(fmt::format("--set is \"{}\"; expected KEY=VALUE, such as lr=0.01", setting));
  }
  return {setting.substr(0, equals), setting.substr(equals + 1)};
}

std::pair<int, int> height_and_width(const char* option, const std::string& text) {
  int h = 0, w = 0, end = 0;
  if (std::sscanf(text.c_str(), "%dx%d%n", &h, &w, &end) != 2 ||
      static_cast<std::size_t>(end) != text.size() || h < 1 || w < 1) {
    throw UsageError(
        fmt::format("{} is \"{}\"; expected HEIGHTxWIDTH, such as 360x480", option, text));
  }
  return {h, w};
}

}  // namespace segmentum
