// A small painter for generated scenes: shapes filled with materials, back to front, labels exact.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "segmentum/image.h"

namespace segmentum::scene {

/// A place in the picture, in pixels: the centre of the first pixel is (0.5, 0.5).
struct Point {
  float x = 0, y = 0;
};

/// Red, green and blue, 0..1 where they are shown; values beyond are cut at the very end.
struct Colour {
  float r = 0, g = 0, b = 0;

  friend Colour operator+(Colour a, Colour b) { return {a.r + b.r, a.g + b.g, a.b + b.b}; }
  friend Colour operator*(Colour a, Colour b) { return {a.r * b.r, a.g * b.g, a.b * b.b}; }
  friend Colour operator*(Colour a, float s) { return {a.r * s, a.g * s, a.b * s}; }
};

inline Colour mix(Colour a, Colour b, float t) {
  return a * (1 - t) + b * t;
}

/// 0 below `low`, 1 above `high`, smooth between.
inline float smoothstep(float low, float high, float x) {
  const float t = std::clamp((x - low) / (high - low), 0.0f, 1.0f);
  return t * t * (3 - 2 * t);
}

/// The largest integer not above x. (std::floor is a call where SSE4.1 may be absent.)
inline int floor_int(float x) {
  const int i = static_cast<int>(x);
  return i - (x < static_cast<float>(i));
}

/// x - floor(x).
inline float fraction(float x) {
  return x - static_cast<float>(floor_int(x));
}

/// Fractal noise, mostly within -1..1, deviation 0.4; its largest features have size 1 and it
/// repeats after 8.
float fractal_noise(float u, float v);

/// The same without interpolation, in steps of 1/32: faster, for textures finer than a pixel.
float stepped_noise(float u, float v);

/// One value in -1..1 for each unit cell; repeats after 256.
float cell_noise(float u, float v);

struct Box {
  float left = 0, top = 0, right = 0, bottom = 0;
};

// Shapes have bounds() and contains(point).

struct Rectangle {
  Box box;
  Box bounds() const { return box; }
  bool contains(Point p) const {
    return p.x >= box.left && p.x < box.right && p.y >= box.top && p.y < box.bottom;
  }
};

struct Ellipse {
  Point centre;
  float radius_x = 0, radius_y = 0;
  Box bounds() const {
    return {centre.x - radius_x, centre.y - radius_y, centre.x + radius_x, centre.y + radius_y};
  }
  bool contains(Point p) const {
    const float u = (p.x - centre.x) / radius_x, v = (p.y - centre.y) / radius_y;
    return u * u + v * v < 1;
  }
};

/// Corners in order, either way round; at most 12.
class ConvexPolygon {
 public:
  explicit ConvexPolygon(std::span<const Point> corners);
  Box bounds() const { return bounds_; }
  bool contains(Point p) const {
    for (int i = 0; i < count_; ++i) {
      if (edges_[i].a * p.x + edges_[i].b * p.y + edges_[i].c < 0) return false;
    }
    return true;
  }

 private:
  struct Edge {
    float a, b, c;  // inside where a x + b y + c >= 0
  };
  std::array<Edge, 12> edges_;
  int count_;
  Box bounds_;
};

/// The picture while it is painted: 2x2 colour samples and one label for each pixel. A label is
/// that of the last shape painted over the centre of the pixel.
class Canvas {
 public:
  Canvas(int height, int width)
      : labels_(height, width), samples_(static_cast<std::size_t>(4) * height * width) {}

  int height() const { return labels_.height(); }
  int width() const { return labels_.width(); }
  const LabelMap& labels() const { return labels_; }
  /// The mean of the four samples of a pixel.
  Colour pixel(int y, int x) const {
    const Colour* above = sample_row(2 * y) + 2 * x;
    const Colour* below = sample_row(2 * y + 1) + 2 * x;
    return (above[0] + above[1] + below[0] + below[1]) * 0.25f;
  }

  /// Fills `shape` with the colours material(point).
  template <typename Shape, typename Material>
  void paint(const Shape& shape, const Material& material, std::uint16_t label) {
    const Box box = shape.bounds();
    for_each_sample(shape, [&](Point p, Colour& sample) { sample = material(p); });
    const Range rows = range(box.top, box.bottom, 1, height());
    const Range columns = range(box.left, box.right, 1, width());
    for (int y = rows.first; y < rows.last; ++y) {
      for (int x = columns.first; x < columns.last; ++x) {
        if (shape.contains({x + 0.5f, y + 0.5f})) labels_(y, x) = label;
      }
    }
  }

  /// Fills the rows above `bottom` with the colours material(centre), one for each pixel: for what
  /// is smooth.
  template <typename Material>
  void flood(float bottom, const Material& material, std::uint16_t label) {
    const int rows = range(0, bottom, 1, height()).last;
    for (int y = 0; y < rows; ++y) {
      Colour* above = samples_.data() + static_cast<std::size_t>(y) * 4 * width();
      Colour* below = above + 2 * width();
      for (int x = 0; x < width(); ++x) {
        const Colour colour = material(Point{x + 0.5f, y + 0.5f});
        above[2 * x] = above[2 * x + 1] = below[2 * x] = below[2 * x + 1] = colour;
        labels_(y, x) = label;
      }
    }
  }

  /// Multiplies the colours under `shape` by brightness(point); labels stay.
  template <typename Shape, typename Brightness>
  void shade(const Shape& shape, const Brightness& brightness) {
    for_each_sample(shape, [&](Point p, Colour& sample) { sample = sample * brightness(p); });
  }

 private:
  struct Range {
    int first, last;
  };
  static Range range(float low, float high, int samples_per_px, int end) {
    const auto limited = [&](float value) {
      return std::clamp(value * samples_per_px, -1.0f, static_cast<float>(end) + 1);
    };
    return {std::max(0, static_cast<int>(std::floor(limited(low)))),
            std::min(end, static_cast<int>(std::ceil(limited(high))) + 1)};
  }
  template <typename Shape, typename Body>
  void for_each_sample(const Shape& shape, const Body& body) {
    const Box box = shape.bounds();
    const Range rows = range(box.top, box.bottom, 2, 2 * height());
    const Range columns = range(box.left, box.right, 2, 2 * width());
    for (int y = rows.first; y < rows.last; ++y) {
      Colour* row = samples_.data() + static_cast<std::size_t>(y) * 2 * width();
      for (int x = columns.first; x < columns.last; ++x) {
        const Point p{(x + 0.5f) / 2, (y + 0.5f) / 2};
        if (shape.contains(p)) body(p, row[x]);
      }
    }
  }
  const Colour* sample_row(int y) const {
    return samples_.data() + static_cast<std::size_t>(y) * 2 * width();
  }

  LabelMap labels_;
  std::vector<Colour> samples_;
};

}  // namespace segmentum::scene
