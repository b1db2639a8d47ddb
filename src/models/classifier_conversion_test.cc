#include "models/classifier_conversion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::HasSubstr;
using Tensors = std::map<std::string, Tensor>;

constexpr int kWidth = 2, kFc = 5, kClasses = 3;

Tensor counting(const Shape& shape) {
  Tensor tensor(shape);
  std::iota(tensor.values().begin(), tensor.values().end(), 0.0f);
  return tensor;
}

/// A narrow VGG-16; each tensor counts 0, 1, 2, ...
Tensors classifier(const std::vector<std::string>& names) {
  Tensors tensors;
  const auto add = [&](std::size_t layer, const Shape& weight) {
    tensors.emplace(names[layer] + ".weight", counting(weight));
    tensors.emplace(names[layer] + ".bias", counting({weight[0]}));
  };
  const std::vector<int> channels{1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 8, 8, 8};
  int in = 3;
  for (std::size_t layer = 0; layer < channels.size(); ++layer) {
    add(layer, {kWidth * channels[layer], in, 3, 3});
    in = kWidth * channels[layer];
  }
  add(13, {kFc, in * 49});
  add(14, {kFc, kFc});
  add(15, {kClasses, kFc});
  return tensors;
}

Tensors torchvision_classifier() {
  std::vector<std::string> names;
  for (int i : {0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28}) {
    names.push_back("features." + std::to_string(i));
  }
  for (int i : {0, 3, 6}) names.push_back("classifier." + std::to_string(i));
  return classifier(names);
}

Tensors caffe_classifier() {
  return classifier({"conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3",
                     "conv4_1", "conv4_2", "conv4_3", "conv5_1", "conv5_2", "conv5_3", "fc6", "fc7",
                     "fc8"});
}

std::string error_of(Tensors tensors) {
  try {
    convert_vgg16(std::move(tensors));
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// Number c*49 + y*7 + x of a row meets channel c, row y, column x.
TEST(ClassifierConversion, FullyConnectedWeightsAreKernels) {
  const Tensor weight = fully_connected_as_convolution(counting({2, 3 * 49}), {2, 3, 7, 7});
  EXPECT_EQ(weight.shape(), Shape({2, 3, 7, 7}));
  EXPECT_EQ(weight(0, 0, 0, 6), 6);
  EXPECT_EQ(weight(0, 2, 1, 3), 2 * 49 + 7 + 3);
  EXPECT_EQ(weight(1, 0, 0, 0), 3 * 49);
  EXPECT_THROW(fully_connected_as_convolution(counting({2, 5}), {2, 3, 7, 7}), Error);
}

TEST(ClassifierConversion, TorchvisionsNames) {
  const ConvertedClassifier converted = convert_vgg16(torchvision_classifier());
  EXPECT_EQ(converted.source, ClassifierSource::torchvision);
  EXPECT_EQ(converted.graph.architecture, "fcn32s");
  EXPECT_EQ(converted.graph.node(converted.graph.output("logits")).channels, kClasses);
  EXPECT_NO_THROW(require_parameters(converted.graph, converted.parameters));
  EXPECT_EQ(converted.parameters.all().size(), 32u);
  const auto& parameters = converted.parameters;
  EXPECT_EQ(parameters.value("fc6.weight").shape(), Shape({kFc, 8 * kWidth, 7, 7}));
  EXPECT_EQ(parameters.value("fc7.weight").shape(), Shape({kFc, kFc, 1, 1}));
  EXPECT_EQ(parameters.value("score_fr.weight").shape(), Shape({kClasses, kFc, 1, 1}));
  EXPECT_EQ(parameters.value("conv5_3.weight")(1, 0, 0, 0), 8 * kWidth * 9);
  EXPECT_EQ(parameters.value("score_fr.bias").values()[2], 2);
  EXPECT_EQ(parameters.value("conv1_1.weight")(0, 0, 0, 1), 1);  // RGB already
  EXPECT_EQ(build_model("fcn32s", converted.options).parameters.size(),
            converted.graph.parameters.size());
}

// Caffe's networks read blue, green, red.
TEST(ClassifierConversion, CaffesNamesAndChannels) {
  const ConvertedClassifier converted = convert_vgg16(caffe_classifier());
  EXPECT_EQ(converted.source, ClassifierSource::caffe);
  const Tensor& first = converted.parameters.value("conv1_1.weight");
  EXPECT_EQ(first(0, 0, 0, 1), 2 * 9 + 1);
  EXPECT_EQ(first(0, 1, 0, 1), 1 * 9 + 1);
  EXPECT_EQ(first(1, 2, 2, 2), 3 * 9 + 8);
  EXPECT_EQ(converted.parameters.value("conv1_2.weight")(0, 0, 0, 1), 1);
}

// Some have their fully connected layers as convolutions already.
TEST(ClassifierConversion, KernelsStayKernels) {
  Tensors tensors = caffe_classifier();
  tensors.insert_or_assign("fc6.weight", counting({kFc, 8 * kWidth, 7, 7}));
  EXPECT_EQ(convert_vgg16(std::move(tensors)).parameters.value("fc6.weight")(0, 1, 0, 0), 49);
}

Tensor all(float value, std::int64_t count) {
  Tensor tensor({count});
  std::ranges::fill(tensor.values(), value);
  return tensor;
}

/// The same with a norm after each convolution that halves, after taking 3, and adds 10.
Tensors torchvision_classifier_with_norms() {
  const std::vector<int> plain{0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28};
  const std::vector<int> with_norms{0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40};
  Tensors from = torchvision_classifier(), result;
  for (std::size_t layer = 0; layer < plain.size(); ++layer) {
    const std::string old = "features." + std::to_string(plain[layer]);
    const std::string conv = "features." + std::to_string(with_norms[layer]);
    const std::string norm = "features." + std::to_string(with_norms[layer] + 1);
    const std::int64_t channels = from.at(old + ".bias").shape()[0];
    for (const char* part : {".weight", ".bias"}) {
      result.emplace(conv + part, std::move(from.at(old + part)));
      from.erase(old + part);
    }
    result.emplace(norm + ".weight", all(2, channels));
    result.emplace(norm + ".bias", all(10, channels));
    result.emplace(norm + ".running_mean", all(3, channels));
    result.emplace(norm + ".running_var", all(16 - 1e-5f, channels));
    result.emplace(norm + ".num_batches_tracked", all(7, 1));
  }
  result.merge(from);
  return result;
}

TEST(ClassifierConversion, BatchNormsGoIntoTheWeightsBefore) {
  const ConvertedClassifier converted = convert_vgg16(torchvision_classifier_with_norms());
  EXPECT_EQ(converted.parameters.all().size(), 32u);
  const auto& parameters = converted.parameters;
  EXPECT_NEAR(parameters.value("conv1_1.weight")(0, 0, 0, 1), 0.5, 1e-6);
  EXPECT_NEAR(parameters.value("conv5_3.weight")(1, 0, 0, 0), 8 * kWidth * 9 / 2.0, 1e-4);
  EXPECT_NEAR(parameters.value("conv5_3.bias").values()[5], (5 - 3) / 2.0 + 10, 1e-5);
  EXPECT_EQ(parameters.value("fc6.bias").values()[2], 2);
}

TEST(ClassifierConversion, MessagesAboutBatchNorms) {
  Tensors tensors = torchvision_classifier_with_norms();
  tensors.erase("features.4.running_var");
  EXPECT_EQ(error_of(std::move(tensors)),
            "this is no VGG-16 with batch norm: missing is features.4.running_var");
  tensors = torchvision_classifier_with_norms();
  tensors.insert_or_assign("features.1.bias", all(0, 3));
  EXPECT_EQ(error_of(std::move(tensors)), "features.1.bias is 3; expected 2");
}

TEST(ClassifierConversion, MessagesTellWhatIsWrong) {
  EXPECT_THAT(error_of({}), HasSubstr("neither features.0.weight (torchvision's names) nor "
                                      "conv1_1.weight (Caffe's), but nothing"));
  Tensors tensors = torchvision_classifier();
  tensors.erase("classifier.6.bias");
  tensors.emplace("features.1.weight", counting({kWidth}));
  EXPECT_EQ(error_of(std::move(tensors)),
            "this is no VGG-16: missing are classifier.6.bias; left over are "
            "features.1.weight");
  tensors = torchvision_classifier();
  tensors.insert_or_assign("classifier.0.weight", counting({kFc, 8 * kWidth * 25}));
  EXPECT_EQ(error_of(std::move(tensors)),
            "classifier.0.weight is 5x400; expected 5x16x7x7, or the same numbers in two axes");
  tensors = torchvision_classifier();
  tensors.insert_or_assign("features.0.weight", counting({kWidth}));
  EXPECT_EQ(error_of(std::move(tensors)),
            "features.0.weight is 2; a layer of VGG-16 cannot have this shape");
  tensors = torchvision_classifier();
  tensors.insert_or_assign("features.2.bias", counting({kWidth + 1}));
  EXPECT_EQ(error_of(std::move(tensors)), "features.2.bias is 3; expected 2");
}

}  // namespace
}  // namespace segmentum
