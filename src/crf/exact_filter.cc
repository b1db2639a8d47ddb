#include "crf/exact_filter.h"

#include <algorithm>
#include <cmath>

#include "base/threads.h"

namespace segmentum {

class ExactFilter::ExactRun : public PairwiseFilter::Run {
 public:
  ExactRun(const ExactFilter& filter, int stride)
      : filter_(filter),
        stride_(stride),
        in_(filter.bands().pixels() * stride),
        out_(filter.bands().pixels() * stride) {}

  void clear(int) override {}  // every pixel has an input of its own

  void splat(int, PixelRange range, const float* rows, const float* scale) override {
    for (std::int64_t i = 0; i < range.count(); ++i) {
      const float factor = scale ? scale[i] : 1.0f;
      for (int k = 0; k < stride_; ++k) {
        in_[(range.begin + i) * stride_ + k] = factor * rows[i * stride_ + k];
      }
    }
  }

  void blur(FilterDirection) override {  // a symmetric matrix
    const std::int64_t pixels = filter_.bands().pixels();
    parallel_for(pixels, [&](std::int64_t i) {
      std::vector<double> sum(stride_, 0.0);
      for (std::int64_t j = 0; j < pixels; ++j) {
        const double weight = filter_.kernel(i, j);
        for (int k = 0; k < stride_; ++k) sum[k] += weight * in_[j * stride_ + k];
      }
      std::transform(sum.begin(), sum.end(), &out_[i * stride_],
                     [](double s) { return static_cast<float>(s); });
    });
  }

  bool blur_uses_threads() const override { return true; }

  void slice(int, PixelRange range, float factor, const float* scale, float* rows) const override {
    for (std::int64_t i = 0; i < range.count(); ++i) {
      const float f = scale ? factor * scale[i] : factor;
      for (int k = 0; k < stride_; ++k) {
        rows[i * stride_ + k] += f * out_[(range.begin + i) * stride_ + k];
      }
    }
  }

 private:
  const ExactFilter& filter_;
  int stride_;
  Block<float> in_, out_;
};

ExactFilter::ExactFilter(const Features& features)
    : PairwiseFilter(features.pixels),
      dimensions_(features.dimensions),
      features_(features.pixels * features.dimensions) {
  box_of(features);  // refuses what the lattice refuses
  features.write({0, features.pixels}, features_.data());
}

std::unique_ptr<PairwiseFilter::Run> ExactFilter::make_run(int stride) const {
  return std::make_unique<ExactRun>(*this, stride);
}

double ExactFilter::kernel(std::int64_t i, std::int64_t j) const {
  double square = 0;
  for (int d = 0; d < dimensions_; ++d) {
    const double difference = static_cast<double>(features_[i * dimensions_ + d]) -
                              static_cast<double>(features_[j * dimensions_ + d]);
    square += difference * difference;
  }
  return std::exp(-0.5 * square);
}

}  // namespace segmentum
