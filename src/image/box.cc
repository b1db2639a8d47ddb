#include "image/box.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "image/resize.h"
#include "image/warp.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr int kMostOversampling = 8;

/// From the pixels of a crop to those of the picture.
Affine to_picture(const Box& region, int side, const Flips& flips) {
  const double x = region.width() / side, y = region.height() / side;
  return Affine::translation(flips.along_x ? region.x1 : region.x0,
                             flips.along_y ? region.y1 : region.y0) *
         Affine::scaling(flips.along_x ? -x : x, flips.along_y ? -y : y);
}

/// The pixels [first, last) of a side whose centres lie in [begin, end).
std::pair<int, int> centres_within(double begin, double end, int size) {
  const auto first_from = [&](double edge) {
    return static_cast<int>(std::clamp(std::ceil(edge - 0.5), 0.0, static_cast<double>(size)));
  };
  return {first_from(begin), first_from(end)};
}

/// Two pixels of a crop and the share of the second, for each of the picture's pixels.
struct Between {
  std::int64_t first;
  std::int64_t second;
  float share;
};

std::vector<Between> positions(int first, int count, double begin, double extent,
                               std::int64_t side) {
  std::vector<Between> result;
  for (int i = 0; i < count; ++i) {
    const double centre = (first + i + 0.5 - begin) / extent * static_cast<double>(side) - 0.5;
    const double position = std::clamp(centre, 0.0, static_cast<double>(side - 1));
    const auto below = static_cast<std::int64_t>(position);
    result.push_back({below, std::min(below + 1, side - 1),
                      static_cast<float>(position - static_cast<double>(below))});
  }
  return result;
}

}  // namespace

std::string to_string(const Box& box) {
  return fmt::format("[{}, {}, {}, {})", box.x0, box.y0, box.x1, box.y1);
}

void check_box(const Box& box) {
  for (const double side : {box.x0, box.y0, box.x1, box.y1}) {
    if (!std::isfinite(side)) {
      throw Error("the box " + to_string(box) + " has a side that is no number");
    }
  }
  if (!(box.x0 < box.x1 && box.y0 < box.y1)) {
    throw Error("the box " + to_string(box) +
                " is empty; expected [x0, y0, x1, y1) with x0 < x1 and y0 < y1");
  }
}

Box part_inside(const Box& box, int height, int width) {
  check_box(box);
  const Box part{std::max(box.x0, 0.0), std::max(box.y0, 0.0),
                 std::min(box.x1, static_cast<double>(width)),
                 std::min(box.y1, static_cast<double>(height))};
  if (!(part.x0 < part.x1 && part.y0 < part.y1)) {
    throw Error(
        fmt::format("the box {} lies outside of the picture, which is {}x{} (width x height)",
                    to_string(box), width, height));
  }
  return part;
}

Box crop_region(const Box& box, const BoxCrop& crop, int height, int width) {
  const Box part = part_inside(box, height, width);
  // No thinner than a pixel: a crop must have something to stretch.
  const double grow_x = (std::max(part.width(), 1.0) * crop.expand - part.width()) / 2;
  const double grow_y = (std::max(part.height(), 1.0) * crop.expand - part.height()) / 2;
  return {part.x0 - grow_x, part.y0 - grow_y, part.x1 + grow_x, part.y1 + grow_y};
}

Image stretched_crop(ImageView picture, const Box& region, int side, const Flips& flips) {
  const double shrinks = std::max(region.width(), region.height()) / side;
  const int fine = side * std::clamp(static_cast<int>(std::lround(shrinks)), 1, kMostOversampling);
  const Border border{.mode = BorderMode::reflect, .values = {}};
  Image crop = warp(picture, fine, fine, to_picture(region, fine, flips), nullptr, border);
  if (fine == side) return crop;
  return resize(crop, side, side, {.antialias = true});
}

LabelMap stretched_crop(const LabelMap& labels, const Box& region, int side, const Flips& flips) {
  return warp_nearest(labels, side, side, to_picture(region, side, flips));
}

std::int64_t Mask::area() const {
  return std::accumulate(marks.begin(), marks.end(), std::int64_t{0});
}

Mask pasted_mask(ConstTensorView logits, int k, const Box& region, int height, int width) {
  const auto [left, right] = centres_within(region.x0, region.x1, width);
  const auto [top, bottom] = centres_within(region.y0, region.y1, height);
  Mask mask{.top = top, .left = left, .height = bottom - top, .width = right - left};
  mask.marks.reserve(static_cast<std::size_t>(mask.height) * static_cast<std::size_t>(mask.width));
  const auto rows = positions(top, mask.height, region.y0, region.height(), logits.shape.h());
  const auto columns = positions(left, mask.width, region.x0, region.width(), logits.shape.w());
  for (const Between& y : rows) {
    const float* above = &logits(0, k, y.first, 0);
    const float* below = &logits(0, k, y.second, 0);
    for (const Between& x : columns) {
      const float upper = above[x.first] + x.share * (above[x.second] - above[x.first]);
      const float lower = below[x.first] + x.share * (below[x.second] - below[x.first]);
      mask.marks.push_back(upper + y.share * (lower - upper) >= 0 ? 1 : 0);
    }
  }
  return mask;
}

}  // namespace segmentum
