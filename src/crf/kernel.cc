#include "crf/kernel.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/counted.h"
#include "base/threads.h"
#include "crf/number_text.h"

namespace segmentum {
namespace {

constexpr float kLargest = 1e9f;  // of a weight and of a compatibility: their sums stay finite

void check_number(float value, const char* what) {
  if (std::fabs(value) <= kLargest) return;
  throw Error(std::string(what) + " is " + number_text(value) +
              "; it must be finite and at most 1e9 in size");
}

}  // namespace

Kernel::Kernel(std::unique_ptr<const PairwiseFilter> filter, const CrfTerm& term, int labels)
    : filter_(std::move(filter)), weight_(0) {
  set_weight(term.weight);
  if (!term.compatibility.empty()) {
    const auto k_count = static_cast<std::size_t>(labels);
    if (term.compatibility.size() != k_count * k_count) {
      throw Error("a compatibility matrix of " + counted(term.compatibility.size(), "number") +
                  " for " + counted(labels, "label") + "; it needs " +
                  std::to_string(k_count * k_count));
    }
    for (const float cost : term.compatibility) check_number(cost, "a label compatibility");
    const int stride = row_stride(labels);
    columns_ = Block<float>(static_cast<std::int64_t>(labels) * stride);
    std::fill_n(columns_.data(), columns_.count(), 0.0f);
    for (int k = 0; k < labels; ++k) {
      for (int l = 0; l < labels; ++l) {
        columns_[static_cast<std::int64_t>(l) * stride + k] = term.compatibility[k * k_count + l];
      }
    }
  }
  normalise(term.normalisation);
}

void Kernel::set_weight(float weight) {
  check_number(weight, "a kernel's weight");
  weight_ = weight;
}

std::size_t Kernel::bytes() const {
  const auto of = [](const auto& scale) {
    return scale ? sizeof(float) * static_cast<std::size_t>(scale->count()) : 0;
  };
  const std::size_t second = slice_scale_ == splat_scale_ ? 0 : of(slice_scale_);
  return filter_->bytes() + of(splat_scale_) + second;
}

std::int64_t kernel_bytes_per_pixel(int features, CrfNormalisation normalisation) {
  const std::int64_t corner = sizeof(std::uint32_t) + sizeof(float);
  const std::int64_t factor = normalisation == CrfNormalisation::none ? 0 : sizeof(float);
  return (features + 1) * corner + factor;
}

void Kernel::normalise(CrfNormalisation normalisation) {
  if (normalisation == CrfNormalisation::none) return;
  const Bands& bands = filter_->bands();
  const auto run = filter_->make_run(kRowUnit);
  parallel_for(bands.count(), [&](std::int64_t b) {
    const int band = static_cast<int>(b);
    run->clear(band);
    Block<float> ones(block_pixels(kRowUnit) * kRowUnit);
    std::fill_n(ones.data(), ones.count(), 1.0f);
    for_blocks(bands[band], kRowUnit,
               [&](PixelRange range) { run->splat(band, range, ones.data(), nullptr); });
  });
  run->blur(FilterDirection::forward);

  const auto factors = std::make_shared<Block<float>>(bands.pixels());
  parallel_for(bands.count(), [&](std::int64_t b) {
    const int band = static_cast<int>(b);
    Block<float> rows(block_pixels(kRowUnit) * kRowUnit);
    for_blocks(bands[band], kRowUnit, [&](PixelRange range) {
      std::fill_n(rows.data(), rows.count(), 0.0f);
      run->slice(band, range, 1.0f, nullptr, rows.data());
      for (std::int64_t i = 0; i < range.count(); ++i) {
        const float sum = rows[i * kRowUnit] + 1e-20f;
        (*factors)[range.begin + i] =
            1.0f / (normalisation == CrfNormalisation::symmetric ? std::sqrt(sum) : sum);
      }
    });
  });
  if (normalisation != CrfNormalisation::after) splat_scale_ = factors;
  if (normalisation != CrfNormalisation::before) slice_scale_ = factors;
}

}  // namespace segmentum
