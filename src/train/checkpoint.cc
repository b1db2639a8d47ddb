#include "train/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/sha256.h"
#include "model_file/safetensors.h"
#include "segmentum/error.h"
#include "train/tensor_hash.h"

namespace segmentum {
namespace {

constexpr const char* kFormat = "segmentum checkpoint 1";
const std::string kParameters = "parameters.";
const std::string kOptimizer = "optimizer.";
const std::string kAverage = "average.";
constexpr const char* kData = "data";
constexpr const char* kSha256 = "sha256";  // of all the rest; those of old have none

using Metadata = std::map<std::string, std::string>;

void append(std::vector<NamedTensor>& tensors, const std::string& prefix,
            const ParameterStore& store) {
  for (const auto& [name, parameter] : store.all()) {
    tensors.push_back({prefix + name, parameter.value.view()});
  }
}

/// Of the texts, and of the tensors by their own hash.
std::string content_sha256(const Metadata& metadata, const std::string& of_tensors) {
  Sha256 hash;
  for (const auto& [key, text] : metadata) {
    if (key != kSha256) hash.add(fmt::format("{} {}\n{}\n", key, text.size(), text));
  }
  return hash.add(of_tensors).digits();
}

[[noreturn]] void throw_damaged(const std::filesystem::path& path, std::string what) {
  if (const std::string name = path.string() + ": "; what.starts_with(name)) {
    what.erase(0, name.size());
  }
  const std::filesystem::path best = path.parent_path() / "best.segmentum";
  std::error_code unknown;
  throw Error::in_file(
      path.string(),
      fmt::format(
          "is damaged: {}; put a copy of it in its place, or train in another folder{}", what,
          std::filesystem::exists(best, unknown)
              ? fmt::format(": --init {} begins with the best weights so far", best.string())
              : ""));
}

/// Throws Error saying what to do where it is not, bit for bit, what was saved.
SafetensorsReader open_checkpoint(const std::filesystem::path& path) {
  read_file_part(path, 0, 1);  // what cannot be opened is not damaged
  try {
    SafetensorsReader file(path);
    const auto stored = file.metadata().find(kSha256);
    if (stored == file.metadata().end()) return file;
    const std::vector<std::string> all{""};
    if (stored->second != content_sha256(file.metadata(), tensors_sha256(path, all))) {
      throw Error("its content is not what was saved (its SHA-256 is another)");
    }
    return file;
  } catch (const Error& error) {
    throw_damaged(path, error.what());
  }
}

template <typename Number>
Number number(const Metadata& metadata, const std::string& key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) throw Error("it has no " + key);
  const std::string& text = found->second;
  Number value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) {
    throw Error("its " + key + " is \"" + text + "\", a number was expected");
  }
  if (std::is_integral_v<Number> && value < 0) throw Error("its " + key + " is negative");
  return value;
}

Tensor read_like(SafetensorsReader& file, const std::string& name, const Shape& shape) {
  if (!file.contains(name)) throw Error("it has no tensor " + name);
  const Shape& stored = file.tensors().at(name).shape;
  if (stored != shape) {
    throw Error("its tensor " + name + " is " + stored.to_string() + ", expected " +
                shape.to_string());
  }
  return file.read(name);
}

ParameterStore read_store(SafetensorsReader& file, const std::string& prefix,
                          const ParameterStore& like) {
  ParameterStore store;
  for (const auto& [name, parameter] : like.all()) {
    store.add(name, parameter.role, read_like(file, prefix + name, parameter.value.shape()));
  }
  return store;
}

/// Calls visit(key, number) for every number of a position.
template <typename Position, typename Visit>
void for_each_number(Position& position, const Visit& visit) {
  visit("step", position.step);
  visit("epochs_done", position.epochs_done);
  visit("best_mean_iou", position.best_mean_iou);
  visit("best_step", position.best_step);
  visit("loss_sum", position.loss_sum);
  visit("norm_sum", position.norm_sum);
  visit("loss_count", position.loss_count);
  visit("log_bytes", position.log_bytes);
}

/// Into the tensors that are there: plans hold on to them.
void copy_values(const ParameterStore& from, ParameterStore& to) {
  for (const auto& [name, parameter] : from.all()) {
    std::ranges::copy(parameter.value.values(), to.change(name).data());
  }
}

void load(SafetensorsReader& file, TrainingState& state) {
  const Metadata& metadata = file.metadata();
  const auto format = metadata.find("format");
  if (format == metadata.end() || format->second != kFormat) {
    throw Error("it is no checkpoint of this version");
  }
  const ParameterStore parameters = read_store(file, kParameters, state.parameters);
  std::map<std::string, Tensor> optimizer;
  for (const auto& [name, tensor] : state.optimizer.state()) {
    optimizer.emplace(name, read_like(file, kOptimizer + name, tensor.shape()));
  }
  std::optional<ParameterStore> average;
  if (state.average) average = read_store(file, kAverage, state.parameters);
  TrainingPosition position;
  for_each_number(position, [&](const char* key, auto& value) {
    value = number<std::remove_reference_t<decltype(value)>>(metadata, key);
  });
  const auto optimizer_steps = number<std::int64_t>(metadata, "optimizer_steps");
  const auto average_updates = number<std::int64_t>(metadata, "average_updates");

  copy_values(parameters, state.parameters);
  state.optimizer.restore(std::move(optimizer), optimizer_steps);
  if (average) state.average->restore(*average, average_updates);
  state.position = position;
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const TrainingState& state,
                     const std::string& data_identity) {
  std::vector<NamedTensor> tensors;
  append(tensors, kParameters, state.parameters);
  for (const auto& [name, tensor] : state.optimizer.state()) {
    tensors.push_back({kOptimizer + name, tensor.view()});
  }
  if (state.average) append(tensors, kAverage, state.average->parameters());
  Metadata metadata{{"format", kFormat}};
  for_each_number(state.position, [&](const char* key, const auto& value) {
    metadata[key] = fmt::format("{}", value);  // the shortest text that reads back the same
  });
  metadata["optimizer_steps"] = fmt::format("{}", state.optimizer.steps());
  metadata["average_updates"] = fmt::format("{}", state.average ? state.average->updates() : 0);
  if (!data_identity.empty()) metadata[kData] = data_identity;
  metadata[kSha256] = content_sha256(metadata, tensors_sha256(tensors));
  write_safetensors(path, tensors, metadata);
}

std::string stored_data_identity(const std::filesystem::path& path) {
  const SafetensorsReader file = open_checkpoint(path);
  const auto found = file.metadata().find(kData);
  return found == file.metadata().end() ? "" : found->second;
}

void load_checkpoint(const std::filesystem::path& path, TrainingState& state) {
  SafetensorsReader file = open_checkpoint(path);
  try {
    load(file, state);
  } catch (const Error& error) {
    const std::string what = error.what();
    if (what.starts_with(path.string())) throw_damaged(path, what);
    throw Error::in_file(path.string(),
                         "does not fit this training: " + what +
                             "; config.toml beside it must be the one that it was made with");
  }
}

}  // namespace segmentum
