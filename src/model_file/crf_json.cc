#include "model_file/crf_json.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json_problem.h"
#include "graph/operators.h"

namespace segmentum {
namespace {

constexpr int kVersion = 1;

/// Every number of the settings with its name in the file.
constexpr std::array kNumbers{
    std::pair{"spatial_sigma_px", &CrfSettings::spatial_sigma_px},
    std::pair{"spatial_weight", &CrfSettings::spatial_weight},
    std::pair{"bilateral_sigma_px", &CrfSettings::bilateral_sigma_px},
    std::pair{"bilateral_sigma_colour", &CrfSettings::bilateral_sigma_colour},
    std::pair{"bilateral_weight", &CrfSettings::bilateral_weight}};

/// Flat, so nothing can be nested too deep.
nlohmann::json parsed(std::string_view text) {
  const auto flat = [](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > 1) throw Error("they are nested too deep");
    return true;
  };
  return nlohmann::json::parse(text, flat);
}

CrfSettings settings_from(const nlohmann::json& json) {
  const int version = json.at("version").get<int>();
  if (version != kVersion) {
    throw Error(
        fmt::format("they are of version {}; this program reads version {}", version, kVersion));
  }
  CrfSettings settings;
  settings.iterations = json.at("iterations").get<int>();
  for (const auto& [name, number] : kNumbers) settings.*number = json.at(name).get<float>();
  const auto name = json.at("normalisation").get<std::string>();
  const auto normalisation = normalisation_of(name);
  if (!normalisation) throw Error("there is no normalisation \"" + name + "\"");
  settings.normalisation = *normalisation;
  check(settings);
  return settings;
}

}  // namespace

std::string crf_json(const CrfSettings& settings) {
  nlohmann::ordered_json json{{"version", kVersion}, {"iterations", settings.iterations}};
  for (const auto& [name, number] : kNumbers) json[name] = settings.*number;
  json["normalisation"] = normalisation_name(settings.normalisation);
  return json.dump();
}

CrfSettings crf_settings_from_json(std::string_view text) {
  try {
    return settings_from(parsed(text));
  } catch (const std::exception& error) {  // of nlohmann's types or our own
    throw Error("the CRF settings are damaged: " + json_problem(error.what()));
  }
}

std::optional<CrfNormalisation> normalisation_of(std::string_view name) {
  for (const auto value : {CrfNormalisation::symmetric, CrfNormalisation::before,
                           CrfNormalisation::after, CrfNormalisation::none}) {
    if (name == normalisation_name(value)) return value;
  }
  return std::nullopt;
}

std::string crf_text(const CrfSettings& settings) {
  std::string text = fmt::format("{} iterations", settings.iterations);
  if (settings.spatial_weight > 0) {
    text += fmt::format(", spatial {:g} px weight {:g}", settings.spatial_sigma_px,
                        settings.spatial_weight);
  }
  if (settings.bilateral_weight > 0) {
    text += fmt::format(", bilateral {:g} px {:g} levels weight {:g}", settings.bilateral_sigma_px,
                        settings.bilateral_sigma_colour, settings.bilateral_weight);
  }
  if (settings.normalisation != CrfNormalisation::symmetric) {
    text += std::string(", normalisation ") + normalisation_name(settings.normalisation);
  }
  return text;
}

}  // namespace segmentum
