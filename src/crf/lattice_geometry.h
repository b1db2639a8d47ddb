// Where the vertices of the permutohedral lattice lie, and between which of them a point is.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "crf/features.h"

namespace segmentum {

/// The lattice A*_d, scaled so that one step of the blur [1 2 1] / 2 along each axis, with the
/// interpolation before and after it, is a Gaussian of unit variance. Points of d features are
/// lifted into the plane of d + 1 coordinates whose sum is zero.
///
/// A vertex is known by one number that is linear in its coordinates: a step along an axis adds a
/// constant. Where the vertices of the features' box can be counted in 62 bits (five features over
/// thousands of sigmas), no two share a number; else the coefficients are random odd numbers, and
/// two of a million vertices are taken for one with a probability of 3e-8.
///
/// Adams, Baek and Davis, Eurographics 2010, section 3; the scale and the rounding to the nearest
/// vertex of remainder 0 are those of Krähenbühl and Koltun's implementation.
class LatticeGeometry {
 public:
  using Numbers = std::array<std::uint64_t, kMostFeatures + 1>;
  using Weights = std::array<float, kMostFeatures + 1>;

  explicit LatticeGeometry(const FeatureBox& box);

  int dimensions() const { return d_; }
  /// For `count` points [count][d]: body(number, weight) with the d + 1 vertices of the simplex
  /// around each, and their barycentric weights, which sum to one.
  template <typename Body>
  void for_simplices(const float* features, std::int64_t count, const Body& body) const;
  /// What one step along axis 0..d adds to the number of a vertex.
  std::uint64_t step(int axis) const { return step_[axis]; }
  /// What the filter's output is multiplied by, so that a point at a vertex brings itself 1, as it
  /// does with a Gaussian: the blur leaves 1 + 2^-d of it there.
  float gain() const { return 1.0f / (1.0f + 1.0f / static_cast<float>(std::uint64_t{1} << d_)); }

 private:
  template <int D>
  void enclose(const float* f, std::uint64_t* number, float* weight) const;

  int d_;
  std::vector<float> scale_;           // of feature i
  std::vector<std::int64_t> origin_;   // below the least coordinate i of any vertex and neighbour
  std::vector<std::uint64_t> stride_;  // of coordinate i; 0 for the last, which follows from them
  std::uint64_t stride_sum_ = 0;
  std::vector<std::uint64_t> step_;
};

/// D features, or with D = 0 as many as there are.
template <int D>
void LatticeGeometry::enclose(const float* f, std::uint64_t* number, float* weight) const {
  const int d = D > 0 ? D : d_;
  constexpr int kSize = (D > 0 ? D : kMostFeatures) + 2;
  // Up into the plane: coordinate j is what the features from j on add, less j times the one
  // before.
  float lifted[kSize];
  float below = 0;
  for (int j = d; j > 0; --j) {
    const float c = f[j - 1] * scale_[j - 1];
    lifted[j] = below - static_cast<float>(j) * c;
    below += c;
  }
  lifted[0] = below;

  // The nearest multiples of d + 1, halves to even; added and taken away, 1.5 * 2^23 rounds.
  constexpr float kRound = 12582912.0f;
  const auto up = static_cast<float>(d + 1);
  const float down = 1.0f / up;
  float corner[kSize];
  int excess = 0;  // their sum over d + 1, which is to be zero
  for (int i = 0; i <= d; ++i) {
    const float nearest = (lifted[i] * down + kRound) - kRound;
    corner[i] = nearest * up;
    excess += static_cast<int>(nearest);
  }

  // Coordinates ranked by how far they lie above their corner, the farthest first.
  int rank[kSize] = {};
  for (int i = 0; i < d; ++i) {
    const float here = lifted[i] - corner[i];
    for (int j = i + 1; j <= d; ++j) {
      const int less = here < lifted[j] - corner[j] ? 1 : 0;
      rank[i] += less;
      rank[j] += 1 - less;
    }
  }
  // Back into the plane: the coordinates rounded up most, or down most, go to their next corner.
  int at[kSize];  // the coordinate of each rank
  for (int i = 0; i <= d; ++i) {
    rank[i] += excess;
    if (rank[i] < 0) {
      rank[i] += d + 1;
      corner[i] += up;
    } else if (rank[i] > d) {
      rank[i] -= d + 1;
      corner[i] -= up;
    }
    at[rank[i]] = i;
  }

  float share[kSize] = {};
  for (int i = 0; i <= d; ++i) {
    const float above = (lifted[i] - corner[i]) * down;
    share[d - rank[i]] += above;
    share[d + 1 - rank[i]] -= above;
  }
  share[0] += 1.0f + share[d + 1];

  // Vertex r + 1 lies one up from vertex r in every coordinate but that of rank d - r: d down.
  std::uint64_t at_vertex = 0;
  for (int i = 0; i < d; ++i) {
    at_vertex +=
        static_cast<std::uint64_t>(static_cast<std::int64_t>(corner[i]) - origin_[i]) * stride_[i];
  }
  for (int r = 0; r <= d; ++r) {
    number[r] = at_vertex;
    weight[r] = share[r];
    at_vertex += stride_sum_ - static_cast<std::uint64_t>(d + 1) * stride_[at[d - r]];
  }
}

template <typename Body>
void LatticeGeometry::for_simplices(const float* features, std::int64_t count,
                                    const Body& body) const {
  Numbers number;
  Weights weight;
  const auto all = [&]<int D>() {
    for (std::int64_t p = 0; p < count; ++p) {
      enclose<D>(features + p * d_, number.data(), weight.data());
      body(number, weight);
    }
  };
  switch (d_) {
    case 2:
      return all.template operator()<2>();
    case 3:
      return all.template operator()<3>();
    case 5:
      return all.template operator()<5>();
    case 6:
      return all.template operator()<6>();
    default:
      return all.template operator()<0>();
  }
}

}  // namespace segmentum
