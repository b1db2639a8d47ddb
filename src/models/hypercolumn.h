// Hypercolumns: all that a backbone computes above a pixel, classified as one column. Hariharan,
// Arbelaez, Girshick and Malik, CVPR 2015.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "models/backbones/choice.h"
#include "models/settings.h"

namespace segmentum {

/// How the layers of a column meet. Magnifying and a 1x1 convolution commute (unless the former is
/// learnt), so both are the same function of the same weights, those of `concat` cut by channels.
enum class HypercolumnFusion {
  sum,    // a 1x1 convolution on each layer, its few results magnified and added: fast
  concat  // the layers magnified and joined, one 1x1 convolution on the whole column: as written
};

struct HypercolumnOptions {
  int input_channels = 3;
  int classes = 2;
  Backbone backbone = Backbone::vgg16;
  int width = 16;           // channels of its first convolution
  Norm norm = Norm::batch;  // of VGG; the others have batch norm
  /// Levels of the backbone that make the column, finest first: level i has stride 2^i. The column
  /// stands on the pixels of the first.
  std::vector<int> layers{2, 3, 4, 5};
  HypercolumnFusion fusion = HypercolumnFusion::sum;
  int hidden = 0;        // channels of a hidden layer on the column; 0: a linear classifier
  float dropout = 0.1f;  // on the hidden layer, or without one on the column
  UpsampleOptions up{.how = Upsampling::bilinear};  // of layers to the finest, and to the picture
};

/// The dense form: every pixel of any H×W is classified by its column, logits are H×W.
/// Node names: the backbone's behind "backbone.", score_level2 ... score_level5 (or score),
/// hidden_level2 ... where there is a hidden layer, upscore. In a sum the bias is that of the
/// finest layer, score_level2.bias.
/// Where we differ: the picture is padded to a multiple of 32, so that layers meet at equal sizes,
/// and scores stand at the stride of the finest layer before they are magnified to the picture.
/// Throws Error for layers that are no rising list of levels 1 to 5.
Graph build_hypercolumn(const HypercolumnOptions& options);

/// The form on boxes: the input is a crop around a box, stretched to a square of fixed size
/// (image/box.h); channel k of the logits says of each of its pixels whether it belongs to the
/// object, if that is of class k + 1. The scores of grid*grid classifiers of each class stand in
/// the channels of one map, ceil(side / stride of the finest layer) on a side (50 for a crop of
/// 200), of which `heatmap` takes those near the pixel; `upscore` magnifies it to the crop.
/// Where we differ: the authors' top layer is fc7 of a classifier trained on ImageNet; here it is
/// the last level, whose pixels see most of the crop.
Graph build_hypercolumn_boxes(const HypercolumnOptions& options, int grid);

Architecture hypercolumn_architecture();
Architecture hypercolumn_boxes_architecture();

}  // namespace segmentum
