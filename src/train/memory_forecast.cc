#include "train/memory_forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <string>

#include "engine/mean_field_points.h"
#include "losses/loss.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

/// The number after `key` in lines such as "MemAvailable:   123 kB"; the first word of the file
/// where `key` is empty. Nothing where it is not there or no number ("max").
std::optional<std::size_t> read_number(const fs::path& file, const std::string& key) {
  std::ifstream stream(file);
  std::string word;
  while (stream >> word) {
    if (!key.empty()) {
      if (word != key) continue;
      stream >> word;
    }
    std::size_t value = 0;
    const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (code != std::errc() || end != word.data() + word.size()) return std::nullopt;
    return value;
  }
  return std::nullopt;
}

/// What a control group's limit leaves. Its file cache gives way, so it does not count as used.
std::optional<std::size_t> left_in_group(const fs::path& limit_file, const fs::path& usage_file,
                                         const fs::path& stat_file, const std::string& cache_key) {
  const auto limit = read_number(limit_file, "");
  const auto usage = read_number(usage_file, "");
  if (!limit || !usage) return std::nullopt;
  const std::size_t cache = read_number(stat_file, cache_key).value_or(0);
  const std::size_t used = *usage - std::min(*usage, cache);
  return *limit - std::min(*limit, used);
}

std::string gigabytes(std::size_t bytes) {
  return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9);
}

}  // namespace

MemoryForecast forecast_memory(const Graph& graph, const Shape& batch, const TrainConfig& config,
                               std::size_t cache_bytes, const std::set<std::string>& frozen) {
  MemoryForecast forecast;
  const std::array inputs{batch};
  const std::vector<Shape> shapes = infer_shapes(graph, inputs);
  for (std::size_t id = 0; id < shapes.size(); ++id) {
    forecast.activations += sizeof(float) * static_cast<std::size_t>(shapes[id].count());
    const Node& node = graph.nodes[id];
    if (const auto* field = std::get_if<op::MeanField>(&node.op)) {
      const ValueId picture = node.inputs[1];
      forecast.activations += mean_field_bytes(*field, shapes[id], graph.node(picture).channels);
    }
  }
  if (config.memory == TrainMemory::lean) {
    forecast.activations = inference_floor(graph, batch);
  } else {
    forecast.lean_activations = inference_floor(graph, batch);
  }
  std::size_t loss = 0;  // of one output at a time
  for (const Output& output : graph.outputs) {
    const Shape& logits = shapes[static_cast<std::size_t>(output.value)];
    loss = std::max(loss, loss_bytes({.terms = config.loss}, logits));
  }
  forecast.activations += loss;
  if (forecast.lean_activations) *forecast.lean_activations += loss;
  const std::size_t state = config.optimizer.kind == OptimizerKind::adamw ? 2 : 1;
  const std::size_t average = config.ema_decay == 0.0 ? 0 : 1;
  for (const ParameterSpec& spec : graph.parameters) {
    const bool learnt = is_trainable(spec.role) && !frozen.contains(spec.name);
    const std::size_t copies = 1 + average + (learnt ? 1 + state : 0);
    forecast.weights += copies * sizeof(float) * static_cast<std::size_t>(spec.shape.count());
  }
  forecast.pictures = cache_bytes;
  return forecast;
}

std::size_t inference_floor(const Graph& graph, const Shape& picture) {
  const std::array inputs{picture};
  const std::vector<Shape> shapes = infer_shapes(graph, inputs);
  std::int64_t most = 0;
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    std::int64_t held = shapes[id].count();
    for (ValueId input : graph.nodes[id].inputs) {
      held += shapes[static_cast<std::size_t>(input)].count();
    }
    most = std::max(most, held);
  }
  return sizeof(float) * static_cast<std::size_t>(most);
}

std::optional<std::size_t> available_memory(const fs::path& root) {
  std::optional<std::size_t> available = read_number(root / "proc/meminfo", "MemAvailable:");
  if (available) *available *= 1024;
  const fs::path group = root / "sys/fs/cgroup";
  const auto v2 =
      left_in_group(group / "memory.max", group / "memory.current", group / "memory.stat", "file");
  const auto v1 =
      left_in_group(group / "memory/memory.limit_in_bytes", group / "memory/memory.usage_in_bytes",
                    group / "memory/memory.stat", "total_cache");
  for (const auto& left : {v2, v1}) {
    if (left) available = std::min(available.value_or(*left), *left);
  }
  return available;
}

void require_memory(const MemoryForecast& forecast, const TrainConfig& config,
                    std::size_t available) {
  if (forecast.total() <= available) return;
  std::string options;
  const auto offer = [&](const std::string& option) {
    options += (options.empty() ? "" : ", ") + option;
  };
  // Activations grow with the batch and with the crop's area; the rest stays.
  const std::size_t fixed = forecast.weights + forecast.pictures + forecast.validation;
  if (forecast.lean_activations && fixed + *forecast.lean_activations <= available) {
    offer(fmt::format("memory=lean (activations from {}, the same weights in the end, more time)",
                      gigabytes(*forecast.lean_activations)));
  }
  if (fixed < available) {
    const double share = static_cast<double>(available - fixed) /
                         static_cast<double>(std::max<std::size_t>(1, forecast.activations));
    const int batch = static_cast<int>(config.batch * share);
    const int crop = static_cast<int>(config.crop * std::sqrt(share)) / 16 * 16;
    if (batch >= 1) {
      offer(fmt::format("batch={} (with accumulate={} for the same step)", batch,
                        (config.batch * config.accumulate + batch - 1) / batch));
    }
    if (crop >= 32) offer(fmt::format("crop={}", crop));
  }
  if (config.cache_mb > 0) offer("cache_mb=0");
  if (forecast.total() - forecast.validation <= available) {
    offer(fmt::format("smaller pictures in the split \"{}\"", config.val_split));
  }
  offer("a narrower network");
  throw Error(fmt::format(
      "the training needs about {} of memory (activations {}, weights and optimizer {}, pictures "
      "{}, validation {}) but {} are free; what would fit better: {}",
      gigabytes(forecast.total()), gigabytes(forecast.activations), gigabytes(forecast.weights),
      gigabytes(forecast.pictures), gigabytes(forecast.validation), gigabytes(available), options));
}

}  // namespace segmentum
