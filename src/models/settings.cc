#include "models/settings.h"

#include <array>
#include <charconv>

#include "segmentum/error.h"

namespace segmentum {
namespace {

template <typename Number>
bool parse(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::string short_text(float value) {
  std::array<char, 32> text;
  return {text.data(), std::to_chars(text.begin(), text.end(), value).ptr};
}

std::string whole_number_text(int lowest, int highest) {
  return "a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest);
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
  for (const Preset& preset : info.presets) {
    if (values_.at(preset.setting) != preset.value) continue;
    for (const auto& [name, value] : preset.defaults) {
      if (!given.contains(name)) values_.at(name) = value;
    }
  }
}

int Settings::integer(const std::string& name, int lowest, int highest) const {
  int value = 0;
  if (!parse(values_.at(name), value) || value < lowest || value > highest) {
    throw_expected(name, whole_number_text(lowest, highest));
  }
  return value;
}

std::optional<int> Settings::integer_or(const std::string& word, const std::string& name,
                                        int lowest, int highest) const {
  if (values_.at(name) == word) return std::nullopt;
  int value = 0;
  if (!parse(values_.at(name), value) || value < lowest || value > highest) {
    throw_expected(name, word + ", or " + whole_number_text(lowest, highest));
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

}  // namespace segmentum
