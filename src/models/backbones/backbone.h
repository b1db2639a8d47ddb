// What every backbone offers to the networks that stand on it.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace segmentum {

/// How a stage that gives up its stride is dilated instead. The two rules have equal names and
/// shapes but different values.
enum class DilationRule {
  keep_first,  // torchvision: the first block keeps the dilation of the stage before
  every_block  // segmentation_models.pytorch: every convolution of the stage has the new one
};

struct BackboneOptions {
  std::string prefix;      // of all node names: "backbone." or "encoder."
  int output_stride = 32;  // 8, 16 or 32: strides beyond it become dilations
  DilationRule dilation_rule = DilationRule::keep_first;
  std::array<int, 3> multi_grid{1, 1, 1};  // factors on the dilations of the last stage's blocks
};

/// The last feature map of each level, finest first: level i has stride 2^(i+1), or
/// `output_stride` where that is smaller.
using BackboneFeatures = std::vector<ValueId>;

/// `channels` rounded to a multiple of 8 (at least 8, and not below 90 % of it): the rule by which
/// MobileNets of other widths count their channels.
int rounded_channels(double channels);

/// Spends the output stride on the stages of a backbone, from the first to the last.
class StrideBudget {
 public:
  struct Stage {
    int stride = 1;          // of the first block; the others have none
    int first_dilation = 1;  // of the first block
    int dilation = 1;        // of the others
  };

  /// Throws Error for an output stride other than 8, 16 and 32.
  explicit StrideBudget(const BackboneOptions& options);

  /// What a stage of `stride` gets: its stride while the budget lasts, then as much dilation, which
  /// the stages after it inherit.
  Stage spend(int stride);

 private:
  int output_stride_;
  DilationRule rule_;
  int spent_ = 1;
  int dilation_ = 1;
};

}  // namespace segmentum
