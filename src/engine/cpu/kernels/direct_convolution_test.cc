#include "engine/cpu/kernels/direct_convolution.h"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>

#include "base/threads.h"
#include "engine/cpu/kernels/kernels.h"
#include "engine/cpu/kernels/testing.h"
#include "tensor/tensor.h"

namespace segmentum::cpu {
namespace {

struct Case {
  std::string name;
  Shape x;
  std::int64_t oc;
  Size2 kernel, stride, dilation;
  Padding padding;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name;
}

ConvGeometry geometry_of(const Case& c) {
  const auto results = [](std::int64_t in, int kernel, int stride, int dilation, int padding) {
    return (in + padding - dilation * (kernel - 1) - 1) / stride + 1;
  };
  const Padding& p = c.padding;
  return {.n = c.x.n(),
          .ic = c.x.c(),
          .ih = c.x.h(),
          .iw = c.x.w(),
          .oc = c.oc,
          .oh = results(c.x.h(), c.kernel.h, c.stride.h, c.dilation.h, p.top + p.bottom),
          .ow = results(c.x.w(), c.kernel.w, c.stride.w, c.dilation.w, p.left + p.right),
          .kernel = c.kernel,
          .stride = c.stride,
          .dilation = c.dilation,
          .padding = p};
}

/// Calls visit(n, o, oy, ox, i, iy, ix, tap) for every product of the convolution.
template <typename Visit>
void each_product(const ConvGeometry& g, const Visit& visit) {
  for (std::int64_t n = 0; n < g.n; ++n) {
    for (std::int64_t oy = 0; oy < g.oh; ++oy) {
      for (std::int64_t ox = 0; ox < g.ow; ++ox) {
        for (std::int64_t tap = 0; tap < g.taps(); ++tap) {
          const std::int64_t iy = oy * g.stride.h + tap / g.kernel.w * g.dilation.h - g.padding.top;
          const std::int64_t ix =
              ox * g.stride.w + tap % g.kernel.w * g.dilation.w - g.padding.left;
          if (iy < 0 || ix < 0 || iy >= g.ih || ix >= g.iw) continue;
          for (std::int64_t o = 0; o < g.oc; ++o) {
            for (std::int64_t i = 0; i < g.ic; ++i) visit(n, o, oy, ox, i, iy, ix, tap);
          }
        }
      }
    }
  }
}

/// Plain loops in double.
struct Expected {
  BasicTensor<double> y, dx, dw;

  Expected(const ConvGeometry& g, const Tensor& x, const Tensor& w, const Tensor& dy)
      : y({g.n, g.oc, g.oh, g.ow}),
        dx({g.n, g.ic, g.ih, g.iw}),
        dw({g.oc, g.ic, g.kernel.h, g.kernel.w}) {
    each_product(g, [&](auto n, auto o, auto oy, auto ox, auto i, auto iy, auto ix, auto tap) {
      const std::int64_t weight = (o * g.ic + i) * g.taps() + tap;
      y(n, o, oy, ox) += static_cast<double>(x(n, i, iy, ix)) * w.data()[weight];
      dx(n, i, iy, ix) += static_cast<double>(dy(n, o, oy, ox)) * w.data()[weight];
      dw.data()[weight] += static_cast<double>(dy(n, o, oy, ox)) * x(n, i, iy, ix);
    });
  }
};

/// Float sums of n terms of size 1 are off by about sqrt(n) * 6e-8 of what they reach.
void expect_near(const Tensor& have, const BasicTensor<double>& want) {
  ASSERT_EQ(have.shape(), want.shape());
  double range = 0, worst = 0;
  for (std::int64_t i = 0; i < want.shape().count(); ++i) {
    range = std::max(range, std::abs(want.data()[i]));
    worst = std::max(worst, std::abs(have.data()[i] - want.data()[i]));
  }
  EXPECT_LE(worst, 3e-6 * range);
}

class DirectConvolutionOf : public testing::TestWithParam<std::tuple<Case, int>> {
 protected:
  void SetUp() override {
    if (block_ > vector_block()) GTEST_SKIP() << "no vectors of " << block_;
  }

  ConvGeometry g_ = geometry_of(std::get<0>(GetParam()));
  int block_ = std::get<1>(GetParam());
  Tensor x_ = random_tensor({g_.n, g_.ic, g_.ih, g_.iw}, 1);
  Tensor w_ = random_tensor({g_.oc, g_.ic, g_.kernel.h, g_.kernel.w}, 2);
  Tensor dy_ = random_tensor({g_.n, g_.oc, g_.oh, g_.ow}, 3);

  Tensor run(bool gradient, Tensor& from, const Shape& to, const ConvEpilogue& epilogue = {}) {
    DirectConvolution c = gradient ? direct_data_gradient(g_) : direct_forward(g_);
    c.block = block_;
    Tensor packed({direct_weight_floats(c)}), scratch({direct_scratch_floats(c, threads())});
    direct_pack(w_.data(), c, gradient, packed.data());
    Blocked in(from, block_), out(to, block_);
    direct_convolution(c, in.view, packed.data(), epilogue, out.view, scratch.data());
    return out.plain();
  }
  Tensor weight_gradient() {
    Tensor sum(w_.shape()), scratch({direct_gradient_floats(g_, block_)});
    Blocked in(x_, block_), out(dy_, block_);
    direct_weight_gradient(g_, in.view, out.view, sum.data(), scratch.data());
    return sum;
  }
};

TEST_P(DirectConvolutionOf, EqualsPlainLoopsInDouble) {
  const Expected expected(g_, x_, w_, dy_);
  expect_near(run(false, x_, dy_.shape()), expected.y);
  expect_near(run(true, dy_, x_.shape()), expected.dx);
  expect_near(weight_gradient(), expected.dw);
}

// Narrower vectors and fewer registers: what an older processor would run.
TEST_P(DirectConvolutionOf, EqualsPlainLoopsOnEveryInstructionSet) {
  const Expected expected(g_, x_, w_, dy_);
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (block_ == 16 && target > HWY_AVX3) continue;  // blocks of 16 are for vectors of 16
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    expect_near(run(false, x_, dy_.shape()), expected.y);
    expect_near(run(true, dy_, x_.shape()), expected.dx);
    expect_near(weight_gradient(), expected.dw);
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

TEST_P(DirectConvolutionOf, AddsBiasAndResidualBeforeTheActivation) {
  const Tensor bias = random_tensor({g_.oc}, 4);
  Tensor residual = random_tensor(dy_.shape(), 5);
  Expected expected(g_, x_, w_, dy_);
  const std::int64_t plane = g_.oh * g_.ow;
  for (std::int64_t i = 0; i < dy_.shape().count(); ++i) {
    double& y = expected.y.data()[i];
    y = std::max(0.0, y + bias.data()[i / plane % g_.oc] + residual.data()[i]);
  }
  const Blocked plus(residual, block_);
  expect_near(run(false, x_, dy_.shape(),
                  {.bias = bias.data(), .residual = plus.view, .activation = ActivationKind::relu}),
              expected.y);
}

TEST_P(DirectConvolutionOf, HasTheSameBitsOnAnyNumberOfThreads) {
  const auto results = [&](int count) {
    const ThreadsInScope scope(count);
    const Tensor y = run(false, x_, dy_.shape()), dx = run(true, dy_, x_.shape());
    const Tensor dw = weight_gradient();
    std::vector<float> all(y.values().begin(), y.values().end());
    all.insert(all.end(), dx.values().begin(), dx.values().end());
    all.insert(all.end(), dw.values().begin(), dw.values().end());
    return all;
  };
  const std::vector<float> one = results(1);
  for (const int count : {2, 3, 4}) EXPECT_EQ(results(count), one) << count << " threads";
}

INSTANTIATE_TEST_SUITE_P(
    Cases, DirectConvolutionOf,
    testing::Combine(
        testing::Values(
            Case{"dilation2", {2, 7, 12, 13}, 5, 3, 1, 2, 2},
            Case{"dilation4_wide", {1, 70, 17, 19}, 81, 3, 1, 4, 4},
            Case{"dilation12_beyond", {3, 20, 11, 9}, 33, 3, 1, 12, 12},
            Case{"dilation18_one_side", {1, 16, 33, 7}, 16, 3, 1, 18, 18},
            Case{"many_channels", {1, 300, 6, 5}, 48, 3, 1, 2, 2},
            Case{"many_results", {2, 16, 5, 4}, 1050, {1, 2}, 1, {1, 2}, 0},
            Case{"many_pixels", {1, 3, 37, 41}, 40, 3, 1, 3, 3},
            Case{"asymmetric", {2, 17, 13, 10}, 24, {3, 2}, {1, 1}, {2, 5}, {1, 4, 0, 3}},
            Case{"1x3", {1, 9, 5, 14}, 8, {1, 3}, 1, {1, 6}, {0, 6, 0, 6}},
            Case{"5x5", {1, 12, 11, 9}, 20, 5, 1, 2, 4},
            Case{"7x7_stride2", {1, 3, 21, 23}, 18, 7, 2, 1, 3},
            Case{"dilation3_stride2", {2, 18, 17, 16}, 6, 3, 2, 3, 3},
            Case{"1x1_stride2", {2, 10, 9, 7}, 36, 1, 2, 1, 0},
            Case{"stride3_beyond_kernel", {1, 5, 11, 12}, 4, 2, 3, 1, 0},
            Case{"padding_wider_than_kernel", {1, 3, 4, 5}, 4, 3, 1, 2, 7},
            Case{"one_pixel", {3, 5, 1, 1}, 6, 3, 1, 2, 2}),
        testing::Values(8, 16)),
    [](const auto& tested) {
      return std::get<0>(tested.param).name + "_block" + std::to_string(std::get<1>(tested.param));
    });

// By hand: 1 2 3 with kernel 10 1 100 two pixels apart and zeros around.
TEST(DirectConvolution, ReadsPixelsADilationApart) {
  const ConvGeometry g = geometry_of({"", {1, 1, 1, 3}, 1, {1, 3}, 1, {1, 2}, {0, 2, 0, 2}});
  Tensor x({1, 1, 1, 3}), w({1, 1, 1, 3});
  std::ranges::copy(std::vector<float>{1, 2, 3}, x.data());
  std::ranges::copy(std::vector<float>{10, 1, 100}, w.data());
  const DirectConvolution c = direct_forward(g);
  EXPECT_EQ(c.columns.sources, (std::vector<std::int32_t>{-1, -1, 0, 0, 1, 2, 2, -1, -1}));
  Tensor packed({direct_weight_floats(c)}), scratch({direct_scratch_floats(c, threads())});
  direct_pack(w.data(), c, false, packed.data());
  const Blocked in(x, vector_block()), out(Shape{1, 1, 1, 3}, vector_block());
  direct_convolution(c, in.view, packed.data(), {}, out.view, scratch.data());
  const Tensor y = out.plain();
  EXPECT_EQ(std::vector<float>(y.data(), y.data() + 3), (std::vector<float>{301, 2, 13}));
}

}  // namespace
}  // namespace segmentum::cpu
