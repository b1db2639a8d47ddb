#include "interop/foreign_names.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

namespace segmentum {
namespace {

using Source = std::optional<ForeignTensor>;

bool has_all(const Checkpoint& checkpoint, std::initializer_list<const char*> names) {
  return std::ranges::all_of(names,
                             [&](const char* name) { return checkpoint.tensors().contains(name); });
}

/// What follows the name of the backbone; nothing outside of it.
std::optional<std::string> within_backbone(const std::string& parameter) {
  for (const std::string_view prefix : {"backbone.", "encoder."}) {
    if (parameter.starts_with(prefix)) return parameter.substr(prefix.size());
  }
  return std::nullopt;
}

/// Layers of VGG-16 from the paper's names, conv1_1 and bn1_1, to torchvision's, which count
/// convolutions, norms, ReLUs and poolings alike. Norms that are not there keep their names.
std::map<std::string, std::string> vgg_layers(bool batch_norm) {
  constexpr std::array kConvs{2, 2, 3, 3, 3};
  std::map<std::string, std::string> layers;
  int index = 0;
  for (std::size_t b = 0; b < kConvs.size(); ++b, ++index) {  // a pooling ends each block
    for (int i = 1; i <= kConvs[b]; ++i) {
      const std::string number = std::to_string(b + 1) + "_" + std::to_string(i);
      const std::string norm = "bn" + number;
      layers["conv" + number] = "features." + std::to_string(index++);
      layers[norm] = batch_norm ? "features." + std::to_string(index++) : norm;
      ++index;  // ReLU
    }
  }
  return layers;
}

Source vgg_source(const std::map<std::string, std::string>& layers, bool biased_norms,
                  const std::string& parameter) {
  if (const auto inner = within_backbone(parameter)) return ForeignTensor{*inner};
  if (parameter.starts_with("features.")) return ForeignTensor{parameter};
  const std::size_t dot = parameter.rfind('.');
  const std::string layer = parameter.substr(0, dot), role = parameter.substr(dot);
  const auto found = layers.find(layer);
  if (found == layers.end()) return std::nullopt;
  ForeignTensor source{found->second + role};
  if (biased_norms && role == ".running_mean") {
    source.minus = layers.at("conv" + layer.substr(2)) + ".bias";
  }
  return source;
}

/// torchvision's vgg16 or vgg16_bn.
ForeignNames vgg_names(bool batch_norm, bool biased_norms) {
  return {
      .whose = batch_norm ? "a VGG classifier with batch norm" : "a VGG classifier",
      .of_classifier = true,
      .left = {"classifier.", "pre_logits.", "head."},
      .tensor_of = [layers = vgg_layers(batch_norm), biased_norms](const std::string& parameter) {
        return vgg_source(layers, biased_norms, parameter);
      }};
}

/// A classifier whose names are those within the backbone, but for `prefix`.
ForeignNames classifier_names(const std::string& whose, std::vector<std::string> left,
                              const std::string& prefix = "") {
  return {.whose = whose,
          .of_classifier = true,
          .left = std::move(left),
          .tensor_of = [prefix](const std::string& parameter) -> Source {
            const auto inner = within_backbone(parameter);
            if (!inner) return std::nullopt;
            return ForeignTensor{prefix + *inner};
          }};
}

ForeignNames older_smp_deeplab_names() {
  return {.whose = "an older DeepLabV3 of segmentation_models.pytorch",
          .tensor_of = [](const std::string& parameter) -> Source {
            constexpr std::pair<std::string_view, std::string_view> kRenamed[] = {
                {"decoder.aspp.", "decoder.0."},
                {"decoder.conv.", "decoder.1."},
                {"decoder.bn.", "decoder.2."}};
            for (const auto& [now, then] : kRenamed) {
              if (parameter.starts_with(now)) {
                return ForeignTensor{std::string(then) + parameter.substr(now.size())};
              }
            }
            return ForeignTensor{parameter};
          }};
}

}  // namespace

ForeignNames ForeignNames::ours() {
  return {.whose = "", .tensor_of = [](const std::string& parameter) -> Source {
            return ForeignTensor{parameter};
          }};
}

std::vector<ForeignNames> foreign_names(const Checkpoint& checkpoint) {
  std::vector<ForeignNames> all{ForeignNames::ours()};
  const auto has = [&](std::initializer_list<const char*> names) {
    return has_all(checkpoint, names);
  };
  if (has({"conv1.weight", "layer1.0.conv1.weight"})) {
    all.push_back(classifier_names("a ResNet classifier", {"fc."}));
  } else if (has({"features.0.0.weight", "features.1.conv.0.0.weight"})) {
    // The last convolution is the classifier's: DeepLab leaves it out.
    all.push_back(classifier_names("a MobileNetV2 classifier", {"features.18.", "classifier."}));
  } else if (has({"features.0.0.weight", "features.1.block.0.0.weight"})) {
    all.push_back(classifier_names("a MobileNetV3 classifier", {"classifier."}, "features."));
  } else if (has({"features.0.weight", "features.1.running_mean", "features.3.weight"})) {
    all.push_back(vgg_names(true, has({"features.0.bias"})));
  } else if (has({"features.0.weight", "features.2.weight", "features.5.weight"})) {
    all.push_back(vgg_names(false, false));
  } else if (has({"decoder.0.convs.0.0.weight", "decoder.1.weight", "decoder.2.running_mean"})) {
    all.push_back(older_smp_deeplab_names());
  }
  return all;
}

}  // namespace segmentum
