// What several networks are built of.
#pragma once

#include <string>

#include "graph/graph.h"

namespace segmentum {

enum class Norm { none, batch, group };
enum class Upsampling { transpose, bilinear, nearest };

/// Convolution, normalisation, ReLU, called PREFIXconvSUFFIX, PREFIXbnSUFFIX (or gn) and
/// PREFIXreluSUFFIX. The convolution has a bias only where nothing normalises: a norm would take
/// it away again. Group norm makes eight groups, or as many of those as divide the channels.
ValueId conv_norm_relu(GraphBuilder& g, const std::string& prefix, const std::string& suffix,
                       ValueId x, op::Conv conv, Norm norm);

/// `factor` times as large, channels unchanged: a learnt transposed convolution that starts as
/// bilinear interpolation (Long et al., CVPR 2015, section 3.3), or a fixed resize. `factor` even.
ValueId upsample(GraphBuilder& g, const std::string& name, ValueId x, int factor, Upsampling how);

}  // namespace segmentum
