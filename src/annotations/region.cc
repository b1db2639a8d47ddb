#include "annotations/region.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Which spans belong together, as a forest whose roots stand for the parts.
class SpanGroups {
 public:
  explicit SpanGroups(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  std::size_t root(std::size_t span) {
    while (parent_[span] != span) {
      parent_[span] = parent_[parent_[span]];
      span = parent_[span];
    }
    return span;
  }
  /// The earlier span is the root.
  void join(std::size_t a, std::size_t b) {
    const std::size_t root_a = root(a), root_b = root(b);
    parent_[std::max(root_a, root_b)] = std::min(root_a, root_b);
  }

 private:
  std::vector<std::size_t> parent_;
};

}  // namespace

std::int64_t pixel_count(const Region& region) {
  std::int64_t pixels = 0;
  for (const Span& span : region) pixels += span.x1 - span.x0;
  return pixels;
}

RegionBounds bounds_of(const Region& region) {
  if (region.empty()) return {};
  RegionBounds bounds{region.front().y, region.front().x0, region.back().y + 1, region.front().x1};
  for (const Span& span : region) {
    bounds.x0 = std::min(bounds.x0, span.x0);
    bounds.x1 = std::max(bounds.x1, span.x1);
  }
  return bounds;
}

Region region_of(std::vector<Span> spans) {
  std::erase_if(spans, [](const Span& span) { return span.x0 >= span.x1; });
  std::ranges::sort(spans, [](const Span& a, const Span& b) {
    return std::pair(a.y, a.x0) < std::pair(b.y, b.x0);
  });
  Region region;
  region.reserve(spans.size());
  for (const Span& span : spans) {
    if (!region.empty() && region.back().y == span.y && span.x0 <= region.back().x1) {
      region.back().x1 = std::max(region.back().x1, span.x1);
    } else {
      region.push_back(span);
    }
  }
  return region;
}

std::vector<Region> connected_parts(const Region& region) {
  SpanGroups groups(region.size());
  std::size_t above = 0;  // the first span that may touch the current one from above
  for (std::size_t i = 0; i < region.size(); ++i) {
    const Span& span = region[i];
    while (region[above].y < span.y - 1 ||
           (region[above].y == span.y - 1 && region[above].x1 <= span.x0)) {
      ++above;
    }
    for (std::size_t j = above; region[j].y == span.y - 1 && region[j].x0 < span.x1; ++j) {
      groups.join(i, j);
    }
  }
  std::vector<Region> parts;
  std::map<std::size_t, std::size_t> part_of_root;
  for (std::size_t i = 0; i < region.size(); ++i) {
    const auto [found, added] = part_of_root.try_emplace(groups.root(i), parts.size());
    if (added) parts.emplace_back();
    parts[found->second].push_back(region[i]);
  }
  return parts;
}

std::vector<LabelledObject> objects_of(const LabelMap& labels, const LabelMap& instances,
                                       ObjectRule rule) {
  const bool numbered = !instances.empty();
  if (numbered && (instances.height() != labels.height() || instances.width() != labels.width())) {
    throw Error(fmt::format("the map of objects is {}x{} but the labels are {}x{}",
                            instances.width(), instances.height(), labels.width(),
                            labels.height()));
  }
  const auto number_at = [&](int y, int x) -> std::uint16_t {
    const std::uint16_t number = numbered ? instances(y, x) : std::uint16_t{0};
    return number == kIgnoreLabel ? std::uint16_t{0} : number;
  };
  std::map<std::pair<std::uint16_t, std::uint16_t>, Region> regions;  // by label, then number
  for (int y = 0; y < labels.height(); ++y) {
    for (int x = 0; x < labels.width();) {
      const std::pair key{labels(y, x), number_at(y, x)};
      int end = x + 1;
      while (end < labels.width() && labels(y, end) == key.first &&
             number_at(y, end) == key.second) {
        ++end;
      }
      regions[key].push_back({y, x, end});
      x = end;
    }
  }
  std::vector<LabelledObject> objects;
  for (auto& [key, region] : regions) {
    if (key.second != 0 || rule == ObjectRule::classes) {
      objects.push_back({key.first, std::move(region)});
      continue;
    }
    for (Region& part : connected_parts(region)) objects.push_back({key.first, std::move(part)});
  }
  return objects;
}

}  // namespace segmentum
