#include "base/file.h"
#include "interop/onnx/onnx_model.h"
#include "interop/onnx/wire.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Where numbers begin in a file of their own, so that they can be mapped into memory.
constexpr std::uint64_t kPage = 4096;

WireWriter entry(std::string_view key, std::string_view value) {
  WireWriter message;
  message.text(1, key);
  message.text(2, value);
  return message;
}

WireWriter tensor_message(const OnnxTensor& tensor) {
  WireWriter message;
  for (const std::int64_t dim : tensor.dims) message.whole(1, dim);
  message.whole(2, static_cast<std::int64_t>(tensor.type));
  if (!tensor.name.empty()) message.text(8, tensor.name);
  if (const auto& external = tensor.external) {
    message.message(13, entry("location", external->location));
    message.message(13, entry("offset", std::to_string(external->offset)));
    message.message(13, entry("length", std::to_string(external->length.value_or(0))));
    message.whole(14, 1);
  } else {
    message.view(9, tensor.stored());
  }
  return message;
}

WireWriter attribute_message(const OnnxAttribute& attribute) {
  WireWriter message;
  message.text(1, attribute.name);
  switch (attribute.kind) {
    case OnnxAttribute::Kind::real:
      message.real(2, attribute.real);
      break;
    case OnnxAttribute::Kind::whole:
      message.whole(3, attribute.whole);
      break;
    case OnnxAttribute::Kind::text:
      message.text(4, attribute.text);
      break;
    case OnnxAttribute::Kind::wholes:
      for (const std::int64_t number : attribute.wholes) message.whole(8, number);
      break;
    case OnnxAttribute::Kind::tensor:
      message.message(5, tensor_message(*attribute.tensor));
      break;
    default:
      throw Error("attribute " + attribute.name + " is of a kind that is not written");
  }
  message.whole(20, static_cast<std::int64_t>(attribute.kind));
  return message;
}

WireWriter node_message(const OnnxNode& node) {
  WireWriter message;
  for (const std::string& input : node.inputs) message.text(1, input);
  for (const std::string& output : node.outputs) message.text(2, output);
  message.text(3, node.name);
  message.text(4, node.op);
  for (const OnnxAttribute& attribute : node.attributes) {
    message.message(5, attribute_message(attribute));
  }
  return message;
}

WireWriter value_message(const OnnxValueInfo& value) {
  WireWriter shape;
  for (const OnnxDim& dim : value.dims.value_or(std::vector<OnnxDim>())) {
    WireWriter axis;
    if (dim.is_known()) {
      axis.whole(1, dim.size);
    } else {
      axis.text(2, dim.name);
    }
    shape.message(1, std::move(axis));
  }
  WireWriter tensor;
  tensor.whole(1, static_cast<std::int64_t>(value.type));
  tensor.message(2, std::move(shape));
  WireWriter type;
  type.message(1, std::move(tensor));
  WireWriter message;
  message.text(1, value.name);
  message.message(2, std::move(type));
  return message;
}

WireWriter graph_message(const OnnxModel& model, const std::vector<OnnxTensor>& initializers) {
  WireWriter message;
  for (const OnnxNode& node : model.nodes) message.message(1, node_message(node));
  message.text(2, model.graph_name);
  for (const OnnxTensor& tensor : initializers) message.message(5, tensor_message(tensor));
  for (const OnnxValueInfo& input : model.inputs) message.message(11, value_message(input));
  for (const OnnxValueInfo& output : model.outputs) message.message(12, value_message(output));
  return message;
}

WireWriter model_message(const OnnxModel& model, const std::vector<OnnxTensor>& initializers) {
  WireWriter message;
  message.whole(1, model.ir_version);
  message.text(2, model.producer);
  message.text(3, model.producer_version);
  message.message(7, graph_message(model, initializers));
  for (const auto& [domain, version] : model.opsets) {
    WireWriter opset;
    opset.text(1, domain);
    opset.whole(2, version);
    message.message(8, std::move(opset));
  }
  for (const auto& [key, value] : model.metadata) message.message(14, entry(key, value));
  return message;
}

/// The same tensors, but with numbers of a page and more in the file `name`; what that file holds
/// is added to `pieces`.
std::vector<OnnxTensor> moved_out(const std::vector<OnnxTensor>& tensors, const std::string& name,
                                  std::vector<std::string_view>& pieces) {
  static const std::string kFill(kPage, '\0');
  std::vector<OnnxTensor> moved = tensors;
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < moved.size(); ++i) {
    const std::string_view numbers = tensors[i].stored();  // stays where it is
    if (numbers.size() < kPage) continue;
    moved[i].external = {name, offset, numbers.size()};
    pieces.push_back(numbers);
    const std::uint64_t fill = (kPage - numbers.size() % kPage) % kPage;
    pieces.push_back(std::string_view(kFill).substr(0, fill));
    offset += numbers.size() + fill;
  }
  return moved;
}

}  // namespace

std::vector<std::filesystem::path> write_onnx(const std::filesystem::path& path,
                                              const OnnxModel& model, std::uint64_t most_bytes) {
  const WireWriter whole = model_message(model, model.initializers);
  if (whole.size() <= most_bytes) {
    write_file_pieces(path, whole.pieces());
    return {path};
  }
  std::filesystem::path numbers = path;
  numbers += ".data";
  std::vector<std::string_view> pieces;
  const auto tensors = moved_out(model.initializers, numbers.filename().string(), pieces);
  const WireWriter rest = model_message(model, tensors);
  if (rest.size() > kOnnxMostBytes) throw Error::in_file(path.string(), "would exceed 2 GB");
  write_file_pieces(numbers, pieces);
  write_file_pieces(path, rest.pieces());
  return {path, numbers};
}

}  // namespace segmentum
