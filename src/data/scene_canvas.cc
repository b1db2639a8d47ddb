#include "data/scene_canvas.h"

#include "base/random.h"

namespace segmentum::scene {
namespace {

constexpr int kTile = 256;  // cells a side, a power of two
constexpr int kCellsPerFeature = 32;

class NoiseTile {
 public:
  explicit NoiseTile(std::uint32_t key) : values_(kTile * kTile) {
    RandomStream random(key, 0, 0);
    for (float& value : values_) value = static_cast<float>(random.uniform(-1, 1));
  }
  float& at(int u, int v) { return values_[(v & (kTile - 1)) * kTile + (u & (kTile - 1))]; }
  float at(int u, int v) const { return values_[(v & (kTile - 1)) * kTile + (u & (kTile - 1))]; }
  std::vector<float>& values() { return values_; }

 private:
  std::vector<float> values_;
};

const NoiseTile& white_tile() {
  static const NoiseTile tile(1);
  return tile;
}

// Octaves of smoothly interpolated lattice noise, each half as large and half as strong.
NoiseTile make_fractal_tile() {
  NoiseTile tile(2);
  std::ranges::fill(tile.values(), 0.0f);
  float strength = 1;
  for (int size = kCellsPerFeature; size >= 1; size /= 2, strength /= 2) {
    const NoiseTile lattice(100 + size);
    const int lattice_period = kTile / size;
    const auto corner = [&](int u, int v) {
      return lattice.at(u % lattice_period, v % lattice_period);
    };
    for (int v = 0; v < kTile; ++v) {
      for (int u = 0; u < kTile; ++u) {
        const int i = u / size, j = v / size;
        const float s = smoothstep(0, 1, static_cast<float>(u % size) / size);
        const float t = smoothstep(0, 1, static_cast<float>(v % size) / size);
        tile.at(u, v) +=
            strength * std::lerp(std::lerp(corner(i, j), corner(i + 1, j), s),
                                 std::lerp(corner(i, j + 1), corner(i + 1, j + 1), s), t);
      }
    }
  }
  float squares = 0;
  for (float value : tile.values()) squares += value * value;
  const float gain = 0.4f / std::sqrt(squares / (kTile * kTile));
  for (float& value : tile.values()) value *= gain;
  return tile;
}

const NoiseTile& fractal_tile() {
  static const NoiseTile tile = make_fractal_tile();
  return tile;
}

}  // namespace

float fractal_noise(float u, float v) {
  const NoiseTile& tile = fractal_tile();
  u *= kCellsPerFeature;
  v *= kCellsPerFeature;
  const int i = floor_int(u), j = floor_int(v);
  const float s = u - static_cast<float>(i), t = v - static_cast<float>(j);
  const float above = tile.at(i, j) * (1 - s) + tile.at(i + 1, j) * s;
  const float below = tile.at(i, j + 1) * (1 - s) + tile.at(i + 1, j + 1) * s;
  return above * (1 - t) + below * t;
}

float stepped_noise(float u, float v) {
  return fractal_tile().at(floor_int(u * kCellsPerFeature), floor_int(v * kCellsPerFeature));
}

float cell_noise(float u, float v) {
  return white_tile().at(floor_int(u), floor_int(v));
}

ConvexPolygon::ConvexPolygon(std::span<const Point> corners)
    : count_(static_cast<int>(std::min<std::size_t>(corners.size(), edges_.size()))) {
  float twice_area = 0;
  bounds_ = {corners[0].x, corners[0].y, corners[0].x, corners[0].y};
  for (int i = 0; i < count_; ++i) {
    const Point p = corners[i], q = corners[(i + 1) % count_];
    edges_[i] = {p.y - q.y, q.x - p.x, p.x * q.y - q.x * p.y};
    twice_area += p.x * q.y - q.x * p.y;
    bounds_ = {std::min(bounds_.left, p.x), std::min(bounds_.top, p.y),
               std::max(bounds_.right, p.x), std::max(bounds_.bottom, p.y)};
  }
  if (twice_area < 0) {
    for (Edge& edge : std::span(edges_).first(count_)) edge = {-edge.a, -edge.b, -edge.c};
  }
}

}  // namespace segmentum::scene
