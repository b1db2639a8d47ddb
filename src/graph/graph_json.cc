#include "graph/graph_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/counted.h"
#include "base/json_problem.h"
#include "graph/operator_fields.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr int kDeepest =
    5;  // the graph, its nodes, a node, a setting, one more to be complained of

template <typename Enum>
struct Names;
template <>
struct Names<ActivationKind> {
  static constexpr std::array kAll{"none",    "relu",         "leaky_relu", "relu6",
                                   "sigmoid", "hard_sigmoid", "hard_swish", "gelu"};
};
template <>
struct Names<Interpolation> {
  static constexpr std::array kAll{"nearest", "bilinear"};
};
template <>
struct Names<PadMode> {
  static constexpr std::array kAll{"zero", "mirror", "edge"};
};
template <>
struct Names<Init> {
  static constexpr std::array kAll{"he_normal",    "zeros",    "ones", "bilinear",
                                   "small_normal", "identity", "potts"};
};
template <>
struct Names<CrfNormalisation> {
  static constexpr std::array kAll{"symmetric", "before", "after", "none"};
};

template <typename Value>
Json encode(const Value& value) {
  if constexpr (std::is_enum_v<Value>) {
    return Names<Value>::kAll[static_cast<std::size_t>(value)];
  } else {
    return value;
  }
}

/// The shortest decimal that gives the same float again: 0.01, not 0.009999999776482582.
Json encode(float value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.begin(), text.end(), value).ptr;
  double shortest = 0;
  std::from_chars(text.begin(), end, shortest);
  return static_cast<float>(shortest) == value ? shortest : static_cast<double>(value);
}

Json encode(Size2 value) {
  if (value.h == value.w) return value.h;
  return Json::array({value.h, value.w});
}

Json encode(const Padding& value) {
  if (value == Padding(value.top)) return value.top;
  return Json::array({value.top, value.left, value.bottom, value.right});
}

Json encode(const Activation& value) {
  if (value == Activation(value.kind)) return encode(value.kind);
  return {{"kind", encode(value.kind)}, {"slope", encode(value.slope)}};
}

Json encode(const std::vector<float>& values) {
  Json list = Json::array();
  for (const float value : values) list.push_back(encode(value));
  return list;
}

/// Writes the settings that differ from the operator's defaults.
template <typename Op>
void encode_settings(const Op& op, Json& node) {
  Json defaults;
  const Op default_op{};
  visit_fields(default_op,
               [&](const char* name, const auto& value, int) { defaults[name] = encode(value); });
  visit_fields(op, [&](const char* name, const auto& value, int) {
    Json encoded = encode(value);
    if (encoded != defaults[name]) node[name] = std::move(encoded);
  });
}

std::vector<std::string> default_parameter_names(const Node& node, int input_channels) {
  std::vector<std::string> names;
  for (const ParameterSpec& spec : parameter_specs(node.name, node.op, input_channels)) {
    names.push_back(spec.name);
  }
  return names;
}

int first_channels(const Graph& graph, const Node& node) {
  return node.inputs.empty() ? 0 : graph.node(node.inputs[0]).channels;
}

Json encode_node(const Graph& graph, const Node& node) {
  Json json{{"name", node.name}, {"op", operator_name(node.op)}};
  for (ValueId input : node.inputs) json["inputs"].push_back(graph.node(input).name);
  std::vector<std::string> parameters;
  for (int index : node.parameters) {
    parameters.push_back(graph.parameters[static_cast<std::size_t>(index)].name);
  }
  if (parameters != default_parameter_names(node, first_channels(graph, node))) {
    json["parameters"] = parameters;
  }
  std::visit([&](const auto& op) { encode_settings(op, json); }, node.op);
  return json;
}

std::string in_quotes(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);  // on one line, always
}

/// A JSON object of which every field must be asked for.
class Fields {
 public:
  explicit Fields(const Json& json) : json_(json) {
    if (!json.is_object()) throw Error("is not an object of named fields");
  }
  /// Null where the field is absent.
  const Json* find(const std::string& name) {
    asked_.push_back(name);
    const auto found = json_.find(name);
    return found == json_.end() ? nullptr : &*found;
  }
  const Json& at(const std::string& name) {
    const Json* found = find(name);
    if (!found) throw Error("has no " + in_quotes(name));
    return *found;
  }
  void require_all_asked() const {
    for (const auto& [name, value] : json_.items()) {
      if (std::ranges::find(asked_, name) != asked_.end()) continue;
      std::string known;
      for (const std::string& asked : asked_) known += (known.empty() ? "" : ", ") + asked;
      throw Error("has an unknown field " + in_quotes(name) + "; known are " + known);
    }
  }

 private:
  const Json& json_;
  std::vector<std::string> asked_;
};

[[noreturn]] void throw_expected(const char* expected) {
  throw Error(std::string("is not ") + expected);
}

void decode(const Json& json, bool& value) {
  if (!json.is_boolean()) throw_expected("true or false");
  value = json.get<bool>();
}

/// Only what fits an int; the operators' own ranges are checked by validate().
void decode(const Json& json, int& value) {
  constexpr int kLargest = std::numeric_limits<int>::max();
  const bool good = json.is_number_unsigned()
                        ? json.get<std::uint64_t>() <= kLargest
                        : json.is_number_integer() && json.get<std::int64_t>() >= -kLargest;
  if (!good) throw_expected("a whole number in range");
  value = json.get<int>();
}

void decode(const Json& json, float& value) {
  if (!json.is_number()) throw_expected("a number");
  const double number = json.get<double>();
  if (!(std::abs(number) <= std::numeric_limits<float>::max())) throw_expected("a finite number");
  value = static_cast<float>(number);
}

void decode(const Json& json, std::string& value) {
  if (!json.is_string()) throw_expected("a text");
  value = json.get<std::string>();
}

template <typename Enum>
requires std::is_enum_v<Enum>
void decode(const Json& json, Enum& value) {
  const auto& names = Names<Enum>::kAll;
  const auto found =
      json.is_string() ? std::ranges::find(names, json.get_ref<const std::string&>()) : names.end();
  if (found == names.end()) {
    std::string known;
    for (const char* name : names) known += (known.empty() ? "one of " : ", ") + std::string(name);
    throw_expected(known.c_str());
  }
  value = static_cast<Enum>(found - names.begin());
}

/// One number for all of `parts`, or one for each.
void decode_numbers(const Json& json, std::initializer_list<int*> parts) {
  if (json.is_array() && json.size() != parts.size()) {
    throw_expected(parts.size() == 2 ? "a number or [height, width]"
                                     : "a number or [top, left, bottom, right]");
  }
  std::size_t i = 0;
  for (int* part : parts) decode(json.is_array() ? json[i++] : json, *part);
}

void decode(const Json& json, Size2& value) {
  decode_numbers(json, {&value.h, &value.w});
}

void decode(const Json& json, Padding& value) {
  decode_numbers(json, {&value.top, &value.left, &value.bottom, &value.right});
}

void decode(const Json& json, Activation& value) {
  if (!json.is_object()) return decode(json, value.kind);
  Fields fields(json);
  decode(fields.at("kind"), value.kind);
  decode(fields.at("slope"), value.slope);
  fields.require_all_asked();
}

template <typename Value>
void decode(const Json& json, std::vector<Value>& values) {
  if (!json.is_array()) throw_expected("a list");
  values.clear();
  for (const Json& item : json) decode(item, values.emplace_back());
}

template <typename Value>
void decode_field(const std::string& name, const Json& json, Value& value) {
  try {
    decode(json, value);
  } catch (const Error& error) {
    throw Error("has " + in_quotes(name) + " that " + error.what());
  }
}

/// Default-constructed operators by name.
const std::unordered_map<std::string, Operator>& operators_by_name() {
  static const auto kOperators = [] {
    std::unordered_map<std::string, Operator> operators;
    [&]<std::size_t... index>(std::index_sequence<index...>) {
      const auto add = [&](const Operator& op) { operators.emplace(operator_name(op), op); };
      (add(Operator(std::in_place_index<index>)), ...);
    }
    (std::make_index_sequence<std::variant_size_v<Operator>>{});
    return operators;
  }();
  return kOperators;
}

/// Adds the nodes one by one; names stand for values and parameters.
class GraphReader {
 public:
  Graph graph;

  void add_node(const Json& json) {
    try {
      read_node(json);
    } catch (const Error& error) {
      const bool named = json.is_object() && json.contains("name") && json["name"].is_string();
      throw Error("node " +
                  (named ? in_quotes(json["name"].get<std::string>())
                         : "number " + std::to_string(graph.nodes.size() + 1)) +
                  " " + error.what());
    }
  }

  ValueId value(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) {
      throw Error("reads " + in_quotes(name) + ", which no node before it makes");
    }
    return found->second;
  }

 private:
  void read_node(const Json& json) {
    Fields fields(json);
    Node node;
    decode_field("name", fields.at("name"), node.name);
    std::string op;
    decode_field("op", fields.at("op"), op);
    const auto known = operators_by_name().find(op);
    if (known == operators_by_name().end()) throw Error("has an unknown operator " + in_quotes(op));
    node.op = known->second;

    std::vector<std::string> inputs;
    if (const Json* list = fields.find("inputs")) decode_field("inputs", *list, inputs);
    std::vector<int> channels;
    for (const std::string& input : inputs) {
      node.inputs.push_back(value(input));
      channels.push_back(graph.node(node.inputs.back()).channels);
    }
    std::vector<std::string> parameters;
    const Json* named = fields.find("parameters");
    if (named) decode_field("parameters", *named, parameters);
    std::visit([&](auto& settings) { read_settings(fields, settings); }, node.op);
    fields.require_all_asked();

    node.channels = output_channels(node.op, channels);
    if (!named) parameters = default_parameter_names(node, channels.empty() ? 0 : channels[0]);
    add_parameters(node, parameters, channels.empty() ? 0 : channels[0]);
    if (!values_.emplace(node.name, static_cast<ValueId>(graph.nodes.size())).second) {
      throw Error("stands twice");
    }
    graph.nodes.push_back(std::move(node));
  }

  template <typename Op>
  void read_settings(Fields& fields, Op& op) {
    visit_fields(op, [&](const char* name, auto& value, int) {
      if (const Json* json = fields.find(name)) decode_field(name, *json, value);
    });
  }

  void add_parameters(Node& node, const std::vector<std::string>& names, int input_channels) {
    auto specs = parameter_specs(node.name, node.op, input_channels);
    if (specs.size() != names.size()) {
      throw Error("names " + counted(names.size(), "parameter") + "; expected " +
                  std::to_string(specs.size()));
    }
    for (std::size_t i = 0; i < specs.size(); ++i) {
      const int next = static_cast<int>(graph.parameters.size());
      const auto [found, is_new] = parameters_.emplace(names[i], next);
      if (is_new) {
        specs[i].name = names[i];
        graph.parameters.push_back(std::move(specs[i]));
      }
      node.parameters.push_back(found->second);
    }
  }

  std::unordered_map<std::string, ValueId> values_;
  std::unordered_map<std::string, int> parameters_;
};

/// Parses with two things refused that the library allows: deep nesting and doubled keys.
Json parse(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= kDeepest) throw Error("is nested too deeply");
      if (event == Event::object_start) keys.emplace_back();
    } else if (event == Event::object_end) {
      keys.pop_back();
    } else if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw Error("has the key " + in_quotes(parsed.get<std::string>()) + " twice in one object");
    }
    return true;
  };
  return Json::parse(text, watch);
}

Graph read_graph(const Json& json) {
  Fields fields(json);
  int version = 0;
  decode_field("version", fields.at("version"), version);
  if (version != kVersion) {
    throw Error("has version " + std::to_string(version) + "; this program reads version " +
                std::to_string(kVersion));
  }
  GraphReader reader;
  decode_field("architecture", fields.at("architecture"), reader.graph.architecture);
  const Json& nodes = fields.at("nodes");
  const Json& outputs = fields.at("outputs");
  std::vector<std::string> inputs;
  decode_field("inputs", fields.at("inputs"), inputs);
  fields.require_all_asked();
  if (!nodes.is_array()) throw Error("has \"nodes\" that is not a list");
  if (!outputs.is_object()) throw Error("has \"outputs\" that is not an object");

  for (const Json& node : nodes) reader.add_node(node);
  for (const std::string& input : inputs) reader.graph.inputs.push_back(reader.value(input));
  for (const auto& [name, value] : outputs.items()) {
    std::string node;
    decode_field(name, value, node);
    try {
      reader.graph.outputs.push_back({name, reader.value(node)});
    } catch (const Error& error) {
      throw Error("output " + in_quotes(name) + " " + error.what());
    }
  }
  return std::move(reader.graph);
}

}  // namespace

std::string to_json(const Graph& graph) {
  try {
    std::vector<std::string> inputs;
    for (ValueId input : graph.inputs) inputs.push_back(graph.node(input).name);
    Json outputs = Json::object();
    for (const Output& output : graph.outputs) {
      outputs[output.name] = graph.node(output.value).name;
    }
    std::string text = "{\"version\": " + std::to_string(kVersion) +
                       ",\n \"architecture\": " + Json(graph.architecture).dump() +
                       ",\n \"inputs\": " + Json(inputs).dump() + ",\n \"nodes\": [\n";
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      text += "  " + encode_node(graph, graph.nodes[i]).dump() +
              (i + 1 < graph.nodes.size() ? ",\n" : "\n");
    }
    return text + " ],\n \"outputs\": " + outputs.dump() + "}\n";
  } catch (const Json::exception&) {
    throw Error("the network has a name that is not valid UTF-8");
  }
}

Graph graph_from_json(std::string_view text) {
  try {
    Graph graph = read_graph(parse(text));
    validate(graph);
    return graph;
  } catch (const Json::exception& error) {
    throw Error("the network's description is not JSON: " + json_problem(error.what()));
  } catch (const Error& error) {
    throw Error(std::string("the network's description: ") + error.what());
  }
}

}  // namespace segmentum
