#include "data/border_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "image/distance_transform.h"

namespace segmentum {
namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();
constexpr double kReach = 5.26;  // in sigmas: exp(-kReach^2 / 2) is a millionth

bool is_object(std::uint16_t id) {
  return id != 0 && id != kIgnoreLabel;
}

struct Box {
  int top, left, bottom, right;  // the last two are one beyond

  void include(int y, int x) {
    top = std::min(top, y);
    left = std::min(left, x);
    bottom = std::max(bottom, y + 1);
    right = std::max(right, x + 1);
  }
  Box grown(int by, const LabelMap& within) const {
    return {std::max(top - by, 0), std::max(left - by, 0), std::min(bottom + by, within.height()),
            std::min(right + by, within.width())};
  }
};

std::map<std::uint16_t, Box> boxes_of(const LabelMap& instances) {
  std::map<std::uint16_t, Box> boxes;
  for (int y = 0; y < instances.height(); ++y) {
    for (int x = 0; x < instances.width(); ++x) {
      const std::uint16_t id = instances(y, x);
      if (is_object(id)) boxes.try_emplace(id, Box{y, x, y + 1, x + 1}).first->second.include(y, x);
    }
  }
  return boxes;
}

/// The squares of the distances to the nearest object and to the second nearest.
struct Nearest {
  double first = kFar;
  double second = kFar;

  void add(double square) {
    if (square < first) std::swap(square, first);
    second = std::min(second, square);
  }
};

}  // namespace

std::vector<float> border_weights(const LabelMap& instances, const BorderOptions& options) {
  const int width = instances.width();
  const auto pixels = static_cast<std::size_t>(instances.height()) * width;
  std::vector<Nearest> nearest(pixels);
  const int reach = static_cast<int>(std::ceil(kReach * options.sigma_px));
  std::vector<double> squares;
  for (const auto& [id, box] : boxes_of(instances)) {
    const Box seen = box.grown(reach, instances);
    const int h = seen.bottom - seen.top, w = seen.right - seen.left;
    squares.assign(static_cast<std::size_t>(h) * w, kFar);
    for (int y = box.top; y < box.bottom; ++y) {
      double* row = squares.data() + static_cast<std::ptrdiff_t>(y - seen.top) * w - seen.left;
      for (int x = box.left; x < box.right; ++x) {
        if (instances(y, x) == id) row[x] = 0;
      }
    }
    squared_distance_transform(squares, h, w);
    for (int y = 0; y < h; ++y) {
      Nearest* row = nearest.data() + static_cast<std::ptrdiff_t>(seen.top + y) * width + seen.left;
      const double* square = squares.data() + static_cast<std::ptrdiff_t>(y) * w;
      for (int x = 0; x < w; ++x) row[x].add(square[x]);
    }
  }
  std::vector<float> weights(pixels, 0.0f);
  for (std::size_t i = 0; i < pixels; ++i) {
    if (instances.labels()[i] != 0 || nearest[i].second == kFar) continue;
    const double sum = std::sqrt(nearest[i].first) + std::sqrt(nearest[i].second);
    const double exponent = -sum * sum / (2 * options.sigma_px * options.sigma_px);
    weights[i] = static_cast<float>(options.weight * std::exp(exponent));
  }
  return weights;
}

void draw_border_line(LabelMap& instances, LabelMap& labels) {
  std::vector<std::pair<int, int>> line;
  for (int y = 0; y < instances.height(); ++y) {
    for (int x = 0; x < instances.width(); ++x) {
      const std::uint16_t id = instances(y, x);
      if (!is_object(id)) continue;
      std::uint16_t largest = id;
      for (int ny = std::max(y - 1, 0); ny <= std::min(y + 1, instances.height() - 1); ++ny) {
        for (int nx = std::max(x - 1, 0); nx <= std::min(x + 1, instances.width() - 1); ++nx) {
          if (is_object(instances(ny, nx))) largest = std::max(largest, instances(ny, nx));
        }
      }
      if (largest != id) line.emplace_back(y, x);
    }
  }
  for (const auto& [y, x] : line) instances(y, x) = labels(y, x) = 0;
}

}  // namespace segmentum
