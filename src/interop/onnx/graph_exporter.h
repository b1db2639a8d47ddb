// A graph of ours on its way to ONNX, node by node; private to the exporter.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/parameter_store.h"
#include "image/preprocess.h"
#include "interop/onnx/export_onnx.h"
#include "interop/onnx/onnx_emitter.h"

namespace segmentum {

/// Writes one graph; operator() writes one node's operator and returns its result's name.
class GraphExporter {
 public:
  GraphExporter(const Graph& graph, const ParameterStore& parameters, const Preprocess& preprocess,
                const OnnxExportOptions& options)
      : graph_(graph),
        parameters_(parameters),
        preprocess_(preprocess),
        o_(options),
        emit_(model_),
        values_(graph.nodes.size()),
        initializers_(graph.parameters.size()) {}

  OnnxModel exported() &&;

  std::string operator()(const op::Input& o);
  std::string operator()(const op::Conv& o);
  std::string operator()(const op::TransposedConv& o);
  std::string operator()(const op::BatchNorm& o);
  std::string operator()(const op::GroupNorm& o);
  std::string operator()(const op::LayerNorm& o);
  std::string operator()(const op::Activate& o);
  std::string operator()(const op::MaxPool& o);
  std::string operator()(const op::AveragePool& o);
  std::string operator()(const op::GlobalAveragePool& o);
  std::string operator()(const op::Resize& o);
  std::string operator()(const op::Concat& o);
  std::string operator()(const op::Add& o);
  std::string operator()(const op::Multiply& o);
  std::string operator()(const op::Pad& o);
  std::string operator()(const op::Crop& o);
  std::string operator()(const op::Dropout& o);
  std::string operator()(const op::Softmax& o);
  std::string operator()(const op::Maximum& o);
  std::string operator()(const op::LocationGrid& o);
  std::string operator()(const op::MeanField& o);

 private:
  void write_header();
  void write_outputs();
  bool is_labels(const Output& output) const { return o_.argmax && output.name == "logits"; }
  void write_labels(const Output& logits);
  OnnxValueInfo info(const std::string& name, ValueId id) const;

  const Node& node() const { return graph_.node(id_); }
  ValueId input_id(std::size_t i) const { return node().inputs[i]; }
  std::string input(std::size_t i) const { return values_[static_cast<std::size_t>(input_id(i))]; }
  /// The name of the node's result.
  std::string result() { return output_name_.empty() ? emit_.unique(node().name) : output_name_; }
  /// Of a value on the way there.
  std::string step(const char* what) { return emit_.unique(node().name + "/" + what); }
  std::string parameter(std::size_t i, std::vector<std::int64_t> dims = {});
  /// x with the activation applied, as the node's result; x is named by `x(name)`.
  template <typename Emit>
  std::string activated(const Activation& activation, const Emit& emit);
  std::string gelu_node(const std::string& x, const std::string& name);
  std::string activation_node(const Activation& activation, const std::string& x,
                              const std::string& name);

  Extent extent(ValueId id, int axis);
  /// Numbers of the lines, mirrored at both ends, that make `size` lines `total` with `before`.
  std::string mirrored_lines(const Extent& size, std::int64_t before, const Extent& total);
  std::string mirrored(const op::Pad& o, const std::array<Extent, 4>& pads);
  void require_windows_inside(Size2 kernel, Size2 stride, const Padding& padding) const;

  const Graph& graph_;
  const ParameterStore& parameters_;
  const Preprocess& preprocess_;
  const OnnxExportOptions& o_;
  OnnxModel model_;
  OnnxEmitter emit_;
  std::vector<std::string> values_;        // names by ValueId
  std::vector<std::string> initializers_;  // names by parameter
  std::map<ValueId, std::string> shapes_;  // names of Shape's results
  std::vector<Shape> fixed_;               // by ValueId, where the size is fixed
  ValueId id_ = 0;                         // of the node that is being written
  std::string output_name_;                // of its result, where it is an output
};

}  // namespace segmentum
