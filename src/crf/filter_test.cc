// Both filters: the exact one by hand, the lattice by hand where that can be done, and each
// against the other.
#include "crf/filter.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/threads.h"
#include "crf/exact_filter.h"
#include "crf/lattice_filter.h"
#include "crf/testing.h"

namespace segmentum {
namespace {

/// Features [N][d] that outlive what is made of them.
struct Points {
  Points(std::vector<float> v, int d)
      : values(std::move(v)),
        size{1, 1, static_cast<int>(values.size()) / d},
        active(size.pixels(), {}),
        features(given_features(values, d, size, active)) {}

  std::vector<float> values;
  CrfSize size;
  ActivePixels active;
  Features features;
};

std::vector<float> random_points(int count, int d, float spread, std::uint32_t seed) {
  RandomStream random(seed, 0, 7);
  std::vector<float> points(static_cast<std::size_t>(count) * d);
  for (float& v : points) v = spread * static_cast<float>(random.uniform());
  return points;
}

Block<float> random_rows(std::int64_t count, std::uint32_t seed) {
  RandomStream random(seed, 0, 8);
  Block<float> rows(count);
  for (std::int64_t i = 0; i < count; ++i) rows[i] = static_cast<float>(random.uniform(-1, 1));
  return rows;
}

Block<float> product(const PairwiseFilter& filter, const Block<float>& in, int stride,
                     FilterDirection direction = FilterDirection::forward) {
  Block<float> out(in.count());
  filter.apply(in.data(), out.data(), stride, direction);
  return out;
}

/// What a single input of 1 at pixel j brings to pixel i.
float element(const PairwiseFilter& filter, int i, int j) {
  Block<float> in(filter.bands().pixels() * kRowUnit);
  std::fill_n(in.data(), in.count(), 0.0f);
  in[j * kRowUnit] = 1;
  return product(filter, in, kRowUnit)[i * kRowUnit];
}

double inner(const Block<float>& a, const Block<float>& b) {
  double sum = 0;
  for (std::int64_t i = 0; i < a.count(); ++i) {
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return sum;
}

TEST(ExactFilter, IsTheGaussian) {
  const Points points({0, 0, 1, 0, 1, 2}, 2);
  const ExactFilter filter(points.features);
  EXPECT_FLOAT_EQ(element(filter, 0, 0), 1.0f);
  EXPECT_FLOAT_EQ(element(filter, 0, 1), std::exp(-0.5f));
  EXPECT_FLOAT_EQ(element(filter, 1, 2), std::exp(-2.0f));
  EXPECT_FLOAT_EQ(element(filter, 2, 0), std::exp(-2.5f));
}

// One pixel at a vertex: its simplex is all there is. In one dimension both axes join the two
// vertices, (1, 0) -> (1, 1/2) -> (5/4, 1), and the gain is 2/3. In two dimensions axis 0 joins
// vertices 2 and 0, axis 1 vertices 1 and 2, axis 2 vertices 0 and 1: (1, 0, 0) -> (1, 0, 1/2) ->
// (1, 1/4, 1/2) -> (9/8, ...), and the gain is 4/5.
TEST(LatticeFilter, OfOnePixelByHand) {
  EXPECT_FLOAT_EQ(element(LatticeFilter(Points({0}, 1).features), 0, 0), 5.0f / 6.0f);
  EXPECT_FLOAT_EQ(element(LatticeFilter(Points({0, 0}, 2).features), 0, 0), 0.9f);
}

TEST(LatticeGeometry, PutsAPointInsideItsSimplex) {
  for (const int d : {1, 2, 3, 4, 5, 6, 9, 20}) {
    const std::vector<float> points = random_points(200, d, 30.0f, 3);
    const Points p(points, d);
    const LatticeGeometry geometry(box_of(p.features));
    std::vector<float> back(d, 0.0f);
    geometry.for_simplices(points.data(), 200, [&](const auto& number, const auto& weight) {
      double sum = 0;
      for (int r = 0; r <= d; ++r) {
        EXPECT_GE(weight[r], -1e-5f) << d;  // rounding of coordinates up to 150
        sum += static_cast<double>(weight[r]);
        // The vertices of a simplex follow each other along d + 1 different axes.
        const std::uint64_t to_next = number[(r + 1) % (d + 1)] - number[r];
        int axes = 0;
        for (int a = 0; a <= d; ++a) axes += to_next == std::uint64_t{0} - geometry.step(a);
        EXPECT_EQ(axes, 1) << d;
      }
      EXPECT_NEAR(sum, 1.0, 1e-5) << d;
    });
  }
}

// A vertex of the plane's lattice has an area of sqrt(3) / 2 sigma^2, the blur doubles along each
// of three axes, and the gain is 4/5.
TEST(LatticeFilter, OfAConstantPlaneByHand) {
  const int side = 64;
  const CrfSize size{1, side, side};
  const ActivePixels active(size.pixels(), {});
  const LatticeFilter filter(spatial_features(size, {.sigma_xy_px = 3}, active));
  Block<float> ones(size.pixels() * kRowUnit);
  std::fill_n(ones.data(), ones.count(), 1.0f);
  const Block<float> out = product(filter, ones, kRowUnit);
  const float expected = 0.8f * 8 * 9 * std::sqrt(3.0f) / 2;
  // Vertices have 7 or 8 pixels each: the grid and the lattice do not match.
  EXPECT_NEAR(out[(side / 2 * side + side / 2) * kRowUnit], expected, 0.01f * expected);
}

TEST(Filters, AdjointsAreAdjoint) {
  for (const int d : {1, 2, 3, 5, 7}) {
    const Points points(random_points(300, d, 3.0f, 4), d);
    const int stride = 16;
    const Block<float> x = random_rows(300 * stride, 5), y = random_rows(300 * stride, 6);
    const LatticeFilter lattice(points.features);
    const ExactFilter exact(points.features);
    for (const PairwiseFilter* filter : {static_cast<const PairwiseFilter*>(&lattice),
                                         static_cast<const PairwiseFilter*>(&exact)}) {
      const double forward = inner(product(*filter, x, stride), y);
      const double adjoint = inner(x, product(*filter, y, stride, FilterDirection::adjoint));
      EXPECT_NEAR(forward, adjoint, 1e-5 * std::sqrt(inner(x, x) * inner(y, y))) << d;
    }
  }
}

TEST(LatticeFilter, IsNotQuiteSymmetric) {
  const Points points(random_points(300, 5, 3.0f, 4), 5);
  const LatticeFilter lattice(points.features);
  const Block<float> x = random_rows(300 * kRowUnit, 5);
  const Block<float> forward = product(lattice, x, kRowUnit);
  const Block<float> adjoint = product(lattice, x, kRowUnit, FilterDirection::adjoint);
  float largest = 0;
  for (std::int64_t i = 0; i < x.count(); ++i) {
    largest = std::max(largest, std::fabs(forward[i] - adjoint[i]));
  }
  EXPECT_GT(largest, 1e-4f);  // else the test of adjoints would test nothing
}

TEST(LatticeFilter, ProductsOfAnyWidthAreTheSame) {
  const Points points(random_points(500, 3, 4.0f, 9), 3);
  const LatticeFilter filter(points.features);
  const int wide = 88;  // two groups of columns, and three vectors
  const Block<float> in = random_rows(500 * wide, 10);
  const Block<float> out = product(filter, in, wide);
  for (int column = 0; column < wide; column += kRowUnit) {
    Block<float> part(500 * kRowUnit);
    for (int i = 0; i < 500; ++i) {
      std::copy_n(&in[i * wide + column], kRowUnit, &part[i * kRowUnit]);
    }
    const Block<float> expected = product(filter, part, kRowUnit);
    for (int i = 0; i < 500; ++i) {
      for (int k = 0; k < kRowUnit; ++k) {
        ASSERT_EQ(out[i * wide + column + k], expected[i * kRowUnit + k]);
      }
    }
  }
}

TEST(LatticeFilter, BitsDoNotDependOnThreads) {
  const int height = 150, width = 200;  // four bands
  const Image picture = blotchy_picture<std::uint8_t>(height, width, 3, 11);
  const CrfSize size{1, height, width};
  const ActivePixels active(size.pixels(), {});
  const ImageView view = picture;
  const Features features =
      bilateral_features(size, {&view, 1}, {.sigma_xy_px = 20, .sigma_samples = {9}}, active);
  const Block<float> in = random_rows(size.pixels() * kRowUnit, 12);
  Block<float> alone;
  for (const int threads : {1, 2, 3, 5}) {
    const ThreadsInScope scope(threads);
    const LatticeFilter filter(features);
    Block<float> out = product(filter, in, kRowUnit);
    if (threads == 1) {
      alone = std::move(out);
      EXPECT_EQ(filter.bands().count(), 4);
      continue;
    }
    for (std::int64_t i = 0; i < out.count(); ++i) ASSERT_EQ(out[i], alone[i]) << threads;
  }
}

/// The root of the mean square difference of normalised products of ones and noise, relative.
double lattice_error(const Features& features) {
  const LatticeFilter lattice(features);
  const ExactFilter exact(features);
  const std::int64_t n = features.pixels;
  Block<float> in(n * kRowUnit);
  const Block<float> noise = random_rows(n * kRowUnit, 13);
  for (std::int64_t i = 0; i < n; ++i) {
    for (int k = 0; k < kRowUnit; ++k)
      in[i * kRowUnit + k] = k == 0 ? 1.0f : noise[i * kRowUnit + k];
  }
  const Block<float> a = product(lattice, in, kRowUnit), b = product(exact, in, kRowUnit);
  double difference = 0, square = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    for (int k = 1; k < kRowUnit; ++k) {
      const double x = static_cast<double>(a[i * kRowUnit + k] / a[i * kRowUnit]);
      const double y = static_cast<double>(b[i * kRowUnit + k] / b[i * kRowUnit]);
      difference += (x - y) * (x - y);
      square += y * y;
    }
  }
  return std::sqrt(difference / square);
}

// The lattice is an approximation: how good a one is printed, and held to about what was seen.
TEST(Filters, LatticeIsNearTheGaussian) {
  const CrfSize size{1, 40, 50};
  const ActivePixels active(size.pixels(), {});
  const Image picture = blotchy_picture<std::uint8_t>(40, 50, 3, 14);
  const ImageView view = picture;
  const double spatial = lattice_error(spatial_features(size, {.sigma_xy_px = 3}, active));
  const double bilateral = lattice_error(
      bilateral_features(size, {&view, 1}, {.sigma_xy_px = 12, .sigma_samples = {13}}, active));
  std::cout << "lattice beside the Gaussian, relative RMS of weighted means: spatial " << spatial
            << ", bilateral " << bilateral << "\n";
  EXPECT_LT(spatial, 0.1);
  EXPECT_LT(bilateral, 0.2);
}

}  // namespace
}  // namespace segmentum
