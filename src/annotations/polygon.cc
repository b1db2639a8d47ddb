#include "annotations/polygon.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "segmentum/error.h"

namespace segmentum {
namespace {

/// `value` as an int between 0 and `most`, for values of any size.
int clamped(double value, int most) {
  return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(most)));
}

/// A side of a ring and the rows first <= y < end whose centre lines it crosses.
struct Side {
  Point from, to;  // always from above: one that runs there and back must cross at the same place
  int first = 0, end = 0;

  double crossing(int y) const {
    const double along = (y + 0.5 - from.y) / (to.y - from.y);
    return from.x + along * (to.x - from.x);
  }
};

/// Those that cross any row, by the first one.
std::vector<Side> sides_of(const Polygon& polygon, int height) {
  std::vector<Side> sides;
  for (const Ring& ring : polygon) {
    for (std::size_t i = 0; i < ring.size(); ++i) {
      Side side{ring[i], ring[(i + 1) % ring.size()]};
      if (side.from.y > side.to.y) std::swap(side.from, side.to);
      side.first = clamped(std::ceil(side.from.y - 0.5), height);
      side.end = clamped(std::ceil(side.to.y - 0.5), height);
      if (side.first < side.end) sides.push_back(side);
    }
  }
  std::ranges::sort(sides, {}, &Side::first);
  return sides;
}

/// Appends the spans of row `y` between its sorted crossings.
void append_row(int y, const std::vector<double>& crossings, int width, Region& region) {
  for (std::size_t i = 0; i + 1 < crossings.size(); i += 2) {
    const int x0 = clamped(std::ceil(crossings[i] - 0.5), width);
    const int x1 = clamped(std::ceil(crossings[i + 1] - 0.5), width);
    if (x0 >= x1) continue;
    if (!region.empty() && region.back().y == y && region.back().x1 == x0) {
      region.back().x1 = x1;
    } else {
      region.push_back({y, x0, x1});
    }
  }
}

// ---- the other way ------------------------------------------------------------------------------

enum Heading : std::uint8_t { kRight, kDown, kLeft, kUp };

/// The boundary of one connected part, followed with the part on the right hand.
class Tracer {
 public:
  explicit Tracer(const Region& part) : bounds_(bounds_of(part)) {
    height_ = bounds_.y1 - bounds_.y0;
    width_ = bounds_.x1 - bounds_.x0;
    const auto size = static_cast<std::size_t>(height_) * static_cast<std::size_t>(width_);
    inside_.assign(size, false);
    seen_.assign(size, false);
    for (const Span& span : part) {
      for (int x = span.x0; x < span.x1; ++x)
        inside_[place(span.y - bounds_.y0, x - bounds_.x0)] = true;
    }
  }

  Outline trace() {
    Outline outline;
    for (int y = 0; y < height_; ++y) {
      for (int x = 0; x < width_; ++x) {
        if (!is_upper_edge(y, x) || seen_[place(y, x)]) continue;
        Ring ring = follow(y, x);
        if (outline.outer.empty()) {
          outline.outer = std::move(ring);
        } else {
          outline.holes.push_back(std::move(ring));
        }
      }
    }
    return outline;
  }

 private:
  std::size_t place(int y, int x) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) +
           static_cast<std::size_t>(x);
  }
  bool inside(int y, int x) const {
    return y >= 0 && y < height_ && x >= 0 && x < width_ && inside_[place(y, x)];
  }
  /// Each ring has one, passed to the right.
  bool is_upper_edge(int y, int x) const { return inside(y, x) && !inside(y - 1, x); }

  /// The pixel ahead of corner (y, x), on the right or left hand.
  bool ahead(int y, int x, int heading, bool right_hand) const {
    constexpr int kDy[] = {0, 0, -1, -1},
                  kDx[] = {0, -1, -1, 0};  // of the pixel ahead on the right
    const int turned = right_hand ? heading : (heading + 3) % 4;
    return inside(y + kDy[turned], x + kDx[turned]);
  }

  Ring follow(int start_y, int start_x) {
    constexpr int kStepY[] = {0, 1, 0, -1}, kStepX[] = {1, 0, -1, 0};
    Ring ring;
    int y = start_y, x = start_x, heading = kRight;
    do {
      if (heading == kRight) seen_[place(y, x)] = true;
      y += kStepY[heading];
      x += kStepX[heading];
      int next = heading;
      if (!ahead(y, x, heading, true)) {
        next = (heading + 1) % 4;  // also where two pixels touch by a corner only: they are apart
      } else if (ahead(y, x, heading, false)) {
        next = (heading + 3) % 4;
      }
      if (next != heading) ring.push_back({x + double(bounds_.x0), y + double(bounds_.y0)});
      heading = next;
    } while (y != start_y || x != start_x || heading != kRight);
    // The corner where it began comes last; rings begin there.
    // (Not std::ranges::rotate: Clang 14 cannot read the view that it gives in libstdc++ 12.)
    std::rotate(ring.begin(), ring.end() - 1, ring.end());
    return ring;
  }

  RegionBounds bounds_;
  int height_ = 0, width_ = 0;
  std::vector<bool> inside_;
  std::vector<bool> seen_;  // upper edges of pixels that a ring has passed
};

/// Hangs `added` on the nearest point of `ring`.
void join(Ring& ring, const Ring& added) {
  const Point start = added.front();
  const auto distance = [&](const Point& p) { return std::hypot(p.x - start.x, p.y - start.y); };
  const auto nearest = std::ranges::min_element(ring, {}, distance);
  Ring loop = added;
  loop.push_back(start);
  loop.push_back(*nearest);
  ring.insert(nearest + 1, loop.begin(), loop.end());
}

}  // namespace

Region fill_polygon(const Polygon& polygon, int height, int width) {
  const std::vector<Side> sides = sides_of(polygon, height);
  Region region;
  std::vector<Side> crossed;  // by the row at hand
  std::vector<double> crossings;
  std::size_t next = 0;
  for (int y = sides.empty() ? 0 : sides.front().first; next < sides.size() || !crossed.empty();
       ++y) {
    for (; next < sides.size() && sides[next].first == y; ++next) crossed.push_back(sides[next]);
    std::erase_if(crossed, [&](const Side& side) { return side.end <= y; });
    crossings.clear();
    for (const Side& side : crossed) crossings.push_back(side.crossing(y));
    std::ranges::sort(crossings);
    append_row(y, crossings, width, region);
  }
  return region;
}

std::vector<Outline> trace_outlines(const Region& region) {
  std::vector<Outline> outlines;
  for (const Region& part : connected_parts(region)) outlines.push_back(Tracer(part).trace());
  return outlines;
}

Ring joined_ring(const std::vector<Outline>& outlines) {
  Ring all;
  for (const Outline& outline : outlines) {
    Ring ring = outline.outer;
    for (const Ring& hole : outline.holes) join(ring, hole);
    if (all.empty()) {
      all = std::move(ring);
    } else {
      join(all, ring);
    }
  }
  return all;
}

Point checked_point(double x, double y) {
  constexpr double kMost = 1e9;
  if (std::abs(x) <= kMost && std::abs(y) <= kMost) return {x, y};
  throw Error(fmt::format("the point ({}, {}) lies in no picture", x, y));
}

Ring rectangle(double x0, double y0, double x1, double y1) {
  return {{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}};
}

Ring ellipse(Point centre, double radius_x, double radius_y) {
  constexpr int kPoints = 72;
  Ring ring;
  for (int i = 0; i < kPoints; ++i) {
    const double angle = 2 * std::numbers::pi * i / kPoints;
    ring.push_back({centre.x + radius_x * std::cos(angle), centre.y + radius_y * std::sin(angle)});
  }
  return ring;
}

}  // namespace segmentum
