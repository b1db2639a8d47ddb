#include "data/check/opening.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/threads.h"
#include "data/cityscapes.h"
#include "data/class_legend.h"
#include "data/dataset_file.h"
#include "data/inspect.h"
#include "data/instances.h"
#include "data/label_scheme.h"
#include "data/label_values.h"
#include "data/mask_survey.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using Kind = LabelEncoding::Kind;

constexpr std::size_t kMostMasksCompared = 200;

/// What kind of mask a file is, as far as it tells alone.
enum class MaskForm { unknown, zero_one, zero_255, soft, values, wide, colours, lossy };

bool only(const Histogram& values, std::uint32_t a, std::uint32_t b) {
  return std::ranges::all_of(
      values, [&](const auto& entry) { return entry.first == a || entry.first == b; });
}

/// Greys on both sides of the middle that lie between black and white, and are the fewer pixels.
bool is_soft(const MaskContent& mask) {
  constexpr int kFew = 8;
  const Histogram& values = mask.values;
  if (mask.is_palette() || mask.type != PixelType::u8) return false;
  const auto between = [&](std::uint32_t low, std::uint32_t high) {
    return std::distance(values.lower_bound(low), values.upper_bound(high));
  };
  std::int64_t grey = 0;
  for (auto value = values.lower_bound(32); value != values.upper_bound(223); ++value) {
    grey += value->second;
  }
  return between(32, 127) >= kFew / 2 && between(128, 223) >= kFew / 2 &&
         (between(0, 31) > 0 || between(224, 255) > 0) && 2 * grey <= mask.pixels();
}

MaskForm form_of(const MaskContent& mask) {
  if (mask.form.format == FileFormat::jpeg) return MaskForm::lossy;
  if (mask.colourful) return MaskForm::colours;
  const std::uint32_t greatest = mask.values.rbegin()->first;
  if (greatest == 0 || mask.values.size() == 1) return MaskForm::unknown;
  if (only(mask.values, 0, 1)) return MaskForm::zero_one;
  if (only(mask.values, 0, 255)) return MaskForm::zero_255;
  if (mask.type != PixelType::u8) return MaskForm::wide;
  return is_soft(mask) ? MaskForm::soft : MaskForm::values;
}

struct FormedSample {
  Sample sample;
  MaskForm form = MaskForm::unknown;
};

/// Of up to kMostMasksCompared masks, evenly spread.
std::vector<FormedSample> forms_of(const Dataset& dataset) {
  std::map<fs::path, const Sample*> masks;
  for (const auto& [name, samples] : dataset.splits) {
    for (const Sample& sample : samples) masks.emplace(sample.mask, &sample);
  }
  std::vector<FormedSample> all, spread;
  for (const auto& [path, sample] : masks) all.push_back({*sample});
  const std::size_t count = std::min(all.size(), kMostMasksCompared);
  for (std::size_t i = 0; i < count; ++i) spread.push_back(all[i * all.size() / count]);
  parallel_for(static_cast<std::int64_t>(count), [&](std::int64_t i) {
    FormedSample& one = spread[static_cast<std::size_t>(i)];
    const fs::path path = dataset.root / one.sample.mask;
    try {
      one.form = form_of(mask_content(read_mask(path), stored_form(path)));
    } catch (const Error&) {  // told of when all files are read
    }
  });
  return spread;
}

/// Of masks that were read.
std::vector<FormedSample> forms_of(const std::vector<CheckedSample>& samples) {
  std::vector<FormedSample> forms;
  for (const CheckedSample& sample : samples) {
    if (!sample.has_mask() || !sample.mask.readable()) continue;
    forms.push_back({sample.sample, form_of(sample.mask.content)});
  }
  return forms;
}

/// The form that the data set is meant to have. Masks of more values may show 0 and 1 or 0 and 255
/// alone; soft ones may be sharp by chance.
MaskForm common_form(const std::vector<FormedSample>& masks) {
  std::map<MaskForm, std::size_t> counts;
  for (const FormedSample& mask : masks) ++counts[mask.form];
  counts.erase(MaskForm::unknown);
  if (counts.size() > 1) counts.erase(MaskForm::lossy);
  if (5 * counts[MaskForm::soft] > counts[MaskForm::soft] + counts[MaskForm::zero_255]) {
    counts[MaskForm::soft] += std::exchange(counts[MaskForm::zero_255], 0);
  }
  if (10 * counts[MaskForm::values] > counts[MaskForm::zero_one] + counts[MaskForm::zero_255]) {
    counts[MaskForm::values] += std::exchange(counts[MaskForm::zero_one], 0);
    counts[MaskForm::values] += std::exchange(counts[MaskForm::zero_255], 0);
  }
  return std::ranges::max_element(counts, {}, [](const auto& count) { return count.second; })
      ->first;
}

bool belongs(MaskForm form, MaskForm common) {
  if (form == common || form == MaskForm::unknown) return true;
  const bool sharp = form == MaskForm::zero_one || form == MaskForm::zero_255;
  return (common == MaskForm::values && sharp) ||
         (common == MaskForm::soft && form == MaskForm::zero_255);
}

/// Values that a legend does not name stand in `ignore` after an inspection: here they are unknown,
/// save those that usually stand for nothing.
void forget_strays(const Legend& legend, Dataset& dataset) {
  if (legend.empty()) return;
  LabelEncoding& encoding = dataset.encoding;
  const auto classes = std::ranges::count(legend.entries, false, &LegendEntry::ignore);
  const bool background_added = dataset.class_count() > classes;  // before the legend's
  std::set<std::uint32_t> named;
  for (const LegendEntry& entry : legend.entries) {
    if (encoding.kind == Kind::value) named.insert(entry.value + (background_added ? 1 : 0));
    if (encoding.kind == Kind::colour && entry.colour) named.insert(packed(*entry.colour));
  }
  std::erase_if(encoding.to_class, [&](const auto& entry) {
    const auto [value, label] = entry;
    const bool customary = value == 0 || value == 255 || value == 65535 || value == 0xFFFFFF ||
                           value == packed({224, 224, 192});
    return label == kIgnoreLabel && !customary && !named.contains(value);
  });
  if (encoding.to_class.contains(encoding.ignore_value)) return;
  const auto ignored = std::ranges::find(encoding.to_class, kIgnoreLabel,
                                         [](const auto& entry) { return entry.second; });
  encoding.ignore_value =
      ignored == encoding.to_class.end() ? unused_value(encoding) : ignored->first;
}

/// As an inspection finds it: a file's, or that of a data set which is known by the names of masks.
Legend legend_of(const Dataset& dataset) {
  Legend legend = find_legend(dataset.root);
  if (!legend.empty()) return legend;
  std::vector<Sample> all;
  for (const auto& [name, samples] : dataset.splits)
    all.insert(all.end(), samples.begin(), samples.end());
  return cityscapes_legend(all);
}

/// Decides the labels anew from the masks of the commonest form, where there are several. Returns
/// whether it could.
bool decide_by_majority(const std::vector<FormedSample>& masks, Dataset& dataset) {
  if (masks.empty()) return false;
  const MaskForm common = common_form(masks);
  std::vector<Sample> alike;
  for (const FormedSample& mask : masks) {
    if (belongs(mask.form, common)) alike.push_back(mask.sample);
  }
  if (alike.empty() || alike.size() == masks.size()) return false;
  LabelScheme scheme = decide_labels(survey_masks(dataset.root, alike), legend_of(dataset),
                                     annotated_names(dataset.root));
  if (!scheme.obstacles.empty()) return false;
  dataset.classes = std::move(scheme.classes);
  dataset.encoding = std::move(scheme.encoding);
  return true;
}

/// Gives the data set the labels that its masks are meant to have. Returns whether they were
/// decided anew.
bool take_as_meant(const std::vector<FormedSample>& masks, Checkup& checkup) {
  Dataset& dataset = checkup.dataset;
  const std::vector<ClassInfo> classes = dataset.classes;
  checkup.in_training = dataset.encoding;
  const bool decided = decide_by_majority(masks, dataset);
  forget_strays(legend_of(dataset), dataset);
  if (classes != dataset.classes) checkup.in_training.reset();
  return decided;
}

Checkup of_description(const fs::path& file) {
  Checkup checkup{.dataset = read_dataset_file(file), .described = true, .listed = true};
  checkup.in_training = checkup.dataset.encoding;
  return checkup;
}

Checkup of_folder(const fs::path& folder) {
  Inspection inspection = inspect_folder(folder);
  Checkup checkup{.dataset = std::move(inspection.dataset)};
  checkup.listed = !inspection.lists.empty();
  checkup.absent = std::move(inspection.absent);
  const bool decided = take_as_meant(forms_of(checkup.dataset), checkup);
  if (!inspection.obstacles.empty()) checkup.in_training.reset();
  for (const std::string& obstacle : inspection.obstacles) {
    // What values are too many is told of the masks that hold them.
    const bool told = decided || checkup.dataset.class_count() >= 2;
    if (told && obstacle.starts_with("the masks hold")) continue;
    checkup.add({.fault = Fault::cannot_train,
                 .severity = Severity::error,
                 .what = obstacle,
                 .fix = "see the other findings, or describe the data: segmentum init writes a "
                        "dataset.toml in which this can be said",
                 .count = -1});
  }
  return checkup;
}

}  // namespace

Checkup open_checkup(const fs::path& path) {
  if (!fs::exists(path)) {
    throw Error::in_file(path.string(),
                         "does not exist; expected a folder of pictures and masks, or a "
                         "dataset.toml");
  }
  const fs::path file = description_of(path);
  Checkup checkup = file.empty() ? of_folder(path) : of_description(file);
  checkup.readings = other_readings(checkup.dataset);
  return checkup;
}

bool read_as_meant(Checkup& checkup) {
  const LabelEncoding before = checkup.dataset.encoding;
  take_as_meant(forms_of(checkup.samples), checkup);
  checkup.readings = other_readings(checkup.dataset);
  return before != checkup.dataset.encoding;
}

}  // namespace segmentum
