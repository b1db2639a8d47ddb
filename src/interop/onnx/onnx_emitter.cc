#include "interop/onnx/onnx_emitter.h"

#include <algorithm>
#include <utility>

namespace segmentum {
namespace {

template <typename Number>
std::string bytes_of(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

std::int64_t computed(const std::string& op, std::int64_t a, std::int64_t b) {
  if (op == "Add") return a + b;
  if (op == "Sub") return a - b;
  if (op == "Mul") return a * b;
  if (op == "Div") return a / b;
  return ((a % b) + b) % b;
}

}  // namespace

OnnxAttribute attribute(const std::string& name, std::int64_t number) {
  return {.name = name, .kind = OnnxAttribute::Kind::whole, .whole = number};
}

OnnxAttribute attribute(const std::string& name, float number) {
  return {.name = name, .kind = OnnxAttribute::Kind::real, .real = number};
}

OnnxAttribute attribute(const std::string& name, const char* text) {
  return {.name = name, .kind = OnnxAttribute::Kind::text, .text = text};
}

OnnxAttribute attribute(const std::string& name, std::vector<std::int64_t> numbers) {
  return {.name = name, .kind = OnnxAttribute::Kind::wholes, .wholes = std::move(numbers)};
}

std::string OnnxEmitter::unique(const std::string& wanted) {
  std::string name = wanted;
  for (int i = 2; !names_.insert(name).second; ++i) name = wanted + "_" + std::to_string(i);
  return name;
}

std::string OnnxEmitter::node(const std::string& op, const std::string& output,
                              std::vector<std::string> inputs,
                              std::vector<OnnxAttribute> attributes) {
  model_.nodes.push_back({.name = output,
                          .op = op,
                          .inputs = std::move(inputs),
                          .outputs = {output},
                          .attributes = std::move(attributes)});
  return output;
}

std::string OnnxEmitter::constant(OnnxTensor tensor, const std::string& wanted) {
  std::string key = std::to_string(static_cast<int>(tensor.type));
  for (const std::int64_t dim : tensor.dims) key += "x" + std::to_string(dim);
  key += ":" + tensor.own_bytes;
  const auto found = constants_.find(key);
  if (found != constants_.end()) return found->second;
  tensor.name = unique(wanted);
  constants_.emplace(key, tensor.name);
  model_.initializers.push_back(std::move(tensor));
  return model_.initializers.back().name;
}

std::string OnnxEmitter::wholes(const std::vector<std::int64_t>& numbers) {
  return constant({.type = OnnxType::i64,
                   .dims = {static_cast<std::int64_t>(numbers.size())},
                   .own_bytes = bytes_of(numbers)},
                  "sizes");
}

std::string OnnxEmitter::whole(std::int64_t number) {
  return constant({.type = OnnxType::i64, .own_bytes = bytes_of(std::vector{number})}, "number");
}

std::string OnnxEmitter::reals(const std::vector<float>& numbers, std::vector<std::int64_t> dims) {
  return constant({.type = OnnxType::f32, .dims = std::move(dims), .own_bytes = bytes_of(numbers)},
                  "reals");
}

std::string OnnxEmitter::no_reals(int opset) {
  constexpr int kMayBeLeftOut = 13;
  return opset >= kMayBeLeftOut ? "" : reals({}, {0});
}

std::string OnnxEmitter::name_of(const Extent& extent) {
  return extent.known ? wholes({*extent.known}) : extent.name;
}

Extent OnnxEmitter::combined(const char* op, const Extent& a, const Extent& b) {
  if (a.known && b.known) return computed(op, *a.known, *b.known);
  const std::string name = op;
  const bool sums = name == "Add" || name == "Sub";
  if (b.known == 0 && sums) return a;
  if (a.known == 0 && name == "Add") return b;
  if (b.known == 1 && (name == "Mul" || name == "Div")) return a;
  const std::string left = name_of(a), right = name_of(b);
  auto& result = computed_[name + " " + left + " " + right];
  if (result.empty()) result = node(name, unique("size"), {left, right});
  return Extent(result);
}

Extent OnnxEmitter::gathered(const std::string& array, std::int64_t i, const std::string& wanted) {
  auto& result = computed_["Gather " + array + " " + std::to_string(i)];
  if (result.empty()) {
    result =
        node("Gather", unique(wanted), {array, wholes({i})}, {attribute("axis", std::int64_t{0})});
  }
  return Extent(result);
}

std::string OnnxEmitter::array(const std::vector<Extent>& extents) {
  if (std::ranges::all_of(extents, [](const Extent& extent) { return extent.known.has_value(); })) {
    std::vector<std::int64_t> numbers;
    for (const Extent& extent : extents) numbers.push_back(*extent.known);
    return wholes(numbers);
  }
  std::vector<std::string> names;
  std::string key = "Concat";
  for (const Extent& extent : extents) {
    names.push_back(name_of(extent));
    key += " " + names.back();
  }
  auto& result = computed_[key];
  if (result.empty()) {
    result =
        node("Concat", unique("sizes"), std::move(names), {attribute("axis", std::int64_t{0})});
  }
  return result;
}

}  // namespace segmentum
