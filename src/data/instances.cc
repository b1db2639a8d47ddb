#include "data/instances.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
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

using NamePair = std::pair<const char*, const char*>;
// Of masks, and of the instance maps beside them.
constexpr std::array<NamePair, 3> kFolders{
    {{"SegmentationClass", "SegmentationObject"}, {"masks", "instances"}, {"mask", "instances"}}};
constexpr std::array<NamePair, 3> kEndings{
    {{"_fg", "_label"}, {"_mask", "_instances"}, {"_masks", "_instances"}}};

/// Where an instance map may lie, by the name of the mask.
std::vector<std::filesystem::path> places_beside(const std::filesystem::path& mask) {
  std::vector<std::filesystem::path> paths;
  for (const auto& [of_masks, of_instances] : kFolders) {
    std::filesystem::path path;
    for (const auto& part : mask) {
      path /= part == of_masks ? std::filesystem::path(of_instances) : part;
    }
    if (path != mask) paths.push_back(path);
  }
  const std::string stem = mask.stem().string();
  for (const auto& [of_masks, of_instances] : kEndings) {
    if (!stem.ends_with(of_masks)) continue;
    const std::string name = stem.substr(0, stem.size() - std::string(of_masks).size());
    paths.push_back(mask.parent_path() / (name + of_instances + mask.extension().string()));
  }
  return paths;
}

/// What is found of one object while its pixels are visited.
struct Found {
  Instance instance;
  std::map<std::uint16_t, std::int64_t> labels;  // without the background

  void add(int y, int x, std::uint16_t label) {
    Box& box = instance.box;
    if (instance.pixels++ == 0) box = {x + 0.0, y + 0.0, x + 1.0, y + 1.0};
    box = {std::min(box.x0, x + 0.0), std::min(box.y0, y + 0.0), std::max(box.x1, x + 1.0),
           std::max(box.y1, y + 1.0)};
    if (label > 0 && label != kIgnoreLabel) ++labels[label];
  }
};

}  // namespace

std::filesystem::path instance_map_beside(const std::filesystem::path& root,
                                          const std::filesystem::path& mask) {
  for (const auto& path : places_beside(mask)) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(root / path, ignored)) return path;
  }
  return {};
}

std::vector<Instance> list_instances(const LabelMap& instances, const LabelMap& labels) {
  if (instances.height() != labels.height() || instances.width() != labels.width()) {
    throw Error(fmt::format("the map of instances is {}x{} but the labels are {}x{}",
                            instances.width(), instances.height(), labels.width(),
                            labels.height()));
  }
  std::map<std::uint16_t, Found> found;
  for (int y = 0; y < labels.height(); ++y) {
    for (int x = 0; x < labels.width(); ++x) {
      const std::uint16_t id = instances(y, x);
      if (id > 0 && id != kIgnoreLabel) found[id].add(y, x, labels(y, x));
    }
  }
  std::vector<Instance> list;
  for (auto& [id, object] : found) {
    if (object.labels.empty()) continue;
    object.instance.id = id;
    object.instance.label = std::ranges::max_element(object.labels, {}, [](const auto& count) {
                              return count.second;
                            })->first;
    list.push_back(object.instance);
  }
  return list;
}

LabelledPicture read_with_instances(const Dataset& dataset, const Sample& sample) {
  LabelledPicture picture = read_labelled(dataset, sample);
  picture.instances = read_instances(dataset, sample, picture.labels);
  return picture;
}

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
