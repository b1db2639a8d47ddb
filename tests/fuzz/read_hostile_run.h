// The files that trainings, evaluations and streamed predictions leave for later ones: what the
// fuzzer runs, and what the suite runs on its corpus.
#pragma once

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "hostile_file.h"
#include "image/label_tiff.h"
#include "infer/evaluation_file.h"
#include "segmentum/error.h"
#include "train/checkpoint.h"
#include "train/data_hashes.h"
#include "train/manifest.h"

namespace segmentum {

/// A training of one parameter of three numbers.
inline TrainingState hostile_state() {
  ParameterStore parameters;
  parameters.add("w", ParameterRole::weight, Tensor({3}));
  Optimizer optimizer({}, parameters);
  WeightAverage average(parameters, 0.9);
  return {std::move(parameters), std::move(optimizer), std::move(average), {}};
}

/// Each line with the checksum that a journal's have: no fuzzer would guess them.
inline std::string with_checksums(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    lines += fmt::format(
        "{} {:08x}\n", line,
        crc32(0, reinterpret_cast<const Bytef*>(line.data()), static_cast<uInt>(line.size())));
  }
  return lines;
}

/// Goes on with a label map of 300x700 whose journal has these lines. Its part holds 1000 bytes.
inline void go_on_with_journal(const std::string& journal) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() /
                                     ("segmentum_hostile_" + std::to_string(getpid()) + ".tif");
  const auto with = [&](const char* ending) { return path.string() + ending; };
  struct Files {
    std::vector<std::filesystem::path> names;
    ~Files() {
      std::error_code ignored;
      for (const auto& name : names) std::filesystem::remove(name, ignored);
    }
  } const files{{path, with(".part"), with(".part.journal")}};
  write_file(with(".part"), std::string(1000, 'x'));
  write_file(with(".part.journal"), journal);
  LabelTiffWriter::unfinished(path);
  LabelTiffWriter writer(path, {.height = 300, .width = 700}, "identity", true);
  for (int y = 0; y < 300; y += 256) {
    for (int x = 0; x < 700; x += 256) {
      if (!writer.has(y, x)) {
        writer.write(y, x, Image(std::min(256, 300 - y), std::min(256, 700 - x), 1));
      }
    }
  }
  writer.finish();
}

/// The first byte says which reader the rest is for. True if that takes it.
inline bool read_hostile_run(std::string_view bytes) {
  if (bytes.empty()) return false;
  const char reader = bytes[0];
  const std::string_view text = bytes.substr(1);
  const HostileFile file(text);
  try {
    switch (reader) {
      case 'c': {
        TrainingState state = hostile_state();
        stored_data_identity(file.path());
        load_checkpoint(file.path(), state);
        return true;
      }
      case 'm': {
        const RunManifest manifest = read_manifest(file.path());
        to_json(manifest);
        config_of(manifest);
        return true;
      }
      case 'e': {
        const EvaluationFile result = read_evaluation(file.path());
        compare(result, result, {.permutations = 3, .bootstrap = {.resamples = 3}});
        return true;
      }
      case 'h':
        read_hashes(file.path());
        return true;
      case 'j':
        go_on_with_journal(std::string(text));
        return true;
      case 'J':
        go_on_with_journal(with_checksums(text));
        return true;
      default:
        return false;
    }
  } catch (const Error&) {
    return false;
  }
}

}  // namespace segmentum
