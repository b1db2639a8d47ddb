#include "models/backbones/vgg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/analysis.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

struct Vgg {
  Graph graph;
  VggTaps taps;

  explicit Vgg(const VggOptions& options) {
    GraphBuilder g("vgg");
    taps = vgg_backbone(g, g.input("image", {}), options);
    g.output("features", taps.pool5);
    graph = std::move(g).build();
  }
  Shape shape(ValueId value, std::int64_t size) const {
    const Shape input{1, 3, size, size};
    return infer_shapes(graph, {&input, 1})[static_cast<std::size_t>(value)];
  }
  std::int64_t parameters() const {
    std::int64_t sum = 0;
    for (const ParameterSpec& spec : graph.parameters) {
      if (is_trainable(spec.role)) sum += spec.shape.count();
    }
    return sum;
  }
  const op::Conv& conv(const std::string& name) const {
    return std::get<op::Conv>(std::ranges::find(graph.nodes, name, &Node::name)->op);
  }
};

// torchvision's vgg16 has 138,357,544 parameters, of which its classifier of 1000 classes on 7x7
// takes 25088*4096 + 4096 + 4096*4096 + 4096 + 4096*1000 + 1000; vgg16_bn has two more for each of
// 4224 channels.
TEST(Vgg, ParametersAsPublished) {
  const std::int64_t classifier = 25088 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000;
  const Vgg plain({.names = VggNames::torchvision});
  const Vgg normed({.norm = Norm::batch, .names = VggNames::torchvision});
  EXPECT_EQ(plain.parameters() + classifier, 138'357'544);
  EXPECT_EQ(normed.parameters() + classifier, 138'365'992);
}

TEST(Vgg, TorchvisionsNamesCountThroughPoolings) {
  const auto names = [](Norm norm) {
    std::vector<std::string> result;
    for (const ParameterSpec& spec :
         Vgg({.norm = norm, .names = VggNames::torchvision}).graph.parameters) {
      if (spec.role == ParameterRole::weight) result.push_back(spec.name);
    }
    return result;
  };
  // As the published checkpoints: vgg16 ends in features.28, vgg16_bn in features.40.
  EXPECT_THAT(names(Norm::none),
              testing::ElementsAre("features.0.weight", "features.2.weight", "features.5.weight",
                                   "features.7.weight", "features.10.weight", "features.12.weight",
                                   "features.14.weight", "features.17.weight", "features.19.weight",
                                   "features.21.weight", "features.24.weight", "features.26.weight",
                                   "features.28.weight"));
  EXPECT_EQ(names(Norm::batch).back(), "features.40.weight");
}

TEST(Vgg, LaterPoolingsGiveUpTheirStride) {
  const Vgg eight({.common = {.output_stride = 8}, .pool_kernel = 3});
  EXPECT_EQ(eight.shape(eight.taps.pool3, 513), Shape({1, 256, 65, 65}));
  EXPECT_EQ(eight.shape(eight.taps.pool5, 513), Shape({1, 512, 65, 65}));
  EXPECT_EQ(eight.conv("conv4_1").dilation, Size2(1));
  EXPECT_EQ(eight.conv("conv5_3").dilation, Size2(2));
  EXPECT_EQ(eight.conv("conv5_3").padding, Padding(2));
  const Vgg sixteen({.common = {.output_stride = 16}});
  EXPECT_EQ(sixteen.shape(sixteen.taps.pool5, 64), Shape({1, 512, 4, 4}));
  EXPECT_EQ(sixteen.conv("conv5_1").dilation, Size2(1));
  const Vgg plain({});
  EXPECT_EQ(plain.shape(plain.taps.pool5, 64), Shape({1, 512, 2, 2}));
  EXPECT_EQ(plain.shape(plain.taps.blocks[1], 64), Shape({1, 128, 32, 32}));
}

TEST(Vgg, TellsWhatItExpects) {
  const auto error_of = [](const VggOptions& options) -> std::string {
    try {
      Vgg{options};
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(error_of({.pool_kernel = 4}), "a VGG with poolings of 4; expected 2 or 3");
  EXPECT_EQ(error_of({.common = {.output_stride = 4}}),
            "a backbone of output stride 4; expected 8, 16 or 32");
}

}  // namespace
}  // namespace segmentum
