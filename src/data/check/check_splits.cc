// What should not lie in two splits, and splits with nothing in them.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "data/check/checkup.h"
#include "data/check/split_pairs.h"
#include "data/groups.h"

namespace segmentum {
namespace {

void check_empty(Checkup& checkup) {
  for (const auto& [name, samples] : checkup.dataset.splits) {
    if (!samples.empty()) continue;
    checkup.add({.fault = Fault::empty_split,
                 .severity = name == "train" ? Severity::error : Severity::warning,
                 .what = fmt::format("the split \"{}\" is empty", name),
                 .fix = "fill it, or take it out of [splits]",
                 .count = -1});
  }
  if (checkup.dataset.splits.contains("train") && !checkup.dataset.splits.contains("val")) {
    checkup.add({.fault = Fault::empty_split,
                 .severity = Severity::note,
                 .what = "there is no split \"val\": training cannot tell its best weights",
                 .fix = "",
                 .count = -1});
  }
}

void check_same_files(Checkup& checkup) {
  std::map<std::filesystem::path, CheckedSample*> first;
  std::map<std::pair<std::string, std::string>, Finding> findings;
  for (CheckedSample& sample : checkup.samples) {
    const auto [found, added] = first.try_emplace(sample.sample.image, &sample);
    if (added || found->second->split == sample.split) continue;
    const SplitPair pair = split_pair(found->second->split, sample.split);
    auto [entry, fresh] = findings.try_emplace({pair.learnt, pair.judged});
    if (fresh) {
      entry->second = {
          .fault = Fault::same_file,
          .severity = pair.severity,
          .what = fmt::format("pictures are in \"{}\" and in \"{}\": {}", pair.learnt, pair.judged,
                              pair.consequence),
          .fix = fmt::format("take them out of \"{}\", as --fix DIR does", pair.learnt),
          .repaired = true};
    }
    entry->second.add(sample.picture_file());
    CheckedSample& leaves = sample.split == pair.learnt ? sample : *found->second;
    leaves.remedy.left_out = fmt::format("it is in \"{}\" too", pair.judged);
  }
  for (auto& [splits, finding] : findings) checkup.add(std::move(finding));
}

/// Sequences, plates or patients in what is learnt from and in what is scored.
void check_groups(Checkup& checkup) {
  std::vector<Sample> samples;
  for (const CheckedSample& sample : checkup.samples) samples.push_back(sample.sample);
  const std::vector<GroupReading> readings = group_readings(samples);
  if (readings.empty()) return;
  const GroupReading& reading = readings.front();
  std::map<std::string, std::set<std::string>> splits_of;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (!reading.groups[i].empty()) splits_of[reading.groups[i]].insert(checkup.samples[i].split);
  }
  std::vector<std::string> shared;
  for (const auto& [group, of_group] : splits_of) {
    if (of_group.contains("train") && of_group.size() > 1) {
      shared.push_back(fmt::format("{} ({})", group, fmt::join(of_group, ", ")));
    }
  }
  if (shared.empty()) return;
  const std::size_t named = std::min<std::size_t>(shared.size(), 4);
  checkup.add(
      {.fault = Fault::shared_groups,
       .severity = reading.known_word ? Severity::warning : Severity::note,
       .what = fmt::format(
           "{} of {} groups by {} lie in several splits: {}{}; if their pictures look alike, "
           "scores are too good",
           shared.size(), reading.count, reading.by,
           fmt::join(shared.begin(), shared.begin() + static_cast<std::ptrdiff_t>(named), ", "),
           shared.size() > named ? ", ..." : ""),
       .fix = reading.known_word ? "write [splits] so that each lies in one" : "",
       .count = -1});
}

}  // namespace

SplitPair split_pair(const std::string& a, const std::string& b) {
  const auto rank = [](const std::string& name) {
    return name == "test" ? 2 : name == "val" ? 1 : 0;
  };
  SplitPair pair{rank(a) <= rank(b) ? a : b, rank(a) <= rank(b) ? b : a};
  const bool from_learning = rank(pair.learnt) == 0 && rank(pair.judged) > 0;
  pair.severity = from_learning ? Severity::error : Severity::warning;
  pair.consequence =
      from_learning ? "scores would be those of pictures learnt by heart" : "they count twice";
  return pair;
}

void check_splits(Checkup& checkup) {
  check_empty(checkup);
  check_same_files(checkup);
  check_groups(checkup);
}

}  // namespace segmentum
