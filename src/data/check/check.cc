#include "data/check/check.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <span>
#include <utility>

#include "data/check/examine.h"
#include "data/check/opening.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Splits such as VOC's trainval, which hold nothing of their own.
bool is_union(const Dataset& dataset, const std::string& name) {
  if (name == "train" || name == "val" || name == "test") return false;
  std::set<std::filesystem::path> others;
  for (const auto& [other, samples] : dataset.splits) {
    if (other == name) continue;
    for (const Sample& sample : samples) others.insert(sample.image);
  }
  const auto& samples = dataset.splits.at(name);
  return !samples.empty() && std::ranges::all_of(samples, [&](const Sample& sample) {
    return others.contains(sample.image);
  });
}

std::vector<std::string> chosen_splits(const Dataset& dataset,
                                       const std::vector<std::string>& asked) {
  for (const std::string& name : asked) dataset.split(name);  // throws, listing what there is
  if (!asked.empty()) return asked;
  std::vector<std::string> names;
  for (const char* usual : {"train", "val", "test"}) {
    if (dataset.splits.contains(usual)) names.emplace_back(usual);
  }
  for (const auto& [name, samples] : dataset.splits) {
    const bool known = std::ranges::find(names, name) != names.end();
    if (!known && !is_union(dataset, name)) names.push_back(name);
  }
  return names;
}

std::vector<CheckedSample> samples_of(const Dataset& dataset,
                                      const std::vector<std::string>& splits) {
  std::vector<CheckedSample> all;
  for (const std::string& name : splits) {
    const std::vector<Sample>& samples = dataset.split(name);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      all.push_back({.split = name, .index = static_cast<int>(i), .sample = samples[i]});
    }
  }
  return all;
}

/// The labels of a mask under its remedy, as counts of classes; none where it is left out.
std::vector<std::int64_t> class_pixels(const Checkup& checkup, const CheckedSample& sample) {
  if (!sample.has_mask() || !sample.mask.readable()) return {};
  const MaskReading& reading = sample.mask.reading;
  if (sample.remedy.reading < 0) return reading.class_pixels;
  const OtherReading& other = checkup.readings[static_cast<std::size_t>(sample.remedy.reading)];
  return pixels_of_classes(other, sample.mask.content, checkup.dataset.class_count());
}

void count_sample(const Checkup& checkup, const CheckedSample& sample, SplitStatistics& split,
                  std::vector<int>& together) {
  ++split.pictures;
  const std::vector<std::int64_t> pixels = class_pixels(checkup, sample);
  if (pixels.empty()) return;
  ++split.counted;
  const std::size_t classes = pixels.size();
  for (std::size_t k = 0; k < classes; ++k) {
    split.class_pixels[k] += pixels[k];
    if (pixels[k] == 0) continue;
    ++split.class_pictures[k];
    for (std::size_t j = 0; j < classes; ++j) together[k * classes + j] += pixels[j] > 0;
  }
  split.ignored += sample.mask.reading.ignored;
}

void count_classes(const std::vector<std::string>& splits, CheckResult& result) {
  const Checkup& checkup = result.checkup;
  const auto classes = static_cast<std::size_t>(checkup.dataset.class_count());
  result.together.assign(classes * classes, 0);
  for (const std::string& name : splits) {
    SplitStatistics split{.name = name,
                          .class_pixels = std::vector<std::int64_t>(classes),
                          .class_pictures = std::vector<int>(classes)};
    for (const CheckedSample& sample : checkup.samples) {
      if (sample.split == name) count_sample(checkup, sample, split, result.together);
    }
    result.splits.push_back(std::move(split));
  }
}

/// Those of the asked splits that there are.
std::vector<std::string> known_splits(const Dataset& dataset, std::vector<std::string> asked) {
  if (asked.empty()) return chosen_splits(dataset, {});
  std::erase_if(asked, [&](const std::string& name) { return !dataset.splits.contains(name); });
  return asked;
}

/// Keeps samples spread over all, as many as the fast form looks at, and reads their masks.
void examine_some(std::int64_t most_pixels, Checkup& checkup) {
  constexpr std::size_t kMostSamples = 32, kStretch = 8;
  const std::size_t all = checkup.samples.size(), count = std::min(all, kMostSamples);
  std::vector<CheckedSample> spread;
  for (std::size_t i = 0; i < count; ++i) spread.push_back(checkup.samples[i * all / count]);
  std::int64_t pixels = 0;
  std::size_t seen = 0;
  for (; seen < spread.size() && pixels < most_pixels; seen += kStretch) {
    const auto part = std::span(spread).subspan(seen, std::min(kStretch, spread.size() - seen));
    examine(checkup.dataset, part, {.picture_pixels = false});
    for (const CheckedSample& sample : part) pixels += sample.mask.content.pixels();
  }
  spread.resize(std::min(seen, spread.size()));
  checkup.all_samples = spread.size() == all;
  checkup.samples = std::move(spread);
}

void errors_first(std::vector<Finding>& findings) {
  std::ranges::stable_sort(findings, std::ranges::greater(), &Finding::severity);
  for (Finding& finding : findings) finding.count = std::max<std::int64_t>(finding.count, 0);
}

}  // namespace

std::int64_t SplitStatistics::labelled() const {
  return std::accumulate(class_pixels.begin(), class_pixels.end(), std::int64_t{0});
}

int CheckResult::count(Severity severity) const {
  return static_cast<int>(std::ranges::count(checkup.findings, severity, &Finding::severity));
}

CheckResult check_dataset(const std::filesystem::path& path, const CheckOptions& options) {
  CheckResult result{.checkup = open_checkup(path)};
  Checkup& checkup = result.checkup;
  const std::vector<std::string> splits = chosen_splits(checkup.dataset, options.splits);
  checkup.samples = samples_of(checkup.dataset, splits);
  examine(checkup.dataset, checkup.samples, {.progress = options.progress});
  check_files(checkup);
  check_leftovers(checkup);
  check_encodings(checkup);
  check_pairs(checkup);
  check_edges(checkup);
  check_classes(checkup);
  check_splits(checkup);
  check_duplicates(checkup);
  errors_first(checkup.findings);
  count_classes(splits, result);
  return result;
}

Checkup quick_check(const Dataset& dataset, const QuickCheckOptions& options) {
  Checkup checkup{.dataset = dataset,
                  .in_training = dataset.encoding,
                  .described = options.described,
                  .listed = true,
                  .picture_pixels = false};
  checkup.readings = other_readings(dataset);
  checkup.samples = samples_of(dataset, known_splits(dataset, options.splits));
  check_splits(checkup);  // by names: of all
  examine_some(options.most_pixels, checkup);
  if (!options.described && read_as_meant(checkup)) {
    examine(checkup.dataset, checkup.samples, {.picture_pixels = false});
  }
  check_files(checkup);
  check_encodings(checkup);
  check_pairs(checkup);
  check_edges(checkup);
  if (checkup.all_samples) check_one_class(checkup);
  std::erase_if(checkup.findings, [](const Finding& finding) {
    const bool told_by_training =
        finding.fault == Fault::no_mask || finding.fault == Fault::empty_split;
    return finding.severity == Severity::note || told_by_training;
  });
  errors_first(checkup.findings);
  return checkup;
}

void check_inspection(Inspection& inspection) {
  Dataset& dataset = inspection.dataset;
  Checkup checkup = quick_check(dataset, {.splits = {}});
  bool wrong = false;
  for (const Finding& finding : checkup.findings) {
    if (finding.severity != Severity::error) continue;
    wrong = true;
    inspection.obstacles.push_back(line_of(finding) + "; `segmentum check` tells more");
  }
  if (!wrong || checkup.dataset.encoding == dataset.encoding) return;
  const auto is_past = [&](const std::string& text) {
    return std::ranges::find(inspection.about_values, text) != inspection.about_values.end();
  };
  std::erase_if(inspection.notes, is_past);
  std::erase_if(inspection.questions, is_past);
  dataset.classes = std::move(checkup.dataset.classes);
  dataset.encoding = std::move(checkup.dataset.encoding);
  inspection.notes.emplace_back(
      "what values mean is decided by most of the masks; values of no class are not ignored");
}

}  // namespace segmentum
