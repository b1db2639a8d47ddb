// A trained network with all that is needed to use it: what a .segmentum file holds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/parameter_store.h"
#include "image/box.h"
#include "image/preprocess.h"
#include "segmentum/classes.h"
#include "segmentum/crf.h"

namespace segmentum {

class Executor;

struct Model {
  Graph graph;
  ParameterStore parameters;
  Preprocess preprocess;
  std::vector<ClassInfo>
      classes;  // two (background first) for a one-class sigmoid head (K=1 logits)
  /// The value that the training data's own masks use for each class and for ignored pixels
  /// (`predict --values source`); empty: the index itself.
  std::vector<std::uint32_t> source_values;
  std::uint32_t source_ignore_value = 255;
  bool source_values_are_colours = false;  // 0xRRGGBB in RGB masks
  /// What the network reads of a box, if it works on boxes: then it has a logit for each class but
  /// the first, the background.
  std::optional<BoxCrop> boxes;
  std::optional<CrfSettings> crf;                 // found best for this network; never a default
  std::map<std::string, std::string> settings;    // how the graph was built: architecture options
  std::map<std::string, std::string> provenance;  // training: data, steps, scores, version, seed

  bool one_class_head() const;
};

/// A small input and the logits it must give: proof that a file works here as it did where it was
/// made.
struct GoldenPair {
  Tensor input;   // [1,C,h,w], already pre-processed
  Tensor logits;  // of output "logits"
};

/// Saves graph, weights, pre-processing, classes and a golden pair (computed on the reference
/// engine from a fixed pattern of 33x41 pixels or what the graph accepts) as one safetensors file,
/// atomically.
void save_model(const std::filesystem::path& path, const Model& model);

/// Throws Error naming the file and what is wrong with it; no file content can crash it or make it
/// allocate more than the file's own size.
Model load_model(const std::filesystem::path& path);

/// The settings of a CRF that a model file holds, if any; no weights are read. Throws Error naming
/// the file.
std::optional<CrfSettings> load_crf_settings(const std::filesystem::path& path);

/// Puts settings of a CRF into a model file, in place of any that are there. All else in the file
/// stays as it is, and it is replaced whole or not at all. Throws Error naming the file.
void store_crf_settings(const std::filesystem::path& path, const CrfSettings& settings);
/// Takes them out, likewise.
void remove_crf_settings(const std::filesystem::path& path);

/// The golden pair stored in a model file.
GoldenPair load_golden_pair(const std::filesystem::path& path);

/// How far logits on this machine may lie from the golden ones, as a part of their range: sums of
/// some thousand float products in another order differ by about 1e-6; a wrong weight by far more.
inline constexpr double kGoldenTolerance = 1e-4;

/// Runs the golden input through the model: max |logits - golden| / (max golden - min golden).
/// Infinite where a logit is not finite. Throws Error if the golden pair does not fit the network.
double golden_error(const Model& model, const GoldenPair& golden, Executor& executor);

}  // namespace segmentum
