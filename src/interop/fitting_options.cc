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
std::optional<int> followed_extent(const Checkpoint& checkpoint, const Graph& a, int a_extent,
                                   const Graph& b, int b_extent, int highest) {
  std::map<std::int64_t, int> votes;
  for (std::size_t i = 0; i < std::min(a.parameters.size(), b.parameters.size()); ++i) {
    const ParameterSpec& spec = a.parameters[i];
    const auto found = checkpoint.tensors().find(spec.name);
    if (b.parameters[i].name != spec.name || found == checkpoint.tensors().end()) continue;
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

class Search {
 public:
  Search(const Checkpoint& checkpoint, const std::string& architecture, const KnownOptions& known)
      : checkpoint_(checkpoint), architecture_(architecture), known_(known) {
    best_ = completed(known.settings);
    found_ = match_of(best_.options);
  }

  FittingOptions run() {
    const auto& all = architectures();
    const auto info = std::ranges::find(all, architecture_, &ArchitectureInfo::name);
    while (!found_.fits() && improve(*info)) {
    }
    return best_;
  }

 private:
  /// Tries each choice of each setting that nobody has given.
  bool improve(const ArchitectureInfo& info) {
    bool improved = false;
    for (const SettingInfo& setting : info.settings) {
      if (known_.settings.contains(setting.name)) continue;
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

  bool take_if_better(const std::map<std::string, std::string>& settings) {
    try {
      FittingOptions candidate = completed(settings);
      Match found = match_of(candidate.options);
      if (!is_better(found)) return false;
      found_ = std::move(found);
      best_ = std::move(candidate);
      return true;
    } catch (const Error&) {  // a choice that does not go with the others
      return false;
    }
  }

  /// A smaller network that shares nothing with the checkpoint is no better for being small.
  bool is_better(const Match& found) const {
    return !found.taken.empty() && found.taken.size() >= found_.taken.size() &&
           found.problems() < found_.problems();
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
    result.checkpoint_classes = followed_extent(checkpoint_, base, 5, graph(5, 7), 7, kMostClasses);
    const auto channels = followed_extent(checkpoint_, base, 5, graph(7, 5), 7, kMostInputChannels);
    result.options.classes =
        known_.classes.value_or(result.checkpoint_classes.value_or(kUsualClasses));
    result.options.input_channels =
        known_.input_channels.value_or(channels.value_or(kUsualChannels));
    return result;
  }

  Match match_of(const ModelOptions& options) const {
    return match(checkpoint_, build_model(architecture_, options));
  }

  const Checkpoint& checkpoint_;
  const std::string& architecture_;
  const KnownOptions& known_;
  FittingOptions best_;
  Match found_;
};

}  // namespace

FittingOptions fitting_options(const Checkpoint& checkpoint, const std::string& architecture,
                               const KnownOptions& known) {
  return Search(checkpoint, architecture, known).run();
}

}  // namespace segmentum
