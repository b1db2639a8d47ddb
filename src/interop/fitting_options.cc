#include "interop/fitting_options.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "interop/match.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr int kUsualClasses = 21;
constexpr int kUsualChannels = 3;
constexpr int kMostClasses = 65535;       // as the registry has it
constexpr int kMostInputChannels = 4096;  // likewise

/// The extent in the checkpoint of what is `a_extent` in graph `a` and `b_extent` in graph `b`, by
/// majority.
std::optional<int> followed_extent(const Checkpoint& checkpoint, const ForeignNames& names,
                                   const Graph& a, int a_extent, const Graph& b, int b_extent,
                                   int highest) {
  std::map<std::int64_t, int> votes;
  for (std::size_t i = 0; i < std::min(a.parameters.size(), b.parameters.size()); ++i) {
    const ParameterSpec& spec = a.parameters[i];
    const auto source = names.tensor_of(spec.name);
    if (b.parameters[i].name != spec.name || !source) continue;
    const auto found = checkpoint.tensors().find(source->name);
    if (found == checkpoint.tensors().end()) continue;
    const std::vector<std::int64_t>& shape = found->second.shape;
    if (static_cast<int>(shape.size()) != spec.shape.rank()) continue;
    for (int axis = 0; axis < spec.shape.rank(); ++axis) {
      const std::int64_t extent = shape[static_cast<std::size_t>(axis)];
      if (spec.shape[axis] == a_extent && b.parameters[i].shape[axis] == b_extent && extent >= 1 &&
          extent <= highest) {
        ++votes[extent];
      }
    }
  }
  if (votes.empty()) return std::nullopt;
  return static_cast<int>(
      std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; })->first);
}

/// The values of a setting that has a choice: "batch | group | none".
std::vector<std::string> choices(const SettingInfo& setting) {
  constexpr std::string_view kBar = " | ";
  std::vector<std::string> values;
  std::string_view rest = setting.values;
  for (std::size_t bar = rest.find(kBar); bar != std::string_view::npos; bar = rest.find(kBar)) {
    values.emplace_back(rest.substr(0, bar));
    rest.remove_prefix(bar + kBar.size());
  }
  if (!values.empty()) values.emplace_back(rest);
  return values;
}

/// When a choice is better than the best before it.
enum class Better {
  fewer_problems,  // and no fewer tensors taken
  more_taken
};

class Search {
 public:
  Search(const Checkpoint& checkpoint, ForeignNames names, const std::string& architecture,
         const KnownOptions& known)
      : checkpoint_(checkpoint),
        names_(std::move(names)),
        architecture_(architecture),
        known_(known) {}

  FittingOptions run() {
    start(Better::fewer_problems);
    // A smaller network is the right one only if the checkpoint fills it.
    if (!best_.match.is_filled()) start(Better::more_taken);
    return std::move(best_);
  }

 private:
  void start(Better better) {
    better_ = better;
    best_ = {};
    best_ = completed(known_.settings);
    const auto& all = architectures();
    const auto info = std::ranges::find(all, architecture_, &ArchitectureInfo::name);
    while (!best_.match.fits() && improve(*info)) {
    }
  }

  /// Tries each choice of each setting that nobody has given.
  bool improve(const ArchitectureInfo& info) {
    bool improved = false;
    for (const SettingInfo& setting : info.settings) {
      if (known_.settings.contains(setting.name) || is_beyond_backbone(info, setting)) continue;
      for (const std::string& value : choices(setting)) {
        auto settings = best_.options.settings;
        settings[setting.name] = value;
        if (take_if_better(settings)) {
          best_.found[setting.name] = value;
          improved = true;
        }
      }
    }
    return improved;
  }

  /// Sizes and the like, which would also decide about parts that a classifier knows nothing of.
  bool is_beyond_backbone(const ArchitectureInfo& info, const SettingInfo& setting) const {
    return names_.of_classifier &&
           std::ranges::find(info.presets, setting.name, &Preset::setting) != info.presets.end();
  }

  bool take_if_better(const std::map<std::string, std::string>& settings) {
    try {
      FittingOptions candidate = completed(settings);
      if (!is_better(candidate.match)) return false;
      best_ = std::move(candidate);
      return true;
    } catch (const Error&) {  // a choice that does not go with the others
      return false;
    }
  }

  bool is_better(const Match& found) const {
    if (better_ == Better::more_taken) return found.taken.size() > best_.match.taken.size();
    return !found.taken.empty() && found.taken.size() >= best_.match.taken.size() &&
           found.problems() < best_.match.problems();
  }

  /// With the numbers of classes and channels that follow from the checkpoint.
  FittingOptions completed(const std::map<std::string, std::string>& settings) const {
    FittingOptions result{.options = {.settings = settings}, .found = best_.found};
    const auto graph = [&](int channels, int classes) {
      return build_model(architecture_,
                         {.input_channels = channels, .classes = classes, .settings = settings});
    };
    // Extents that tell the parameters which follow them: two that differ, here 5 and 7.
    const Graph base = graph(5, 5);
    result.checkpoint_classes =
        followed_extent(checkpoint_, names_, base, 5, graph(5, 7), 7, kMostClasses);
    const auto channels =
        followed_extent(checkpoint_, names_, base, 5, graph(7, 5), 7, kMostInputChannels);
    result.options.classes =
        known_.classes.value_or(result.checkpoint_classes.value_or(kUsualClasses));
    result.options.input_channels =
        known_.input_channels.value_or(channels.value_or(kUsualChannels));
    result.match = match(checkpoint_, build_model(architecture_, result.options), names_);
    return result;
  }

  const Checkpoint& checkpoint_;
  const ForeignNames names_;
  const std::string& architecture_;
  const KnownOptions& known_;
  Better better_ = Better::fewer_problems;
  FittingOptions best_;
};

/// Names of the network that the checkpoint has.
std::size_t known_names(const Match& match) {
  return match.taken.size() + match.misshapen.size();
}

}  // namespace

FittingOptions fitting_options(const Checkpoint& checkpoint, const std::string& architecture,
                               const KnownOptions& known) {
  std::optional<FittingOptions> best;
  for (ForeignNames& names : foreign_names(checkpoint)) {
    FittingOptions found = Search(checkpoint, std::move(names), architecture, known).run();
    const bool better =
        !best || found.match.fits() || known_names(found.match) > known_names(best->match);
    if (better) best = std::move(found);
    if (best->match.fits()) break;
  }
  return std::move(*best);
}

}  // namespace segmentum
