#include "metrics/border_thinning.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <vector>

#include "metrics/segments.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// The pixels above, left, right and below of a pixel; fewer at the edge of the picture.
class Neighbours {
 public:
  Neighbours(std::size_t i, std::size_t height, std::size_t width) {
    const std::size_t y = i / width, x = i % width;
    if (y > 0) add(i - width);
    if (x > 0) add(i - 1);
    if (x + 1 < width) add(i + 1);
    if (y + 1 < height) add(i + width);
  }
  const std::size_t* begin() const { return all_.data(); }
  const std::size_t* end() const { return all_.data() + count_; }

 private:
  void add(std::size_t i) { all_[count_++] = i; }
  std::array<std::size_t, 4> all_{};
  std::size_t count_ = 0;
};

/// The one segment among the neighbours; kNoSegment where there are several.
std::int32_t only_segment(std::span<const std::int32_t> segments, const Neighbours& neighbours) {
  std::int32_t only = kNoSegment;
  for (const std::size_t j : neighbours) {
    if (segments[j] == kNoSegment || segments[j] == only) continue;
    if (only != kNoSegment) return kNoSegment;
    only = segments[j];
  }
  return only;
}

}  // namespace

void thin_borders(std::span<std::int32_t> segments, const LabelMap& truth) {
  const std::span<const std::uint16_t> labels = truth.labels();
  if (segments.size() != labels.size()) {
    throw Error(fmt::format("segments of {} pixels, but the labels are {}x{}", segments.size(),
                            truth.width(), truth.height()));
  }
  const auto height = static_cast<std::size_t>(truth.height());
  const auto width = static_cast<std::size_t>(truth.width());
  std::vector<std::uint8_t> seen(segments.size());
  std::vector<std::size_t> open;  // first come, first served: distances never fall along it
  const auto see = [&](std::size_t i) {
    if (seen[i] || segments[i] != kNoSegment || labels[i] == kIgnoreLabel) return;
    seen[i] = 1;
    open.push_back(i);
  };
  for (std::size_t i = 0; i < segments.size(); ++i) {
    for (const std::size_t j : Neighbours(i, height, width)) {
      if (segments[j] != kNoSegment) see(i);
    }
  }
  for (std::size_t first = 0; first < open.size(); ++first) {
    const std::size_t i = open[first];
    const Neighbours neighbours(i, height, width);
    segments[i] = only_segment(segments, neighbours);
    if (segments[i] == kNoSegment) continue;  // the line, for good
    for (const std::size_t j : neighbours) see(j);
  }
}

}  // namespace segmentum
