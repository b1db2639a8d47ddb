#include "interop/import.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/counted.h"
#include "base/sha256.h"
#include "graph/input_channels.h"
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

/// Whether all parameters whose shapes follow the number of classes came from the checkpoint.
bool scores_are_taken(const std::string& architecture, const FittingOptions& fitting) {
  ModelOptions fewer = fitting.options;
  --fewer.classes;
  const Graph network = build_model(architecture, fitting.options);
  const Graph other = build_model(architecture, fewer);
  const std::set<std::string> taken(fitting.match.taken.begin(), fitting.match.taken.end());
  for (std::size_t i = 0; i < network.parameters.size(); ++i) {
    const ParameterSpec& spec = network.parameters[i];
    if (spec.shape != other.parameters[i].shape && !taken.contains(spec.name)) return false;
  }
  return true;
}

std::vector<ClassInfo> classes_of(const ImportOptions& options, const FittingOptions& fitting,
                                  std::string& from) {
  const int count = class_count(fitting.options.classes);
  if (!options.classes_file.empty()) {
    from = options.classes_file.string();
    return read_classes(options.classes_file, count);
  }
  if (count == kVocClasses &&
      std::ranges::find(kTorchvision, options.architecture) != kTorchvision.end() &&
      scores_are_taken(options.architecture, fitting)) {
    from = "PASCAL VOC, as torchvision's published weights";
    return voc_classes();
  }
  from = "numbers, for no --classes file names them";
  return numbered_classes(count);
}

KnownOptions known_options(const ImportOptions& options) {
  return {.settings = options.settings, .input_channels = options.input_channels};
}

/// The options with which the network is built. A lenient import takes the number of classes from
/// the classes file.
FittingOptions network_options(const Checkpoint& checkpoint, const std::string& file,
                               const ImportOptions& options) {
  KnownOptions known = known_options(options);
  FittingOptions fitting = fitting_options(checkpoint, options.architecture, known);
  if (options.classes_file.empty()) return fitting;
  const int logits = fitting.options.classes;
  const auto named =
      static_cast<int>(read_classes(options.classes_file, class_count(logits)).size());
  if (named == class_count(logits)) return fitting;
  if (fitting.checkpoint_classes && !options.lenient) {
    throw Error::in_file(file, "its logits tell " + counted(class_count(logits), "class") +
                                   " apart, " + options.classes_file.string() + " names " +
                                   std::to_string(named) +
                                   "; --lenient makes the last layers anew for the named ones");
  }
  known.classes = named;
  return fitting_options(checkpoint, options.architecture, known);
}

/// "try --set width=8" where that lets more tensors be taken, as its first convolution tells; else
/// empty.
std::string width_hint(const Checkpoint& checkpoint, const ImportOptions& options,
                       const FittingOptions& fitting) {
  const auto first = first_convolution_weights(build_model(options.architecture, fitting.options));
  const auto wrong = std::ranges::find_if(fitting.match.misshapen, [&](const Mismatch& mismatch) {
    return first.contains(mismatch.name);
  });
  if (wrong == fitting.match.misshapen.end()) return "";
  const std::vector<std::int64_t>& shape = checkpoint.tensors().at(wrong->called).shape;
  if (shape.empty()) return "";
  const std::string width = std::to_string(shape[0]);
  KnownOptions known = known_options(options);
  known.settings["width"] = width;
  try {
    const auto found = fitting_options(checkpoint, options.architecture, known).match;
    if (found.taken.size() <= fitting.match.taken.size()) return "";
  } catch (const Error&) {  // no such setting, or not that value
    return "";
  }
  return "its first convolution has " + width + " channels: try --set width=" + width;
}

/// What a checkpoint of which nothing fits may be, for a message.
std::string other_kind(const Checkpoint& checkpoint, const std::string& architecture) {
  const std::vector<ForeignNames> names = foreign_names(checkpoint);
  if (names.size() < 2) return "is it of another network?";
  return "it is " + names.back().whose + ", and " + architecture + " has no such " +
         (names.back().of_classifier ? "backbone" : "layers");
}

void require_fit(const Checkpoint& checkpoint, const std::string& file,
                 const ImportOptions& options, const FittingOptions& fitting) {
  const Match& match = fitting.match;
  if (match.fits() || (options.lenient && !match.taken.empty())) return;
  std::string hint = width_hint(checkpoint, options, fitting);
  if (hint.empty()) {
    hint = match.taken.empty() ? other_kind(checkpoint, options.architecture)
                               : "--lenient takes what fits and initialises the rest";
  }
  throw CheckpointMismatch(file + ": does not fit " + options.architecture + ": " +
                               mismatch_counts(match) + ", " + std::to_string(match.taken.size()) +
                               " fit; " + hint,
                           match);
}

std::map<std::string, std::string> provenance_of(const std::filesystem::path& checkpoint,
                                                 const Imported& imported) {
  std::map<std::string, std::string> provenance{
      {"checkpoint", checkpoint.filename().string()},
      {"checkpoint_format", imported.format},
      {"checkpoint_sha256", imported.sha256},
  };
  if (imported.match.backbone_alone) {
    provenance["checkpoint_use"] = "the backbone alone, from " + imported.match.whose;
  }
  if (!imported.match.fits()) {
    provenance["checkpoint_mismatch"] = mismatch_counts(imported.match);
  }
  return provenance;
}

}  // namespace

Imported import_checkpoint(const std::filesystem::path& path, const ImportOptions& options) {
  Imported imported;
  imported.sha256 = sha256_of(path);
  // First: most damaged files are cut downloads.
  imported.hash_was_promised = require_promised_hash(path, imported.sha256);
  const Checkpoint checkpoint = read_checkpoint(path);
  imported.format = checkpoint.format();
  imported.notes = checkpoint.notes();
  const std::string digits = promised_hash(path);
  if (!digits.empty() && !imported.hash_was_promised) {
    imported.notes.push_back("its name ends in " + digits +
                             ", with which its SHA-256 does not begin; taken for a plain number");
  }

  FittingOptions fitting = network_options(checkpoint, path.string(), options);
  require_fit(checkpoint, path.string(), options, fitting);
  if (const std::string hint = width_hint(checkpoint, options, fitting); !hint.empty()) {
    imported.notes.push_back(hint);
  }
  Model& model = imported.model;
  model.preprocess = foreign_preprocess(options.mean, options.std, fitting.options.input_channels);
  fitting.options.deviations = model.preprocess.std;
  fitting.options.means = model.preprocess.mean;
  model.graph = build_model(options.architecture, fitting.options);
  model.parameters = matched_parameters(checkpoint, model.graph, fitting.match, kSeed);
  model.classes = classes_of(options, fitting, imported.classes_from);
  imported.found = std::move(fitting.found);
  imported.match = std::move(fitting.match);
  model.settings = resolved_settings(options.architecture, fitting.options);
  model.provenance = provenance_of(path, imported);
  return imported;
}

}  // namespace segmentum
