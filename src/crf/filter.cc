#include "crf/filter.h"

#include <algorithm>

#include "base/threads.h"

namespace segmentum {

void PairwiseFilter::apply(const float* in, float* out, int stride,
                           FilterDirection direction) const {
  const auto run = make_run(stride);
  parallel_for(bands_.count(), [&](std::int64_t b) {
    const int band = static_cast<int>(b);
    run->clear(band);
    run->splat(band, bands_[band], in + bands_[band].begin * stride, nullptr);
  });
  run->blur(direction);
  parallel_for(bands_.count(), [&](std::int64_t b) {
    const int band = static_cast<int>(b);
    float* rows = out + bands_[band].begin * stride;
    std::fill_n(rows, bands_[band].count() * stride, 0.0f);
    run->slice(band, bands_[band], 1.0f, nullptr, rows);
  });
}

}  // namespace segmentum
