// Labels along borders, constant masks, ignored pixels, and classes that never occur.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "data/check/checkup.h"
#include "data/class_legend.h"

namespace segmentum {
namespace {

/// Masks that are read as their data set says.
std::vector<CheckedSample*> known_masks(Checkup& checkup) {
  std::vector<CheckedSample*> masks;
  for (CheckedSample& sample : checkup.samples) {
    const bool known = sample.has_mask() && sample.mask.readable() && sample.remedy.reading < 0 &&
                       sample.mask.reading.unknown.count == 0;
    if (known) masks.push_back(&sample);
  }
  return masks;
}

bool is_background(const Dataset& dataset, int k) {
  return k == 0 && (dataset.class_count() <= 2 || is_background_name(dataset.classes[0].name));
}

void check_constant(Checkup& checkup, const std::vector<CheckedSample*>& masks) {
  const Dataset& dataset = checkup.dataset;
  Finding empty{.fault = Fault::empty_masks,
                .severity = Severity::note,
                .what = "masks show nothing but background",
                .fix = ""};
  Finding constant{.fault = Fault::constant_mask,
                   .severity = Severity::warning,
                   .what = "masks show one class and nothing else",
                   .fix = "look at them: were they exported rightly?"};
  Finding ignored{.fault = Fault::mostly_ignored,
                  .severity = Severity::warning,
                  .what = "masks are ignored as a whole",
                  .fix = "look at them; without labels they teach nothing"};
  for (const CheckedSample* sample : masks) {
    const int only = sample->mask.reading.only_class();
    if (sample->mask.reading.labelled() == 0) {
      ignored.add(sample->mask_file());
    } else if (only >= 0) {
      const std::string& name = dataset.classes[static_cast<std::size_t>(only)].name;
      Finding& finding = is_background(dataset, only) ? empty : constant;
      finding.add(sample->mask_file(name));
    }
  }
  checkup.add(std::move(empty));
  checkup.add(std::move(constant));
  checkup.add(std::move(ignored));
}

void check_ignored(Checkup& checkup, const std::vector<CheckedSample*>& masks) {
  std::int64_t ignored = 0, all = 0;
  for (const CheckedSample* sample : masks) {
    ignored += sample->mask.reading.ignored;
    all += sample->mask.content.pixels();
  }
  if (2 * ignored < all || ignored == all) return;  // of all of them is told already
  checkup.add({.fault = Fault::mostly_ignored,
               .severity = Severity::warning,
               .what = fmt::format("{:.0f} % of all pixels are ignored",
                                   100.0 * static_cast<double>(ignored) / static_cast<double>(all)),
               .fix = "is a class among the values of `ignore` in dataset.toml?",
               .count = -1});
}

/// For each class the pictures of each split that show it.
using Shown = std::map<std::string, std::vector<int>>;

Shown shown_classes(const Checkup& checkup, const std::vector<CheckedSample*>& masks) {
  Shown shown;
  for (const CheckedSample* sample : masks) {
    auto& counts = shown[sample->split];
    counts.resize(static_cast<std::size_t>(checkup.dataset.class_count()));
    const auto& pixels = sample->mask.reading.class_pixels;
    for (std::size_t k = 0; k < pixels.size(); ++k) counts[k] += pixels[k] > 0;
  }
  return shown;
}

std::string names_of(const Dataset& dataset, const std::vector<std::size_t>& classes) {
  constexpr std::size_t kNamed = 8;
  std::vector<std::string> names;
  for (const std::size_t k : classes) {
    if (names.size() < kNamed) names.push_back(dataset.classes[k].name);
  }
  return fmt::format(
      "{}{}", fmt::join(names, ", "),
      classes.size() > kNamed ? fmt::format(" and {} more", classes.size() - kNamed) : "");
}

void check_missing(Checkup& checkup, const Shown& shown, std::size_t masks) {
  const Dataset& dataset = checkup.dataset;
  const auto classes = static_cast<std::size_t>(dataset.class_count());
  std::vector<std::size_t> nowhere, unlearnt, unjudged;
  for (std::size_t k = 0; k < classes; ++k) {
    const auto in = [&](const std::string& split) {
      const auto found = shown.find(split);
      return found != shown.end() && found->second[k] > 0;
    };
    const bool anywhere =
        std::ranges::any_of(shown, [&](const auto& split) { return split.second[k] > 0; });
    if (!anywhere) {
      nowhere.push_back(k);
    } else if (shown.contains("train") && !in("train")) {
      unlearnt.push_back(k);
    } else if (shown.contains("val") && !in("val")) {
      unjudged.push_back(k);
    }
  }
  const auto add = [&](const std::vector<std::size_t>& some, Severity severity, const char* what,
                       const char* fix) {
    if (some.empty()) return;
    checkup.add({.fault = Fault::missing_class,
                 .severity = severity,
                 .what = fmt::format("{}: {}", what, names_of(dataset, some)),
                 .fix = fix,
                 .count = -1});
  };
  // Few pictures cannot show many classes.
  const bool enough = masks >= 10 && masks >= 2 * classes;
  add(unlearnt, enough ? Severity::warning : Severity::note,
      "classes that no picture of \"train\" shows, but others do",
      "they cannot be learnt: divide the pictures anew, or merge the classes");
  add(nowhere, Severity::note, "classes that no picture shows", "");
  add(unjudged, Severity::note, "classes that no picture of \"val\" shows", "");
}

/// Values 1..K that nobody described: the inspection made a class of 0 as well.
void check_unused_zero(Checkup& checkup, const Shown& shown, std::size_t masks) {
  const LabelEncoding& encoding = checkup.dataset.encoding;
  const bool values = encoding.kind == LabelEncoding::Kind::value && !encoding.threshold;
  if (checkup.described || !values || !encoding.to_class.contains(0)) return;
  if (encoding.to_class.at(0) != 0 || masks < 5) return;
  int others = 0;
  for (const auto& [split, counts] : shown) {
    if (counts[0] > 0) return;
    others = std::max(others, static_cast<int>(std::ranges::count_if(
                                  counts, [](int count) { return count > 0; })));
  }
  if (others < 2) return;
  checkup.add(
      {.fault = Fault::one_based,
       .severity = Severity::warning,
       .what = fmt::format("no mask holds the value 0, which became the class \"{}\": do the "
                           "labels count from 1?",
                           checkup.dataset.classes[0].name),
       .fix = "delete this class in dataset.toml (segmentum init writes it)",
       .count = -1});
}

/// The masks that a network learns from, or all where none of them was looked at.
std::vector<CheckedSample*> learnt_masks(const std::vector<CheckedSample*>& masks) {
  std::vector<CheckedSample*> learnt;
  for (CheckedSample* sample : masks) {
    if (sample->split == "train") learnt.push_back(sample);
  }
  return learnt.empty() ? masks : learnt;
}

/// Whether all readable masks are read as the data set says.
bool all_known(const Checkup& checkup, const std::vector<CheckedSample*>& known) {
  const auto readable = std::ranges::count_if(checkup.samples, [](const CheckedSample& sample) {
    return sample.has_mask() && sample.mask.readable();
  });
  return readable == static_cast<std::ptrdiff_t>(known.size());
}

}  // namespace

bool check_one_class(Checkup& checkup) {
  const Dataset& dataset = checkup.dataset;
  const std::vector<CheckedSample*> known = known_masks(checkup);
  if (known.empty() || !all_known(checkup, known)) return false;
  if (dataset.class_count() < 2 && !checkup.described) return false;  // told of by the inspection
  const std::vector<CheckedSample*> masks = learnt_masks(known);
  const bool learnt = masks.front()->split == "train" || !dataset.splits.contains("train");
  std::set<std::size_t> shown;
  Finding finding{.fault = Fault::mostly_ignored,
                  .severity = learnt ? Severity::error : Severity::warning,
                  .what = "no pixel has a label: all are ignored",
                  .fix =
                      "were the masks exported rightly? Do `values` and `ignore` in "
                      "dataset.toml fit them?"};
  for (const CheckedSample* sample : masks) {
    const auto& pixels = sample->mask.reading.class_pixels;
    for (std::size_t k = 0; k < pixels.size(); ++k) {
      if (pixels[k] > 0) shown.insert(k);
    }
    finding.add(sample->mask_file());
  }
  if (shown.size() > 1) return false;
  if (!shown.empty()) {
    finding.fault = Fault::constant_mask;
    finding.what = fmt::format("all labelled pixels are \"{}\": there is nothing to tell apart",
                               dataset.classes[*shown.begin()].name);
  }
  checkup.add(std::move(finding));
  return true;
}

void check_edges(Checkup& checkup) {
  constexpr std::int64_t kFewest = 20;
  Finding finding{.fault = Fault::interpolated_labels,
                  .severity = Severity::error,
                  .what =
                      "labels were interpolated: along borders lie classes that are only between "
                      "their neighbours by number",
                  .fix =
                      "resize masks by nearest neighbour; --fix DIR gives these pixels the label "
                      "beside them",
                  .repaired = true};
  for (CheckedSample* sample : known_masks(checkup)) {
    const LabelSteps& steps = sample->mask.reading.steps;
    if (steps.ramps < kFewest || 3 * steps.ramps < steps.sharp) continue;
    finding.add(
        sample->mask_file(fmt::format("{} of {} borders", steps.ramps, steps.ramps + steps.sharp)));
    sample->remedy.fill_ramps = true;
  }
  checkup.add(std::move(finding));
}

void check_classes(Checkup& checkup) {
  const std::vector<CheckedSample*> masks = known_masks(checkup);
  if (masks.empty()) return;
  if (!check_one_class(checkup)) check_constant(checkup, masks);
  check_ignored(checkup, masks);
  const bool as_described = std::ranges::none_of(
      checkup.samples, [](const CheckedSample& sample) { return sample.remedy.reading >= 0; });
  const Shown shown = shown_classes(checkup, masks);
  if (as_described) check_missing(checkup, shown, masks.size());
  if (as_described) check_unused_zero(checkup, shown, masks.size());
}

}  // namespace segmentum
