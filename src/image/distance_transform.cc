#include "image/distance_transform.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

namespace segmentum {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The lower envelope of parabolas (x - q)^2 + f(q), one for each finite f(q).
class Envelope {
 public:
  explicit Envelope(int longest) : values_(longest), vertex_(longest), from_(longest) {}

  /// Transforms `count` numbers that lie `stride` apart.
  void transform(double* f, int count, std::ptrdiff_t stride) {
    for (int q = 0; q < count; ++q) values_[q] = f[q * stride];
    int parabolas = 0;
    for (int q = 0; q < count; ++q) {
      if (values_[q] == kInfinity) continue;
      double start = -kInfinity;
      while (parabolas > 0) {
        start = meeting(vertex_[parabolas - 1], q);
        if (start > from_[parabolas - 1]) break;
        --parabolas;
        start = -kInfinity;
      }
      vertex_[parabolas] = q;
      from_[parabolas++] = start;
    }
    if (parabolas == 0) return;
    int k = 0;
    for (int x = 0; x < count; ++x) {
      while (k + 1 < parabolas && from_[k + 1] < x) ++k;
      const double offset = x - vertex_[k];
      f[x * stride] = offset * offset + values_[vertex_[k]];
    }
  }

 private:
  /// Where the parabola of `q` comes below that of `p` < `q`.
  double meeting(int p, int q) const {
    const double rise = values_[q] - values_[p] + double{1} * q * q - double{1} * p * p;
    return rise / (2.0 * (q - p));
  }

  std::vector<double> values_;
  std::vector<int> vertex_;
  std::vector<double> from_;
};

}  // namespace

void squared_distance_transform(std::span<double> grid, int height, int width) {
  Envelope envelope(std::max(height, width));
  for (int x = 0; x < width; ++x) envelope.transform(grid.data() + x, height, width);
  for (int y = 0; y < height; ++y) {
    envelope.transform(grid.data() + static_cast<std::ptrdiff_t>(y) * width, width, 1);
  }
}

}  // namespace segmentum
