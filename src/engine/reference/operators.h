// Every operator as plain loops over NCHW, forward and backward: the meaning of operators.h in
// code. Sums run in double, so that the float engine's values are the exact ones rounded once.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/dropout.h"
#include "graph/operators.h"
#include "tensor/tensor.h"

namespace segmentum::reference {

/// What an operator reads, forward and backward: values and parameters in the node's order.
template <typename T>
struct Sources {
  std::vector<BasicTensorView<const T>> inputs;
  std::vector<BasicTensorView<const T>> parameters;
  bool batch_statistics = false;       // batch norm: by the batch, not by the running statistics
  std::optional<DropoutMask> dropout;  // train mode only
};

/// What a backward step reads and adds to.
template <typename T>
struct Gradients {
  BasicTensorView<const T> value;              // what forward made
  BasicTensorView<const T> output;             // dLoss/dValue
  std::vector<BasicTensorView<T>> inputs;      // dLoss/dInput, added to
  std::vector<BasicTensorView<T>> parameters;  // dLoss/dParameter, added to; not learnt: no data
};

/// Per channel, over the batch and the plane.
struct ChannelStatistics {
  std::vector<double> mean;
  std::vector<double> variance;           // biased: what normalises
  std::vector<double> unbiased_variance;  // what running_var moves to; 0 for a single value
};

template <typename T>
ChannelStatistics channel_statistics(BasicTensorView<const T> x);

/// forward(op, sources, output): writes `output`. backward(op, sources, gradients): adds to the
/// gradients of inputs and parameters. Activations fused into Conv, TransposedConv, BatchNorm and
/// Add are the plan's work (`fused_activation`): here the value is the one before the activation.
#define SEGMENTUM_REFERENCE_OPERATOR(Op)                                         \
  template <typename T>                                                          \
  void forward(const Op&, const Sources<T>& sources, BasicTensorView<T> output); \
  template <typename T>                                                          \
  void backward(const Op&, const Sources<T>& sources, const Gradients<T>& gradients)

SEGMENTUM_REFERENCE_OPERATOR(op::Conv);
SEGMENTUM_REFERENCE_OPERATOR(op::TransposedConv);
SEGMENTUM_REFERENCE_OPERATOR(op::BatchNorm);
SEGMENTUM_REFERENCE_OPERATOR(op::GroupNorm);
SEGMENTUM_REFERENCE_OPERATOR(op::LayerNorm);
SEGMENTUM_REFERENCE_OPERATOR(op::Activate);
SEGMENTUM_REFERENCE_OPERATOR(op::MaxPool);
SEGMENTUM_REFERENCE_OPERATOR(op::AveragePool);
SEGMENTUM_REFERENCE_OPERATOR(op::GlobalAveragePool);
SEGMENTUM_REFERENCE_OPERATOR(op::Resize);
SEGMENTUM_REFERENCE_OPERATOR(op::Concat);
SEGMENTUM_REFERENCE_OPERATOR(op::Add);
SEGMENTUM_REFERENCE_OPERATOR(op::Multiply);
SEGMENTUM_REFERENCE_OPERATOR(op::Pad);
SEGMENTUM_REFERENCE_OPERATOR(op::Crop);
SEGMENTUM_REFERENCE_OPERATOR(op::Dropout);
SEGMENTUM_REFERENCE_OPERATOR(op::Softmax);
SEGMENTUM_REFERENCE_OPERATOR(op::Maximum);
SEGMENTUM_REFERENCE_OPERATOR(op::LocationGrid);
SEGMENTUM_REFERENCE_OPERATOR(op::MeanField);
#undef SEGMENTUM_REFERENCE_OPERATOR

/// y = activation(x), element by element.
template <typename T>
void activate(const Activation& activation, BasicTensorView<const T> x, BasicTensorView<T> y);

/// grad_x += grad_y * activation'(x). At its corners an activation has PyTorch's slope.
template <typename T>
void activate_backward(const Activation& activation, BasicTensorView<const T> x,
                       BasicTensorView<const T> grad_y, BasicTensorView<T> grad_x);

/// For the operators' own files: both functions for float and double.
#define SEGMENTUM_INSTANTIATE_REFERENCE(Op)                                          \
  template void forward(const Op&, const Sources<float>&, BasicTensorView<float>);   \
  template void forward(const Op&, const Sources<double>&, BasicTensorView<double>); \
  template void backward(const Op&, const Sources<float>&, const Gradients<float>&); \
  template void backward(const Op&, const Sources<double>&, const Gradients<double>&)

}  // namespace segmentum::reference
