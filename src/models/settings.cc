#include "models/settings.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace segmentum {
namespace {

/// Letters to insert, delete or replace, or neighbours to swap, to turn a into b.
int edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<int>> d(a.size() + 1, std::vector<int>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = static_cast<int>(i + j);
        continue;
      }
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

template <typename Number>
bool parse(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::string short_text(float value) {
  std::array<char, 32> text;
  return {text.data(), std::to_chars(text.begin(), text.end(), value).ptr};
}

}  // namespace

Settings::Settings(const ArchitectureInfo& info, const std::map<std::string, std::string>& given)
    : architecture_(info.name) {
  std::vector<std::string> known;
  for (const SettingInfo& setting : info.settings) {
    known.push_back(setting.name);
    values_[setting.name] = setting.default_value;
  }
  for (const auto& [name, value] : given) {
    const auto found = values_.find(name);
    if (found == values_.end()) {
      throw Error("model " + info.name + " has no setting \"" + name + "\"; " +
                  did_you_mean(name, known) + "it has " + joined(known));
    }
    found->second = value;
  }
}

int Settings::integer(const std::string& name, int lowest, int highest) const {
  int value = 0;
  if (!parse(values_.at(name), value) || value < lowest || value > highest) {
    throw_expected(
        name, "a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest));
  }
  return value;
}

float Settings::real(const std::string& name, float lowest, float highest) const {
  float value = 0;
  if (!parse(values_.at(name), value) || !(value >= lowest && value <= highest)) {
    throw_expected(name, "a number from " + short_text(lowest) + " to " + short_text(highest));
  }
  return value;
}

bool Settings::flag(const std::string& name) const {
  return choice<bool>(name, {{"true", true}, {"false", false}});
}

void Settings::throw_expected(const std::string& name, const std::string& expected) const {
  throw Error("model " + architecture_ + " has " + name + " = \"" + values_.at(name) +
              "\"; expected " + expected);
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const auto nearest = std::ranges::min_element(
      known, {}, [&](const std::string& candidate) { return edit_distance(word, candidate); });
  if (nearest == known.end() || edit_distance(word, *nearest) > 2) return "";
  return "did you mean \"" + *nearest + "\"? ";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace segmentum
