#include "engine/reference/pixel_matrix.h"

#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "crf/lattice_geometry.h"

namespace segmentum::reference {
namespace {

struct Corner {
  std::size_t vertex = 0;
  float weight = 0;
};

class PlainLattice {
 public:
  explicit PlainLattice(const Features& points) {
    const LatticeGeometry geometry(box_of(points));
    gain_ = geometry.gain();
    find_corners(points, geometry);
    for (int axis = 0; axis <= geometry.dimensions(); ++axis) {
      find_neighbours(geometry.step(axis));
    }
  }

  std::vector<double> product(const std::vector<double>& in, FilterDirection direction) const {
    std::vector<double> vertices(vertex_of_.size(), 0.0);
    for (std::size_t i = 0; i < corners_.size(); ++i) {
      for (const Corner& c : corners_[i]) vertices[c.vertex] += c.weight * in[i];
    }
    const std::size_t axes = neighbours_.size();
    for (std::size_t a = 0; a < axes; ++a) {
      const std::size_t axis = direction == FilterDirection::forward ? a : axes - 1 - a;
      vertices = blurred(vertices, neighbours_[axis]);
    }
    std::vector<double> out(in.size(), 0.0);
    for (std::size_t i = 0; i < corners_.size(); ++i) {
      for (const Corner& c : corners_[i]) out[i] += gain_ * c.weight * vertices[c.vertex];
    }
    return out;
  }

 private:
  using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;

  void find_corners(const Features& points, const LatticeGeometry& geometry) {
    const auto d = static_cast<std::size_t>(points.dimensions);
    std::vector<float> values(static_cast<std::size_t>(points.pixels) * d);
    points.write({0, points.pixels}, values.data());
    geometry.for_simplices(
        values.data(), points.pixels,
        [&](const LatticeGeometry::Numbers& numbers, const LatticeGeometry::Weights& weights) {
          std::vector<Corner> corners;
          for (std::size_t r = 0; r <= d; ++r) {
            const std::size_t next = vertex_of_.size();
            corners.push_back({vertex_of_.emplace(numbers[r], next).first->second, weights[r]});
          }
          corners_.push_back(std::move(corners));
        });
  }

  /// All pairs of vertices that are one step apart.
  void find_neighbours(std::uint64_t step) {
    Pairs pairs;
    for (const auto& [number, vertex] : vertex_of_) {
      const auto after = vertex_of_.find(number + step);
      if (after != vertex_of_.end()) pairs.emplace_back(vertex, after->second);
    }
    neighbours_.push_back(std::move(pairs));
  }

  static std::vector<double> blurred(const std::vector<double>& vertices, const Pairs& pairs) {
    std::vector<double> result = vertices;
    for (const auto& [a, b] : pairs) {
      result[a] += vertices[b] / 2;
      result[b] += vertices[a] / 2;
    }
    return result;
  }

  double gain_ = 0;
  std::map<std::uint64_t, std::size_t> vertex_of_;  // by their number in the whole lattice
  std::vector<std::vector<Corner>> corners_;        // of each pixel
  std::vector<Pairs> neighbours_;                   // along each axis
};

}  // namespace

PixelMatrix lattice_matrix(const Features& points) {
  const auto lattice = std::make_shared<const PlainLattice>(points);
  return [lattice](const std::vector<double>& in, FilterDirection direction) {
    return lattice->product(in, direction);
  };
}

PixelMatrix normalised(PixelMatrix matrix, CrfNormalisation normalisation, std::int64_t pixels) {
  if (normalisation == CrfNormalisation::none) return matrix;
  const std::vector<double> ones(static_cast<std::size_t>(pixels), 1.0);
  std::vector<double> before = ones, after = ones;
  const std::vector<double> sums = matrix(ones, FilterDirection::forward);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (normalisation == CrfNormalisation::symmetric) {
      before[i] = after[i] = 1 / std::sqrt(sums[i]);
    } else {
      (normalisation == CrfNormalisation::before ? before : after)[i] = 1 / sums[i];
    }
  }
  return [matrix, before, after](std::vector<double> in, FilterDirection direction) {
    const bool forward = direction == FilterDirection::forward;
    for (std::size_t i = 0; i < in.size(); ++i) in[i] *= forward ? before[i] : after[i];
    std::vector<double> out = matrix(in, direction);
    for (std::size_t i = 0; i < in.size(); ++i) out[i] *= forward ? after[i] : before[i];
    return out;
  };
}

}  // namespace segmentum::reference
