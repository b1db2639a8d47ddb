// The default engine: lowers a graph for one size and runs the steps.
#include <algorithm>
#include <chrono>

#include "base/threads.h"
#include "engine/cpu/conv_pass.h"
#include "engine/cpu/lowering.h"
#include "engine/executor.h"
#include "engine/score_rows.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using cpu::Frame;
using cpu::PackedWeightCache;
using cpu::Program;
using cpu::Slot;
using cpu::Step;
using cpu::View;

Gradients zero_gradients(const Graph& graph, const PlanOptions& options) {
  Gradients gradients;
  if (options.mode == Mode::infer) return gradients;
  for (const ParameterSpec& spec : graph.parameters) {
    if (!is_trainable(spec.role) || options.frozen.contains(spec.name)) continue;
    gradients.emplace(spec.name, Tensor(spec.shape));
  }
  return gradients;
}

/// Weights that learn are packed for one plan alone.
std::shared_ptr<PackedWeightCache> own_weights(const PlanOptions& options) {
  using Keep = PackedWeightCache::Keep;
  return std::make_shared<PackedWeightCache>(options.lean ? Keep::turns : Keep::all);
}

class DrawnRows final : public ScoreRows {
 public:
  /// `frame` is asked anew for each row: a workspace may have moved.
  DrawnRows(const cpu::DrawnOutput& output, std::function<Frame()> frame)
      : output_(output), frame_(std::move(frame)) {}

  Shape shape() const override { return output_.shape; }
  void labels(std::int64_t n, std::int64_t y, Interval x, std::uint16_t* labels) const override {
    cpu::draw_labels(frame_().view(output_.source), output_.drawing, n, y, x, labels);
  }
  void probabilities(std::int64_t n, std::int64_t y, Interval x, float* values,
                     std::ptrdiff_t plane) const override {
    cpu::draw_probabilities(frame_().view(output_.source), output_.drawing, n, y, x, values, plane);
  }

 private:
  const cpu::DrawnOutput& output_;
  std::function<Frame()> frame_;
};

class CpuPlan final : public Plan {
 public:
  CpuPlan(const Graph& graph, ParameterStore& parameters, std::span<const Shape> inputs,
          const PlanOptions& options, const CpuOptions& cpu_options,
          std::shared_ptr<PackedWeightCache> weights)
      : graph_(graph),
        trains_(options.mode == Mode::train),
        weights_(trains_ ? own_weights(options) : std::move(weights)),
        threads_(threads()),
        gradients_(zero_gradients(graph_, options)),
        program_(
            cpu::Lowering(graph_, parameters, inputs, options, cpu_options, *weights_, gradients_)
                .lower()),
        workspace_(options.workspace) {}

  TensorView input(int index) override {
    return plain(program_.inputs[static_cast<std::size_t>(index)]);
  }

  void forward(const RunOptions& options) override {
    start(options);
    execute(Pass::forward);
  }

  ConstTensorView output(const std::string& name) const override {
    return const_cast<CpuPlan*>(this)->plain(find(program_.outputs, name));
  }

  const ScoreRows& rows(const std::string& name) override {
    graph_.output(name);  // explains an unknown name
    std::unique_ptr<ScoreRows>& rows = rows_[name];
    if (rows) return *rows;
    const auto drawn = program_.drawn_outputs.find(name);
    if (drawn == program_.drawn_outputs.end()) {
      rows = std::make_unique<OutputRows>(*this, name);
    } else {
      rows = std::make_unique<DrawnRows>(drawn->second, [this] { return frame(Pass::forward); });
    }
    return *rows;
  }

  TensorView output_gradient(const std::string& name) override {
    return plain(find(program_.output_gradients, name));
  }

  void backward() override { execute(Pass::backward); }
  Gradients& gradients() override { return gradients_; }

  ConstTensorView input_gradient(int index) const override {
    const auto i = static_cast<std::size_t>(index);
    if (i >= program_.input_gradients.size()) {
      throw Error("the plan was not made with input_gradients");
    }
    return const_cast<CpuPlan*>(this)->plain(program_.input_gradients[i]);
  }

  std::size_t memory_bytes() const override {
    std::size_t floats = static_cast<std::size_t>(program_.arena_floats);
    for (const auto& [name, gradient] : gradients_) floats += gradient.values().size();
    std::size_t bytes = floats * sizeof(float) + (trains_ ? weights_->bytes() : 0);
    for (const auto& held : program_.beside_arena) bytes += held();
    return bytes;
  }

  std::vector<StepTime> profile() override {
    std::vector<StepTime> times;
    start({});
    execute(Pass::forward, &times);
    execute(Pass::backward, &times);
    return times;
  }

 private:
  TensorView plain(const Slot& slot) { return {slot.shape, frame(Pass::forward).view(slot).data}; }

  Frame frame(Pass pass) { return {arena(), &program_.buffers, run_, pass}; }

  /// Taken when it is first used: a plan that is only asked for its size takes no memory.
  float* arena() {
    if (workspace_) return workspace_->floats(program_.arena_floats);
    if (arena_.data() == nullptr) arena_ = Tensor({program_.arena_floats});
    return arena_.data();
  }

  const Slot& find(const std::map<std::string, Slot>& slots, const std::string& name) const {
    const auto found = slots.find(name);
    if (found == slots.end()) {
      graph_.output(name);  // explains an unknown name
      if (program_.drawn_outputs.contains(name)) {
        throw Error("the plan was made to be read by rows, so \"" + name +
                    "\" is nowhere as a whole; OutputForm::whole would work");
      }
      throw Error("gradients exist in train mode only");
    }
    return found->second;
  }

  void start(const RunOptions& options) {
    run_ = options;
    for (auto& [name, slot] : program_.output_gradients) {
      std::ranges::fill(plain(slot).values(), 0.0f);
    }
  }

  /// oneDNN divides work as it was told when the plan was made, so a plan keeps its thread count.
  void execute(Pass pass, std::vector<StepTime>* times = nullptr) {
    using Clock = std::chrono::steady_clock;
    const ThreadsInScope as_planned(threads_);
    Frame f = frame(pass);
    for (const Step& step : pass == Pass::forward ? program_.forward : program_.backward) {
      const Clock::time_point begin = Clock::now();
      f.again = step.again;
      step.run(f);
      if (times == nullptr) continue;
      const std::chrono::duration<double> taken = Clock::now() - begin;
      times->push_back({step.node, step.kernel, pass, taken.count(), step.within});
    }
  }

  const Graph graph_;
  bool trains_;
  std::shared_ptr<PackedWeightCache> weights_;
  int threads_;
  Gradients gradients_;
  Program program_;
  std::shared_ptr<Workspace> workspace_;
  Tensor arena_;  // where there is no workspace
  RunOptions run_;
  std::map<std::string, std::unique_ptr<ScoreRows>> rows_;  // those that were asked for
};

class CpuExecutor final : public Executor {
 public:
  explicit CpuExecutor(const CpuOptions& options) : options_(options) {}

  std::unique_ptr<Plan> plan(const Graph& graph, ParameterStore& parameters,
                             std::span<const Shape> inputs, const PlanOptions& options) override {
    require_parameters(graph, parameters);
    return std::make_unique<CpuPlan>(graph, parameters, inputs, options, options_, weights_);
  }
  std::string name() const override { return "cpu"; }
  ConvolutionGrid grid() const override {
    return options_.exact ? ConvolutionGrid{} : cpu::winograd_grid();
  }

 private:
  CpuOptions options_;
  std::shared_ptr<PackedWeightCache> weights_ = std::make_shared<PackedWeightCache>();
};

}  // namespace

std::unique_ptr<Executor> make_cpu_executor() {
  return make_cpu_executor({});
}

std::unique_ptr<Executor> make_cpu_executor(const CpuOptions& options) {
  return std::make_unique<CpuExecutor>(options);
}

}  // namespace segmentum
