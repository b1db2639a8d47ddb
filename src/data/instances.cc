#include "data/instances.h"

#include <fmt/format.h>

#include <map>
#include <utility>
#include <vector>

#include "data/label_values.h"
#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::size_t kMostInstances = kIgnoreLabel - 1;
constexpr std::uint16_t kUnseen = kIgnoreLabel;

std::uint16_t next_number(std::size_t numbered) {
  if (numbered >= kMostInstances) {
    throw Error(fmt::format("holds more than {} objects", kMostInstances));
  }
  return static_cast<std::uint16_t>(numbered + 1);
}

/// Gives all pixels that hang together with (y, x) in its class the number `id`.
void flood(const LabelMap& labels, int y, int x, std::uint16_t id, LabelMap& instances,
           std::vector<std::pair<int, int>>& open) {
  const std::uint16_t label = labels(y, x);
  instances(y, x) = id;
  open.assign(1, {y, x});
  while (!open.empty()) {
    const auto [at_y, at_x] = open.back();
    open.pop_back();
    for (const auto& [dy, dx] : {std::pair{-1, 0}, {1, 0}, {0, -1}, {0, 1}}) {
      const int to_y = at_y + dy, to_x = at_x + dx;
      if (to_y < 0 || to_y >= labels.height() || to_x < 0 || to_x >= labels.width()) continue;
      if (labels(to_y, to_x) != label || instances(to_y, to_x) != kUnseen) continue;
      instances(to_y, to_x) = id;
      open.push_back({to_y, to_x});
    }
  }
}

LabelMap numbered(const RawMask& mask, const LabelMap& labels) {
  const auto kind =
      mask.values.channels() >= 3 ? LabelEncoding::Kind::colour : LabelEncoding::Kind::value;
  LabelMap instances(labels.height(), labels.width());
  std::map<std::uint32_t, std::uint16_t> numbers;
  std::vector<std::uint32_t> row;
  for (int y = 0; y < labels.height(); ++y) {
    mask_row(mask, kind, y, row);
    for (int x = 0; x < labels.width(); ++x) {
      const std::uint32_t value = row[static_cast<std::size_t>(x)];
      if (value == kNoMaskValue) {
        throw Error(
            fmt::format("has no whole number at x={} y={}; an instance map holds one "
                        "number or colour for each object, 0 for background",
                        x, y));
      }
      if (labels(y, x) == kIgnoreLabel) instances(y, x) = kIgnoreLabel;
      if (labels(y, x) == kIgnoreLabel || labels(y, x) == 0 || value == 0) continue;
      const auto [found, added] = numbers.try_emplace(value, 0);
      if (added) found->second = next_number(numbers.size() - 1);
      instances(y, x) = found->second;
    }
  }
  return instances;
}

}  // namespace

LabelMap connected_instances(const LabelMap& labels) {
  LabelMap instances(labels.height(), labels.width(), kUnseen);
  std::vector<std::pair<int, int>> open;
  std::size_t count = 0;
  for (int y = 0; y < labels.height(); ++y) {
    for (int x = 0; x < labels.width(); ++x) {
      if (labels(y, x) == 0) instances(y, x) = 0;
      if (labels(y, x) == 0 || labels(y, x) == kIgnoreLabel) continue;
      if (instances(y, x) == kUnseen) flood(labels, y, x, next_number(count++), instances, open);
    }
  }
  return instances;
}

LabelMap read_instances(const Dataset& dataset, const Sample& sample, const LabelMap& labels) {
  const bool from_mask = sample.instances.empty();
  const auto path = dataset.root / (from_mask ? sample.mask : sample.instances);
  try {
    if (from_mask) return connected_instances(labels);
    const RawMask mask = read_mask(path);
    if (mask.values.height() != labels.height() || mask.values.width() != labels.width()) {
      throw Error(
          fmt::format("is {}x{} but its picture {} is {}x{} (width x height); an instance "
                      "map has exactly the size of its picture",
                      mask.values.width(), mask.values.height(), sample.image.generic_string(),
                      labels.width(), labels.height()));
    }
    return numbered(mask, labels);
  } catch (const Error& error) {
    const std::string what = error.what();
    if (what.starts_with(path.string())) throw;
    throw Error::in_file(path.string(), what);
  }
}

}  // namespace segmentum
