#include "data/split.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace segmentum {
namespace {

// The samples that must stay together, in random order.
std::vector<std::vector<std::size_t>> shuffled_units(const std::vector<Sample>& samples,
                                                     std::uint64_t seed) {
  std::vector<std::vector<std::size_t>> units;
  std::map<std::string, std::size_t> unit_of_group;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::string& group = samples[i].group;
    if (group.empty()) {
      units.push_back({i});
      continue;
    }
    const auto [found, added] = unit_of_group.try_emplace(group, units.size());
    if (added) units.emplace_back();
    units[found->second].push_back(i);
  }
  RandomStream random(seed, 0, 0);
  for (std::size_t i = units.size(); i > 1; --i) {
    std::swap(units[i - 1], units[random.below(static_cast<std::uint32_t>(i))]);
  }
  return units;
}

}  // namespace

std::map<std::string, std::vector<Sample>> divide_samples(const std::vector<Sample>& samples,
                                                          const SplitShares& shares,
                                                          std::uint64_t seed) {
  std::vector<const char*> part_of(samples.size(), "train");
  std::vector<std::vector<std::size_t>> units = shuffled_units(samples, seed);
  const auto take = [&](const char* part, double share) {
    const double target = share * static_cast<double>(samples.size());
    double taken = 0;
    std::vector<std::vector<std::size_t>> left;
    for (auto& unit : units) {
      const double with = taken + static_cast<double>(unit.size());
      if (std::abs(with - target) < std::abs(taken - target)) {
        for (const std::size_t i : unit) part_of[i] = part;
        taken = with;
      } else {
        left.push_back(std::move(unit));
      }
    }
    if (taken == 0 && left.size() > 1) {  // every group is too large: the smallest one
      const auto smallest = std::ranges::min_element(left, {}, &std::vector<std::size_t>::size);
      for (const std::size_t i : *smallest) part_of[i] = part;
      left.erase(smallest);
    }
    units = std::move(left);
  };
  if (shares.val > 0) take("val", shares.val);
  if (shares.test > 0) take("test", shares.test);
  std::map<std::string, std::vector<Sample>> splits;
  for (std::size_t i = 0; i < samples.size(); ++i) splits[part_of[i]].push_back(samples[i]);
  return splits;
}

}  // namespace segmentum
