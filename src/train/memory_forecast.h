// Whether a training fits into memory, said before it starts instead of by the system's killer.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "graph/graph.h"
#include "train/config.h"

namespace segmentum {

/// Bytes that a training will hold.
struct MemoryForecast {
  std::size_t activations = 0;  // values, their gradients and scratch of one batch
  std::size_t weights = 0;      // weights, gradients, optimizer state, average
  std::size_t pictures = 0;     // the loader's cache
  std::size_t validation = 0;   // values of the largest picture, or of the smallest tiles
  /// The activations with memory=lean, where that is another choice.
  std::optional<std::size_t> lean_activations;

  std::size_t total() const { return activations + weights + pictures + validation; }
};

/// From the graph alone, before anything is allocated. The activations are a floor: every value
/// once; in a lean training those that one node reads and writes; and what the loss holds.
/// `cache_bytes`: of decoded pictures; `frozen`: parameters without gradient.
MemoryForecast forecast_memory(const Graph& graph, const Shape& batch, const TrainConfig& config,
                               std::size_t cache_bytes, const std::set<std::string>& frozen = {});

/// What running the network on `picture` holds at least: the inputs and the result of one node.
std::size_t inference_floor(const Graph& graph, const Shape& picture);

/// Bytes that this process may still use: the smaller of the system's MemAvailable and what the
/// control group's limit leaves. `root`: where /proc and /sys are found. Nothing where the system
/// does not tell.
std::optional<std::size_t> available_memory(const std::filesystem::path& root = "/");

/// Throws Error with the options that would fit unless `forecast` fits into `available` bytes.
void require_memory(const MemoryForecast& forecast, const TrainConfig& config,
                    std::size_t available);

}  // namespace segmentum
