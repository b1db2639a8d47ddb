#include "crf/kernel_products.h"

#include <algorithm>
#include <utility>

#include "base/threads.h"

namespace segmentum {

KernelProducts::KernelProducts(std::vector<const Kernel*> kernels, int stride)
    : kernels_(std::move(kernels)) {
  for (const Kernel* kernel : kernels_) runs_.push_back(kernel->filter().make_run(stride));
}

void KernelProducts::clear(int band) {
  for (const auto& run : runs_) run->clear(band);
}

void KernelProducts::splat(int band, PixelRange range, const float* rows,
                           FilterDirection direction) {
  for (std::size_t m = 0; m < runs_.size(); ++m) {
    const Kernel& kernel = *kernels_[m];
    const bool forward = direction == FilterDirection::forward;
    runs_[m]->splat(band, range, rows,
                    forward ? kernel.in_scale(range.begin) : kernel.out_scale(range.begin));
  }
}

void KernelProducts::blur(FilterDirection direction) {
  const auto blur_one = [&](std::int64_t m) {
    runs_[static_cast<std::size_t>(m)]->blur(direction);
  };
  const auto count = static_cast<std::int64_t>(runs_.size());
  if (std::ranges::none_of(runs_, [](const auto& run) { return run->blur_uses_threads(); })) {
    parallel_for(count, blur_one);
  } else {
    for (std::int64_t m = 0; m < count; ++m) blur_one(m);
  }
}

void KernelProducts::slice(int m, int band, PixelRange range, float factor, float* rows,
                           FilterDirection direction) const {
  const bool forward = direction == FilterDirection::forward;
  runs_[static_cast<std::size_t>(m)]->slice(
      band, range, factor,
      forward ? kernel(m).out_scale(range.begin) : kernel(m).in_scale(range.begin), rows);
}

}  // namespace segmentum
