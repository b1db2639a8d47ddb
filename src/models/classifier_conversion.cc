#include "models/classifier_conversion.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "base/spelling.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using Tensors = std::map<std::string, Tensor>;

constexpr std::size_t kMostNamed = 6;  // of a list in a message

/// A layer of ours and what others call it.
struct LayerNames {
  const char* ours;
  const char* torchvision;
  const char* caffe;

  std::string at(ClassifierSource source) const {
    return source == ClassifierSource::caffe ? caffe : torchvision;
  }
};

// torchvision counts ReLUs and poolings too.
constexpr LayerNames kVgg16[] = {
    {"conv1_1", "features.0", "conv1_1"},  {"conv1_2", "features.2", "conv1_2"},
    {"conv2_1", "features.5", "conv2_1"},  {"conv2_2", "features.7", "conv2_2"},
    {"conv3_1", "features.10", "conv3_1"}, {"conv3_2", "features.12", "conv3_2"},
    {"conv3_3", "features.14", "conv3_3"}, {"conv4_1", "features.17", "conv4_1"},
    {"conv4_2", "features.19", "conv4_2"}, {"conv4_3", "features.21", "conv4_3"},
    {"conv5_1", "features.24", "conv5_1"}, {"conv5_2", "features.26", "conv5_2"},
    {"conv5_3", "features.28", "conv5_3"}, {"fc6", "classifier.0", "fc6"},
    {"fc7", "classifier.3", "fc7"},        {"score_fr", "classifier.6", "fc8"}};

std::string first_of(std::vector<std::string> names) {
  const std::size_t more = names.size() > kMostNamed ? names.size() - kMostNamed : 0;
  names.resize(names.size() - more);
  return joined(names) + (more > 0 ? " and " + std::to_string(more) + " more" : "");
}

ClassifierSource source_of(const Tensors& classifier) {
  if (classifier.contains("features.0.weight")) return ClassifierSource::torchvision;
  if (classifier.contains("conv1_1.weight")) return ClassifierSource::caffe;
  std::vector<std::string> names;
  for (const auto& [name, tensor] : classifier) names.push_back(name);
  throw Error(
      "this is no VGG classifier: it has neither features.0.weight (torchvision's names) "
      "nor conv1_1.weight (Caffe's), but " +
      (names.empty() ? "nothing" : first_of(names)));
}

void require_names(const Tensors& classifier, ClassifierSource source) {
  std::set<std::string> expected;
  for (const LayerNames& layer : kVgg16) {
    for (const char* part : {".weight", ".bias"}) expected.insert(layer.at(source) + part);
  }
  std::vector<std::string> missing, left_over;
  for (const std::string& name : expected) {
    if (!classifier.contains(name)) missing.push_back(name);
  }
  for (const auto& [name, tensor] : classifier) {
    if (!expected.contains(name)) left_over.push_back(name);
  }
  if (missing.empty() && left_over.empty()) return;
  throw Error("this is no VGG-16:" + (missing.empty() ? "" : " missing are " + first_of(missing)) +
              (missing.empty() || left_over.empty() ? "" : ";") +
              (left_over.empty() ? "" : " left over are " + first_of(left_over)));
}

/// The extent of an axis that the network follows from. Throws Error where it has none.
int extent(const Tensors& classifier, const std::string& name, int axis) {
  const Shape& shape = classifier.at(name).shape();
  if (axis < shape.rank() && shape[axis] >= 1 && shape[axis] <= 65536) {
    return static_cast<int>(shape[axis]);
  }
  throw Error(name + " is " + shape.to_string() + "; a layer of VGG-16 cannot have this shape");
}

ModelOptions options_of(const Tensors& classifier, ClassifierSource source) {
  const auto weight = [&](std::size_t layer) { return kVgg16[layer].at(source) + ".weight"; };
  const std::size_t last = std::size(kVgg16) - 1;
  return {.input_channels = extent(classifier, weight(0), 1),
          .classes = extent(classifier, weight(last), 0),
          .settings = {{"width", std::to_string(extent(classifier, weight(0), 0))},
                       {"fc_channels", std::to_string(extent(classifier, weight(last - 1), 0))},
                       {"norm", "none"},
                       {"up", "bilinear"}}};
}

/// The numbers of `theirs` as the graph wants them. Throws Error where they are not as many.
Tensor fitted(const std::string& name, const Tensor& theirs, const ParameterSpec& spec) {
  const Shape& shape = theirs.shape();
  if (shape == spec.shape) return theirs.clone();
  const bool flat = spec.shape.rank() == 4 && shape.rank() == 2 && shape[0] == spec.shape[0];
  if (!flat || shape.count() != spec.shape.count()) {
    throw Error(name + " is " + shape.to_string() + "; expected " + spec.shape.to_string() +
                (spec.shape.rank() == 4 ? ", or the same numbers in two axes" : ""));
  }
  return fully_connected_as_convolution(theirs, spec.shape);
}

// torchvision's vgg16_bn: where each convolution stands; its norm is the next.
constexpr int kVgg16BnConvs[] = {0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40};
constexpr float kBatchNormEpsilon = 1e-5f;  // torchvision's

/// Takes a tensor of `count` numbers out. Throws Error where there is none.
Tensor taken(Tensors& from, const std::string& name, std::int64_t count) {
  const auto found = from.find(name);
  if (found == from.end()) throw Error("this is no VGG-16 with batch norm: missing is " + name);
  if (found->second.shape() != Shape{count}) {
    throw Error(name + " is " + found->second.shape().to_string() + "; expected " +
                std::to_string(count));
  }
  Tensor tensor = std::move(found->second);
  from.erase(found);
  return tensor;
}

/// The layer `conv` with the norm after it in its weights.
void fold(Tensors& classifier, const std::string& conv, const std::string& norm) {
  Tensor& weight = classifier.at(conv + ".weight");
  const std::int64_t channels = extent(classifier, conv + ".weight", 0);
  const std::int64_t fan_in = weight.shape().count() / channels;
  const Tensor scale = taken(classifier, norm + ".weight", channels);
  const Tensor shift = taken(classifier, norm + ".bias", channels);
  const Tensor mean = taken(classifier, norm + ".running_mean", channels);
  const Tensor variance = taken(classifier, norm + ".running_var", channels);
  classifier.erase(norm + ".num_batches_tracked");
  Tensor bias = taken(classifier, conv + ".bias", channels);
  for (std::int64_t c = 0; c < channels; ++c) {
    const float factor = scale.data()[c] / std::sqrt(variance.data()[c] + kBatchNormEpsilon);
    float* kernel = weight.data() + c * fan_in;
    std::transform(kernel, kernel + fan_in, kernel, [&](float w) { return w * factor; });
    bias.data()[c] = (bias.data()[c] - mean.data()[c]) * factor + shift.data()[c];
  }
  classifier.emplace(conv + ".bias", std::move(bias));
}

/// torchvision's vgg16_bn as the vgg16 that answers the same.
Tensors without_batch_norms(Tensors classifier) {
  Tensors result;
  for (std::size_t layer = 0; layer < std::size(kVgg16BnConvs); ++layer) {
    const std::string conv = "features." + std::to_string(kVgg16BnConvs[layer]);
    if (!classifier.contains(conv + ".weight")) {
      throw Error("this is no VGG-16 with batch norm: missing is " + conv + ".weight");
    }
    fold(classifier, conv, "features." + std::to_string(kVgg16BnConvs[layer] + 1));
    for (const char* part : {".weight", ".bias"}) {
      auto tensor = classifier.extract(conv + part);
      tensor.key() = kVgg16[layer].torchvision + std::string(part);
      result.insert(std::move(tensor));
    }
  }
  result.merge(classifier);
  return result;
}

/// From weights that read B, G, R to such that read R, G, B.
void reverse_input_channels(Tensor& weight) {
  const Shape& shape = weight.shape();
  const std::int64_t plane = shape.h() * shape.w();
  for (std::int64_t o = 0; o < shape[0]; ++o) {
    for (std::int64_t i = 0; i < shape[1] / 2; ++i) {
      float* channel = &weight(o, i, 0, 0);
      std::swap_ranges(channel, channel + plane, &weight(o, shape[1] - 1 - i, 0, 0));
    }
  }
}

}  // namespace

Tensor fully_connected_as_convolution(const Tensor& weight, const Shape& convolution) {
  if (weight.shape().count() != convolution.count()) {
    throw Error("a fully connected layer of " + weight.shape().to_string() +
                " cannot become a convolution of " + convolution.to_string());
  }
  // Both run through channels, rows and columns in this order.
  Tensor result(convolution);
  std::ranges::copy(weight.values(), result.data());
  return result;
}

ConvertedClassifier convert_vgg16(Tensors classifier) {
  const ClassifierSource source = source_of(classifier);
  if (classifier.contains("features.1.running_mean"))
    classifier = without_batch_norms(std::move(classifier));
  require_names(classifier, source);
  ConvertedClassifier converted{.options = options_of(classifier, source), .source = source};
  converted.graph = build_model("fcn32s", converted.options);
  for (const ParameterSpec& spec : converted.graph.parameters) {
    const std::size_t dot = spec.name.rfind('.');
    const auto layer = std::ranges::find(kVgg16, spec.name.substr(0, dot), &LayerNames::ours);
    const std::string name = layer->at(source) + spec.name.substr(dot);
    Tensor value = fitted(name, classifier.at(name), spec);
    classifier.erase(name);
    if (source == ClassifierSource::caffe && spec.name == "conv1_1.weight") {
      reverse_input_channels(value);
    }
    converted.parameters.add(spec.name, spec.role, std::move(value));
  }
  return converted;
}

}  // namespace segmentum
