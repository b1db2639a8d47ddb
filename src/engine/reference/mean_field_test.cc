#include "engine/reference/mean_field.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <numeric>

#include "base/random.h"
#include "crf/lattice_filter.h"
#include "engine/mean_field_points.h"

namespace segmentum::reference {
namespace {

/// A matrix as it is written down.
PixelMatrix matrix_of(std::vector<std::vector<double>> a) {
  return [a = std::move(a)](const std::vector<double>& in, FilterDirection direction) {
    std::vector<double> out(in.size(), 0.0);
    for (std::size_t i = 0; i < in.size(); ++i) {
      for (std::size_t j = 0; j < in.size(); ++j) {
        out[i] += (direction == FilterDirection::forward ? a[i][j] : a[j][i]) * in[j];
      }
    }
    return out;
  };
}

/// exp(-|p_i - p_j|^2 / 2)
std::vector<std::vector<double>> gaussian(const Features& points) {
  const auto n = static_cast<std::size_t>(points.pixels);
  const auto d = static_cast<std::size_t>(points.dimensions);
  std::vector<float> p(n * d);
  points.write({0, points.pixels}, p.data());
  std::vector<std::vector<double>> a(n, std::vector<double>(n));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      double square = 0;
      for (std::size_t c = 0; c < d; ++c) {
        square +=
            std::pow(static_cast<double>(p[i * d + c]) - static_cast<double>(p[j * d + c]), 2);
      }
      a[i][j] = std::exp(-square / 2);
    }
  }
  return a;
}

// Two pixels that are alike, s = (ln 3, 0) and (0, 0): q is 3/4 and 1/2 for label 0. Each hears
// the other with half of its weight 2, and Potts costs: label 0 loses what goes to label 1.
TEST(MeanField, OneIterationByHand) {
  const PairwiseField field{{matrix_of({{0, 0.5}, {0.5, 0}})}, {{2, 2}}, {{0, 1}, {1, 0}}};
  const Planes x = refined(field, {{std::log(3.0), 0}, {0, 0}}, 1);
  EXPECT_THAT(x[0], testing::Pointwise(testing::DoubleNear(1e-12), {std::log(3.0) - 0.5, -0.25}));
  EXPECT_THAT(x[1], testing::Pointwise(testing::DoubleNear(1e-12), {-0.5, -0.75}));
}

// Costs need not be the same both ways, nor weights for all labels: label 1 pays 5 beside label 0,
// of which 3 * 3/4 and 3 * 1/2 are heard; what label 1 says is heard not at all.
TEST(MeanField, CostsAreRowsAndWeightsAreTheSpeakers) {
  const PairwiseField field{{matrix_of({{1, 0}, {0, 1}})}, {{3, 0}}, {{0, 7}, {5, 0}}};
  const Planes x = refined(field, {{std::log(3.0), 0}, {0, 0}}, 1);
  EXPECT_THAT(x[0], testing::Pointwise(testing::DoubleNear(1e-12), {std::log(3.0), 0.0}));
  EXPECT_THAT(x[1], testing::Pointwise(testing::DoubleNear(1e-12), {-11.25, -7.5}));
}

TEST(PixelMatrix, NormalisationsByHand) {
  const std::vector<std::vector<double>> a{{1, 3}, {0, 1}};  // sums 4 and 1
  const auto row = [&](CrfNormalisation how, FilterDirection direction) {
    return normalised(matrix_of(a), how, 2)({1, 1}, direction);
  };
  constexpr auto kForward = FilterDirection::forward, kAdjoint = FilterDirection::adjoint;
  EXPECT_THAT(row(CrfNormalisation::none, kForward), testing::ElementsAre(4, 1));
  EXPECT_THAT(row(CrfNormalisation::after, kForward), testing::ElementsAre(1, 1));
  EXPECT_THAT(row(CrfNormalisation::before, kForward), testing::ElementsAre(3.25, 1));
  EXPECT_THAT(row(CrfNormalisation::symmetric, kForward), testing::ElementsAre(1.75, 1));
  EXPECT_THAT(row(CrfNormalisation::after, kAdjoint), testing::ElementsAre(0.25, 1.75));
  EXPECT_THAT(row(CrfNormalisation::before, kAdjoint), testing::ElementsAre(0.25, 4));
}

/// A picture of two noisy halves, and random scores that lean to one label in each.
struct Scene {
  static constexpr std::int64_t kHeight = 14, kWidth = 17, kLabels = 3;
  op::MeanField options{.iterations = 3,
                        .spatial_sigma_px = 2,
                        .spatial_weight = 1.5f,
                        .bilateral_sigma_px = 6,
                        .bilateral_sigma_colour = 13,
                        .bilateral_weight = 3,
                        .levels = {63.75f}};
  BasicTensor<double> picture{{1, 3, kHeight, kWidth}};
  Planes scores{kLabels, std::vector<double>(kHeight* kWidth)};

  Scene() {
    RandomStream random(3, 0, 0);
    for (std::int64_t y = 0; y < kHeight; ++y) {
      for (std::int64_t x = 0; x < kWidth; ++x) {
        const bool left = x + y < kWidth;
        for (std::int64_t c = 0; c < 3; ++c) {
          picture(0, c, y, x) = (left ? -0.6 : 0.8) + 0.15 * random.normal();
        }
        for (std::int64_t k = 0; k < kLabels; ++k) {
          scores[static_cast<std::size_t>(k)][static_cast<std::size_t>(y * kWidth + x)] =
              random.normal() + (k == (left ? 0 : 2) ? 0.7 : 0);
        }
      }
    }
  }
  std::vector<Features> points() const {
    return {spatial_points(options, kHeight, kWidth),
            bilateral_points(options, std::as_const(picture).view(), 0)};
  }
  PairwiseField field(const std::function<PixelMatrix(const Features&)>& kernel) const {
    PairwiseField field{
        {}, {{1.5, 1.2, 1.9}, {3, 2.5, 2}}, {{0, 1, 0.8}, {1.1, 0, 1}, {0.9, 1, 0}}};
    for (const Features& p : points()) {
      field.kernels.push_back(normalised(kernel(p), CrfNormalisation::symmetric, kHeight * kWidth));
    }
    return field;
  }
};

PixelMatrix exact(const Features& points) {
  return matrix_of(gaussian(points));
}

/// Algorithm 1 of Zheng et al. over all pairs of pixels, written down once more: pixel after pixel,
/// every sum where it is needed.
Planes by_all_pairs(const Scene& scene, const PairwiseField& costs) {
  std::vector<std::vector<std::vector<double>>> kernels;
  for (const Features& points : scene.points()) {
    auto a = gaussian(points);
    std::vector<double> sums;
    for (const auto& row : a) sums.push_back(std::accumulate(row.begin(), row.end(), 0.0));
    for (std::size_t i = 0; i < a.size(); ++i) {
      for (std::size_t j = 0; j < a.size(); ++j) a[i][j] /= std::sqrt(sums[i] * sums[j]);
    }
    kernels.push_back(std::move(a));
  }
  const std::size_t labels = scene.scores.size(), pixels = scene.scores[0].size();
  Planes x = scene.scores;
  for (int t = 0; t < scene.options.iterations; ++t) {
    Planes next = scene.scores;
    const auto q = [&](std::size_t label, std::size_t i) {
      double sum = 0;
      for (std::size_t k = 0; k < labels; ++k) sum += std::exp(x[k][i]);
      return std::exp(x[label][i]) / sum;
    };
    for (std::size_t i = 0; i < pixels; ++i) {
      for (std::size_t j = 0; j < pixels; ++j) {
        for (std::size_t l = 0; l < labels; ++l) {
          double heard = 0;
          for (std::size_t m = 0; m < kernels.size(); ++m) {
            heard += costs.weights[m][l] * kernels[m][i][j];
          }
          heard *= q(l, j);
          for (std::size_t k = 0; k < labels; ++k) next[k][i] -= costs.compatibility[k][l] * heard;
        }
      }
    }
    x = next;
  }
  return x;
}

double largest_difference(const Planes& a, const Planes& b) {
  double largest = 0;
  for (std::size_t l = 0; l < a.size(); ++l) {
    for (std::size_t i = 0; i < a[l].size(); ++i) {
      largest = std::max(largest, std::abs(a[l][i] - b[l][i]));
    }
  }
  return largest;
}

TEST(MeanField, IsThePapersOverAllPairs) {
  const Scene scene;
  const PairwiseField field = scene.field(exact);
  EXPECT_LT(largest_difference(refined(field, scene.scores, scene.options.iterations),
                               by_all_pairs(scene, field)),
            1e-12);
}

Planes softmax_of(const Planes& x) {
  Planes q = x;
  for (std::size_t i = 0; i < x[0].size(); ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < x.size(); ++k) sum += q[k][i] = std::exp(x[k][i]);
    for (auto& plane : q) plane[i] /= sum;
  }
  return q;
}

// The lattice is no exact Gaussian: how far the probabilities are apart is printed, and held to
// about what was seen.
TEST(MeanField, OnTheLatticeIsNearTheExactOne) {
  const Scene scene;
  const auto run = [&](const std::function<PixelMatrix(const Features&)>& kernel) {
    return softmax_of(refined(scene.field(kernel), scene.scores, scene.options.iterations));
  };
  const Planes before = softmax_of(scene.scores), a = run(exact), b = run(lattice_matrix);
  double difference = 0, moved = 0;
  int same = 0;
  const std::size_t pixels = a[0].size();
  for (std::size_t i = 0; i < pixels; ++i) {
    std::size_t best_a = 0, best_b = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
      difference += std::abs(a[k][i] - b[k][i]) / 2;
      moved += std::abs(a[k][i] - before[k][i]) / 2;
      if (a[k][i] > a[best_a][i]) best_a = k;
      if (b[k][i] > b[best_b][i]) best_b = k;
    }
    same += best_a == best_b ? 1 : 0;
  }
  const auto count = static_cast<double>(pixels);
  std::cout << "mean field on the lattice beside the exact one: marginals differ by "
            << difference / count << " (the field moved them by " << moved / count << "), "
            << 100 * same / count << " % of labels equal\n";
  EXPECT_LT(difference, 0.15 * moved);
  EXPECT_GT(same, 0.95 * count);
}

TEST(PixelMatrix, TheAdjointOfTheLatticeIsItsTranspose) {
  const Scene scene;
  RandomStream random(5, 0, 0);
  for (const Features& points : scene.points()) {
    const PixelMatrix matrix = lattice_matrix(points);
    std::vector<double> x, y;
    for (std::int64_t i = 0; i < points.pixels; ++i) {
      x.push_back(random.normal());
      y.push_back(random.normal());
    }
    const auto dot = [](const std::vector<double>& a, const std::vector<double>& b) {
      return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    };
    const double forward = dot(matrix(x, FilterDirection::forward), y);
    EXPECT_NEAR(forward, dot(x, matrix(y, FilterDirection::adjoint)), 1e-11);
    EXPECT_GT(std::abs(forward - dot(x, matrix(y, FilterDirection::forward))), 1e-6);
  }
}

TEST(PixelMatrix, IsTheFastLattice) {
  const Scene scene;
  RandomStream random(6, 0, 0);
  for (const Features& points : scene.points()) {
    std::vector<double> x;
    Block<float> rows(points.pixels * kRowUnit);
    std::fill_n(rows.data(), rows.count(), 0.0f);
    for (std::int64_t i = 0; i < points.pixels; ++i) {
      rows[i * kRowUnit] = static_cast<float>(random.normal());
      x.push_back(static_cast<double>(rows[i * kRowUnit]));
    }
    for (const auto direction : {FilterDirection::forward, FilterDirection::adjoint}) {
      Block<float> product(rows.count());
      LatticeFilter(points).apply(rows.data(), product.data(), kRowUnit, direction);
      const std::vector<double> expected = lattice_matrix(points)(x, direction);
      double range = 0, worst = 0;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const float have = product[static_cast<std::int64_t>(i) * kRowUnit];
        range = std::max(range, std::abs(expected[i]));
        worst = std::max(worst, std::abs(expected[i] - static_cast<double>(have)));
      }
      EXPECT_LT(worst, 1e-5 * range);  // sums of some hundred floats
    }
  }
}

}  // namespace
}  // namespace segmentum::reference
