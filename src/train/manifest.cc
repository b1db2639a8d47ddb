#include "train/manifest.h"

#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "base/file.h"
#include "base/json_problem.h"
#include "segmentum/error.h"
#include "train/tensor_hash.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "segmentum manifest 1";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string joined_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

/// Other numbers would be rounded in silence.
std::int64_t whole_number(const Json& json, const char* name) {
  const Json& value = json.at(name);
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  if (value.is_number_integer() && value >= 0 && value <= kMost) return value.get<std::int64_t>();
  throw Error("its \"" + std::string(name) + "\" is no whole number");
}

Json json_of(const RunCall& call) {
  return {{"command", call.command},
          {"started", call.started},
          {"ended", call.ended.empty() ? Json() : Json(call.ended)},
          {"steps", call.steps ? Json(*call.steps) : Json()},
          {"program", call.program}};
}

RunCall call_of(const Json& json) {
  RunCall call;
  json.at("command").get_to(call.command);
  json.at("started").get_to(call.started);
  json.at("program").get_to(call.program);
  if (!json.at("ended").is_null()) json.at("ended").get_to(call.ended);
  if (!json.at("steps").is_null()) call.steps = whole_number(json, "steps");
  return call;
}

RunManifest manifest_of(const Json& json) {
  if (json.at("format") != kFormat)
    throw Error("its format is not \"" + std::string(kFormat) + '"');
  RunManifest manifest;
  for (const Json& call : json.at("calls")) manifest.calls.push_back(call_of(call));
  const Json& data = json.at("data");
  manifest.data = data.at("opened").get<std::string>();
  manifest.data_folder = data.at("folder").get<std::string>();
  manifest.data_identity = joined_lines(data.at("facts").get<std::vector<std::string>>());
  manifest.data_files = whole_number(data, "files");
  manifest.data_bytes = whole_number(data, "bytes");
  data.at("sha256").get_to(manifest.data_sha256);
  data.at("changed").get_to(manifest.changed);
  if (json.contains("init")) json.at("init").at("sha256").get_to(manifest.init_sha256);
  json.at("config").get_to(manifest.config);
  if (const Json& weights = json.at("weights"); !weights.is_null()) {
    manifest.weights.emplace();
    weights.at("last").get_to(manifest.weights->last);
    weights.at("best").get_to(manifest.weights->best);
  }
  return manifest;
}

}  // namespace

std::string difference(const std::map<std::string, std::string>& then,
                       const std::map<std::string, std::string>& now) {
  std::string text;
  for (const auto& [name, value] : then) {
    const auto found = now.find(name);
    if (found == now.end() || found->second == value) continue;
    text += (text.empty() ? "" : "; ") + name + " was " + value + ", is " + found->second;
  }
  return text;
}

std::string to_json(const RunManifest& manifest) {
  Json calls = Json::array();
  for (const RunCall& call : manifest.calls) calls.push_back(json_of(call));
  Json json{{"format", kFormat},
            {"calls", calls},
            {"data",
             {{"opened", manifest.data.string()},
              {"folder", manifest.data_folder.string()},
              {"facts", lines_of(manifest.data_identity)},
              {"files", manifest.data_files},
              {"bytes", manifest.data_bytes},
              {"sha256", manifest.data_sha256},
              {"changed", manifest.changed}}}};
  if (!manifest.init_sha256.empty()) json["init"] = {{"sha256", manifest.init_sha256}};
  json["config"] = manifest.config;
  json["weights"] = Json();
  if (manifest.weights) {
    json["weights"] = {{"last", manifest.weights->last}, {"best", manifest.weights->best}};
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

RunManifest read_manifest(const fs::path& file) {
  const std::string text = read_file(file);
  try {
    return manifest_of(Json::parse(text));
  } catch (const std::exception& error) {
    throw Error::in_file(file.string(), "is no manifest of a run: " + json_problem(error.what()));
  }
}

std::map<std::string, std::string> settings_of(const TrainConfig& config) {
  std::map<std::string, std::string> settings;
  for (const TrainSetting& setting : parse_train_config(to_toml(config), "config")) {
    settings[setting.key] = setting.value;
  }
  return settings;
}

TrainConfig config_of(const RunManifest& manifest) {
  TrainConfig config;
  for (const auto& [key, value] : manifest.config) set_option(config, key, value);
  return config;
}

WeightHashes weight_hashes(const fs::path& checkpoint, const fs::path& best) {
  const std::vector<std::string> weights{"parameters.", "average."}, all{""};
  return {.last = tensors_sha256(checkpoint, weights), .best = tensors_sha256(best, all)};
}

}  // namespace segmentum
