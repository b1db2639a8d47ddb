#include "interop/import.h"

#include <algorithm>
#include <array>
#include <utility>

#include "interop/file_hash.h"
#include "interop/fitting_options.h"
#include "interop/foreign_preprocess.h"
#include "interop/named_classes.h"

namespace segmentum {
namespace {

constexpr std::uint64_t kSeed = 0;  // of what a lenient import has to initialise
constexpr int kVocClasses = 21;

/// Torchvision's published weights all tell VOC's classes apart.
constexpr std::array<std::string_view, 6> kTorchvision{"fcn_resnet50",
                                                       "fcn_resnet101",
                                                       "deeplabv3_resnet50",
                                                       "deeplabv3_resnet101",
                                                       "deeplabv3_mobilenet_v3_large",
                                                       "lraspp_mobilenet_v3_large"};

/// The logits tell `logits` classes apart; one channel tells background from one class.
int class_count(int logits) {
  return logits == 1 ? 2 : logits;
}

std::vector<ClassInfo> classes_of(const ImportOptions& options, int logits, std::string& from) {
  const int count = class_count(logits);
  if (!options.classes_file.empty()) {
    from = options.classes_file.string();
    return read_classes(options.classes_file, count);
  }
  if (count == kVocClasses &&
      std::ranges::find(kTorchvision, options.architecture) != kTorchvision.end()) {
    from = "PASCAL VOC, as torchvision's published weights";
    return voc_classes();
  }
  from = "numbers, for no --classes file names them";
  return numbered_classes(count);
}

/// The options with which the network is built. A lenient import takes the number of classes from
/// the classes file.
FittingOptions network_options(const Checkpoint& checkpoint, const std::string& file,
                               const ImportOptions& options) {
  KnownOptions known{.settings = options.settings, .input_channels = options.input_channels};
  FittingOptions fitting = fitting_options(checkpoint, options.architecture, known);
  if (options.classes_file.empty()) return fitting;
  const int logits = fitting.options.classes;
  const auto named =
      static_cast<int>(read_classes(options.classes_file, class_count(logits)).size());
  if (named == class_count(logits)) return fitting;
  if (fitting.checkpoint_classes && !options.lenient) {
    throw Error::in_file(file, "its logits tell " + std::to_string(class_count(logits)) +
                                   " classes apart, " + options.classes_file.string() + " names " +
                                   std::to_string(named) +
                                   "; --lenient makes the last layers anew for the named ones");
  }
  known.classes = named;
  return fitting_options(checkpoint, options.architecture, known);
}

void require_fit(const Match& match, const std::string& file, const ImportOptions& options) {
  if (match.fits() || (options.lenient && !match.taken.empty())) return;
  throw CheckpointMismatch(
      file + ": does not fit " + options.architecture + ": " + mismatch_counts(match) + ", " +
          std::to_string(match.taken.size()) + " fit" +
          (match.taken.empty() ? "; is it of another network?"
                               : "; --lenient takes what fits and initialises the rest"),
      match);
}

std::map<std::string, std::string> provenance_of(const std::filesystem::path& checkpoint,
                                                 const Imported& imported) {
  std::map<std::string, std::string> provenance{
      {"checkpoint", checkpoint.filename().string()},
      {"checkpoint_format", imported.format},
      {"checkpoint_sha256", imported.sha256},
  };
  if (!imported.match.fits()) {
    provenance["checkpoint_mismatch"] = mismatch_counts(imported.match);
  }
  return provenance;
}

}  // namespace

Imported import_checkpoint(const std::filesystem::path& path, const ImportOptions& options) {
  Imported imported;
  imported.sha256 = sha256_of(path);
  require_promised_hash(path, imported.sha256);  // first: most damaged files are cut downloads
  const Checkpoint checkpoint = read_checkpoint(path);
  imported.hash_was_promised = !promised_hash(path).empty();
  imported.format = checkpoint.format();
  imported.notes = checkpoint.notes();

  FittingOptions fitting = network_options(checkpoint, path.string(), options);
  imported.found = std::move(fitting.found);
  Model& model = imported.model;
  model.preprocess = foreign_preprocess(options.mean, options.std, fitting.options.input_channels);
  fitting.options.deviations = model.preprocess.std;
  model.graph = build_model(options.architecture, fitting.options);
  imported.match = match(checkpoint, model.graph);
  require_fit(imported.match, path.string(), options);
  model.parameters = matched_parameters(checkpoint, model.graph, imported.match, kSeed);
  model.classes = classes_of(options, fitting.options.classes, imported.classes_from);
  model.settings = resolved_settings(options.architecture, fitting.options);
  model.provenance = provenance_of(path, imported);
  return imported;
}

}  // namespace segmentum
