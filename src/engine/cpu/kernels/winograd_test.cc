#include "engine/cpu/kernels/winograd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "engine/cpu/kernels/kernels.h"
#include "engine/cpu/kernels/testing.h"
#include "tensor/tensor.h"

namespace segmentum::cpu {
namespace {

constexpr WinogradForm kTransformed = WinogradForm::transformed;

struct Case {
  std::int64_t n, ic, oc, h, w;
  int pad;
  Size2 dilation = 1;
  int tile = 4;
  Size2 phase = 0;

  Shape out() const { return {n, oc, h + 2 * pad - 2 * dilation.h, w + 2 * pad - 2 * dilation.w}; }
  WinogradWindow window() const { return {pad, pad, dilation, tile, phase}; }
};

/// One output of the convolution in double.
double direct(const Tensor& x, const Tensor& weights, const Case& c, std::int64_t n, std::int64_t o,
              std::int64_t y, std::int64_t xx) {
  double sum = 0;
  for (std::int64_t i = 0; i < x.shape().c(); ++i) {
    for (int a = 0; a < 3; ++a) {
      for (int b = 0; b < 3; ++b) {
        const std::int64_t sy = y + a * c.dilation.h - c.pad, sx = xx + b * c.dilation.w - c.pad;
        if (sy < 0 || sx < 0 || sy >= x.shape().h() || sx >= x.shape().w()) continue;
        sum += static_cast<double>(x(n, i, sy, sx)) * weights(o, i, a, b);
      }
    }
  }
  return sum;
}

/// The same cases with tiles of 6x6.
std::vector<Case> with_large_tiles(std::vector<Case> cases) {
  const std::size_t count = cases.size();
  for (std::size_t i = 0; i < count; ++i) {
    cases.push_back(cases[i]);
    cases.back().tile = 6;
  }
  return cases;
}

/// Tiles that begin anywhere, in pictures of more than one tile and of less.
std::vector<Case> with_phases() {
  std::vector<Case> cases;
  for (const int tile : {4, 6}) {
    for (int phase = 1; phase < tile; ++phase) {
      cases.push_back({2, 17, 33, 9 + phase, 14, 1, 1, tile, {phase, tile - phase}});
      cases.push_back({1, 16, 16, 2, 3, 1, 1, tile, {0, phase}});
    }
  }
  return cases;
}

class Winograd : public testing::TestWithParam<Case> {};

TEST_P(Winograd, EqualsTheDirectConvolutionInDouble) {
  const Case& c = GetParam();
  Tensor x = random_tensor({c.n, c.ic, c.h, c.w}, 1);
  const Tensor weights = random_tensor({c.oc, c.ic, 3, 3}, 2);
  const Tensor bias = random_tensor({c.oc}, 3);
  const Shape out = c.out();
  Tensor residual = random_tensor(out, 4);
  Tensor packed({winograd_weight_floats(c.tile, c.ic, c.oc)});
  winograd_pack(weights.data(), c.tile, c.oc, c.ic, false, packed.data());
  Blocked in(x), plus(residual), result(out);
  Tensor scratch({winograd_scratch_floats(kTransformed, c.ic, out, c.window(), threads())});
  winograd_convolution(
      in.view, {packed.data()}, c.window(),
      {.bias = bias.data(), .residual = plus.view, .activation = ActivationKind::relu}, result.view,
      scratch.data());
  const Tensor got = result.plain();
  double worst = 0, range = 0;
  for (std::int64_t n = 0; n < out.n(); ++n) {
    for (std::int64_t o = 0; o < out.c(); ++o) {
      for (std::int64_t y = 0; y < out.h(); ++y) {
        for (std::int64_t xx = 0; xx < out.w(); ++xx) {
          const double sum = direct(x, weights, c, n, o, y, xx) + bias.data()[o];
          const double expected = std::max(0.0, sum + residual(n, o, y, xx));
          worst = std::max(worst, std::abs(got(n, o, y, xx) - expected));
          range = std::max(range, expected);
        }
      }
    }
  }
  EXPECT_LT(worst, 2e-5 * range);  // float sums, amplified by the factors up to 8 of the transforms
}

// <dy, conv(x)> = <data gradient of dy, x>: the turned kernel is the convolution's adjoint.
TEST_P(Winograd, BackwardWeightsGiveTheAdjoint) {
  const Case& c = GetParam();
  Tensor x = random_tensor({c.n, c.ic, c.h, c.w}, 1);
  const Tensor weights = random_tensor({c.oc, c.ic, 3, 3}, 2);
  const Shape out = c.out();
  Tensor dy = random_tensor(out, 5);
  Tensor packed({winograd_weight_floats(c.tile, c.ic, c.oc)});
  winograd_pack(weights.data(), c.tile, c.oc, c.ic, true, packed.data());
  Blocked in(dy), result(x.shape());
  const WinogradWindow turned{2 * c.dilation.h - c.pad, 2 * c.dilation.w - c.pad, c.dilation,
                              c.tile};
  Tensor scratch({winograd_scratch_floats(kTransformed, c.oc, x.shape(), turned, threads())});
  winograd_convolution(in.view, {packed.data()}, turned, {}, result.view, scratch.data());
  const Tensor dx = result.plain();
  double forward = 0, backward = 0, size = 0;
  for (std::int64_t n = 0; n < out.n(); ++n) {
    for (std::int64_t o = 0; o < out.c(); ++o) {
      for (std::int64_t y = 0; y < out.h(); ++y) {
        for (std::int64_t xx = 0; xx < out.w(); ++xx) {
          forward += direct(x, weights, c, n, o, y, xx) * dy(n, o, y, xx);
        }
      }
    }
  }
  for (std::int64_t i = 0; i < dx.shape().count(); ++i) {
    backward += static_cast<double>(dx.data()[i]) * x.data()[i];
    size += std::abs(static_cast<double>(dx.data()[i]) * x.data()[i]);
  }
  EXPECT_NEAR(forward, backward, 1e-5 * size);
}

INSTANTIATE_TEST_SUITE_P(Phases, Winograd, testing::ValuesIn(with_phases()));

class WinogradForms : public testing::TestWithParam<Case> {};

// Weights transformed on the way are those transformed before, and the workers' shares do not show.
TEST_P(WinogradForms, GiveTheSameBits) {
  const Case& c = GetParam();
  const Tensor weights = random_tensor({c.oc, c.ic, 3, 3}, 2);
  const Tensor bias = random_tensor({c.oc}, 3);
  Tensor packed({winograd_weight_floats(c.tile, c.ic, c.oc)});
  for (const bool backward : {false, true}) {
    const std::int64_t from = backward ? c.oc : c.ic, to = backward ? c.ic : c.oc;
    const Shape out{c.n, to, c.out().h(), c.out().w()};
    Tensor x = random_tensor({c.n, from, c.h, c.w}, 1);
    const Blocked in(x);
    winograd_pack(weights.data(), c.tile, c.oc, c.ic, backward, packed.data());
    const auto run = [&](const WinogradWeights& as, int workers) {
      const ThreadsInScope scope(workers);
      Blocked result(out);
      Tensor scratch({winograd_scratch_floats(as.form, from, out, c.window(), workers)});
      winograd_convolution(in.view, as, c.window(),
                           {.bias = backward ? nullptr : bias.data(),
                            .residual = {},
                            .activation = ActivationKind::relu},
                           result.view, scratch.data());
      return result.plain();
    };
    const Tensor expected = run({packed.data()}, 1);
    for (const int workers : {1, 2, 3, 5}) {
      const WinogradForm form = backward ? WinogradForm::turned : WinogradForm::plain;
      const Tensor got = run({weights.data(), form}, workers);
      ASSERT_TRUE(std::ranges::equal(got.values(), expected.values())) << workers << " workers";
    }
  }
}
// Tiles of the last make more than one group.
INSTANTIATE_TEST_SUITE_P(Sizes, WinogradForms,
                         testing::ValuesIn(with_large_tiles(
                             {Case{1, 16, 16, 8, 8, 1}, Case{2, 17, 40, 7, 13, 1},
                              Case{1, 130, 70, 13, 18, 1}, Case{1, 70, 130, 9, 11, 2, 2},
                              Case{1, 260, 70, 17, 33, 6, 6}, Case{1, 33, 20, 70, 71, 1}})));

INSTANTIATE_TEST_SUITE_P(Phases, WinogradForms, testing::ValuesIn(with_phases()));

/// Channels [first, first + count) of a larger value, its border of one pixel cut off.
View inner_channels(const Blocked& whole, std::int64_t first, std::int64_t count) {
  View part = whole.view;
  part.frame_h = part.shape.h();
  part.frame_w = part.shape.w();
  part.data = part.at(0, first / part.block, 1) + part.block;
  part.shape = {1, count, part.frame_h - 2, part.frame_w - 2};
  return part;
}

// Channels of two values read one after the other are those of the concatenation, and windows of
// larger values are read as they lie.
TEST(WinogradSources, GiveTheBitsOfOneValue) {
  for (const Case& c : with_large_tiles({Case{1, 69, 40, 17, 22, 1}, Case{1, 64, 16, 9, 8, 1}})) {
    Tensor large = random_tensor({1, c.ic, c.h + 2, c.w + 2}, 1), x({1, c.ic, c.h, c.w});
    for (std::int64_t i = 0; i < c.ic * c.h * c.w; ++i) {
      const std::int64_t channel = i / (c.h * c.w), y = i / c.w % c.h;
      x.data()[i] = large(0, channel, y + 1, i % c.w + 1);
    }
    const Tensor weights = random_tensor({c.oc, c.ic, 3, 3}, 2);
    Tensor packed({winograd_weight_floats(c.tile, c.ic, c.oc)});
    winograd_pack(weights.data(), c.tile, c.oc, c.ic, false, packed.data());
    Tensor scratch({winograd_scratch_floats(kTransformed, c.ic, c.out(), c.window(), threads())});
    const Blocked one(x), framed(large);
    Blocked expected(c.out()), got(c.out());
    winograd_convolution(one.view, {packed.data()}, c.window(), {}, expected.view, scratch.data());
    const std::vector<View> parts{inner_channels(framed, 0, 32),
                                  inner_channels(framed, 32, c.ic - 32)};
    winograd_convolution(parts, {packed.data()}, c.window(), {}, got.view, scratch.data());
    ASSERT_TRUE(std::ranges::equal(got.plain().values(), expected.plain().values()));
  }
}

// What is pooled on the way out is what pooling the results gives, bit for bit, whether these are
// kept or not.
TEST(WinogradPooled, IsThePoolOfTheResults) {
  for (const int tile : {4, 6}) {
    for (const Size2 phase : {Size2(0), Size2(2, 0), Size2(2, 2)}) {
      for (const Shape& shape : {Shape{2, 33, 17, 22}, Shape{1, 16, 12, 9}, Shape{1, 40, 2, 3}}) {
        const std::int64_t ic = 20, oc = shape.c();
        Tensor x = random_tensor({shape.n(), ic, shape.h(), shape.w()}, 1);
        const Tensor weights = random_tensor({oc, ic, 3, 3}, 2);
        Tensor packed({winograd_weight_floats(tile, ic, oc)});
        winograd_pack(weights.data(), tile, oc, ic, false, packed.data());
        const WinogradWindow window{1, 1, 1, tile, phase};
        Tensor scratch({winograd_scratch_floats(kTransformed, ic, shape, window, threads())});
        const Shape half{shape.n(), oc, shape.h() / 2, shape.w() / 2};
        const Blocked in(x);
        Blocked out(shape), pooled(half), alone(half), expected(half);
        ConvEpilogue epilogue{.activation = {ActivationKind::relu}, .pooled = pooled.view};
        winograd_convolution(in.view, {packed.data()}, window, epilogue, out.view, scratch.data());
        max_pool(out.view, {.kernel = 2, .stride = 2, .padding = 0}, expected.view, nullptr);
        epilogue.pooled = alone.view;
        const View none{.shape = shape, .block = out.view.block};
        winograd_convolution(in.view, {packed.data()}, window, epilogue, none, scratch.data());
        EXPECT_TRUE(std::ranges::equal(pooled.plain().values(), expected.plain().values()));
        EXPECT_TRUE(std::ranges::equal(alone.plain().values(), expected.plain().values()));
      }
    }
  }
}

class WinogradTiles : public testing::TestWithParam<std::pair<int, int>> {};

// A picture cut at a multiple of the tile times the dilation gives the same bits as the whole one.
TEST_P(WinogradTiles, GiveTheSameBits) {
  const auto [tile, dilation] = GetParam();
  const std::int64_t ic = 20, oc = 33, w = 29, cut = tile * dilation, h = 8 + cut;
  Tensor whole = random_tensor({1, ic, cut + h, w}, 1);
  Tensor part({1, ic, h, w});
  for (std::int64_t c = 0; c < ic; ++c) {
    for (std::int64_t y = 0; y < h; ++y) {
      for (std::int64_t x = 0; x < w; ++x) part(0, c, y, x) = whole(0, c, y + cut, x);
    }
  }
  const Tensor weights = random_tensor({oc, ic, 3, 3}, 2);
  Tensor packed({winograd_weight_floats(tile, ic, oc)});
  winograd_pack(weights.data(), tile, oc, ic, false, packed.data());
  const WinogradWindow window{dilation, dilation, dilation, tile};
  Tensor scratch(
      {winograd_scratch_floats(kTransformed, ic, {1, oc, cut + h, w}, window, threads())});
  const auto run = [&](Tensor& x) {
    Blocked in(x), out(Shape{1, oc, x.shape().h(), w});
    winograd_convolution(in.view, {packed.data()}, window, {}, out.view, scratch.data());
    return out.plain();
  };
  const Tensor all = run(whole), some = run(part);
  for (std::int64_t o = 0; o < oc; ++o) {
    for (std::int64_t y = cut; y < h; ++y) {  // above lies what the cut put in
      for (std::int64_t x = 0; x < w; ++x) ASSERT_EQ(some(0, o, y, x), all(0, o, y + cut, x));
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Dilations, WinogradTiles,
                         testing::Values(std::pair{4, 1}, std::pair{4, 2}, std::pair{4, 3},
                                         std::pair{6, 1}, std::pair{6, 2}, std::pair{6, 6}));

INSTANTIATE_TEST_SUITE_P(
    Sizes, Winograd,
    testing::ValuesIn(with_large_tiles(
        {Case{1, 16, 16, 8, 8, 1}, Case{1, 3, 5, 1, 1, 1}, Case{2, 17, 40, 7, 13, 1},
         Case{3, 48, 33, 11, 5, 1}, Case{1, 64, 96, 19, 21, 0}, Case{2, 8, 24, 6, 4, 2},
         Case{1, 130, 70, 30, 37, 1}, Case{2, 17, 24, 13, 18, 2, 2}, Case{1, 16, 40, 21, 17, 4, 4},
         Case{1, 20, 8, 5, 3, 4, 4}, Case{1, 48, 20, 33, 29, 6, 6}, Case{1, 33, 18, 7, 37, 6, 6},
         Case{1, 9, 18, 12, 15, 3, {2, 3}}})));

}  // namespace
}  // namespace segmentum::cpu
