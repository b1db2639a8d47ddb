// FCN as the paper makes it: a classifier becomes convolutions, and each finer network begins where
// the coarser one ended.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "engine/executor.h"
#include "models/classifier_conversion.h"
#include "models/registry.h"

namespace segmentum {
namespace {

using Values = std::map<std::string, Tensor>;
using Engine = std::unique_ptr<Executor> (*)();

ValueId value_of(const Graph& graph, const std::string& name) {
  return static_cast<ValueId>(std::ranges::find(graph.nodes, name, &Node::name) -
                              graph.nodes.begin());
}

/// What the named nodes make of a random picture.
Values run(Graph graph, ParameterStore& parameters, const Shape& picture,
           const std::vector<std::string>& names, Engine make_engine = make_cpu_executor) {
  graph.outputs.clear();
  for (const std::string& name : names) graph.outputs.push_back({name, value_of(graph, name)});
  const auto engine = make_engine();
  const auto plan = engine->plan(graph, parameters, {&picture, 1}, {.mode = Mode::infer});
  RandomStream random(5, 0, 0);
  for (float& value : plan->input().values()) value = static_cast<float>(random.normal());
  plan->forward();
  Values values;
  for (const std::string& name : names) {
    const ConstTensorView value = plan->output(name);
    Tensor copy(value.shape);
    std::ranges::copy(value.values(), copy.data());
    values.emplace(name, std::move(copy));
  }
  return values;
}

Tensor random_tensor(const Shape& shape, double deviation, RandomStream& random) {
  Tensor tensor(shape);
  for (float& value : tensor.values()) value = static_cast<float>(deviation * random.normal());
  return tensor;
}

/// A VGG-16 of width 4 with torchvision's names; weights as large as He et al. have them.
Values narrow_classifier(int fc, int classes) {
  Values tensors;
  RandomStream random(1, 0, 0);
  const auto add = [&](const std::string& name, const Shape& weight) {
    const double fan_in = static_cast<double>(weight.count() / weight[0]);
    tensors.emplace(name + ".weight", random_tensor(weight, std::sqrt(2 / fan_in), random));
    tensors.emplace(name + ".bias", random_tensor({weight[0]}, 0.1, random));
  };
  const std::vector<std::pair<int, int>> convolutions{
      {0, 4},   {2, 4},   {5, 8},   {7, 8},   {10, 16}, {12, 16}, {14, 16},
      {17, 32}, {19, 32}, {21, 32}, {24, 32}, {26, 32}, {28, 32}};
  int in = 3;
  for (const auto& [index, channels] : convolutions) {
    add("features." + std::to_string(index), {channels, in, 3, 3});
    in = channels;
  }
  add("classifier.0", {fc, 32 * 49});
  add("classifier.3", {fc, fc});
  add("classifier.6", {classes, fc});
  return tensors;
}

/// One fully connected layer, as a classifier has it.
std::vector<double> fully_connected(const Values& tensors, const std::string& name,
                                    const std::vector<double>& x, bool relu) {
  const Tensor &weight = tensors.at(name + ".weight"), &bias = tensors.at(name + ".bias");
  std::vector<double> y;
  for (std::int64_t o = 0; o < weight.shape()[0]; ++o) {
    double sum = bias.data()[o];
    for (std::size_t i = 0; i < x.size(); ++i) {
      sum += weight.data()[static_cast<std::size_t>(o) * x.size() + i] * x[i];
    }
    y.push_back(relu ? std::max(sum, 0.0) : sum);
  }
  return y;
}

/// The classifier's answer to the 7x7 features at (y0, x0), flattened as PyTorch flattens them.
std::vector<double> classified(const Values& tensors, const Tensor& pool5, std::int64_t y0,
                               std::int64_t x0) {
  std::vector<double> features;
  for (std::int64_t c = 0; c < pool5.shape().c(); ++c) {
    for (std::int64_t y = 0; y < 7; ++y) {
      for (std::int64_t x = 0; x < 7; ++x) features.push_back(pool5(0, c, y0 + y, x0 + x));
    }
  }
  const auto fc6 = fully_connected(tensors, "classifier.0", features, true);
  const auto fc7 = fully_connected(tensors, "classifier.3", fc6, true);
  return fully_connected(tensors, "classifier.6", fc7, false);
}

// fc6 is padded by 3, so position (y+3, x+3) of the map sees just the features from (y, x) on.
void expect_answers(const Values& tensors, const Values& made) {
  const Tensor &pool5 = made.at("pool5"), &score = made.at("score_fr");
  const auto [least, greatest] = std::ranges::minmax(score.values());
  const double tolerance = 1e-5 * (greatest - least);  // float sums of 1568 and fewer products
  for (std::int64_t y = 0; y + 7 <= pool5.shape().h(); ++y) {
    for (std::int64_t x = 0; x + 7 <= pool5.shape().w(); ++x) {
      const std::vector<double> expected = classified(tensors, pool5, y, x);
      for (std::size_t k = 0; k < expected.size(); ++k) {
        EXPECT_NEAR(score(0, static_cast<std::int64_t>(k), y + 3, x + 3), expected[k], tolerance);
      }
    }
  }
}

// On 224x224 the classifier fits once; on a larger picture there is a map of its answers.
TEST(ConvertedClassifiers, AnswerAsTheClassifierDoes) {
  const Values tensors = narrow_classifier(24, 10);
  ConvertedClassifier converted = convert_vgg16(narrow_classifier(24, 10));
  const Values once =
      run(converted.graph, converted.parameters, {1, 3, 224, 224}, {"pool5", "score_fr"});
  EXPECT_EQ(once.at("pool5").shape(), Shape({1, 32, 7, 7}));
  expect_answers(tensors, once);

  const Values map =
      run(converted.graph, converted.parameters, {1, 3, 256, 320}, {"pool5", "score_fr", "score"});
  EXPECT_EQ(map.at("score_fr").shape(), Shape({1, 10, 8, 10}));  // 2 x 4 of them see no border
  EXPECT_EQ(map.at("score").shape(), Shape({1, 10, 256, 320}));
  expect_answers(tensors, map);
}

Graph narrow_fcn(const std::string& name, const std::string& alignment,
                 const std::string& score_start = "zero_skips") {
  return build_model(name, {.classes = 4,
                            .settings = {{"width", "2"},
                                         {"fc_channels", "6"},
                                         {"norm", "none"},
                                         {"alignment", alignment},
                                         {"score_start", score_start}}});
}

TEST(AuthorsAlignment, EnginesAgree) {
  const Graph graph = narrow_fcn("fcn8s", "authors", "random");
  ParameterStore parameters = initialise(graph, 3);
  const Shape picture{1, 3, 5, 9};
  const Values plain = run(graph, parameters, picture, {"score"}, make_reference_executor);
  const Values fast = run(graph, parameters, picture, {"score"});
  const Tensor &expected = plain.at("score"), &made = fast.at("score");
  const auto [least, greatest] = std::ranges::minmax(expected.values());
  const float tolerance = 1e-4f * (greatest - least);  // of float sums through some 20 layers
  for (std::int64_t i = 0; i < expected.shape().count(); ++i) {
    ASSERT_NEAR(made.data()[i], expected.data()[i], tolerance);
  }
}

/// A fresh network with everything that `coarser` has under the same name.
ParameterStore started_from(const Graph& graph, const ParameterStore& coarser) {
  ParameterStore parameters = initialise(graph, 99);
  for (const ParameterSpec& spec : graph.parameters) {
    if (!coarser.contains(spec.name)) continue;
    std::ranges::copy(coarser.value(spec.name).values(),
                      parameters.change(spec.name).values().begin());
  }
  return parameters;
}

void expect_equal(const Tensor& a, const Tensor& b) {
  ASSERT_EQ(a.shape(), b.shape());
  EXPECT_TRUE(std::ranges::equal(a.values(), b.values()));
}

/// The correlation of two score maps: 1 where one is the other but for scale and shift.
double correlation(const Tensor& a, const Tensor& b) {
  const auto n = static_cast<double>(a.shape().count());
  double sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;
  for (std::int64_t i = 0; i < a.shape().count(); ++i) {
    const double x = a.data()[i], y = b.data()[i];
    sum_a += x, sum_b += y, aa += x * x, bb += y * y, ab += x * y;
  }
  return (ab - sum_a * sum_b / n) / std::sqrt((aa - sum_a * sum_a / n) * (bb - sum_b * sum_b / n));
}

// Section 4.2 of the paper: the new scores start at zero and the new upsampling as bilinear, so the
// finer network starts with the predictions of the coarser. What is fused is unchanged to the bit;
// the logits differ as bilinear interpolation in two steps differs from one in one.
TEST(StagedTraining, AFinerNetworkBeginsWhereTheCoarserEnded) {
  for (const std::string alignment : {"centred", "authors"}) {
    const Graph fcn32 = narrow_fcn("fcn32s", alignment), fcn16 = narrow_fcn("fcn16s", alignment),
                fcn8 = narrow_fcn("fcn8s", alignment);
    ParameterStore p32 = initialise(fcn32, 7);
    ParameterStore p16 = started_from(fcn16, p32);
    ParameterStore p8 = started_from(fcn8, p16);
    const Shape picture{1, 3, 136, 104};
    const Values v32 = run(fcn32, p32, picture, {"score_fr", "score"});
    const Values v16 = run(fcn16, p16, picture, {"score_fr", "upscore2", "fuse_pool4", "score"});
    const Values v8 =
        run(fcn8, p8, picture, {"fuse_pool4", "upscore_pool4", "fuse_pool3", "score"});
    expect_equal(v16.at("score_fr"), v32.at("score_fr"));
    expect_equal(v16.at("fuse_pool4"), v16.at("upscore2"));
    expect_equal(v8.at("fuse_pool4"), v16.at("fuse_pool4"));
    expect_equal(v8.at("fuse_pool3"), v8.at("upscore_pool4"));
    EXPECT_GT(correlation(v16.at("score"), v32.at("score")), 0.98) << alignment;
    EXPECT_GT(correlation(v8.at("score"), v16.at("score")), 0.98) << alignment;
  }
}

}  // namespace
}  // namespace segmentum
