#include "data/check/check.h"

#include <algorithm>
#include <numeric>
#include <set>

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

std::vector<Finding> quick_check(const Dataset& dataset, const std::vector<std::string>& splits,
                                 std::int64_t most_pixels) {
  constexpr std::size_t kMostSamples = 32, kStretch = 8;
  Checkup checkup{.dataset = dataset, .in_training = dataset.encoding, .listed = true};
  checkup.whole = false;
  checkup.readings = other_readings(dataset);
  std::vector<std::string> known;
  for (const std::string& name : splits) {
    if (dataset.splits.contains(name)) known.push_back(name);
  }
  checkup.samples = samples_of(dataset, known);
  check_splits(checkup);  // by names: of all
  std::vector<CheckedSample> spread;
  const std::size_t all = checkup.samples.size(), count = std::min(all, kMostSamples);
  for (std::size_t i = 0; i < count; ++i) spread.push_back(checkup.samples[i * all / count]);
  std::int64_t pixels = 0;
  std::size_t seen = 0;
  for (; seen < spread.size() && pixels < most_pixels; seen += kStretch) {
    const auto part = std::span(spread).subspan(seen, std::min(kStretch, spread.size() - seen));
    examine(dataset, part, {.picture_pixels = false});
    for (const CheckedSample& sample : part) pixels += sample.mask.content.pixels();
  }
  spread.resize(std::min(seen, spread.size()));
  checkup.samples = std::move(spread);
  check_files(checkup);
  check_encodings(checkup);
  check_pairs(checkup);
  check_edges(checkup);
  std::erase_if(checkup.findings, [](const Finding& finding) {
    const bool told_by_training =
        finding.fault == Fault::no_mask || finding.fault == Fault::empty_split;
    return finding.severity == Severity::note || told_by_training;
  });
  errors_first(checkup.findings);
  return std::move(checkup.findings);
}

}  // namespace segmentum
