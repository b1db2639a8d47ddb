// The mean of a picture in a pyramid as a bias of the projection.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/cross_check.h"
#include "engine/executor.h"
#include "graph/parameter_store.h"

namespace segmentum {
namespace {

struct Options {
  int channels = 16;    // of the branch beside the mean
  int pooled = 21;      // of the mean
  bool pooling = true;  // false: what is spread is pixels of a small map
  bool bias = true;
  bool read_again = false;  // what is spread is an output too
  Activation last = ActivationKind::relu;
};

/// As DeepLab v3's: branches beside the mean of the picture, joined and projected.
Graph pyramid(const Options& o) {
  GraphBuilder g("pyramid");
  const ValueId image = g.input("image", {.channels = 3});
  const ValueId x = g.conv("branch", image, {.channels = o.channels});
  const ValueId small = o.pooling ? g.global_average_pool("mean", image)
                                  : g.max_pool("small", image, {.kernel = 4, .stride = 4});
  const ValueId pixel = g.relu("pixel.relu", g.conv("pixel", small, {.channels = o.pooled}));
  const ValueId spread = g.resize_like("spread", pixel, x);
  g.output("logits", g.conv("project", g.concat("all", {x, spread}),
                            {.channels = 21, .bias = o.bias, .activation = o.last}));
  if (o.read_again) g.output("spread", spread);
  return std::move(g).build();
}

std::vector<std::string> kernels_of(const Graph& graph, const Shape& shape, Mode mode) {
  ParameterStore parameters = random_parameters(graph, 1);
  std::vector<std::string> names;
  const auto plan = make_cpu_executor()->plan(graph, parameters, {&shape, 1}, {.mode = mode});
  for (const StepTime& step : plan->profile()) names.push_back(step.node + ": " + step.kernel);
  return names;
}

constexpr const char* kBias = "project: bias of one pixel";

TEST(CpuSpread, MeanIsNotSpread) {
  const auto names = kernels_of(pyramid({}), {1, 3, 8, 12}, Mode::infer);
  EXPECT_THAT(names, testing::Contains(kBias));
  EXPECT_THAT(names, testing::Not(testing::Contains("spread: resize")));
}

TEST(CpuSpread, IsMadeWhereItIsReadAgain) {
  const auto names = kernels_of(pyramid({.read_again = true}), {1, 3, 8, 12}, Mode::infer);
  EXPECT_THAT(names, testing::Contains(kBias));
  EXPECT_THAT(names, testing::Contains(testing::HasSubstr("spread: resize")));
}

// Pixels of a map that is small only for this picture; a part of a block; training.
TEST(CpuSpread, OnlyWhereItIsOnePixelOfAnyPicture) {
  const Shape small{1, 3, 4, 4};
  for (const Options& o : {Options{.pooling = false}, Options{.channels = 20}}) {
    EXPECT_THAT(kernels_of(pyramid(o), small, Mode::infer), testing::Not(testing::Contains(kBias)));
  }
  EXPECT_THAT(kernels_of(pyramid({}), small, Mode::train), testing::Not(testing::Contains(kBias)));
}

// Each picture of a batch has a mean of its own; a picture of one pixel is its mean.
TEST(CpuSpread, AgreesWithTheReference) {
  for (const Shape& shape : {Shape{1, 3, 8, 12}, Shape{3, 3, 5, 7}, Shape{2, 3, 1, 1}}) {
    for (const Options& o :
         {Options{}, Options{.bias = false}, Options{.read_again = true}, Options{.pooled = 16},
          Options{.last = ActivationKind::sigmoid}, Options{.last = ActivationKind::hard_swish}}) {
      expect_engines_agree(*make_cpu_executor(), pyramid(o), {shape},
                           {.mode = Mode::infer, .value_tolerance = 4e-6});
    }
  }
}

}  // namespace
}  // namespace segmentum
