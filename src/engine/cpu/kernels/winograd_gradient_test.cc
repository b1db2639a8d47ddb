#include "engine/cpu/kernels/winograd_gradient.h"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <vector>

#include "base/threads.h"
#include "engine/cpu/kernels/testing.h"
#include "tensor/tensor.h"

namespace segmentum::cpu {
namespace {

struct Case {
  Shape x;
  std::int64_t oc;
  Size2 dilation = 1;
  Padding padding = 1;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.x.to_string() << " to " << c.oc;
}

ConvGeometry geometry_of(const Case& c) {
  const Padding& p = c.padding;
  return {.n = c.x.n(),
          .ic = c.x.c(),
          .ih = c.x.h(),
          .iw = c.x.w(),
          .oc = c.oc,
          .oh = c.x.h() + p.top + p.bottom - 2 * c.dilation.h,
          .ow = c.x.w() + p.left + p.right - 2 * c.dilation.w,
          .kernel = 3,
          .stride = 1,
          .dilation = c.dilation,
          .padding = p};
}

/// Plain loops in double.
std::vector<double> expected(const ConvGeometry& g, const Tensor& x, const Tensor& dy) {
  std::vector<double> sums(static_cast<std::size_t>(g.oc * g.ic * 9));
  for (std::int64_t o = 0; o < g.oc; ++o) {
    for (std::int64_t i = 0; i < g.ic; ++i) {
      for (int tap = 0; tap < 9; ++tap) {
        double& sum = sums[static_cast<std::size_t>((o * g.ic + i) * 9 + tap)];
        for (std::int64_t n = 0; n < g.n; ++n) {
          for (std::int64_t y = 0; y < g.oh; ++y) {
            for (std::int64_t xx = 0; xx < g.ow; ++xx) {
              const std::int64_t sy = y + tap / 3 * g.dilation.h - g.padding.top;
              const std::int64_t sx = xx + tap % 3 * g.dilation.w - g.padding.left;
              if (sy < 0 || sx < 0 || sy >= g.ih || sx >= g.iw) continue;
              sum += static_cast<double>(x(n, i, sy, sx)) * dy(n, o, y, xx);
            }
          }
        }
      }
    }
  }
  return sums;
}

class WinogradGradient : public testing::TestWithParam<Case> {
 protected:
  ConvGeometry g_ = geometry_of(GetParam());
  Tensor x_ = random_tensor({g_.n, g_.ic, g_.ih, g_.iw}, 1);
  Tensor dy_ = random_tensor({g_.n, g_.oc, g_.oh, g_.ow}, 2);

  /// Added to ones.
  std::vector<float> run(int block = vector_block()) {
    std::vector<float> gradient(static_cast<std::size_t>(g_.oc * g_.ic * 9), 1.0f);
    // What scratch holds before must not matter.
    std::vector<float> scratch(static_cast<std::size_t>(winograd_gradient_floats(g_, threads())),
                               1e30f);
    const Blocked x(x_, block), dy(dy_, block);
    winograd_weight_gradient(g_, x.view, dy.view, gradient.data(), scratch.data());
    return gradient;
  }
  void expect_right(const std::vector<float>& gradient) {
    const std::vector<double> want = expected(g_, x_, dy_);
    double worst = 0, range = 0;
    for (std::size_t i = 0; i < want.size(); ++i) {
      worst = std::max(worst, std::abs(gradient[i] - 1 - want[i]));
      range = std::max(range, std::abs(want[i]));
    }
    EXPECT_LT(worst, 2e-5 * range);  // as Winograd's results
  }
};

TEST_P(WinogradGradient, AddsWhatPlainLoopsInDoubleDo) {
  expect_right(run());
}

TEST_P(WinogradGradient, OnEveryInstructionSet) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (vector_block() == 16 && target > HWY_AVX3) continue;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    expect_right(run());
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

TEST_P(WinogradGradient, HasTheSameBitsOnAnyNumberOfThreads) {
  const auto results = [&](int count) {
    const ThreadsInScope scope(count);
    return run();
  };
  const std::vector<float> one = results(1);
  for (const int count : {2, 3, 5}) EXPECT_EQ(results(count), one) << count << " threads";
}

INSTANTIATE_TEST_SUITE_P(
    Cases, WinogradGradient,
    testing::Values(Case{{1, 16, 8, 8}, 16}, Case{{2, 20, 9, 11}, 33}, Case{{1, 17, 5, 30}, 16},
                    Case{{3, 40, 1, 1}, 50}, Case{{1, 70, 67, 61}, 18},
                    Case{{2, 33, 13, 17}, 24, 2, 2},
                    Case{{1, 24, 19, 14}, 80, {3, 5}, {3, 5, 3, 5}},
                    Case{{1, 16, 10, 12}, 20, 1, {0, 2, 1, 3}}, Case{{1, 18, 12, 12}, 17, 1, 0},
                    Case{{1, 200, 6, 7}, 420}));  // more sums than are held at a time

// By hand: the gradient of the middle weight is the sum of x * dy, that of its left neighbour the
// sum of each pixel times its right neighbour's gradient.
TEST(WinogradGradientByHand, OneRow) {
  Tensor x({1, 1, 1, 3}), dy({1, 1, 1, 3});
  std::ranges::copy(std::vector<float>{1, 2, 3}, x.values().begin());
  std::ranges::copy(std::vector<float>{10, 20, 40}, dy.values().begin());
  const ConvGeometry g = geometry_of({{1, 1, 1, 3}, 1});
  std::vector<float> gradient(9),
      scratch(static_cast<std::size_t>(winograd_gradient_floats(g, threads())));
  const Blocked in(x), out(dy);
  winograd_weight_gradient(g, in.view, out.view, gradient.data(), scratch.data());
  const std::vector<float> want{0, 0, 0, 1 * 20 + 2 * 40, 1 * 10 + 2 * 20 + 3 * 40, 2 * 10 + 3 * 20,
                                0, 0, 0};
  for (std::size_t i = 0; i < 9; ++i) EXPECT_NEAR(gradient[i], want[i], 1e-3) << i;
}

}  // namespace
}  // namespace segmentum::cpu
