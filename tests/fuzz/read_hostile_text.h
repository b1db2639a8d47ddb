// All files of text that people write or bring along, and arrays: what the fuzzer runs, and what
// the suite runs on the fuzzer's corpus.
#pragma once

#include <string>
#include <string_view>

#include "data/box_file.h"
#include "data/class_legend.h"
#include "data/dataset_file.h"
#include "data/sample_list.h"
#include "graph/graph_json.h"
#include "hostile_file.h"
#include "infer/npy.h"
#include "segmentum/error.h"
#include "train/config.h"

namespace segmentum {

/// Readers of boxes are chosen by the file's name.
inline const char* box_extension(std::string_view text) {
  return text.starts_with('<')                            ? ".xml"
         : text.starts_with('[') || text.starts_with('{') ? ".json"
                                                          : ".csv";
}

/// The first byte says which reader the rest is for. True if that takes it.
inline bool read_hostile_text(std::string_view bytes) {
  if (bytes.empty()) return false;
  const char reader = bytes[0];
  const std::string_view text = bytes.substr(1);
  const HostileFile file(text);
  try {
    switch (reader) {
      case 'd':
        read_dataset_file(file.path());
        return true;
      case 'l': {
        auto samples = samples_of_list(parse_list(text), {});
        name_samples(samples);
        samples_of_list(parse_list(text), {.image = "images/{}.jpg", .mask = "masks/{}.png"});
        return true;
      }
      case 'c':
        return !parse_legend(text).empty();
      case 'b':
        BoxFile::read(HostileFile(text, box_extension(text)).path());
        return true;
      case 'n':
        read_npy(file.path());
        return true;
      case 't': {
        TrainConfig config;
        read_train_config(config, text, "config.toml");
        return true;
      }
      case 'g':
        graph_from_json(text);
        return true;
      default:
        return false;
    }
  } catch (const Error&) {
    return false;
  }
}

}  // namespace segmentum
