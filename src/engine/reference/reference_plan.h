// The reference engine's plan, open to tests: every node's value and gradient can be read, and in
// double its parameters can be moved by less than a float can tell.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "engine/reference/operators.h"

namespace segmentum {

/// Runs a graph node by node with plain loops, T = float or double. Keeps every value; see
/// `Plan` for what the functions of the same name promise.
template <typename T>
class ReferencePlan {
 public:
  /// Throws Error if shapes cannot work or parameters are missing. `parameters` must outlive the
  /// plan.
  ReferencePlan(const Graph& graph, ParameterStore& parameters, std::span<const Shape> inputs,
                const PlanOptions& options);

  BasicTensorView<T> input(int index = 0);
  void forward(const RunOptions& options = {});
  BasicTensorView<const T> output(const std::string& name) const;
  BasicTensorView<T> output_gradient(const std::string& name);
  void backward();
  std::map<std::string, BasicTensor<T>>& gradients() { return gradients_; }
  BasicTensorView<const T> input_gradient(int index = 0) const;
  std::size_t memory_bytes() const;

  /// What node `id` made in the last `forward`.
  BasicTensorView<const T> value(ValueId id) const { return values_[at(id)].view(); }
  /// dLoss/dValue of the last `backward`; train mode.
  BasicTensorView<const T> value_gradient(ValueId id) const {
    return value_gradients_[at(id)].view();
  }
  /// Parameters that take the place of the store's from the next `forward` on, by name.
  std::map<std::string, BasicTensor<T>>& overrides() { return overrides_; }
  const Graph& graph() const { return graph_; }

 private:
  static std::size_t at(int index) { return static_cast<std::size_t>(index); }
  void require_training(const char* what) const;
  std::size_t output_index(const std::string& name) const;
  void load_parameters();
  bool learns(const Node& node) const;
  reference::Sources<T> sources(ValueId id) const;
  void run_node(ValueId id);
  void carry_rows(const CarriedRows& carried);
  void move_running_statistics(const Node& node);
  void run_node_backward(ValueId id);

  Graph graph_;
  ParameterStore* store_;
  PlanOptions options_;
  RunOptions run_;
  std::map<std::string, BasicTensor<T>> overrides_;
  std::vector<BasicTensor<T>> parameters_;        // as graph_.parameters
  std::vector<BasicTensor<T>> values_;            // as graph_.nodes
  std::vector<BasicTensor<T>> linear_values_;     // before a fused activation, else empty
  std::vector<BasicTensor<T>> value_gradients_;   // train mode
  std::vector<BasicTensor<T>> output_gradients_;  // as graph_.outputs
  std::map<std::string, BasicTensor<T>> gradients_;
  std::map<std::string, BasicTensor<T>> unread_gradients_;  // of frozen parameters
};

extern template class ReferencePlan<float>;
extern template class ReferencePlan<double>;

}  // namespace segmentum
