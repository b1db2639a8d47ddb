#include "data/check/label_steps.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "data/label_values.h"

namespace segmentum {
namespace {

constexpr int kPlateau = 3, kWidestRamp = 4;

/// A value that is no class ends what it interrupts.
constexpr std::uint16_t kNoClass = 65535;

/// Equal values of a line, one after the other.
struct Run {
  std::uint16_t value = kNoClass;
  int begin = 0;
  int end = 0;

  int length() const { return end - begin; }
};

std::vector<Run> runs_of(const std::vector<std::uint16_t>& line) {
  std::vector<Run> runs;
  for (int x = 0; x < static_cast<int>(line.size()); ++x) {
    const std::uint16_t value = line[static_cast<std::size_t>(x)];
    if (runs.empty() || runs.back().value != value) runs.push_back({value, x, x});
    runs.back().end = x + 1;
  }
  return runs;
}

/// Calls step(from, to) for long runs of classes with nothing between, and ramp(from, to) for those
/// with a few pixels between that go from one value to the other.
template <typename Step, typename Ramp>
void read_line(const std::vector<std::uint16_t>& line, const Step& step, const Ramp& ramp) {
  const std::vector<Run> runs = runs_of(line);
  const Run* from = nullptr;
  bool rises = true, falls = true;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Run& run = runs[i];
    if (run.value == kNoClass) {
      from = nullptr;
      continue;
    }
    if (from != nullptr) {
      rises = rises && run.value > runs[i - 1].value;
      falls = falls && run.value < runs[i - 1].value;
    }
    if (run.length() < kPlateau) continue;
    if (from != nullptr) {
      const int between = run.begin - from->end;
      const bool apart = std::max(run.value, from->value) - std::min(run.value, from->value) >= 2;
      if (apart && between == 0) step(*from, run);
      if (apart && between > 0 && between <= kWidestRamp && (rises || falls)) ramp(*from, run);
    }
    from = &run;
    rises = falls = true;
  }
}

/// The values of classes [H,W], 16 bits each; kNoClass in 16 bits for all else.
std::vector<std::uint16_t> class_values(const RawMask& mask, const LabelMap& labels) {
  std::vector<std::uint16_t> values;
  values.reserve(labels.labels().size());
  std::vector<std::uint32_t> row;
  for (int y = 0; y < labels.height(); ++y) {
    mask_row(mask, LabelEncoding::Kind::value, y, row);
    for (int x = 0; x < labels.width(); ++x) {
      const bool is_class = labels(y, x) < kUnknownLabel;
      values.push_back(
          static_cast<std::uint16_t>(is_class ? row[static_cast<std::size_t>(x)] : kNoClass));
    }
  }
  return values;
}

/// Calls read(line, y, x, along_row) for all rows and columns; (y, x) is where the line begins.
template <typename Read>
void for_each_line(const RawMask& mask, const LabelMap& labels, const Read& read) {
  constexpr std::size_t kColumnsAtOnce = 32;  // what a cache line holds
  const auto height = static_cast<std::size_t>(labels.height());
  const auto width = static_cast<std::size_t>(labels.width());
  const std::vector<std::uint16_t> values = class_values(mask, labels);
  std::vector<std::vector<std::uint16_t>> lines(kColumnsAtOnce);
  for (std::size_t y = 0; y < height; ++y) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(y * width);
    lines[0].assign(begin, begin + static_cast<std::ptrdiff_t>(width));
    read(lines[0], static_cast<int>(y), 0, true);
  }
  for (std::size_t x = 0; x < width; x += kColumnsAtOnce) {
    const std::size_t count = std::min(kColumnsAtOnce, width - x);
    for (auto& column : lines) column.clear();
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t i = 0; i < count; ++i) lines[i].push_back(values[y * width + x + i]);
    }
    for (std::size_t i = 0; i < count; ++i) read(lines[i], 0, static_cast<int>(x + i), false);
  }
}

}  // namespace

LabelSteps count_steps(const RawMask& mask, const LabelMap& labels) {
  LabelSteps steps;
  for_each_line(mask, labels, [&](const std::vector<std::uint16_t>& line, int, int, bool) {
    read_line(
        line, [&](const Run&, const Run&) { ++steps.sharp; },
        [&](const Run&, const Run&) { ++steps.ramps; });
  });
  return steps;
}

void forget_ramps(const RawMask& mask, LabelMap& labels) {
  LabelMap forgotten(labels.height(), labels.width());
  const auto mark = [&](const std::vector<std::uint16_t>& line, int y, int x, bool along_row) {
    read_line(
        line, [](const Run&, const Run&) {},
        [&](const Run& from, const Run& to) {
          for (int i = from.end; i < to.begin; ++i) {
            forgotten(along_row ? y : i, along_row ? i : x) = 1;
          }
        });
  };
  for_each_line(mask, labels, mark);
  for (int y = 0; y < labels.height(); ++y) {
    for (int x = 0; x < labels.width(); ++x) {
      if (forgotten(y, x) != 0) labels(y, x) = kUnknownLabel;
    }
  }
}

void fill_unknown(LabelMap& labels, int reach) {
  using Place = std::pair<int, int>;
  constexpr Place kNeighbours[] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};
  std::vector<Place> front, next;
  for (int y = 0; y < labels.height(); ++y) {
    for (int x = 0; x < labels.width(); ++x) {
      if (labels(y, x) != kUnknownLabel) front.emplace_back(y, x);
    }
  }
  for (int step = 0; step < reach && !front.empty(); ++step) {
    next.clear();
    for (const auto& [y, x] : front) {
      for (const auto& [dy, dx] : kNeighbours) {
        const int to_y = y + dy, to_x = x + dx;
        if (to_y < 0 || to_y >= labels.height() || to_x < 0 || to_x >= labels.width()) continue;
        if (labels(to_y, to_x) != kUnknownLabel) continue;
        labels(to_y, to_x) = labels(y, x);
        next.emplace_back(to_y, to_x);
      }
    }
    front.swap(next);
  }
  std::ranges::replace(labels.labels(), kUnknownLabel, kIgnoreLabel);
}

}  // namespace segmentum
