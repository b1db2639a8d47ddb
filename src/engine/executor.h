// What every engine offers: a plan runs one graph at one set of input shapes, forward and backward.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "graph/bands.h"
#include "graph/graph.h"
#include "graph/parameter_store.h"
#include "graph/regions.h"
#include "tensor/tensor.h"

namespace segmentum {

enum class Mode { infer, train };

/// How the outputs of an inference plan are read.
enum class OutputForm {
  whole,  // as numbers: `Plan::output`
  rows    // as labels or probabilities, `Plan::rows`: what magnifies or cuts scores last is done
          // while they are read, so scores of that size are never in memory; there is no `output`
};

class ScoreRows;

/// Memory that several plans share which never run at the same time.
class Workspace {
 public:
  /// At least `count` floats, which hold whatever the plan that ran last left there. Pointers from
  /// earlier calls end where the memory must grow.
  float* floats(std::int64_t count);
  std::size_t bytes() const { return memory_.values().size_bytes(); }

 private:
  Tensor memory_;
};

struct PlanOptions {
  Mode mode = Mode::infer;
  bool frozen_batch_norm =
      false;                     // train: normalise by the running statistics and leave them alone
  bool input_gradients = false;  // train: also compute dLoss/dInput (for tests and analysis)
  /// train: parameters that are not learnt and have no gradient, by name. A batch norm of which
  /// both are frozen normalises by its running statistics and leaves them alone.
  std::set<std::string> frozen;
  OutputForm outputs = OutputForm::whole;  // rows: infer only
  /// infer: where the plan lives while it runs, its input and outputs included: `input` is to be
  /// written anew before each `forward`, outputs hold until another plan's turn. Engines whose
  /// values are not planned ignore it.
  std::shared_ptr<Workspace> workspace;
  /// train: as many values as possible are given up after the forward pass and computed again where
  /// the backward pass needs them: less memory, more time, the same bits. Without it only those
  /// that 1.5 % of a step's work pays for. Engines whose values are not planned ignore it.
  bool lean = false;
  /// infer: pads that hold rows of the run before (`in_bands`). A `workspace` is then the plan's
  /// alone from band to band.
  std::vector<CarriedRows> carried;
};

/// What may differ between two runs of one plan.
struct RunOptions {
  std::uint64_t seed = 0;  // with `step`, keys the dropout masks
  std::uint32_t step = 0;
  std::int64_t band = 0;  // of a plan that carries rows, one more with every run
};

enum class Pass { forward, backward };

/// How long one step of a plan took.
struct StepTime {
  std::string node;
  std::string kernel;
  Pass pass = Pass::forward;
  double seconds = 0;
  std::vector<std::string> within{};  // other nodes that the step computes on the way to this one
};

/// dLoss/dParameter by parameter name, for the trainable parameters that are not frozen.
using Gradients = std::map<std::string, Tensor>;

/// A graph made ready for inputs of fixed shapes. Not thread-safe: one plan for each thread; plans
/// of one executor share the packed weights. All tensors seen from outside are plain NCHW.
class Plan {
 public:
  virtual ~Plan() = default;

  /// Where the caller writes input `index` of the graph before `forward`, [N,C,H,W].
  virtual TensorView input(int index = 0) = 0;
  /// Runs all steps. In train mode batch norms update their running statistics in the
  /// ParameterStore.
  virtual void forward(const RunOptions& options = {}) = 0;
  /// The value of an output, valid until the next `forward`. Throws Error for an unknown name.
  virtual ConstTensorView output(const std::string& name) const = 0;
  /// The same as labels or probabilities, in inference, whatever the form of the outputs: the same
  /// labels, bit for bit.
  virtual const ScoreRows& rows(const std::string& name) = 0;

  /// Train mode: where the caller writes dLoss/dOutput before `backward`; zero-filled by `forward`.
  virtual TensorView output_gradient(const std::string& name) = 0;
  /// Adds dLoss/dParameter to `gradients()`; once after each `forward`, whose values it uses up.
  virtual void backward() = 0;
  virtual Gradients& gradients() = 0;
  /// dLoss/dInput of the last `backward`, if `PlanOptions::input_gradients`.
  virtual ConstTensorView input_gradient(int index = 0) const = 0;

  /// Bytes of activations, gradients and scratch that this plan holds once it runs; in train mode
  /// of packed weights too.
  virtual std::size_t memory_bytes() const = 0;

  /// Runs `forward` and, in train mode, `backward` on zero output gradients, and times each step,
  /// in the order in which they ran. Empty for engines whose work has no steps.
  virtual std::vector<StepTime> profile() { return {}; }
};

/// Makes plans. Safe to use from many threads.
class Executor {
 public:
  virtual ~Executor() = default;
  /// `parameters` must outlive the plan; training writes running statistics into it.
  /// Throws Error if shapes cannot work or parameters are missing. `inputs`: one shape for each
  /// input.
  virtual std::unique_ptr<Plan> plan(const Graph& graph, ParameterStore& parameters,
                                     std::span<const Shape> inputs, const PlanOptions& options) = 0;
  virtual std::string name() const = 0;
  /// A part of a picture has the whole's bits if it starts at multiples of the grid's period, on
  /// every axis of every value, and includes whole groups.
  virtual ConvolutionGrid grid() const { return {}; }
};

/// Plain loops: slow, obvious, the oracle of every test.
std::unique_ptr<Executor> make_reference_executor();

struct CpuOptions {
  /// Every convolution as the sum of its products: no Winograd, whose results are off by ten times
  /// as much (docs/performance.md says by how much and what it costs).
  bool exact = false;
};

/// oneDNN in blocked layouts and our own SIMD kernels: the default.
std::unique_ptr<Executor> make_cpu_executor(const CpuOptions& options);
std::unique_ptr<Executor> make_cpu_executor();

}  // namespace segmentum
