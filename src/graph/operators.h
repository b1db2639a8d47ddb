// The operators that networks are made of, each a plain description with working defaults.
// The first input is called x below; sizes are of its last two axes.
#pragma once

#include <variant>
#include <vector>

#include "segmentum/crf.h"

namespace segmentum {

/// Height and width; one number stands for both.
struct Size2 {
  int h = 1;
  int w = 1;
  constexpr Size2() = default;
  constexpr Size2(int both) : h(both), w(both) {}
  constexpr Size2(int height, int width) : h(height), w(width) {}
  bool operator==(const Size2&) const = default;
};

/// Pixels added on each side; one number stands for all four.
struct Padding {
  int top = 0;
  int left = 0;
  int bottom = 0;
  int right = 0;
  constexpr Padding() = default;
  constexpr Padding(int all) : top(all), left(all), bottom(all), right(all) {}
  constexpr Padding(int t, int l, int b, int r) : top(t), left(l), bottom(b), right(r) {}
  bool operator==(const Padding&) const = default;
};

enum class ActivationKind {
  none,
  relu,
  leaky_relu,
  relu6,
  sigmoid,
  hard_sigmoid,
  hard_swish,
  gelu
};

/// relu6 = min(max(x,0),6); hard_sigmoid = relu6(x+3)/6; hard_swish = x*relu6(x+3)/6 (as in
/// PyTorch); gelu = x times the normal distribution below x, x*(1+erf(x/sqrt(2)))/2 (Hendrycks and
/// Gimpel, 2016).
struct Activation {
  ActivationKind kind = ActivationKind::none;
  float slope = 0.01f;  // leaky_relu only: the factor for x < 0
  constexpr Activation() = default;
  constexpr Activation(ActivationKind k, float s = 0.01f) : kind(k), slope(s) {}
  bool operator==(const Activation&) const = default;
};

enum class Interpolation { nearest, bilinear };
enum class PadMode {
  zero,
  mirror,  // periodic, the edge is not repeated; a side of 1 is replicated
  edge     // the outermost pixels, again and again
};

/// How a parameter is first filled. bilinear: a transposed convolution that interpolates.
/// small_normal: deviation 0.01, whatever the fan-in, for a last layer that should start near zero.
/// identity: a convolution of odd kernel and as many outputs as inputs that changes nothing.
/// potts: what a label costs beside another, 0 beside itself and 1 beside any other.
enum class Init { he_normal, zeros, ones, bilinear, small_normal, identity, potts };

namespace op {

/// A named input of the graph, [N,channels,H,W] of any H and W.
struct Input {
  int channels = 3;
};

/// Cross-correlation. Weights `NAME.weight` [channels, in/groups, kh, kw], `NAME.bias` [channels].
/// Size: floor((size + pads - dilation*(kernel-1) - 1) / stride) + 1.
/// With `add`, a second input of the result's shape is added before the activation. `phase`: of
/// engines that compute results in groups of pixels, where a group begins; the function is the
/// same, its rounding is not (graph/group_phases.h).
struct Conv {
  int channels = 1;
  Size2 kernel = 1;
  Size2 stride = 1;
  Size2 dilation = 1;
  Padding padding = 0;
  int groups = 1;
  bool bias = true;
  Activation activation{};
  bool add = false;
  Init init = Init::he_normal;
  Size2 phase = 0;
};

/// Transposed convolution. Weights `NAME.weight` [in, channels/groups, kh, kw], `NAME.bias`
/// [channels]. Size: (size-1)*stride - pads + kernel + output_padding. Without `learnt`, training
/// leaves the weights as they are.
struct TransposedConv {
  int channels = 1;
  Size2 kernel = 2;
  Size2 stride = 2;
  Padding padding = 0;
  Size2 output_padding = 0;
  int groups = 1;
  bool bias = true;
  bool learnt = true;
  Activation activation{};
  Init init = Init::he_normal;
};

/// (x - mean) / sqrt(var + epsilon) * weight + bias over each channel; in training mean and
/// (biased) variance of the batch, and running_* move by `momentum` towards the batch's (unbiased
/// variance). Parameters `NAME.weight`, `.bias`, `.running_mean`, `.running_var`, each [C].
struct BatchNorm {
  float epsilon = 1e-5f;
  float momentum = 0.1f;
  Activation activation{};
};

/// The same over groups of channels of one picture; parameters `NAME.weight`, `.bias` [C].
struct GroupNorm {
  int groups = 1;
  float epsilon = 1e-5f;
};

/// The same over all channels of each pixel alone, as ConvNeXt has it (Liu et al., CVPR 2022; Ba et
/// al., 2016, for the idea); parameters `NAME.weight`, `.bias` [C].
struct LayerNorm {
  float epsilon = 1e-5f;
};

struct Activate {
  Activation activation{};
};

/// Maximum over windows; padding never wins. With `ceil`, sizes round up (Caffe), but no window
/// starts beyond the padded picture.
struct MaxPool {
  Size2 kernel = 2;
  Size2 stride = 2;
  Padding padding = 0;
  bool ceil = false;
};

/// Mean over windows; with `count_padding` the padding's zeros are part of the mean.
struct AveragePool {
  Size2 kernel = 2;
  Size2 stride = 2;
  Padding padding = 0;
  bool ceil = false;
  bool count_padding = true;
};

/// Mean over the whole plane: [N,C,1,1].
struct GlobalAveragePool {};

/// To `scale` / `divisor` times the size, rounded up, or with scale = 0 to the size of the second
/// input.
/// Half-pixel centred unless `align_corners`; nearest takes floor((i + 0.5) * in/out)
/// ("nearest-exact" at odd ratios, the usual nearest at whole ones).
struct Resize {
  Interpolation mode = Interpolation::bilinear;
  bool align_corners = false;
  int scale = 0;
  int divisor = 1;
};

/// Along channels, in the order of the inputs.
struct Concat {};

/// Sum of two inputs of one shape.
struct Add {
  Activation activation{};
};

/// Product of two inputs; the second may be [N,C,1,1] (broadcast over space).
struct Multiply {};

/// Adds `margin`, then rows below and columns at the right until size % multiple == remainder.
struct Pad {
  PadMode mode = PadMode::zero;
  Padding margin = 0;  // where none is positive, negative ones cut; files have none
  int multiple = 1;
  int remainder = 0;
};

/// To the size of the second input: from `offset`, or centred where `centre` (rounded down).
struct Crop {
  bool centre = false;
  Size2 offset = 0;
};

/// In training zeroes values with probability `rate` and scales the rest by 1/(1-rate).
struct Dropout {
  float rate = 0.5f;
};

/// exp(x) / sum(exp(x)) over channels.
struct Softmax {};

/// The larger of two inputs of one shape, element by element; where they are equal, each has half
/// of the gradient (as in PyTorch).
struct Maximum {};

/// Classifiers that depend on where a pixel lies: of `grid`*`grid` scores for each class, channel
/// k*grid*grid + row*grid + column, to [N,K,H,W], each pixel's scores weighted as magnifying a map
/// [grid,grid] to [H,W] weights its pixels (bilinear, half-pixel centred). Hariharan et al., CVPR
/// 2015, section 4.2.
struct LocationGrid {
  int grid = 10;
};

/// A fully connected CRF as a layer: of scores s [N,K,H,W], by the picture that the network reads
/// [N,C,H,W], `iterations` times from x = s on
///   x = s - compatibility * (sum over kernels m of weight_m factor_m * (k_m softmax(x)));
/// the result is the last x, scores again. k_m are Gaussians over all pairs of pixels (a pixel and
/// itself included), of positions, and of positions and colours, on the permutohedral lattice.
/// One channel is the score of label 1 beside a label 0 of score 0. Parameters for L labels (K, or
/// 2): `NAME.spatial` and `NAME.bilateral` [L], a factor on the kernel's weight for each label, at
/// first 1; `NAME.compatibility` [L,L], whose row k holds the cost of label k beside each label, at
/// first Potts. The picture gets no gradient.
/// Zheng et al., ICCV 2015. Where we differ: the weights are factors on settings.
struct MeanField {
  int iterations = 5;
  float spatial_sigma_px = 3;
  float spatial_weight = 3;  // 0: without this kernel and its factors
  float bilateral_sigma_px = 80;
  float bilateral_sigma_colour = 13;  // in 8-bit levels
  float bilateral_weight = 10;        // 0: without this kernel and its factors
  CrfNormalisation normalisation = CrfNormalisation::symmetric;
  /// The 8-bit levels that 1 stands for in the picture, one number for all channels or one for
  /// each: 255 * the deviation that pre-processing divides by. A channel of 0 does not count.
  std::vector<float> levels{1};
  /// The 8-bit level that 0 stands for in the picture, for all channels or each: 255 * the mean
  /// that pre-processing subtracts. Distances do not depend on it, but where colours lie among the
  /// lattice's vertices does. Within a thousandth of a whole level it is that level.
  std::vector<float> zero_levels{0};
};

}  // namespace op

using Operator =
    std::variant<op::Input, op::Conv, op::TransposedConv, op::BatchNorm, op::GroupNorm,
                 op::LayerNorm, op::Activate, op::MaxPool, op::AveragePool, op::GlobalAveragePool,
                 op::Resize, op::Concat, op::Add, op::Multiply, op::Pad, op::Crop, op::Dropout,
                 op::Softmax, op::Maximum, op::LocationGrid, op::MeanField>;

/// "conv", "batch_norm", ...: the names used in files and messages.
const char* operator_name(const Operator& op);
const char* activation_name(ActivationKind kind);
const char* normalisation_name(CrfNormalisation normalisation);

/// The labels between which a mean field of scores of so many channels decides.
constexpr int mean_field_labels(int channels) {
  return channels == 1 ? 2 : channels;
}

/// The activation that `op` applies to what it made: none for operators that have no such setting.
/// An op::Activate applies its own to what another made, so it counts as none.
Activation fused_activation(const Operator& op);

}  // namespace segmentum
