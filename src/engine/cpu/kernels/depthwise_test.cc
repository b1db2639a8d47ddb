#include "engine/cpu/kernels/depthwise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "engine/cpu/kernels/kernels.h"
#include "engine/cpu/kernels/testing.h"
#include "tensor/tensor.h"

namespace segmentum::cpu {
namespace {

Tensor packed(const Tensor& weights, Size2 kernel) {
  Tensor result({depthwise_weight_floats(weights.shape()[0], kernel)});
  depthwise_pack(weights.data(), weights.shape()[0], kernel, result.data());
  return result;
}

struct Case {
  Shape in;
  DepthwiseWindow window;

  Shape out() const {
    const auto size = [](std::int64_t in_size, int pads, int kernel, int stride, int dilation) {
      return (in_size + pads - dilation * (kernel - 1) - 1) / stride + 1;
    };
    const DepthwiseWindow& w = window;
    return {in.n(), in.c(),
            size(in.h(), w.padding.top + w.padding.bottom, w.kernel.h, w.stride.h, w.dilation.h),
            size(in.w(), w.padding.left + w.padding.right, w.kernel.w, w.stride.w, w.dilation.w)};
  }
  Shape weights() const { return {in.c(), 1, window.kernel.h, window.kernel.w}; }

  /// visit(n, c, result y, x, source y, x, kernel y, x) for every product of the convolution.
  template <typename Visit>
  void each_product(const Visit& visit) const {
    const DepthwiseWindow& w = window;
    const Shape result = out();
    for (std::int64_t n = 0; n < in.n(); ++n) {
      for (std::int64_t c = 0; c < in.c(); ++c) {
        for (std::int64_t y = 0; y < result.h(); ++y) {
          for (std::int64_t x = 0; x < result.w(); ++x) {
            for (int ky = 0; ky < w.kernel.h; ++ky) {
              for (int kx = 0; kx < w.kernel.w; ++kx) {
                const std::int64_t sy = y * w.stride.h - w.padding.top + ky * w.dilation.h;
                const std::int64_t sx = x * w.stride.w - w.padding.left + kx * w.dilation.w;
                if (sy < 0 || sx < 0 || sy >= in.h() || sx >= in.w()) continue;
                visit(n, c, y, x, sy, sx, ky, kx);
              }
            }
          }
        }
      }
    }
  }
};

/// Float sums of up to a hundred random terms; the gradient of weights has as many as dy pixels.
void expect_near(const Tensor& got, const BasicTensor<double>& want, double tolerance) {
  double range = 0, worst = 0;
  for (std::int64_t i = 0; i < got.shape().count(); ++i) {
    const double value = want.data()[i];
    range = std::max(range, std::abs(value));
    worst = std::max(worst, std::abs(got.data()[i] - value));
  }
  EXPECT_LE(worst, tolerance * range);
}

class Depthwise : public testing::TestWithParam<Case> {};

TEST_P(Depthwise, ForwardEqualsTheSumInDouble) {
  const Case& c = GetParam();
  Tensor x = random_tensor(c.in, 1);
  const Tensor weights = random_tensor(c.weights(), 2), bias = random_tensor({c.in.c()}, 3);
  Tensor residual = random_tensor(c.out(), 4);
  BasicTensor<double> want(c.out());
  c.each_product([&](auto n, auto ch, auto y, auto xx, auto sy, auto sx, auto ky, auto kx) {
    want(n, ch, y, xx) += static_cast<double>(x(n, ch, sy, sx)) * weights(ch, 0, ky, kx);
  });
  const std::int64_t plane = want.shape().h() * want.shape().w();
  for (std::int64_t i = 0; i < want.shape().count(); ++i) {
    double& value = want.data()[i];
    value = std::max(0.0, value + bias.data()[i / plane % c.in.c()] + residual.data()[i]);
  }
  const Tensor w = packed(weights, c.window.kernel), b = packed(bias, 1);
  const Blocked in(x), plus(residual), out(c.out());
  depthwise_convolution(
      in.view, w.data(), c.window,
      {.bias = b.data(), .residual = plus.view, .activation = ActivationKind::relu}, out.view);
  expect_near(out.plain(), want, 2e-6);
}

TEST_P(Depthwise, TransposedAddsTheGradientOfTheInput) {
  const Case& c = GetParam();
  Tensor dy = random_tensor(c.out(), 5), before = random_tensor(c.in, 6);
  const Tensor weights = random_tensor(c.weights(), 2);
  BasicTensor<double> want(c.in);
  std::ranges::copy(before.values(), want.data());
  c.each_product([&](auto n, auto ch, auto y, auto x, auto sy, auto sx, auto ky, auto kx) {
    want(n, ch, sy, sx) += static_cast<double>(dy(n, ch, y, x)) * weights(ch, 0, ky, kx);
  });
  const Tensor w = packed(weights, c.window.kernel);
  const Blocked in(dy), out(before);
  depthwise_transposed(in.view, w.data(), c.window, {.residual = out.view}, out.view);
  expect_near(out.plain(), want, 2e-6);
}

TEST_P(Depthwise, WeightGradientIsAddedToWhatIsThere) {
  const Case& c = GetParam();
  Tensor x = random_tensor(c.in, 1), dy = random_tensor(c.out(), 5);
  Tensor gradient = random_tensor(c.weights(), 7), bias = random_tensor({c.in.c()}, 8);
  BasicTensor<double> want(c.weights()), want_bias({1, c.in.c(), 1, 1});
  std::ranges::copy(gradient.values(), want.data());
  std::ranges::copy(bias.values(), want_bias.data());
  c.each_product([&](auto n, auto ch, auto y, auto xx, auto sy, auto sx, auto ky, auto kx) {
    want(ch, 0, ky, kx) += static_cast<double>(dy(n, ch, y, xx)) * x(n, ch, sy, sx);
  });
  const std::int64_t plane = c.out().h() * c.out().w();
  for (std::int64_t i = 0; i < dy.shape().count(); ++i) {
    want_bias(0, i / plane % c.in.c(), 0, 0) += dy.data()[i];
  }
  const Blocked in(x), out(dy);
  Tensor scratch({depthwise_scratch_floats(out.view, c.window.kernel)});
  depthwise_weight_gradient(in.view, out.view, c.window, gradient.data(), bias.data(),
                            scratch.data());
  expect_near(gradient, want, 1e-5);
  expect_near(bias, want_bias, 1e-5);
}

TEST_P(Depthwise, HasTheSameBitsOnOneThreadAndOnThree) {
  const Case& c = GetParam();
  Tensor x = random_tensor(c.in, 1), dy = random_tensor(c.out(), 5);
  const Tensor w = packed(random_tensor(c.weights(), 2), c.window.kernel);
  const Blocked in(x), back(dy);
  const auto run = [&](int count) {
    const ThreadsInScope scope(count);
    const Blocked y(c.out()), dx(c.in);
    Tensor gradient(c.weights()), scratch({depthwise_scratch_floats(back.view, c.window.kernel)});
    depthwise_convolution(in.view, w.data(), c.window, {}, y.view);
    depthwise_transposed(back.view, w.data(), c.window, {}, dx.view);
    depthwise_weight_gradient(in.view, back.view, c.window, gradient.data(), nullptr,
                              scratch.data());
    std::vector<float> all(y.memory.values().begin(), y.memory.values().end());
    all.insert(all.end(), dx.memory.values().begin(), dx.memory.values().end());
    all.insert(all.end(), gradient.values().begin(), gradient.values().end());
    return all;
  };
  EXPECT_EQ(run(1), run(3));
}

// Any window of the picture gives the same bits where it sees as much as the whole.
TEST(DepthwiseTiles, GiveTheSameBits) {
  const std::int64_t channels = 20, height = 21, w = 37, cut = 11;
  Tensor whole = random_tensor({1, channels, height, w}, 1);
  Tensor part({1, channels, height, w - cut});
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < w - cut; ++x) part(0, c, y, x) = whole(0, c, y, x + cut);
    }
  }
  const DepthwiseWindow window{.kernel = 3, .stride = 1, .dilation = 2, .padding = 2};
  const Tensor weights = packed(random_tensor({channels, 1, 3, 3}, 2), 3);
  const auto run = [&](Tensor& x) {
    const Blocked in(x), out(x.shape());
    depthwise_convolution(in.view, weights.data(), window, {}, out.view);
    return out.plain();
  };
  const Tensor all = run(whole), tile = run(part);
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 2; x < w - cut; ++x) {
        ASSERT_EQ(tile(0, c, y, x), all(0, c, y, x + cut)) << c << " " << y << " " << x;
      }
    }
  }
}

TEST(DepthwiseActivations, KeepPaddedChannelsZero) {
  Tensor x({1, 3, 2, 2});
  std::ranges::fill(x.values(), 1.0f);
  Tensor weights({3, 1, 1, 1});
  std::ranges::fill(weights.values(), 2.0f);
  const Tensor w = packed(weights, 1);
  const DepthwiseWindow window{.kernel = 1, .stride = 1, .dilation = 1};
  const auto run = [&](Activation activation) {
    const Blocked in(x), out(x.shape());
    depthwise_convolution(in.view, w.data(), window, {.activation = activation}, out.view);
    for (int c = 3; c < out.view.block; ++c) EXPECT_EQ(out.view.data[c], 0.0f);
    return out.view.data[0];
  };
  EXPECT_EQ(run(ActivationKind::none), 2.0f);
  EXPECT_EQ(run(ActivationKind::relu6), 2.0f);
  EXPECT_FLOAT_EQ(run(ActivationKind::hard_swish), 2.0f * 5 / 6);
}

INSTANTIATE_TEST_SUITE_P(
    Windows, Depthwise,
    testing::Values(Case{{2, 20, 9, 13}, {3, 1, 1, 1}}, Case{{1, 33, 8, 40}, {5, 1, 1, 2}},
                    Case{{3, 8, 15, 12}, {3, 2, 1, 1}}, Case{{1, 24, 14, 31}, {5, 2, 1, 2}},
                    Case{{1, 3, 11, 10}, {7, 1, 1, 3}}, Case{{2, 5, 17, 19}, {3, 1, 12, 12}},
                    Case{{1, 16, 13, 12}, {5, 1, 2, 4}}, Case{{1, 9, 12, 11}, {3, 2, 2, 2}},
                    Case{{1, 7, 10, 16}, {3, 3, 2, 1}}, Case{{1, 4, 3, 2}, {7, 1, 1, 3}},
                    Case{{2, 6, 1, 1}, {3, 1, 1, 1}}, Case{{1, 17, 9, 8}, {{3, 6}, {2, 1}, 1, 4}},
                    Case{{1, 5, 7, 9}, {{2, 9}, {1, 4}, {3, 1}, {0, 1, 2, 3}}},
                    Case{{1, 2, 19, 400}, {3, 1, 1, 1}}));

}  // namespace
}  // namespace segmentum::cpu
