// Each operator on numbers that can be checked by hand.
#include "engine/reference/operators.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace segmentum::reference {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;
using Values = std::vector<double>;

/// A plain tensor that owns its numbers.
struct Numbers {
  Shape shape;
  Values values;

  BasicTensorView<const double> view() const { return {shape, values.data()}; }
  BasicTensorView<double> view() { return {shape, values.data()}; }
};

Numbers counting(const Shape& shape) {
  Numbers numbers{shape, Values(static_cast<std::size_t>(shape.count()))};
  std::iota(numbers.values.begin(), numbers.values.end(), 1.0);
  return numbers;
}

template <typename Op>
Values run(const Op& op, const std::vector<Numbers>& inputs, const Shape& output,
           const std::vector<Numbers>& parameters = {}, Sources<double> sources = {}) {
  for (const Numbers& input : inputs) sources.inputs.push_back(input.view());
  for (const Numbers& parameter : parameters) sources.parameters.push_back(parameter.view());
  Numbers result{output, Values(static_cast<std::size_t>(output.count()), -99.0)};
  forward(op, sources, result.view());
  return result.values;
}

/// dLoss/dInput of an operator that reads one input and no parameters.
template <typename Op>
Values run_backward(const Op& op, const Numbers& input, const Numbers& gradient) {
  Sources<double> sources;
  sources.inputs.push_back(input.view());
  Numbers result{input.shape, Values(input.values.size(), 0.0)};
  Gradients<double> gradients;
  gradients.output = gradient.view();
  gradients.inputs.push_back(result.view());
  backward(op, sources, gradients);
  return result.values;
}

TEST(ReferenceConv, SumsUnderTheKernelWithoutFlippingIt) {
  // 1 2 3
  // 4 5 6   with kernel 1 0 / 0 -1: value minus the one below at the right; bias 10.
  // 7 8 9
  const Values result = run(op::Conv{.kernel = 2}, {counting({1, 1, 3, 3})}, {1, 1, 2, 2},
                            {{{1, 1, 2, 2}, {1, 0, 0, -1}}, {{1}, {10}}});
  EXPECT_THAT(result, ElementsAre(6, 6, 6, 6));
}

TEST(ReferenceConv, DilationStrideAndPadding) {
  // Taps at -1 and +1 around 0, 2, 4 of 1 2 3 4 5: 0+2, 2+4, 4+0.
  const op::Conv conv{.kernel = {1, 2},
                      .stride = {1, 2},
                      .dilation = {1, 2},
                      .padding = {0, 1, 0, 1},
                      .bias = false};
  EXPECT_THAT(run(conv, {counting({1, 1, 1, 5})}, {1, 1, 1, 3}, {{{1, 1, 1, 2}, {1, 1}}}),
              ElementsAre(2, 6, 4));
}

TEST(ReferenceConv, GroupsReadTheirOwnChannels) {
  const op::Conv conv{.channels = 2, .groups = 2, .bias = false};
  EXPECT_THAT(run(conv, {counting({1, 4, 1, 1})}, {1, 2, 1, 1}, {{{2, 2, 1, 1}, {1, 10, 1, 10}}}),
              ElementsAre(1 + 20, 3 + 40));
}

TEST(ReferenceConv, AddsItsSecondInput) {
  const op::Conv conv{.bias = false, .add = true};
  EXPECT_THAT(run(conv, {counting({1, 1, 1, 2}), {{1, 1, 1, 2}, {100, 200}}}, {1, 1, 1, 2},
                  {{{1, 1, 1, 1}, {3}}}),
              ElementsAre(103, 206));
}

TEST(ReferenceTransposedConv, PutsTheKernelAtEachValue) {
  // 1 and 2, kernel 1 2 3 at stride 2, overlapping in the middle: 1 2 3+2 4 6.
  const op::TransposedConv up{.kernel = {1, 3}, .stride = {1, 2}, .bias = false};
  EXPECT_THAT(run(up, {counting({1, 1, 1, 2})}, {1, 1, 1, 5}, {{{1, 1, 1, 3}, {1, 2, 3}}}),
              ElementsAre(1, 2, 5, 4, 6));
  const op::TransposedConv cut{.kernel = {1, 3},
                               .stride = {1, 2},
                               .padding = {0, 1, 0, 1},
                               .output_padding = {0, 1},
                               .bias = false};
  EXPECT_THAT(run(cut, {counting({1, 1, 1, 2})}, {1, 1, 1, 4}, {{{1, 1, 1, 3}, {1, 2, 3}}}),
              ElementsAre(2, 5, 4, 6));
}

TEST(ReferenceBatchNorm, ByRunningOrByBatchStatistics) {
  // Mean 3, variance 4 (values 1 and 5): normalised -1 and 1.
  const Numbers x{{2, 1, 1, 1}, {1, 5}};
  const std::vector<Numbers> parameters{{{1}, {10}}, {{1}, {7}}, {{1}, {0}}, {{1}, {0.25}}};
  const op::BatchNorm norm{.epsilon = 0};
  EXPECT_THAT(run(norm, {x}, x.shape, parameters), ElementsAre(27, 107));
  EXPECT_THAT(run(norm, {x}, x.shape, parameters, {.batch_statistics = true}), ElementsAre(-3, 17));
}

TEST(ReferenceBatchNorm, StatisticsOfAChannel) {
  const Numbers x{{2, 2, 1, 1}, {1, 50, 5, 50}};
  const ChannelStatistics statistics = channel_statistics(x.view());
  EXPECT_THAT(statistics.mean, ElementsAre(3, 50));
  EXPECT_THAT(statistics.variance, ElementsAre(4, 0));
  EXPECT_THAT(statistics.unbiased_variance, ElementsAre(8, 0));
  const Numbers one{{1, 1, 1, 1}, {5}};
  EXPECT_THAT(channel_statistics(one.view()).unbiased_variance, ElementsAre(0));
}

TEST(ReferenceGroupNorm, EachPictureAndGroupAlone) {
  const Numbers x{{2, 2, 1, 2}, {1, 3, 10, 30, 5, 9, -2, 2}};
  const std::vector<Numbers> parameters{{{2}, {1, 1}}, {{2}, {0, 0}}};
  EXPECT_THAT(run(op::GroupNorm{.groups = 2, .epsilon = 0}, {x}, x.shape, parameters),
              ElementsAre(-1, 1, -1, 1, -1, 1, -1, 1));
}

TEST(ReferenceLayerNorm, EachPixelAlone) {
  // Two pixels of three channels: 1, 4, 7 (mean 4, variance 6) and 5, 5, 8 (mean 6, variance 2).
  const Numbers x{{1, 3, 1, 2}, {1, 5, 4, 5, 7, 8}};
  const std::vector<Numbers> parameters{{{3}, {1, 10, 1}}, {{3}, {0, 3, 100}}};
  const double a = 3 / std::sqrt(6 + 3), b = 1 / std::sqrt(2 + 3);
  const Values expected{-a, -b, 3, 3 - 10 * b, 100 + a, 100 + 2 * b};
  EXPECT_THAT(run(op::LayerNorm{.epsilon = 3}, {x}, x.shape, parameters),
              Pointwise(DoubleNear(1e-12), expected));
}

// By hand: the share of the normal distribution below 1 is 0.8413447461, its density there
// 0.2419707245.
TEST(ReferenceActivation, GeluIsByTheNormalDistribution) {
  const Numbers x{{1, 1, 1, 3}, {-1, 0, 1}};
  const op::Activate gelu{ActivationKind::gelu};
  const double below = 0.8413447461, density = 0.2419707245;
  EXPECT_THAT(run(gelu, {x}, x.shape), Pointwise(DoubleNear(1e-9), Values{below - 1, 0, below}));
  EXPECT_THAT(run_backward(gelu, x, {x.shape, {1, 1, 1}}),
              Pointwise(DoubleNear(1e-9), Values{1 - below - density, 0.5, below + density}));
}

TEST(ReferenceActivation, ValuesAndSlopesAsPyTorchAlsoAtTheCorners) {
  const Numbers x{{1, 1, 1, 7}, {-4, -3, 0, 1.5, 3, 6, 9}};
  const Numbers ones{x.shape, Values(7, 1.0)};
  const auto expect = [&](Activation activation, const Values& values, const Values& slopes) {
    EXPECT_THAT(run(op::Activate{activation}, {x}, x.shape), Pointwise(DoubleNear(1e-7), values));
    EXPECT_THAT(run_backward(op::Activate{activation}, x, ones),
                Pointwise(DoubleNear(1e-7), slopes));
  };
  const double sixth = 1.0 / 6;
  expect(ActivationKind::none, x.values, {1, 1, 1, 1, 1, 1, 1});
  expect(ActivationKind::relu, {0, 0, 0, 1.5, 3, 6, 9}, {0, 0, 0, 1, 1, 1, 1});
  expect({ActivationKind::leaky_relu, 0.5f}, {-2, -1.5, 0, 1.5, 3, 6, 9},
         {0.5, 0.5, 0.5, 1, 1, 1, 1});
  expect(ActivationKind::relu6, {0, 0, 0, 1.5, 3, 6, 6}, {0, 0, 0, 1, 1, 0, 0});
  expect(ActivationKind::hard_sigmoid, {0, 0, 0.5, 0.75, 1, 1, 1}, {0, 0, sixth, sixth, 0, 0, 0});
  expect(ActivationKind::hard_swish, {0, 0, 0, 1.125, 3, 6, 9}, {0, -0.5, 0.5, 1, 1.5, 1, 1});
  EXPECT_THAT(run(op::Activate{ActivationKind::sigmoid}, {{{1, 1, 1, 2}, {0, std::log(3.0)}}},
                  {1, 1, 1, 2}),
              ElementsAre(0.5, DoubleNear(0.75, 1e-12)));
}

TEST(ReferenceMaxPool, TheFirstOfEqualValuesTakesTheGradient) {
  const Numbers x{{1, 1, 2, 3}, {5, 5, 1, 5, 2, 7}};
  EXPECT_THAT(run(op::MaxPool{.ceil = true}, {x}, {1, 1, 1, 2}), ElementsAre(5, 7));
  EXPECT_THAT(run_backward(op::MaxPool{.ceil = true}, x, {{1, 1, 1, 2}, {10, 20}}),
              ElementsAre(10, 0, 0, 0, 0, 20));
}

TEST(ReferenceMaxPool, PaddingNeverWins) {
  const op::MaxPool pool{.kernel = 3, .stride = 2, .padding = 1};
  EXPECT_THAT(run(pool, {{{1, 1, 1, 3}, {-5, -2, -9}}}, {1, 1, 1, 2}), ElementsAre(-2, -2));
}

TEST(ReferenceAveragePool, WhatItDividesBy) {
  // Windows of 3 at stride 2 over |0| 1 2 3 4 |0|, rounding up: 0 1 2, 2 3 4, 4 0 and no more.
  const Numbers x = counting({1, 1, 1, 4});
  op::AveragePool pool{.kernel = {1, 3}, .stride = {1, 2}, .padding = {0, 1, 0, 1}, .ceil = true};
  EXPECT_THAT(run(pool, {x}, {1, 1, 1, 3}), ElementsAre(1, 3, 2));
  pool.count_padding = false;
  EXPECT_THAT(run(pool, {x}, {1, 1, 1, 3}), ElementsAre(1.5, 3, 4));
  EXPECT_THAT(run(op::GlobalAveragePool{}, {x}, {1, 1, 1, 1}), ElementsAre(2.5));
}

TEST(ReferenceResize, NearestTakesThePixelUnderTheCentre) {
  const Numbers x = counting({1, 1, 1, 5});
  const Numbers like3{{1, 1, 1, 3}, Values(3)};
  const op::Resize nearest{.mode = Interpolation::nearest};
  // Centres at 5/6, 15/6, 25/6.
  EXPECT_THAT(run(nearest, {x, like3}, {1, 1, 1, 3}), ElementsAre(1, 3, 5));
  EXPECT_THAT(run(op::Resize{.mode = Interpolation::nearest, .scale = 2}, {counting({1, 1, 1, 2})},
                  {1, 1, 2, 4}),
              ElementsAre(1, 1, 2, 2, 1, 1, 2, 2));
}

TEST(ReferenceResize, BilinearWithAndWithoutAlignedCorners) {
  const Numbers x{{1, 1, 1, 2}, {0, 4}};
  EXPECT_THAT(run(op::Resize{.scale = 2}, {x}, {1, 1, 1, 4}), ElementsAre(0, 1, 3, 4));
  const op::Resize aligned{.align_corners = true};
  EXPECT_THAT(run(aligned, {x, {{1, 1, 1, 3}, Values(3)}}, {1, 1, 1, 3}), ElementsAre(0, 2, 4));
  EXPECT_THAT(run(aligned, {x, {{1, 1, 1, 1}, Values(1)}}, {1, 1, 1, 1}), ElementsAre(0));
}

TEST(ReferencePad, MirrorsPeriodicallyWithoutRepeatingTheEdge) {
  const op::Pad pad{.mode = PadMode::mirror, .margin = {0, 5, 0, 3}};
  const Numbers x = counting({1, 1, 1, 3});
  EXPECT_THAT(run(pad, {x}, {1, 1, 1, 11}), ElementsAre(2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2));
  // As many as stand above: three 1s, six 2s, two 3s.
  EXPECT_THAT(run_backward(pad, x, {{1, 1, 1, 11}, Values(11, 1.0)}), ElementsAre(3, 6, 2));
  EXPECT_THAT(run(pad, {{{1, 1, 1, 1}, {8}}}, {1, 1, 1, 9}), testing::Each(8));
  EXPECT_THAT(run(op::Pad{.margin = {0, 1, 0, 2}}, {x}, {1, 1, 1, 6}),
              ElementsAre(0, 1, 2, 3, 0, 0));
}

TEST(ReferencePad, RepeatsTheEdge) {
  const op::Pad pad{.mode = PadMode::edge, .margin = {0, 2, 0, 1}};
  const Numbers x = counting({1, 1, 1, 3});
  EXPECT_THAT(run(pad, {x}, {1, 1, 1, 6}), ElementsAre(1, 1, 1, 2, 3, 3));
  EXPECT_THAT(run_backward(pad, x, {{1, 1, 1, 6}, Values(6, 1.0)}), ElementsAre(3, 1, 2));
}

TEST(ReferenceCrop, FromAnOffsetOrTheCentre) {
  const Numbers x = counting({1, 1, 3, 4});
  const Numbers like{{1, 1, 2, 2}, Values(4)};
  EXPECT_THAT(run(op::Crop{.offset = {1, 2}}, {x, like}, like.shape), ElementsAre(7, 8, 11, 12));
  EXPECT_THAT(run(op::Crop{.centre = true}, {x, like}, like.shape), ElementsAre(2, 3, 6, 7));
}

TEST(ReferencePointwise, MultiplyConcatSoftmax) {
  EXPECT_THAT(
      run(op::Multiply{}, {counting({1, 2, 1, 2}), {{1, 2, 1, 1}, {10, 100}}}, {1, 2, 1, 2}),
      ElementsAre(10, 20, 300, 400));
  EXPECT_THAT(
      run(op::Concat{}, {counting({2, 1, 1, 1}), {{2, 2, 1, 1}, {7, 8, 9, 10}}}, {2, 3, 1, 1}),
      ElementsAre(1, 7, 8, 2, 9, 10));
  // Large logits must not overflow: exp(0) : exp(log 3) = 1 : 3.
  EXPECT_THAT(run(op::Softmax{}, {{{1, 2, 1, 1}, {1000, 1000 + std::log(3.0)}}}, {1, 2, 1, 1}),
              Pointwise(DoubleNear(1e-12), Values{0.25, 0.75}));
}

TEST(ReferenceDropout, KeepsWhereThePhiloxWordReachesTheRate) {
  const std::uint64_t seed = 0x1234567890abcdefu;
  const Numbers x{{1, 2, 3, 3}, Values(18, 3.0)};
  Sources<double> sources;
  sources.dropout.emplace(seed, 9, 4, 0.25f);
  const Values result = run(op::Dropout{0.25f}, {x}, x.shape, {}, sources);
  for (std::uint32_t i = 0; i < 18; ++i) {
    const std::uint32_t word = philox({i / 4, 0, 4, 9}, {0x90abcdefu, 0x12345678u})[i % 4];
    EXPECT_NEAR(result[i], word >= 0x40000000u ? 4.0 : 0.0, 1e-6) << i;
  }
  EXPECT_EQ(run(op::Dropout{0.25f}, {x}, x.shape), x.values);
}

TEST(ReferenceDropout, DropsTheRate) {
  const DropoutMask mask(1, 0, 0, 0.3f);
  int kept = 0;
  for (std::uint64_t block = 0; block < 25000; ++block) {
    for (bool one : mask.kept(block)) kept += one;
  }
  // 100,000 draws: three standard deviations are 435.
  EXPECT_NEAR(kept, 70000, 435);
}

TEST(ReferenceLocationGrid, EachPixelHasTheClassifierOfItsPlace) {
  // Channels 1 2 3 4, 5 6 7 8, 9 10 11 12, 13 14 15 16: one classifier for each quarter.
  EXPECT_EQ(run(op::LocationGrid{.grid = 2}, {counting({1, 4, 2, 2})}, {1, 1, 2, 2}),
            (Values{1, 6, 11, 16}));
}

TEST(ReferenceLocationGrid, NeighbouringClassifiersShareThePixelsBetween) {
  // Centres at 1/4 and 3/4 of the width: the pixels lie at -1/4 (held at 0), 1/4, 3/4 and 5/4 of
  // the way between them. Rows and columns have two classifiers; one row sees both alike.
  Numbers scores{{1, 4, 1, 4}, Values(16, 0.0)};
  std::fill_n(scores.values.begin() + 4, 4, 8.0);   // above, right
  std::fill_n(scores.values.begin() + 12, 4, 8.0);  // below, right
  EXPECT_EQ(run(op::LocationGrid{.grid = 2}, {scores}, {1, 1, 1, 4}), (Values{0, 2, 6, 8}));
  EXPECT_EQ(run_backward(op::LocationGrid{.grid = 2}, scores, {{1, 1, 1, 4}, {8, 8, 8, 8}}),
            (Values{4, 3, 1, 0, 0, 1, 3, 4, 4, 3, 1, 0, 0, 1, 3, 4}));
}

TEST(ReferenceLocationGrid, ClassesAreApart) {
  // Two classes of a grid of 1: nothing to choose from.
  const Numbers scores = counting({1, 2, 2, 2});
  EXPECT_EQ(run(op::LocationGrid{.grid = 1}, {scores}, {1, 2, 2, 2}), scores.values);
}

}  // namespace
}  // namespace segmentum::reference
