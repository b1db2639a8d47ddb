// Turns gradients into better weights, step by step.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "engine/executor.h"
#include "graph/parameter_store.h"
#include "graph/parts.h"
#include "tensor/tensor.h"

namespace segmentum {

enum class OptimizerKind { sgd, adamw };

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adamw;
  double weight_decay = 0.01;
  bool decay_all = false;  // also biases and norm parameters, as PyTorch does by default
  double momentum = 0.9;   // sgd
  bool nesterov = false;   // sgd
  double beta1 = 0.9;      // adamw
  double beta2 = 0.999;    // adamw
  double epsilon = 1e-8;   // adamw
};

/// What sets single parameters apart.
struct PartOptions {
  std::set<std::string> frozen;  // never change and have no state
  /// Factors on the learning rate by pattern (graph/parts.h); where several mean a parameter, the
  /// most exact pattern decides: the longest, and "backbone" and "head" last where no part is
  /// called so.
  std::map<std::string, double> lr_factors;
};

/// SGD with momentum, or AdamW (Loshchilov and Hutter, ICLR 2019), with the arithmetic of
/// torch.optim 1.13:
///   sgd:   g += decay*p;  v = momentum*v + g;  p -= lr * (nesterov ? g + momentum*v : v)
///   adamw: p -= lr*decay*p;  m = b1*m + (1-b1)*g;  v = b2*v + (1-b2)*g*g
///          p -= lr/(1-b1^t) * m / (sqrt(v)/sqrt(1-b2^t) + epsilon)
/// Unlike PyTorch's default only weights decay, not biases and norm parameters (`decay_all`).
/// `lr` is that of the parameter: the one of the step times its factor, as in a parameter group.
class Optimizer {
 public:
  /// State for every trainable parameter of `parameters` that is not frozen, zero.
  Optimizer(const OptimizerOptions& options, const ParameterStore& parameters,
            const PartOptions& parts = {});

  /// One update with learning rate `lr` of every parameter that has a gradient. Same bits for any
  /// thread count. Throws Error if a gradient has no state or another shape.
  void step(ParameterStore& parameters, const Gradients& gradients, double lr);

  std::int64_t steps() const { return steps_; }
  /// "momentum.NAME" (sgd), "mean.NAME" and "square.NAME" (adamw).
  const std::map<std::string, Tensor>& state() const { return state_; }
  /// Continues from a checkpoint. Throws Error naming what is missing or misshapen.
  void restore(std::map<std::string, Tensor> state, std::int64_t steps);

 private:
  OptimizerOptions options_;
  std::map<std::string, Tensor> state_;
  std::map<std::string, double> factors_;  // by parameter
  std::int64_t steps_ = 0;
};

/// The factor on the learning rate of the parameter `name` of a network of `parts`: 1 where no
/// pattern means it.
double lr_factor(const std::map<std::string, double>& factors, const Parts& parts,
                 const std::string& name);

/// The Euclidean norm of all gradients together. Same bits for any thread count.
double global_norm(const Gradients& gradients);

/// Scales all gradients so that their norm is at most `max_norm`, as
/// torch.nn.utils.clip_grad_norm_; returns the norm before. A norm that is not finite scales
/// nothing.
double clip_gradients(Gradients& gradients, double max_norm);

/// Sets every gradient to zero.
void clear_gradients(Gradients& gradients);

}  // namespace segmentum
