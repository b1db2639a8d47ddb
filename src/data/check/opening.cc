#include "data/check/opening.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "base/threads.h"
#include "data/class_legend.h"
#include "data/dataset_file.h"
#include "data/file_role.h"
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

/// Greys on both sides of the middle that lie between black and white.
bool is_soft(const MaskContent& mask) {
  constexpr int kFew = 8;
  const Histogram& values = mask.values;
  if (mask.is_palette() || mask.type != PixelType::u8) return false;
  const auto between = [&](std::uint32_t low, std::uint32_t high) {
    return std::distance(values.lower_bound(low), values.upper_bound(high));
  };
  return between(32, 127) >= kFew / 2 && between(128, 223) >= kFew / 2 &&
         (between(0, 31) > 0 || between(224, 255) > 0);
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
  const Sample* sample;
  MaskForm form = MaskForm::unknown;
};

std::vector<FormedSample> forms_of(const Dataset& dataset) {
  std::map<fs::path, const Sample*> masks;
  for (const auto& [name, samples] : dataset.splits) {
    for (const Sample& sample : samples) masks.emplace(sample.mask, &sample);
  }
  std::vector<FormedSample> all, spread;
  for (const auto& [path, sample] : masks) all.push_back({sample});
  const std::size_t count = std::min(all.size(), kMostMasksCompared);
  for (std::size_t i = 0; i < count; ++i) spread.push_back(all[i * all.size() / count]);
  parallel_for(static_cast<std::int64_t>(count), [&](std::int64_t i) {
    FormedSample& one = spread[static_cast<std::size_t>(i)];
    const fs::path path = dataset.root / one.sample->mask;
    try {
      one.form = form_of(mask_content(read_mask(path), stored_form(path)));
    } catch (const Error&) {  // told of when all files are read
    }
  });
  return spread;
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
  std::set<std::uint32_t> named;
  for (const LegendEntry& entry : legend.entries) {
    if (dataset.encoding.kind == Kind::value) {
      named.insert(entry.value);
      if (!entry.numbered) named.insert(entry.value + 1);  // a background may stand before them
    }
    if (dataset.encoding.kind == Kind::colour && entry.colour) named.insert(packed(*entry.colour));
  }
  std::erase_if(dataset.encoding.to_class, [&](const auto& entry) {
    const auto [value, label] = entry;
    const bool customary = value == 0 || value == 255 || value == 65535 || value == 0xFFFFFF ||
                           value == packed({224, 224, 192});
    return label == kIgnoreLabel && !customary && !named.contains(value);
  });
}

/// Decides the labels anew from the masks of the commonest form, where there are several. Returns
/// whether it could.
bool decide_by_majority(Dataset& dataset) {
  const std::vector<FormedSample> masks = forms_of(dataset);
  const MaskForm common = common_form(masks);
  std::vector<Sample> alike;
  for (const FormedSample& mask : masks) {
    if (belongs(mask.form, common)) alike.push_back(*mask.sample);
  }
  if (alike.empty() || alike.size() == masks.size()) return false;
  LabelScheme scheme = decide_labels(survey_masks(dataset.root, alike), find_legend(dataset.root),
                                     annotated_names(dataset.root));
  if (!scheme.obstacles.empty()) return false;
  dataset.classes = std::move(scheme.classes);
  dataset.encoding = std::move(scheme.encoding);
  return true;
}

struct NamedColour {
  const char* name;
  Rgb colour;
};
/// github.com/mcordts/cityscapesScripts, helpers/labels.py: the classes that are trained on.
constexpr std::array<NamedColour, 19> kCityscapes = {{{"road", {128, 64, 128}},
                                                      {"sidewalk", {244, 35, 232}},
                                                      {"building", {70, 70, 70}},
                                                      {"wall", {102, 102, 156}},
                                                      {"fence", {190, 153, 153}},
                                                      {"pole", {153, 153, 153}},
                                                      {"traffic light", {250, 170, 30}},
                                                      {"traffic sign", {220, 220, 0}},
                                                      {"vegetation", {107, 142, 35}},
                                                      {"terrain", {152, 251, 152}},
                                                      {"sky", {70, 130, 180}},
                                                      {"person", {220, 20, 60}},
                                                      {"rider", {255, 0, 0}},
                                                      {"car", {0, 0, 142}},
                                                      {"truck", {0, 0, 70}},
                                                      {"bus", {0, 60, 100}},
                                                      {"train", {0, 80, 100}},
                                                      {"motorcycle", {0, 0, 230}},
                                                      {"bicycle", {119, 11, 32}}}};

/// Whether most masks are called labelIds, as Cityscapes calls them.
bool named_label_ids(const Dataset& dataset) {
  std::size_t named = 0, all = 0;
  for (const auto& [name, samples] : dataset.splits) {
    for (const Sample& sample : samples) {
      named += lower_case(sample.mask.filename().string()).find("labelids") != std::string::npos;
      ++all;
    }
  }
  return 2 * named > all;
}

/// Masks of Cityscapes' labelIds that nobody described: the 19 classes are meant.
bool mean_cityscapes(Dataset& dataset) {
  if (!named_label_ids(dataset) || dataset.encoding.kind != Kind::value ||
      dataset.encoding.threshold || !find_legend(dataset.root).empty()) {
    return false;
  }
  const auto& values = dataset.encoding.to_class;
  for (const auto& [value, label] : values) {
    if (value >= kCityscapesIds && label != kIgnoreLabel) return false;
  }
  dataset.classes.clear();
  for (const NamedColour& one : kCityscapes) dataset.classes.push_back({one.name, one.colour});
  dataset.encoding = {};
  for (std::uint32_t id = 0; id < kCityscapesIds; ++id) {
    dataset.encoding.to_class[id] = cityscapes_train_id(id);
  }
  return true;
}

Finding found_label_ids(const Dataset& dataset) {
  Finding finding{
      .fault = Fault::label_ids,
      .severity = Severity::error,
      .what =
          "the masks hold Cityscapes' labelIds: of its 34 ids 19 are classes to train on, the "
          "others count as classes too unless a dataset.toml says otherwise",
      .fix = "use the _labelTrainIds files, or --fix DIR, which writes the 19 classes",
      .repaired = true};
  for (const auto& [name, samples] : dataset.splits) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      finding.add({samples[i].mask, "", name, static_cast<int>(i)});
    }
  }
  return finding;
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
  Dataset& dataset = checkup.dataset;
  const std::vector<ClassInfo> classes = dataset.classes;
  const LabelEncoding encoding = dataset.encoding;
  const bool decided = !dataset.splits.empty() && decide_by_majority(dataset);
  forget_strays(find_legend(dataset.root), dataset);
  if (mean_cityscapes(dataset)) checkup.add(found_label_ids(dataset));
  if (inspection.obstacles.empty() && classes == dataset.classes) checkup.in_training = encoding;
  for (const std::string& obstacle : inspection.obstacles) {
    // What values are too many is told of the masks that hold them.
    const bool told = decided || dataset.class_count() >= 2;
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
  const fs::path file = fs::is_directory(path) ? path / "dataset.toml" : path;
  const bool folder = fs::is_directory(path) && !fs::exists(file);
  if (!fs::exists(path)) {
    throw Error::in_file(path.string(),
                         "does not exist; expected a folder of pictures and masks, or a "
                         "dataset.toml");
  }
  Checkup checkup = folder ? of_folder(path) : of_description(file);
  checkup.readings = other_readings(checkup.dataset);
  return checkup;
}

}  // namespace segmentum
