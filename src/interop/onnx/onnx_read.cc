// Names and numbers of the fields are those of onnx.proto.
#include "interop/onnx/onnx_model.h"
#include "interop/onnx/wire.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Parts of messages that are kept: what a few bytes of a file can ask for is bounded by it. The
/// largest networks have some ten thousand.
constexpr int kMostParts = 1 << 19;
constexpr std::size_t kMostAxes = 8;

class ModelParser {
 public:
  OnnxModel parse(std::string_view bytes) {
    OnnxModel model;
    bool has_graph = false;
    for (WireReader field(bytes); field.next();) {
      switch (field.field()) {
        case 1:
          model.ir_version = field.whole();
          break;
        case 2:
          model.producer = text(field);
          break;
        case 3:
          model.producer_version = text(field);
          break;
        case 7:
          has_graph = true;
          read_graph(field.bytes(), model);
          break;
        case 8:
          read_opset(field.bytes(), model.opsets);
          break;
        case 14: {
          auto [key, value] = entry(field.bytes());
          model.metadata.insert_or_assign(std::move(key), std::move(value));
          break;
        }
        default:
          break;
      }
    }
    if (!has_graph) throw Error("is no ONNX model: it holds no graph");
    if (model.opsets.empty()) throw Error("is no ONNX model: it names no operator set");
    return model;
  }

 private:
  void count() {
    if (++parts_ > kMostParts) {
      throw Error("has more than " + std::to_string(kMostParts) + " parts; no network needs them");
    }
  }

  std::string text(const WireReader& field) {
    count();
    return std::string(field.bytes());
  }

  std::pair<std::string, std::string> entry(std::string_view bytes) {
    std::pair<std::string, std::string> pair;
    for (WireReader field(bytes); field.next();) {
      if (field.field() == 1) pair.first = text(field);
      if (field.field() == 2) pair.second = text(field);
    }
    return pair;
  }

  void read_opset(std::string_view bytes, std::map<std::string, std::int64_t>& opsets) {
    std::string domain;
    std::int64_t version = 0;
    for (WireReader field(bytes); field.next();) {
      if (field.field() == 1) domain = text(field);
      if (field.field() == 2) version = field.whole();
    }
    if (domain == "ai.onnx") domain.clear();  // the long name of ONNX's own
    opsets.insert_or_assign(std::move(domain), version);
  }

  void read_graph(std::string_view bytes, OnnxModel& model) {
    for (WireReader field(bytes); field.next();) {
      switch (field.field()) {
        case 1:
          model.nodes.push_back(node(field.bytes()));
          break;
        case 2:
          model.graph_name = text(field);
          break;
        case 5:
          model.initializers.push_back(tensor(field.bytes()));
          break;
        case 11:
          model.inputs.push_back(value_info(field.bytes()));
          break;
        case 12:
          model.outputs.push_back(value_info(field.bytes()));
          break;
        case 15:
          throw Error("holds sparse tensors, which are not read");
        default:
          break;
      }
    }
  }

  OnnxNode node(std::string_view bytes) {
    count();
    OnnxNode node;
    for (WireReader field(bytes); field.next();) {
      switch (field.field()) {
        case 1:
          node.inputs.push_back(text(field));
          break;
        case 2:
          node.outputs.push_back(text(field));
          break;
        case 3:
          node.name = text(field);
          break;
        case 4:
          node.op = text(field);
          break;
        case 5:
          node.attributes.push_back(attribute(field.bytes()));
          break;
        case 7:
          node.domain = text(field);
          break;
        default:
          break;
      }
    }
    if (node.domain == "ai.onnx") node.domain.clear();
    return node;
  }

  OnnxAttribute attribute(std::string_view bytes) {
    using Kind = OnnxAttribute::Kind;
    count();
    OnnxAttribute attribute;
    const auto is = [&](Kind kind) { attribute.kind = kind; };
    for (WireReader field(bytes); field.next();) {
      switch (field.field()) {
        case 1:
          attribute.name = text(field);
          break;
        case 2:
          is(Kind::real);
          attribute.real = field.real();
          break;
        case 3:
          is(Kind::whole);
          attribute.whole = field.whole();
          break;
        case 4:
          is(Kind::text);
          attribute.text = text(field);
          break;
        case 5:
          is(Kind::tensor);
          attribute.tensor = std::make_shared<const OnnxTensor>(tensor(field.bytes()));
          break;
        case 6:
        case 11:
          is(Kind::graph);
          break;
        case 7:
          is(Kind::reals);
          field.append_to(attribute.reals);
          break;
        case 8:
          is(Kind::wholes);
          field.append_to(attribute.wholes);
          break;
        case 9:
          is(Kind::texts);
          break;
        case 20:  // says what an empty list would be one of
          if (attribute.kind == Kind::other && field.whole() == static_cast<int>(Kind::wholes)) {
            is(Kind::wholes);
          }
          break;
        default:
          break;
      }
    }
    return attribute;
  }

  OnnxTensor tensor(std::string_view bytes) {
    count();
    OnnxTensor tensor;
    bool is_external = false;
    OnnxTensor::External external;
    for (WireReader field(bytes); field.next();) {
      switch (field.field()) {
        case 1:
          field.append_to(tensor.dims);
          break;
        case 2:
          tensor.type = static_cast<OnnxType>(field.whole());
          break;
        case 3:
          throw Error("holds a tensor in segments, which are not read");
        case 4:  // float_data
          if (field.is_packed()) {
            add_bytes(tensor, field.bytes());
          } else {
            const float number = field.real();
            tensor.own_bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
          }
          break;
        case 5:   // int32_data
        case 7:   // int64_data
        case 11:  // uint64_data
          field.append_to(tensor.wholes);
          break;
        case 8:
          tensor.name = text(field);
          break;
        case 9:   // raw_data
        case 10:  // double_data
          add_bytes(tensor, field.bytes());
          break;
        case 13:
          read_external(field.bytes(), external);
          break;
        case 14:
          is_external = field.whole() == 1;
          break;
        default:
          break;
      }
    }
    if (tensor.dims.size() > kMostAxes) {
      throw Error("holds a tensor of " + std::to_string(tensor.dims.size()) + " axes; at most " +
                  std::to_string(kMostAxes) + " are read");
    }
    if (is_external) tensor.external = std::move(external);
    return tensor;
  }

  static void add_bytes(OnnxTensor& tensor, std::string_view more) {
    if (tensor.stored().empty()) {
      tensor.bytes = more;
    } else {
      if (tensor.own_bytes.empty()) tensor.own_bytes = tensor.bytes;
      tensor.own_bytes += more;
    }
  }

  void read_external(std::string_view bytes, OnnxTensor::External& external) {
    const auto [key, value] = entry(bytes);
    const auto number = [&value = value, &key = key] {
      std::uint64_t result = 0;
      for (const char digit : value) {
        if (digit < '0' || digit > '9' || result > UINT64_MAX / 10 - 1) {
          throw Error("holds a tensor outside of the file whose " + key + " is no number");
        }
        result = result * 10 + static_cast<std::uint64_t>(digit - '0');
      }
      return result;
    };
    if (key == "location") external.location = value;
    if (key == "offset") external.offset = number();
    if (key == "length") external.length = number();
  }

  OnnxValueInfo value_info(std::string_view bytes) {
    count();
    OnnxValueInfo info;
    for (WireReader field(bytes); field.next();) {
      if (field.field() == 1) info.name = text(field);
      if (field.field() == 2) read_type(field.bytes(), info);
    }
    return info;
  }

  void read_type(std::string_view bytes, OnnxValueInfo& info) {
    for (WireReader field(bytes); field.next();) {
      if (field.field() != 1) continue;  // sequences and maps
      for (WireReader part(field.bytes()); part.next();) {
        if (part.field() == 1) info.type = static_cast<OnnxType>(part.whole());
        if (part.field() == 2) info.dims = dims(part.bytes());
      }
    }
  }

  std::vector<OnnxDim> dims(std::string_view bytes) {
    std::vector<OnnxDim> dims;
    for (WireReader field(bytes); field.next();) {
      if (field.field() != 1) continue;
      count();
      OnnxDim& dim = dims.emplace_back();
      for (WireReader part(field.bytes()); part.next();) {
        if (part.field() == 1) dim.size = part.whole();
        if (part.field() == 2) dim.name = text(part);
      }
    }
    return dims;
  }

  int parts_ = 0;
};

}  // namespace

const OnnxAttribute* OnnxNode::find(std::string_view attribute) const {
  for (const OnnxAttribute& candidate : attributes) {
    if (candidate.name == attribute) return &candidate;
  }
  return nullptr;
}

OnnxModel parse_onnx(std::string_view bytes) {
  return ModelParser().parse(bytes);
}

}  // namespace segmentum
