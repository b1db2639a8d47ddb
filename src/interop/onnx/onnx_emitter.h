// Nodes and constants of an ONNX graph in the making, with names that stand for one value each.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "interop/onnx/onnx_model.h"

namespace segmentum {

/// A whole number that the graph computes from its picture's size, or one that is known: arithmetic
/// on known ones leaves no nodes behind.
struct Extent {
  std::optional<std::int64_t> known;
  std::string name;  // of a value of one axis and one number

  Extent() = default;
  Extent(std::int64_t number) : known(number) {}
  explicit Extent(std::string value) : name(std::move(value)) {}
};

OnnxAttribute attribute(const std::string& name, std::int64_t number);
OnnxAttribute attribute(const std::string& name, float number);
OnnxAttribute attribute(const std::string& name, const char* text);
OnnxAttribute attribute(const std::string& name, std::vector<std::int64_t> numbers);

class OnnxEmitter {
 public:
  explicit OnnxEmitter(OnnxModel& model) : model_(model) {}

  /// A name that no other value has: `wanted`, or with a number behind it.
  std::string unique(const std::string& wanted);

  /// Adds a node of one output, whose name it returns; `output` must be unique.
  std::string node(const std::string& op, const std::string& output,
                   std::vector<std::string> inputs, std::vector<OnnxAttribute> attributes = {});

  /// Small constants; equal ones are one.
  std::string wholes(const std::vector<std::int64_t>& numbers);
  std::string whole(std::int64_t number);  // of no axes
  std::string reals(const std::vector<float>& numbers, std::vector<std::int64_t> dims);
  /// The input left out: an empty tensor where the operator set asks for one.
  std::string no_reals(int opset);

  // Arithmetic on extents. Quotients are rounded down; `modulo` is never negative.
  Extent plus(const Extent& a, const Extent& b) { return combined("Add", a, b); }
  Extent minus(const Extent& a, const Extent& b) { return combined("Sub", a, b); }
  Extent times(const Extent& a, const Extent& b) { return combined("Mul", a, b); }
  Extent over(const Extent& a, const Extent& b) { return combined("Div", a, b); }
  Extent modulo(const Extent& a, const Extent& b) { return combined("Mod", a, b); }
  /// Number `i` of an array of extents.
  Extent gathered(const std::string& array, std::int64_t i, const std::string& wanted);
  /// Several as one array.
  std::string array(const std::vector<Extent>& extents);
  std::string name_of(const Extent& extent);

 private:
  Extent combined(const char* op, const Extent& a, const Extent& b);
  std::string constant(OnnxTensor tensor, const std::string& wanted);

  OnnxModel& model_;
  std::set<std::string> names_;
  std::map<std::string, std::string> constants_;  // name by type, axes and bytes
  std::map<std::string, std::string> computed_;   // name by operator and inputs
};

}  // namespace segmentum
