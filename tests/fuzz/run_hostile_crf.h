// A small CRF made of any bytes: what the fuzzer runs, and what the suite runs on its corpus.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "segmentum/crf.h"

namespace segmentum {

/// Bytes as numbers, from the beginning again when they run out.
class ByteNumbers {
 public:
  explicit ByteNumbers(std::string_view bytes) : bytes_(bytes) {}

  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    return static_cast<std::uint8_t>(bytes_[next_++ % bytes_.size()]);
  }
  int below(int n) { return byte() % n; }
  /// Mostly a moderate number; every fourth any bits of a float, not a number among them.
  float real() {
    const int kind = below(4);
    if (kind != 0)
      return static_cast<float>(byte()) * (kind == 1 ? 0.05f : kind == 2 ? 1.0f : -0.1f);
    std::uint32_t bits = 0;
    for (int i = 0; i < 4; ++i) bits = bits << 8 | byte();
    float value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }

 private:
  std::string_view bytes_;
  std::size_t next_ = 0;
};

inline std::vector<Image> hostile_slices(ByteNumbers& in, const CrfSize& size) {
  const auto type = static_cast<PixelType>(in.below(3));
  const int channels = 1 + in.below(5);
  const int step = 1 + in.below(3);  // of equal samples
  std::vector<Image> slices;
  for (int z = 0; z < size.depth; ++z) {
    Image image(size.height, size.width, channels, type);
    const std::size_t samples = image.row_bytes() * size.height / sample_bytes(type);
    for (std::size_t i = 0; i < samples; ++i) {
      const std::uint8_t value = i % step == 0 ? in.byte() : 0;
      if (type == PixelType::u8) image.row<std::uint8_t>(0)[i] = value;
      if (type == PixelType::u16) {
        image.row<std::uint16_t>(0)[i] = static_cast<std::uint16_t>(value * 257);
      }
      if (type == PixelType::f32) image.row<float>(0)[i] = in.real();
    }
    slices.push_back(std::move(image));
  }
  return slices;
}

inline void set_hostile_unary(ByteNumbers& in, DenseCrf& crf) {
  const std::int64_t pixels = crf.size().pixels();
  const int kind = in.below(4);
  if (kind == 0) {
    std::vector<std::uint16_t> labels(pixels);
    for (auto& label : labels) {
      const int value = in.byte();
      label = value == 255 ? kIgnoreLabel : static_cast<std::uint16_t>(value % (crf.labels() + 1));
    }
    crf.set_unary_labels(labels, in.real());
    return;
  }
  std::vector<float> values(pixels * crf.labels());
  for (float& v : values) v = kind == 1 ? in.real() : static_cast<float>(in.byte());
  if (kind == 1) return crf.set_unary(values);
  for (std::int64_t i = 0; i < pixels; ++i) {  // probabilities, unless all are zero
    float sum = 0;
    for (int k = 0; k < crf.labels(); ++k) sum += values[k * pixels + i];
    for (int k = 0; k < crf.labels(); ++k) values[k * pixels + i] /= sum;
  }
  crf.set_unary_probabilities(values);
}

inline CrfTerm hostile_term(ByteNumbers& in, int labels) {
  CrfTerm term{.weight = in.real(), .normalisation = static_cast<CrfNormalisation>(in.below(4))};
  if (in.below(3) == 0) {
    term.compatibility.resize(static_cast<std::size_t>(labels) * labels);
    for (float& c : term.compatibility) c = in.real();
  }
  return term;
}

inline void add_hostile_kernel(ByteNumbers& in, DenseCrf& crf) {
  switch (in.below(3)) {
    case 0: {
      const SpatialKernel kernel{.sigma_xy_px = in.real(), .sigma_z_px = in.real()};
      crf.add_spatial(kernel, hostile_term(in, crf.labels()));
      return;
    }
    case 1: {
      const std::vector<Image> slices = hostile_slices(in, crf.size());
      const std::vector<ImageView> views(slices.begin(), slices.end());
      BilateralKernel kernel{.sigma_xy_px = in.real(), .sigma_z_px = in.real()};
      kernel.sigma_samples.assign(1 + in.below(3), in.real());
      crf.add_bilateral(views, kernel, hostile_term(in, crf.labels()));
      return;
    }
    default: {
      const int dimensions = 1 + in.below(9);
      std::vector<float> features(crf.size().pixels() * dimensions);
      for (float& f : features) f = in.real();
      crf.add_features(features, dimensions, hostile_term(in, crf.labels()));
    }
  }
}

/// The promise: marginals are finite and sum to one.
inline void check_marginals(const DenseCrf& crf) {
  const Probabilities q = crf.marginals();
  for (int y = 0; y < q.height(); ++y) {
    for (int x = 0; x < q.width(); ++x) {
      double sum = 0;
      for (int k = 0; k < q.classes(); ++k) {
        if (!(q(k, y, x) >= 0))
          throw std::logic_error("a marginal is " + std::to_string(q(k, y, x)));
        sum += static_cast<double>(q(k, y, x));
      }
      if (std::fabs(sum - 1) > 1e-4) {
        throw std::logic_error("marginals sum to " + std::to_string(sum));
      }
    }
  }
}

/// True if the bytes made a CRF, false if it was refused with an Error. Throws std::logic_error if
/// it ran to marginals that are none.
inline bool run_hostile_crf(std::string_view bytes) {
  ByteNumbers in(bytes);
  try {
    const CrfSize size{1 + in.below(2), 1 + in.below(12), 1 + in.below(12)};
    const int labels = in.below(16) == 0 ? 300 : 1 + in.below(24);
    std::vector<std::uint8_t> ignored;
    if (in.below(3) == 0) {
      for (std::int64_t i = 0; i < size.pixels(); ++i) ignored.push_back(in.below(2));
    }
    DenseCrf crf(size, labels, ignored,
                 {.filter = static_cast<CrfOptions::Filter>(in.below(4) == 0), .threads = 1});
    set_hostile_unary(in, crf);
    for (int kernels = in.below(3); kernels > 0; --kernels) add_hostile_kernel(in, crf);
    for (const CrfStep& step : crf.infer(in.below(4))) {
      if (!std::isfinite(step.free_energy_before) || !(step.change >= 0)) {
        throw std::logic_error("the free energy is " + std::to_string(step.free_energy_before));
      }
    }
    check_marginals(crf);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace segmentum
