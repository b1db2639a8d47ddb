// What several networks are built of.
#pragma once

#include <string>

#include "graph/graph.h"

namespace segmentum {

enum class Norm { none, batch, group };

/// `fixed` is a transposed convolution that interpolates and is not learnt.
enum class Upsampling { transpose, fixed, bilinear, nearest };

struct UpsampleOptions {
  Upsampling how = Upsampling::transpose;
  bool conv = false;           // resizes: a 3x3 convolution behind, which starts as doing nothing
  bool align_corners = false;  // bilinear: the centres of the corner pixels meet
  bool each_channel = false;   // transposed: no channel sees another
  bool full = false;           // transposed: with the half step around that its kernels reach
};

/// Convolution, normalisation, ReLU, called PREFIXconvSUFFIX, PREFIXbnSUFFIX (or gn) and
/// PREFIXreluSUFFIX. The convolution has a bias only where nothing normalises: a norm would take
/// it away again. Group norm makes eight groups, or as many of those as divide the channels.
ValueId conv_norm_relu(GraphBuilder& g, const std::string& prefix, const std::string& suffix,
                       ValueId x, op::Conv conv, Norm norm);

/// Convolution without a bias, and batch norm.
ValueId conv_bn(GraphBuilder& g, const std::string& conv_name, const std::string& bn_name,
                ValueId x, op::Conv conv, op::BatchNorm norm = {});

/// The same and ReLU, called as PyTorch numbers the members of a sequence: NAME.0, NAME.1, NAME.2.
ValueId conv_bn_relu(GraphBuilder& g, const std::string& name, ValueId x, op::Conv conv);

/// Depthwise, NAME.0, then pointwise, NAME.1, neither with a bias: the settings of `conv` but its
/// channels belong to the first.
ValueId separable_conv(GraphBuilder& g, const std::string& name, ValueId x, op::Conv conv);

/// NAME.0.0 and NAME.0.1, then NAME.1 batch norm and NAME.2 ReLU.
ValueId separable_conv_bn_relu(GraphBuilder& g, const std::string& name, ValueId x, op::Conv conv);

/// `factor` times as large, channels unchanged: a transposed convolution of kernel 2*factor that
/// starts as bilinear interpolation (Long et al., CVPR 2015, section 3.3), or a resize. Parameters
/// are NAME.weight and NAME.bias; the resize before a convolution is called NAME_resize. `factor`
/// even.
ValueId upsample(GraphBuilder& g, const std::string& name, ValueId x, int factor,
                 const UpsampleOptions& options);
ValueId upsample(GraphBuilder& g, const std::string& name, ValueId x, int factor, Upsampling how);

/// The 3x3 convolution behind a resize, which starts as doing nothing.
ValueId conv_behind_resize(GraphBuilder& g, const std::string& name, ValueId x);

}  // namespace segmentum
