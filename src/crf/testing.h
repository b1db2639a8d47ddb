// What the tests of crf/ share: pictures, probabilities, and mean field in plain loops.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "image/testing.h"
#include "segmentum/crf.h"

namespace segmentum {

/// A picture of a few flat regions with noise, as a bilateral kernel likes them.
template <typename T>
Image blotchy_picture(int height, int width, int channels, std::uint32_t seed, float scale = 1) {
  RandomStream random(seed, 0, 0);
  Image image(height, width, channels,
              sizeof(T) == 1   ? PixelType::u8
              : sizeof(T) == 2 ? PixelType::u16
                               : PixelType::f32);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int region = (x * 3 / width + 2 * (y * 2 / height)) * 40 + 20;
      for (int c = 0; c < channels; ++c) {
        const double level = std::floor(region + 12 * c + random.uniform(0, 16));
        image.row<T>(y)[x * channels + c] = static_cast<T>(level * static_cast<double>(scale));
      }
    }
  }
  return image;
}

/// Random probabilities, none of them certain.
inline Probabilities random_probabilities(int classes, int height, int width, std::uint32_t seed) {
  RandomStream random(seed, 0, 1);
  Probabilities p(classes, height, width);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      double sum = 0;
      std::vector<double> e(classes);
      for (double& v : e) sum += v = std::exp(1.5 * random.normal());
      for (int k = 0; k < classes; ++k) p.row(k, y)[x] = static_cast<float>(e[k] / sum);
    }
  }
  return p;
}

/// A kernel for plain loops: features [N][d] over their sigmas.
struct PlainKernel {
  std::vector<std::vector<double>> features;
  CrfTerm term;
};

/// Mean field as the paper writes it, in double, with every pair of pixels; N x K numbers, pixel
/// after pixel. As in the standard implementation a pixel hears itself too.
class PlainMeanField {
 public:
  PlainMeanField(int labels, std::vector<double> unary, std::vector<PlainKernel> kernels)
      : labels_(labels),
        pixels_(static_cast<int>(unary.size()) / labels),
        unary_(std::move(unary)),
        kernels_(std::move(kernels)),
        q_(softmax(std::vector<double>(unary_.size(), 0.0))) {}

  void step() { q_ = softmax(message()); }
  const std::vector<double>& marginals() const { return q_; }

  double free_energy() const {
    const std::vector<double> m = message();
    double sum = 0;
    for (std::size_t i = 0; i < q_.size(); ++i) {
      if (q_[i] > 0) sum += q_[i] * (std::log(q_[i]) + unary_[i] + 0.5 * m[i]);
    }
    return sum;
  }

 private:
  double kernel(const PlainKernel& k, int i, int j) const {
    double square = 0;
    for (std::size_t d = 0; d < k.features[i].size(); ++d) {
      square += std::pow(k.features[i][d] - k.features[j][d], 2);
    }
    return std::exp(-square / 2);
  }
  double normalised(const PlainKernel& k, const std::vector<double>& sums, int i, int j) const {
    switch (k.term.normalisation) {
      case CrfNormalisation::symmetric:
        return kernel(k, i, j) / std::sqrt(sums[i] * sums[j]);
      case CrfNormalisation::before:
        return kernel(k, i, j) / sums[j];
      case CrfNormalisation::after:
        return kernel(k, i, j) / sums[i];
      case CrfNormalisation::none:
        break;
    }
    return kernel(k, i, j);
  }
  double cost(const PlainKernel& k, int a, int b) const {
    if (k.term.compatibility.empty()) return a == b ? 0 : 1;
    return k.term.compatibility[a * labels_ + b];
  }
  std::vector<double> message() const {
    std::vector<double> m(q_.size(), 0.0);
    for (const PlainKernel& k : kernels_) {
      std::vector<double> sums(pixels_, 0.0);
      for (int i = 0; i < pixels_; ++i) {
        for (int j = 0; j < pixels_; ++j) sums[i] += kernel(k, i, j);
      }
      for (int i = 0; i < pixels_; ++i) {
        std::vector<double> heard(labels_, 0.0);
        for (int j = 0; j < pixels_; ++j) {
          const double w = k.term.weight * normalised(k, sums, i, j);
          for (int b = 0; b < labels_; ++b) heard[b] += w * q_[j * labels_ + b];
        }
        for (int a = 0; a < labels_; ++a) {
          for (int b = 0; b < labels_; ++b) m[i * labels_ + a] += cost(k, a, b) * heard[b];
        }
      }
    }
    return m;
  }
  std::vector<double> softmax(const std::vector<double>& message) const {
    std::vector<double> q(message.size());
    for (int i = 0; i < pixels_; ++i) {
      double sum = 0;
      for (int k = 0; k < labels_; ++k) {
        const int at = i * labels_ + k;
        sum += q[at] = std::exp(-unary_[at] - message[at]);
      }
      for (int k = 0; k < labels_; ++k) q[i * labels_ + k] /= sum;
    }
    return q;
  }

  int labels_;
  int pixels_;
  std::vector<double> unary_;
  std::vector<PlainKernel> kernels_;
  std::vector<double> q_;
};

}  // namespace segmentum
