#include "crf/lattice_geometry.h"

#include <cmath>

#include "base/random.h"

namespace segmentum {
namespace {

constexpr std::uint64_t kMostVertices = std::uint64_t{1} << 62;

struct Interval {
  double least = 0, largest = 0;

  void add(double factor, double from, double to) {
    least += factor * (factor < 0 ? to : from);
    largest += factor * (factor < 0 ? from : to);
  }
};

}  // namespace

LatticeGeometry::LatticeGeometry(const FeatureBox& box) : d_(static_cast<int>(box.least.size())) {
  const float deviation = std::sqrt(2.0f / 3.0f) * static_cast<float>(d_ + 1);
  for (int i = 0; i < d_; ++i) {
    scale_.push_back(1.0f / std::sqrt(static_cast<float>((i + 2) * (i + 1))) * deviation);
  }

  // Corners lie within d + 1 of a point, their neighbours' coordinates within d of these.
  const double margin = 3.0 * (d_ + 1);
  std::uint64_t vertices = 1;
  bool countable = true;
  for (int i = 0; i < d_; ++i) {
    Interval coordinate;
    if (i > 0) coordinate.add(-i * scale_[i - 1], box.least[i - 1], box.largest[i - 1]);
    for (int j = i; j < d_; ++j) coordinate.add(scale_[j], box.least[j], box.largest[j]);
    const auto first = static_cast<std::int64_t>(std::floor(coordinate.least - margin));
    const auto last = static_cast<std::int64_t>(std::ceil(coordinate.largest + margin));
    const auto extent = static_cast<std::uint64_t>(last - first + 1);
    origin_.push_back(first);
    stride_.push_back(vertices);
    countable = countable && vertices < kMostVertices / extent;
    vertices = countable ? vertices * extent : 1;
  }
  if (!countable) {
    RandomStream random(0x5e9, 0, 0);
    for (std::uint64_t& stride : stride_) {
      stride = (std::uint64_t{random.bits()} << 32 | random.bits()) | 1;
    }
  }
  for (const std::uint64_t stride : stride_) stride_sum_ += stride;
  stride_.push_back(0);
  for (const std::uint64_t stride : stride_) {
    step_.push_back(static_cast<std::uint64_t>(d_ + 1) * stride - stride_sum_);
  }
}

}  // namespace segmentum
