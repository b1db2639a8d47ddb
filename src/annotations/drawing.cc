#include "annotations/drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "data/class_legend.h"
#include "data/file_role.h"
#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::size_t kMostObjects = kUncovered - 1;

Region region_of_object(const DrawnObject& object, int height, int width) {
  if (!object.runs.counts.empty()) {
    if (object.runs.height != height || object.runs.width != width) {
      throw Error(
          fmt::format("its run lengths are of a picture of {}x{}, but it is {}x{} (width x height)",
                      object.runs.width, object.runs.height, width, height));
    }
    return decode_runs(object.runs);
  }
  if (!object.pixels.empty()) {
    const RegionBounds bounds = bounds_of(object.pixels);
    if (bounds.y1 > height || bounds.x1 > width)
      throw Error("an object lies outside of the picture");
    return object.pixels;
  }
  if (object.polygons.size() == 1) return fill_polygon(object.polygons.front(), height, width);
  std::vector<Span> spans;
  for (const Polygon& polygon : object.polygons) {
    const Region part = fill_polygon(polygon, height, width);
    spans.insert(spans.end(), part.begin(), part.end());
  }
  return region_of(std::move(spans));
}

std::uint16_t label_of(const std::string& name, const std::vector<ClassInfo>& classes) {
  const auto found = std::ranges::find(classes, name, &ClassInfo::name);
  if (found != classes.end()) return static_cast<std::uint16_t>(found - classes.begin());
  if (is_ignore_name(name)) return kIgnoreLabel;
  throw Error(
      fmt::format("the class \"{}\" is not among the {} that are known", name, classes.size()));
}

/// Numbers of objects: one for each, or for each group of a class; 0 for crowds and background.
class Numbers {
 public:
  std::uint16_t of(const DrawnObject& object, std::uint16_t label) {
    if (object.crowd || label == kIgnoreLabel || is_background_name(object.class_name)) return 0;
    if (object.group.empty()) return next();
    const auto [found, added] = groups_.try_emplace({object.class_name, object.group}, 0);
    if (added) found->second = next();
    return found->second;
  }

 private:
  std::uint16_t next() {
    if (count_ >= kMostObjects)
      throw Error(fmt::format("holds more than {} objects", kMostObjects));
    return static_cast<std::uint16_t>(++count_);
  }

  std::size_t count_ = 0;
  std::map<std::pair<std::string, std::string>, std::uint16_t> groups_;
};

}  // namespace

void check_drawn_size(double height, double width) {
  constexpr double kMostSide = 1 << 24;  // spans of rows do not outgrow the pixels by far
  constexpr double kPixelBytes = 2 * sizeof(std::uint16_t);  // its label and its object
  const auto whole = [](double side) {
    return side >= 1 && side <= kMostSide && side == std::floor(side);
  };
  if (!whole(height) || !whole(width)) {
    throw Error(fmt::format("states a picture of {}x{} pixels (width x height), which is none",
                            width, height));
  }
  const auto limit = static_cast<double>(picture_limit());
  if (kPixelBytes * height * width <= limit && height * width <= 2147483647.0) return;
  throw Error(fmt::format(
      "states a picture of {}x{} pixels (width x height), whose labels would take {:.0f} MB, over "
      "the limit of {:.0f} MB; --picture-limit raises it",
      width, height, kPixelBytes * height * width / 1e6, limit / 1e6));
}

bool is_background_name(const std::string& name) {
  const std::string lower = lower_case(name);
  return lower == "background" || lower == "_background_" || lower == "__background__";
}

Labelling paint(const DrawnPicture& picture, int height, int width,
                const std::vector<ClassInfo>& classes, Overlap overlap) {
  Labelling painted{LabelMap(height, width, kUncovered), LabelMap(height, width)};
  std::vector<Region> regions;
  for (const DrawnObject& object : picture.objects) {
    regions.push_back(region_of_object(object, height, width));
  }
  std::vector<std::size_t> order(regions.size());
  std::iota(order.begin(), order.end(), 0);
  if (overlap == Overlap::smaller) {
    std::ranges::stable_sort(order, std::ranges::greater(),
                             [&](std::size_t i) { return pixel_count(regions[i]); });
  }
  Numbers numbers;
  for (const std::size_t i : order) {
    const std::uint16_t label = label_of(picture.objects[i].class_name, classes);
    const std::uint16_t number = numbers.of(picture.objects[i], label);
    for (const Span& span : regions[i]) {
      for (int x = span.x0; x < span.x1; ++x) {
        std::uint16_t& at = painted.labels(span.y, x);
        const bool covered = at != kUncovered;
        painted.overlapping += covered;
        at = covered && at != label && overlap == Overlap::ignore ? kIgnoreLabel : label;
        painted.instances(span.y, x) = at == label ? number : std::uint16_t{0};
      }
    }
  }
  return painted;
}

}  // namespace segmentum
