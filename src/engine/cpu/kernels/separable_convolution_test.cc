#include "engine/cpu/kernels/separable_convolution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>

#include "base/threads.h"
#include "engine/cpu/kernels/testing.h"

namespace segmentum::cpu {
namespace {

Tensor packed_pointwise(const Tensor& weights) {
  const std::int64_t oc = weights.shape()[0], ic = weights.shape()[1];
  Tensor packed({pointwise_weight_floats(ic, oc)});
  pointwise_pack(weights.data(), ic, ic, oc, packed.data());
  return packed;
}

Tensor packed_depthwise(const Tensor& weights, Size2 kernel) {
  Tensor packed({depthwise_weight_floats(weights.shape()[0], kernel)});
  depthwise_pack(weights.data(), weights.shape()[0], kernel, packed.data());
  return packed;
}

struct Case {
  std::string name;
  Shape x;
  std::int64_t channels;  // of the depthwise convolution; x's where nothing expands
  std::int64_t results;   // 0: nothing projects
  Size2 kernel, stride, dilation;
  Padding padding;
  bool residual = false;

  bool expands() const { return channels != x.c(); }
  bool projects() const { return results > 0; }
  std::int64_t result_channels() const { return projects() ? results : channels; }
  DepthwiseWindow window() const { return {kernel, stride, dilation, padding}; }
  Shape y() const {
    const auto size = [](std::int64_t in, int pads, int taps, int step, int apart) {
      return (in + pads - apart * (taps - 1) - 1) / step + 1;
    };
    const Padding& p = padding;
    return {x.n(), result_channels(), size(x.h(), p.top + p.bottom, kernel.h, stride.h, dilation.h),
            size(x.w(), p.left + p.right, kernel.w, stride.w, dilation.w)};
  }
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name;
}

class Separable : public testing::TestWithParam<Case> {};

double activated(double v, ActivationKind kind) {
  if (kind == ActivationKind::relu6) return std::clamp(v, 0.0, 6.0);
  if (kind == ActivationKind::hard_swish) return v * std::clamp(v + 3, 0.0, 6.0) / 6;
  return v;
}

/// The three layers with random numbers, and a run of them.
struct Network {
  explicit Network(const Case& of)
      : c(of),
        expand(random_tensor({c.channels, c.x.c(), 1, 1}, 3)),
        depthwise(random_tensor({c.channels, 1, c.kernel.h, c.kernel.w}, 4)),
        project(random_tensor({c.result_channels(), c.channels, 1, 1}, 5)),
        expand_bias(random_tensor({c.channels}, 6)),
        depthwise_bias(random_tensor({c.channels}, 7)),
        project_bias(random_tensor({c.result_channels()}, 8)) {}

  /// In double, by plain loops.
  BasicTensor<double> expected(const Tensor& x, const Tensor& residual) const {
    BasicTensor<double> wide({c.x.n(), c.channels, c.x.h(), c.x.w()});
    each(wide, [&](auto n, auto k, auto y, auto xx) {
      if (!c.expands()) return static_cast<double>(x(n, k, y, xx));
      double sum = expand_bias.data()[k];
      for (std::int64_t i = 0; i < c.x.c(); ++i) {
        sum += static_cast<double>(x(n, i, y, xx)) * expand(k, i, 0, 0);
      }
      return activated(sum, ActivationKind::relu6);
    });
    BasicTensor<double> filtered({c.x.n(), c.channels, c.y().h(), c.y().w()});
    each(filtered, [&](auto n, auto k, auto y, auto xx) {
      double sum = depthwise_bias.data()[k];
      for (int ky = 0; ky < c.kernel.h; ++ky) {
        for (int kx = 0; kx < c.kernel.w; ++kx) {
          const std::int64_t sy = y * c.stride.h - c.padding.top + ky * c.dilation.h;
          const std::int64_t sx = xx * c.stride.w - c.padding.left + kx * c.dilation.w;
          if (sy < 0 || sx < 0 || sy >= c.x.h() || sx >= c.x.w()) continue;
          sum += wide(n, k, sy, sx) * depthwise(k, 0, ky, kx);
        }
      }
      return activated(sum, ActivationKind::hard_swish);
    });
    if (!c.projects()) return filtered;
    BasicTensor<double> result(c.y());
    each(result, [&](auto n, auto o, auto y, auto xx) {
      double sum = project_bias.data()[o];
      for (std::int64_t k = 0; k < c.channels; ++k) {
        sum += filtered(n, k, y, xx) * project(o, k, 0, 0);
      }
      return c.residual ? sum + residual(n, o, y, xx) : sum;
    });
    return result;
  }

  Tensor run(Tensor& x, Tensor& residual, int thread_count) const {
    const ThreadsInScope scope(thread_count);
    const SeparableConvolution fused({.x = x.shape(),
                                      .y = c.y(),
                                      .channels = c.channels,
                                      .window = c.window(),
                                      .expands = c.expands(),
                                      .projects = c.projects()});
    const Tensor weights[] = {packed_pointwise(expand), packed_depthwise(depthwise, c.kernel),
                              packed_pointwise(project)};
    const Tensor biases[] = {packed_depthwise(expand_bias, 1), packed_depthwise(depthwise_bias, 1),
                             packed_depthwise(project_bias, 1)};
    const Blocked in(x), plus(residual), out(c.y());
    Tensor memory({fused.scratch_floats(thread_count) + 1});
    std::ranges::fill(memory.values(), 1e30f);
    fused.run(in.view,
              {.expand = {weights[0].data(), biases[0].data(), ActivationKind::relu6},
               .depthwise = {weights[1].data(), biases[1].data(), ActivationKind::hard_swish},
               .project = {weights[2].data(), biases[2].data(), {}}},
              c.residual ? plus.view : View{}, out.view, memory.data());
    return out.plain();
  }

  template <typename Value>
  static void each(BasicTensor<double>& result, const Value& value) {
    const Shape& s = result.shape();
    for (std::int64_t n = 0; n < s.n(); ++n) {
      for (std::int64_t k = 0; k < s.c(); ++k) {
        for (std::int64_t y = 0; y < s.h(); ++y) {
          for (std::int64_t x = 0; x < s.w(); ++x) result(n, k, y, x) = value(n, k, y, x);
        }
      }
    }
  }

  Case c;
  Tensor expand, depthwise, project, expand_bias, depthwise_bias, project_bias;
};

// Float sums of up to 600 terms of about equal size, layer by layer.
TEST_P(Separable, EqualsItsConvolutionsInDoubleWithTheSameBitsOnAnyNumberOfThreads) {
  const Network network(GetParam());
  Tensor x = random_tensor(GetParam().x, 1), residual = random_tensor(GetParam().y(), 2);
  const Tensor got = network.run(x, residual, 1);
  const BasicTensor<double> want = network.expected(x, residual);
  double worst = 0, range = 0;
  for (std::int64_t i = 0; i < want.shape().count(); ++i) {
    range = std::max(range, std::abs(want.data()[i]));
    worst = std::max(worst, std::abs(got.data()[i] - want.data()[i]));
  }
  EXPECT_LE(worst, 3e-6 * range);
  for (const int thread_count : {2, 3}) {
    EXPECT_TRUE(std::ranges::equal(network.run(x, residual, thread_count).values(), got.values()))
        << thread_count << " threads";
  }
}

// The left part alone, without the padding at its right, has the whole's bits.
TEST_P(Separable, PartsOfAPictureHaveItsBits) {
  Case part = GetParam();
  if (part.x.w() < 12) return;  // too narrow to be cut
  const Network network(part);
  Tensor x = random_tensor(part.x, 1), residual = random_tensor(part.y(), 2);
  const Tensor whole = network.run(x, residual, 1);
  part.x = {part.x.n(), part.x.c(), part.x.h(), part.x.w() / 2};
  part.padding.right = 0;
  const auto left_of = [](const Tensor& t, std::int64_t w) {
    const Shape& s = t.shape();
    Tensor left({s.n(), s.c(), s.h(), w});
    for (std::int64_t row = 0; row < s.n() * s.c() * s.h(); ++row) {
      std::copy_n(t.data() + row * s.w(), w, left.data() + row * w);
    }
    return left;
  };
  Tensor x_left = left_of(x, part.x.w()), residual_left = left_of(residual, part.y().w());
  const Tensor want = left_of(whole, part.y().w());
  EXPECT_TRUE(
      std::ranges::equal(Network(part).run(x_left, residual_left, 2).values(), want.values()));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Separable,
    testing::Values(
        Case{"residual", {2, 24, 19, 23}, 144, 24, 3, 1, 1, 1, true},
        Case{"stride2", {1, 16, 21, 30}, 96, 24, 3, 2, 1, 1},
        Case{"stride_beyond_kernel", {1, 9, 17, 16}, 20, 7, 1, 3, 1, 0},
        Case{"dilated", {1, 40, 15, 13}, 100, 30, 3, 1, 2, 2, true},
        Case{"more_padding_than_picture", {1, 17, 3, 2}, 40, 33, 3, 1, 6, 6},
        Case{"of_5x5_uneven", {3, 8, 9, 12}, 50, 12, {5, 3}, {1, 2}, {2, 1}, {3, 0, 2, 2}},
        Case{"separable", {2, 70, 14, 17}, 70, 50, 3, 1, 1, 1},
        Case{"many_channels", {1, 600, 6, 7}, 600, 40, 3, 1, 1, 1, true},
        Case{"without_projection", {1, 12, 33, 20}, 72, 0, 5, 2, 1, 2},
        Case{"wide", {1, 5, 6, 260}, 200, 9, 3, 1, 1, 1},
        Case{"wide_stride2", {1, 5, 9, 301}, 200, 9, 3, 2, 1, 1},
        Case{"one_pixel", {1, 4, 1, 1}, 24, 4, 3, 1, 1, 1, true}),
    [](const auto& tested) { return tested.param.name; });

TEST(Separable, WhatFitsGoesByTheLayerAlone) {
  EXPECT_TRUE(SeparableConvolution::weights_fit(304, 256));
  EXPECT_TRUE(SeparableConvolution::weights_fit(960, 160));
  EXPECT_FALSE(SeparableConvolution::weights_fit(728, 728));
  EXPECT_TRUE(SeparableConvolution::rows_fit(144, {3, 1, 1, 1}));
  EXPECT_TRUE(SeparableConvolution::rows_fit(384, {3, 2, 1, 1}));
  EXPECT_FALSE(SeparableConvolution::rows_fit(960, {5, 1, 2, 4}));
}

}  // namespace
}  // namespace segmentum::cpu
