// A trained classifier as a fully convolutional network: Long, Shelhamer and Darrell, CVPR 2015,
// section 3.1.
#pragma once

#include <map>
#include <string>

#include "graph/graph.h"
#include "graph/parameter_store.h"
#include "models/registry.h"
#include "tensor/tensor.h"

namespace segmentum {

/// Who named a classifier's tensors, which also tells what it was fed with.
enum class ClassifierSource {
  torchvision,  // features.N, classifier.0/3/6; RGB in [0,1], ImageNet's mean and deviation
  caffe         // conv1_1 ... fc8; BGR in 0..255, its mean subtracted
};

struct ConvertedClassifier {
  ModelOptions options;  // build_model("fcn32s", options) is `graph`
  Graph graph;
  ParameterStore parameters;
  ClassifierSource source = ClassifierSource::torchvision;
};

/// The weights [out, in] of a layer that is fully connected to in = channels*h*w numbers as those
/// of the convolution [out, channels, h, w] that gives the same results where it fits once.
/// Throws Error unless the numbers are as many. One copy.
Tensor fully_connected_as_convolution(const Tensor& weight, const Shape& convolution);

/// VGG-16 of any width as FCN-32s for the classifier's own classes: fc6 becomes a 7x7 convolution,
/// fc7 and the last layer 1x1 ones, called fc6, fc7 and score_fr. Batch norms (torchvision's
/// vgg16_bn) go into the weights before them, with the running statistics. On a
/// 224x224 picture the middle of score_fr is what the classifier answers; a larger picture gives a
/// map of answers. Scores are magnified by a bilinear resize, because a kernel for each pair of a
/// thousand classes would be gigabytes. Caffe's first layer is turned to read RGB. Throws Error
/// listing tensors that are missing, left over or misshapen. Memory: twice the weights.
ConvertedClassifier convert_vgg16(std::map<std::string, Tensor> classifier);

}  // namespace segmentum
