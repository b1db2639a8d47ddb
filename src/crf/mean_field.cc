#include "crf/mean_field.h"

#include <algorithm>

#include "base/threads.h"

namespace segmentum {

/// What a thread needs for one block of pixels.
class MeanField::Scratch {
 public:
  explicit Scratch(int stride)
      : gain(block_pixels(stride) * stride),
        message(block_pixels(stride) * stride),
        common(block_pixels(stride)) {}

  Block<float> gain, message, common;
};

namespace {

std::vector<const Kernel*> addresses(const std::vector<Kernel>& kernels) {
  std::vector<const Kernel*> all;
  for (const Kernel& kernel : kernels) all.push_back(&kernel);
  return all;
}

}  // namespace

MeanField::MeanField(int labels, const Block<float>& unary, const std::vector<Kernel>& kernels)
    : labels_(labels),
      stride_(row_stride(labels)),
      bands_(unary.count() / stride_),
      unary_(unary),
      products_(addresses(kernels), stride_),
      q_(unary.count()) {
  const FieldSums sums = for_bands([&](int band, PixelRange range, Scratch&) {
    const std::int64_t at = range.begin * stride_;
    const FieldSums block = start_rows(unary_.data() + at, range.count(), labels_, q_.data() + at);
    products_.splat(band, range, q_.data() + at);
    return block;
  });
  entropy_ = sums.entropy;
}

CrfStep MeanField::step() {
  products_.blur();
  const FieldSums sums = for_bands([&](int band, PixelRange range, Scratch& scratch) {
    const std::int64_t at = range.begin * stride_;
    hear(band, range, scratch);
    const FieldSums block = update_rows(unary_.data() + at, scratch.common.data(), range.count(),
                                        labels_, scratch.gain.data(), q_.data() + at);
    products_.splat(band, range, scratch.gain.data());
    return block;
  });
  const double before = sums.energy - entropy_;
  entropy_ = sums.entropy;
  const auto pixels = static_cast<double>(std::max<std::int64_t>(bands_.pixels(), 1));
  return {before, sums.change / pixels};
}

double MeanField::free_energy() {
  products_.blur();
  double energy = 0;
  std::vector<double> of_band(bands_.count(), 0.0);
  parallel_for(bands_.count(), [&](std::int64_t b) {
    const int band = static_cast<int>(b);
    Scratch scratch(stride_);
    for_blocks(bands_[band], stride_, [&](PixelRange range) {
      const std::int64_t at = range.begin * stride_;
      hear(band, range, scratch);
      of_band[b] += energy_of_rows(unary_.data() + at, scratch.common.data(), scratch.gain.data(),
                                   q_.data() + at, range.count(), labels_);
    });
  });
  for (const double e : of_band) energy += e;
  return energy - entropy_;
}

template <typename Body>
FieldSums MeanField::for_bands(const Body& body) {
  std::vector<FieldSums> of_band(bands_.count());
  parallel_for(bands_.count(), [&](std::int64_t b) {
    const int band = static_cast<int>(b);
    Scratch scratch(stride_);
    products_.clear(band);
    for_blocks(bands_[band], stride_,
               [&](PixelRange range) { of_band[b] += body(band, range, scratch); });
  });
  FieldSums sums;
  for (const FieldSums& band : of_band) sums += band;
  return sums;
}

/// The message to each pixel of the range as common - gain: that of a Potts kernel is the sum of
/// what all labels send, less what the label itself does.
void MeanField::hear(int band, PixelRange range, Scratch& scratch) const {
  const std::int64_t floats = range.count() * stride_;
  float* gain = scratch.gain.data();
  std::fill_n(gain, floats, 0.0f);
  for (int m = 0; m < products_.count(); ++m) {
    const Kernel& kernel = products_.kernel(m);
    if (kernel.is_potts()) products_.slice(m, band, range, kernel.weight(), gain);
  }
  sum_rows(gain, range.count(), labels_, scratch.common.data());
  for (int m = 0; m < products_.count(); ++m) {
    const Kernel& kernel = products_.kernel(m);
    if (kernel.is_potts()) continue;
    float* message = scratch.message.data();
    std::fill_n(message, floats, 0.0f);
    products_.slice(m, band, range, 1.0f, message);
    subtract_costs(kernel.columns().data(), kernel.weight(), message, range.count(), labels_, gain);
  }
}

}  // namespace segmentum
