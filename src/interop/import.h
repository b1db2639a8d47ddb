// A foreign checkpoint made into a model of ours.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "interop/match.h"
#include "model_file/model.h"
#include "segmentum/error.h"

namespace segmentum {

struct ImportOptions {
  std::string architecture;                     // a name of the registry
  std::map<std::string, std::string> settings;  // what is not given is found, see fitting_options
  std::optional<int> input_channels;            // else the checkpoint's own
  std::filesystem::path classes_file;           // see read_classes; empty: VOC's or numbers
  /// Of the training's pictures in [0,1], for each channel or for RGB; empty: ImageNet's.
  std::vector<float> mean, std;
  bool lenient = false;  // take what fits, initialise the rest
};

struct Imported {
  Model model;
  Match match;
  std::string format;                        // of the checkpoint
  std::string sha256;                        // of the file
  bool hash_was_promised = false;            // by the file's name, and kept
  std::vector<std::string> notes;            // about the checkpoint, for people
  std::map<std::string, std::string> found;  // settings other than the default that it asked for
  std::string classes_from;                  // for people: where the classes' names come from
};

/// The checkpoint does not fit the network: what() is one line with the counts, `match` the names.
class CheckpointMismatch : public Error {
 public:
  CheckpointMismatch(const std::string& what, Match found) : Error(what), match(std::move(found)) {}
  Match match;
};

/// Reads `checkpoint` into the network `options.architecture` and adds what makes a model of it:
/// pre-processing, classes, provenance (file name, SHA-256, format). Checks the SHA-256 that the
/// file's name promises. A classifier fills the network's backbone alone, see `foreign_names`; the
/// rest is initialised.
/// Throws CheckpointMismatch unless every parameter of the network, or of its backbone, has its
/// tensor and every tensor its parameter (num_batches_tracked aside) or `lenient` is set; Error for
/// everything else.
Imported import_checkpoint(const std::filesystem::path& checkpoint, const ImportOptions& options);

}  // namespace segmentum
