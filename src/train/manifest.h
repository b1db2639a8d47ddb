// manifest.json of a run: all that its bits follow from, so that it can be repeated and the result
// compared.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "train/config.h"

namespace segmentum {

/// What only the caller of a training knows.
struct RunFacts {
  std::string command;         // words as a shell reads them
  std::filesystem::path data;  // what was opened as the data set: its folder or its dataset.toml
  // What the bits depend on beside the data and the options: version, compiler, libraries, CPU.
  std::map<std::string, std::string> program;
};

/// The run was started, or gone on with.
struct RunCall {
  std::string command;
  std::string started;                // UTC, "2026-01-31T12:00:00Z"
  std::string ended;                  // empty: it still runs, or was broken off
  std::optional<std::int64_t> steps;  // done at its end
  std::map<std::string, std::string> program;
};

/// SHA-256 of names, shapes and numbers of all tensors.
struct WeightHashes {
  std::string last;  // of the last step: weights and their average, in the checkpoint
  std::string best;  // of best.segmentum

  bool operator==(const WeightHashes&) const = default;
};

struct RunManifest {
  std::vector<RunCall> calls;
  std::filesystem::path data;         // absolute, as in RunFacts
  std::filesystem::path data_folder;  // absolute; names of files are relative to it
  std::string data_identity;          // train/data_identity.h
  std::int64_t data_files = 0;
  std::int64_t data_bytes = 0;
  std::string data_sha256;           // of data.sha256 beside it, the hashes of all files
  std::vector<std::string> changed;  // files whose content changed between first and last step
  std::string init_sha256;           // of config.init; empty: there is none
  std::map<std::string, std::string> config;  // every option as `set_option` takes it
  std::optional<WeightHashes> weights;        // none: the training has not ended
};

/// What is not alike of two programs or machines (RunCall::program): "cpu was A, is B; ..." of the
/// facts that both have.
std::string difference(const std::map<std::string, std::string>& then,
                       const std::map<std::string, std::string>& now);

std::string to_json(const RunManifest& manifest);
/// Throws Error naming the file if it cannot be read or is no manifest.
RunManifest read_manifest(const std::filesystem::path& file);

/// The options as text, by name, and back.
std::map<std::string, std::string> settings_of(const TrainConfig& config);
TrainConfig config_of(const RunManifest& manifest);

/// Of the checkpoint and the best model in a run's folder. Throws Error if one cannot be read.
WeightHashes weight_hashes(const std::filesystem::path& checkpoint,
                           const std::filesystem::path& best);

}  // namespace segmentum
