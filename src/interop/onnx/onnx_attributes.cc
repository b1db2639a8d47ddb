#include "interop/onnx/onnx_attributes.h"

#include "segmentum/error.h"

namespace segmentum {
namespace {

const OnnxAttribute* attribute_of(const OnnxNode& node, std::string_view name,
                                  OnnxAttribute::Kind kind) {
  const OnnxAttribute* found = node.find(name);
  if (found != nullptr && found->kind != kind) {
    throw Error("has an attribute " + std::string(name) + " of another kind than ONNX's");
  }
  return found;
}

}  // namespace

std::int64_t whole_of(const OnnxNode& node, std::string_view attribute, std::int64_t otherwise) {
  const auto* found = attribute_of(node, attribute, OnnxAttribute::Kind::whole);
  return found == nullptr ? otherwise : found->whole;
}

float real_of(const OnnxNode& node, std::string_view attribute, float otherwise) {
  const auto* found = attribute_of(node, attribute, OnnxAttribute::Kind::real);
  return found == nullptr ? otherwise : found->real;
}

std::string text_of(const OnnxNode& node, std::string_view attribute, std::string_view otherwise) {
  const auto* found = attribute_of(node, attribute, OnnxAttribute::Kind::text);
  return found == nullptr ? std::string(otherwise) : found->text;
}

std::vector<std::int64_t> wholes_of(const OnnxNode& node, std::string_view attribute) {
  const auto* found = attribute_of(node, attribute, OnnxAttribute::Kind::wholes);
  return found == nullptr ? std::vector<std::int64_t>() : found->wholes;
}

}  // namespace segmentum
