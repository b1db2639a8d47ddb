#include "engine/cpu/kernels/separable_convolution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>

#include "base/threads.h"
#include "engine/cpu/kernels/pointwise_convolution.h"
#include "engine/cpu/kernels/testing.h"

namespace segmentum::cpu {
namespace {

Tensor packed_pointwise(const Tensor& weights) {
  const std::int64_t oc = weights.shape()[0], ic = weights.shape()[1];
  Tensor packed({pointwise_weight_floats(ic, oc)});
  pointwise_pack(weights.data(), ic, oc, packed.data());
  return packed;
}

Tensor packed_depthwise(const Tensor& weights, Size2 kernel) {
  Tensor packed({depthwise_weight_floats(weights.shape()[0], kernel)});
  depthwise_pack(weights.data(), weights.shape()[0], kernel, packed.data());
  return packed;
}

Tensor scratch(std::int64_t floats) {
  return Tensor({std::max<std::int64_t>(floats, 1)});
}

// Two pixels, two channels in, three out: 1*10 + 2*100 + 1000 = 1210, and so on.
TEST(Pointwise, ByHand) {
  Tensor x({1, 2, 1, 2}), weights({3, 2, 1, 1}), bias({3});
  std::ranges::copy(std::vector<float>{1, 3, 2, 4}, x.data());
  std::ranges::copy(std::vector<float>{10, 100, 1, 0, 0, -1}, weights.data());
  std::ranges::copy(std::vector<float>{1000, 0, 0.5f}, bias.data());
  const Blocked in(x), out({1, 3, 1, 2});
  Tensor room = scratch(pointwise_scratch_floats(2, 3, threads()));
  pointwise_convolution(in.view, packed_pointwise(weights).data(),
                        {.bias = bias.data(), .residual = {}, .activation = {}}, out.view,
                        room.data());
  const Tensor got = out.plain();
  EXPECT_THAT(std::vector<float>(got.values().begin(), got.values().end()),
              testing::ElementsAre(1210, 1430, 1, 3, -1.5f, -3.5f));
}

struct PointwiseCase {
  Shape x;
  std::int64_t oc;
  ActivationKind activation;
};

class Pointwise : public testing::TestWithParam<PointwiseCase> {};

// Float sums of n terms of size one are off by some sqrt(n) * 6e-8 of their range.
TEST_P(Pointwise, EqualsTheSumInDoubleOnAnyNumberOfThreads) {
  const auto& [shape, oc, kind] = GetParam();
  const Shape result{shape.n(), oc, shape.h(), shape.w()};
  Tensor x = random_tensor(shape, 1), residual = random_tensor(result, 4);
  const Tensor weights = random_tensor({oc, shape.c(), 1, 1}, 2), bias = random_tensor({oc}, 3);
  const Tensor packed = packed_pointwise(weights);
  const Blocked in(x), plus(residual);
  const auto run = [&](int thread_count) {
    const ThreadsInScope scope(thread_count);
    const Blocked out(result);
    Tensor room = scratch(pointwise_scratch_floats(shape.c(), oc, thread_count));
    pointwise_convolution(in.view, packed.data(),
                          {.bias = bias.data(), .residual = plus.view, .activation = kind},
                          out.view, room.data());
    return out.plain();
  };
  const Tensor got = run(1);
  EXPECT_THAT(run(2).values(), testing::ElementsAreArray(got.values()));
  EXPECT_THAT(run(3).values(), testing::ElementsAreArray(got.values()));
  double worst = 0, range = 0;
  for (std::int64_t n = 0; n < shape.n(); ++n) {
    for (std::int64_t o = 0; o < oc; ++o) {
      for (std::int64_t y = 0; y < shape.h(); ++y) {
        for (std::int64_t xx = 0; xx < shape.w(); ++xx) {
          double sum = static_cast<double>(bias.data()[o]) + residual(n, o, y, xx);
          for (std::int64_t c = 0; c < shape.c(); ++c) {
            sum += static_cast<double>(x(n, c, y, xx)) * weights(o, c, 0, 0);
          }
          if (kind == ActivationKind::relu) sum = std::max(sum, 0.0);
          if (kind == ActivationKind::relu6) sum = std::clamp(sum, 0.0, 6.0);
          if (kind == ActivationKind::hard_swish) sum *= std::clamp(sum + 3, 0.0, 6.0) / 6;
          if (kind == ActivationKind::leaky_relu && sum < 0) sum *= Activation(kind).slope;
          range = std::max(range, std::abs(sum));
          worst = std::max(worst, std::abs(got(n, o, y, xx) - sum));
        }
      }
    }
  }
  EXPECT_LE(worst, 2e-6 * range);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Pointwise,
    testing::Values(PointwiseCase{{1, 1, 1, 1}, 1, ActivationKind::none},
                    PointwiseCase{{2, 5, 3, 7}, 20, ActivationKind::relu},
                    PointwiseCase{{1, 24, 13, 9}, 40, ActivationKind::relu6},
                    PointwiseCase{{3, 33, 1, 1}, 100, ActivationKind::hard_swish},
                    PointwiseCase{{1, 16, 31, 29}, 200, ActivationKind::leaky_relu},
                    PointwiseCase{{1, 1100, 5, 6}, 70, ActivationKind::relu}));

struct Case {
  std::string name;
  Shape x;
  std::int64_t channels;  // of the depthwise convolution; x's where nothing expands
  std::int64_t results;   // 0: nothing projects
  Size2 kernel, stride, dilation;
  Padding padding;
  bool residual = false;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name;
}

class Separable : public testing::TestWithParam<Case> {};

TEST_P(Separable, HasTheBitsOfItsConvolutionsOneAfterTheOther) {
  const Case& c = GetParam();
  const auto size = [](std::int64_t in, int pads, int kernel, int stride, int dilation) {
    return (in + pads - dilation * (kernel - 1) - 1) / stride + 1;
  };
  const Padding& p = c.padding;
  const std::int64_t h = size(c.x.h(), p.top + p.bottom, c.kernel.h, c.stride.h, c.dilation.h);
  const std::int64_t w = size(c.x.w(), p.left + p.right, c.kernel.w, c.stride.w, c.dilation.w);
  const bool expands = c.channels != c.x.c(), projects = c.results > 0;
  const std::int64_t oc = projects ? c.results : c.channels;
  const DepthwiseWindow window{c.kernel, c.stride, c.dilation, p};
  Tensor x = random_tensor(c.x, 1), residual = random_tensor({c.x.n(), oc, h, w}, 2);
  const Tensor expand = packed_pointwise(random_tensor({c.channels, c.x.c(), 1, 1}, 3));
  const Tensor depthwise =
      packed_depthwise(random_tensor({c.channels, 1, c.kernel.h, c.kernel.w}, 4), c.kernel);
  const Tensor project = packed_pointwise(random_tensor({oc, c.channels, 1, 1}, 5));
  const Tensor expand_bias = random_tensor({c.channels}, 6);
  const Tensor depthwise_bias = packed_depthwise(random_tensor({c.channels}, 7), 1);
  const Tensor project_bias = random_tensor({oc}, 8);
  const Blocked in(x), plus(residual);
  const View added = c.residual ? plus.view : View{};

  const Blocked wide({c.x.n(), c.channels, c.x.h(), c.x.w()});
  const Blocked filtered({c.x.n(), c.channels, h, w}), want({c.x.n(), oc, h, w});
  Tensor room = scratch(std::max(pointwise_scratch_floats(c.x.c(), c.channels, 3),
                                 pointwise_scratch_floats(c.channels, oc, 3)));
  if (expands) {
    pointwise_convolution(
        in.view, expand.data(),
        {.bias = expand_bias.data(), .residual = {}, .activation = ActivationKind::relu6},
        wide.view, room.data());
  }
  depthwise_convolution(
      expands ? wide.view : in.view, depthwise.data(), window,
      {.bias = depthwise_bias.data(), .residual = {}, .activation = ActivationKind::hard_swish},
      filtered.view);
  if (projects) {
    pointwise_convolution(filtered.view, project.data(),
                          {.bias = project_bias.data(), .residual = added, .activation = {}},
                          want.view, room.data());
  }

  const SeparableConvolution fused({.x = c.x,
                                    .y = {c.x.n(), oc, h, w},
                                    .channels = c.channels,
                                    .window = window,
                                    .expands = expands,
                                    .projects = projects});
  const Tensor padded_expand_bias = packed_depthwise(expand_bias, 1);
  const Tensor padded_project_bias = packed_depthwise(project_bias, 1);
  for (const int thread_count : {1, 2, 3}) {
    const ThreadsInScope scope(thread_count);
    const Blocked got({c.x.n(), oc, h, w});
    Tensor memory = scratch(fused.scratch_floats(thread_count));
    std::ranges::fill(memory.values(), 1e30f);
    fused.run(in.view,
              {.expand = {expand.data(), padded_expand_bias.data(), ActivationKind::relu6},
               .depthwise = {depthwise.data(), depthwise_bias.data(), ActivationKind::hard_swish},
               .project = {project.data(), padded_project_bias.data(), {}}},
              added, got.view, memory.data());
    EXPECT_TRUE(
        std::ranges::equal(got.plain().values(), (projects ? want : filtered).plain().values()))
        << thread_count << " threads";
  }
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

TEST(Separable, RowsFitByTheLayerAlone) {
  EXPECT_TRUE(SeparableConvolution::rows_fit(144, {3, 1, 1, 1}));
  EXPECT_TRUE(SeparableConvolution::rows_fit(384, {3, 2, 1, 1}));
  EXPECT_FALSE(SeparableConvolution::rows_fit(960, {5, 1, 2, 4}));
}

}  // namespace
}  // namespace segmentum::cpu
