#include "interop/onnx/translation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/counted.h"
#include "graph/operator_fields.h"
#include "graph/rewrite.h"
#include "interop/onnx/onnx_numbers.h"
#include "interop/pickle.h"

namespace segmentum {
namespace {

// What a file may ask for beyond its own numbers: a name costs it a few bytes only.
constexpr std::int64_t kMostConstants = std::int64_t{1} << 25;
constexpr std::int64_t kMostConstantsOfAllAttempts = std::int64_t{1} << 27;
constexpr std::int64_t kMostMadeWeights = std::int64_t{1} << 26;

const std::string kNoSuchOperator = "is an operator that this program does not have";

std::string title(const OnnxNode& node) {
  const std::string name = !node.name.empty()     ? node.name
                           : node.outputs.empty() ? ""
                                                  : node.outputs[0];
  const std::string domain = node.domain.empty() ? "" : node.domain + ".";
  return "node \"" + printable(name) + "\" (" + printable(domain + node.op) + ") ";
}

std::vector<std::int64_t> flattened(const std::vector<Size2>& sizes) {
  std::vector<std::int64_t> numbers;
  for (const Size2& size : sizes) numbers.insert(numbers.end(), {size.h, size.w});
  return numbers;
}

Translator translator_of(const std::string& op) {
  for (const Translators* table :
       {&layer_translators(), &pointwise_translators(), &resize_translators(), &frame_translators(),
        &axis_translators(), &chain_translators()}) {
    if (const auto found = table->find(op); found != table->end()) return found->second;
  }
  return nullptr;
}

}  // namespace

Weight constant_weight(std::int64_t count, float number) {
  return {count, [number](std::span<float> into) { std::ranges::fill(into, number); }, ""};
}

Weight constant_weight(std::vector<float> numbers) {
  const auto count = static_cast<std::int64_t>(numbers.size());
  return {count,
          [numbers = std::move(numbers)](std::span<float> into) {
            std::ranges::copy(numbers, into.begin());
          },
          ""};
}

int setting(std::int64_t number) {
  if (number < -kLargestSetting || number > kLargestSetting) {
    throw OnnxRefusal("has a setting of " + std::to_string(number));
  }
  return static_cast<int>(number);
}

Translation::Translation(const OnnxModel& model, Options options)
    : model_(model), options_(std::move(options)) {
  for (const OnnxTensor& tensor : model.initializers) {
    initializers_.insert_or_assign(tensor.name, &tensor);
    values_.insert_or_assign(tensor.name, Known{.tensor = &tensor});
  }
  for (const OnnxNode& node : model.nodes) {
    for (const std::string& input : node.inputs) ++uses_[input];
  }
  for (const OnnxValueInfo& output : model.outputs) ++uses_[output.name];
  take_inputs();
  for (const OnnxNode& node : model.nodes) {
    try {
      translate(node);
    } catch (const OnnxRefusal& error) {
      throw OnnxRefusal(title(node) + error.what());
    } catch (const Error& error) {
      throw Error(title(node) + error.what());
    }
  }
}

/// The one picture that the network reads. [N,H,W,C] is told by its last axis, the only one that
/// is known, or a small one where rows and columns are given too.
void Translation::take_inputs() {
  const OnnxValueInfo* picture = nullptr;
  for (const OnnxValueInfo& input : model_.inputs) {
    if (initializers_.contains(input.name)) continue;
    if (picture != nullptr) {
      throw OnnxRefusal("reads \"" + printable(picture->name) + "\" and \"" +
                        printable(input.name) + "\"; networks of one picture are imported");
    }
    picture = &input;
  }
  if (picture == nullptr) throw OnnxRefusal("has no input");
  const std::string who = "input \"" + printable(picture->name) + "\" ";
  if (!picture->dims || picture->dims->size() != 4) {
    throw OnnxRefusal(who + "is no picture of four axes [N,C,H,W]");
  }
  constexpr std::int64_t kMostLastChannels = 16;
  const OnnxDim &second = (*picture->dims)[1], &last = (*picture->dims)[3];
  const bool channels_last = last.is_known() && last.size <= kMostLastChannels &&
                             (!second.is_known() || second.size > kMostLastChannels);
  const OnnxDim& channels = channels_last ? last : second;
  if (!channels.is_known() || channels.size < 1) {
    throw OnnxRefusal(who + "does not say how many channels it has");
  }
  image_ = add(clean_name(picture->name), op::Input{setting(channels.size)}, {});
  graph_.inputs.push_back(image_);
  ValueId first = image_;
  if (options_.multiple > 1) {
    first = add("pad", op::Pad{.mode = PadMode::mirror, .multiple = options_.multiple}, {image_});
  }
  define(picture->name,
         Seen{.id = first, .view = channels_last ? View::channels_last : View::planes});
}

void Translation::translate(const OnnxNode& node) {
  if (!node.domain.empty() || node.op.empty()) throw OnnxRefusal(kNoSuchOperator);
  for (const std::string& input : node.inputs) {
    if (!input.empty()) value(input);
  }
  if (evaluated(node)) return;
  const Translator translator = translator_of(node.op);
  if (translator == nullptr) throw OnnxRefusal(kNoSuchOperator + others_lacking(node.op));
  const auto opset = model_.opsets.find("");
  Step step(*this, node, opset == model_.opsets.end() ? 1 : opset->second);
  translator(step);
}

/// "; nor does it have Gelu": what else the file would need.
std::string Translation::others_lacking(const std::string& op) const {
  std::set<std::string> lacking;
  for (const OnnxNode& node : model_.nodes) {
    if (!is_shape_arithmetic(node.op) && translator_of(node.op) == nullptr) {
      lacking.insert(printable(node.op, 40));
    }
  }
  lacking.erase(printable(op, 40));
  constexpr std::size_t kMostShown = 5;
  std::string text;
  std::size_t shown = 0;
  for (const std::string& other : lacking) {
    if (++shown > kMostShown) break;
    text += (text.empty() ? "; nor does it have " : ", ") + other;
  }
  return text;
}

/// Computes a node of known inputs at once.
bool Translation::evaluated(const OnnxNode& node) {
  if (!is_shape_arithmetic(node.op) || node.outputs.size() != 1) return false;
  Known result;
  std::size_t variants = 1;
  for (const std::string& name : node.inputs) {
    if (name.empty()) continue;
    const auto* known = std::get_if<Known>(&value(name));
    if (known == nullptr) return false;
    variants = std::max(variants, known->at.size());
    result.sizes_of.insert(known->sizes_of.begin(), known->sizes_of.end());
  }
  // What leaves the numbers of the file as they are need not look at them.
  if (node.op == "Identity" ||
      (node.op == "Cast" && is_real(static_cast<OnnxType>(whole_of(node, "to", 0))))) {
    const auto& known = std::get<Known>(value(node.inputs.at(0)));
    if (known.tensor != nullptr && (node.op == "Identity" || is_real(known.tensor->type))) {
      define(node.outputs[0], Known(known));
      return true;
    }
  }
  for (std::size_t probe = 0; probe < variants; ++probe) {
    std::vector<std::shared_ptr<const Array>> keep;
    std::vector<const Array*> inputs;
    for (const std::string& name : node.inputs) {
      if (name.empty()) {
        inputs.push_back(nullptr);
        continue;
      }
      keep.push_back(array(std::get<Known>(value(name)), probe));
      inputs.push_back(keep.back().get());
    }
    auto made = std::make_shared<const Array>(evaluate(node, inputs));
    count_numbers(made->count());
    result.at.push_back(std::move(made));
  }
  define(node.outputs[0], std::move(result));
  return true;
}

void Translation::count_numbers(std::int64_t numbers) {
  numbers_ += numbers;
  if (options_.computed != nullptr) *options_.computed += numbers;
  if (numbers_ > kMostConstants ||
      (options_.computed != nullptr && *options_.computed > kMostConstantsOfAllAttempts)) {
    throw OnnxRefusal("counts with more than " + std::to_string(kMostConstants) +
                      " numbers that are no picture's");
  }
}

std::shared_ptr<const Array> Translation::array(const Known& known, std::size_t probe) {
  if (!known.at.empty()) return known.at[known.at.size() == 1 ? 0 : probe];
  auto read = std::make_shared<const Array>(array_of(*known.tensor));
  count_numbers(read->count());
  return read;
}

const Value* Translation::find(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

const Value& Translation::value(const std::string& name) const {
  const Value* found = find(name);
  if (found == nullptr) {
    throw OnnxRefusal("reads \"" + printable(name) + "\", which nothing before it makes");
  }
  return *found;
}

void Translation::define(const std::string& name, Value value) {
  if (const auto* seen = std::get_if<Seen>(&value)) value_names_[seen->id].insert(name);
  values_.insert_or_assign(name, std::move(value));
}

int Translation::names_of(ValueId id) const {
  const auto found = value_names_.find(id);
  return found == value_names_.end() ? 0 : static_cast<int>(found->second.size());
}

void Translation::retire(const std::string& name) {
  if (const auto* seen = std::get_if<Seen>(&value(name))) value_names_[seen->id].erase(name);
}

bool Translation::take_plain_norm(ValueId id, bool scale) {
  const auto found = plain_norms_.find(id);
  if (found == plain_norms_.end() || found->second.has_shift) return false;
  bool& taken = scale ? found->second.has_scale : found->second.has_shift;
  return !std::exchange(taken, true);
}

int Translation::uses(const std::string& name) const {
  const auto found = uses_.find(name);
  return found == uses_.end() ? 0 : found->second;
}

const Shape& Translation::shape(ValueId id, std::size_t probe) const {
  return shapes_[static_cast<std::size_t>(id)][probe];
}

std::vector<Size2> Translation::sizes(ValueId id) const {
  std::vector<Size2> sizes;
  for (const Shape& shape : shapes_[static_cast<std::size_t>(id)]) {
    sizes.emplace_back(static_cast<int>(shape.h()), static_cast<int>(shape.w()));
  }
  return sizes;
}

std::optional<ValueId> Translation::value_of_sizes(const std::vector<Size2>& wanted,
                                                   const std::set<ValueId>& preferred) const {
  for (auto id = preferred.rbegin(); id != preferred.rend(); ++id) {
    if (sizes(*id) == wanted) return *id;
  }
  if (sizes(image_) == wanted) return image_;
  const auto found = last_of_sizes_.find(flattened(wanted));
  if (found == last_of_sizes_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::int64_t> Translation::dims(const Seen& seen, std::size_t probe) const {
  const Shape& s = shape(seen.id, probe);
  const std::int64_t c = is_moment(seen.chain) ? 1 : s.c();
  std::int64_t h = s.h(), w = s.w();
  if (!seen.frame.empty()) {
    const Padding& frame = seen.frame[probe];
    h += frame.top + frame.bottom;
    w += frame.left + frame.right;
  }
  switch (seen.view) {
    case View::planes:
      return {s.n(), c, h, w};
    case View::channels_last:
      return {s.n(), h, w, c};
    case View::flat:
      return {s.n(), c};
    case View::groups:
      return {s.n(), seen.groups, product_of({s.c() / seen.groups, h, w})};
  }
  return {};
}

std::string Translation::unique(const std::string& name) {
  const std::string base = name.empty() ? "node" : name;
  std::string candidate = base;
  for (int i = 2; !names_.insert(candidate).second; ++i) {
    candidate = base + "_" + std::to_string(i);
  }
  return candidate;
}

/// The node's shape at every probe, by our own rules: as a graph of its own.
std::vector<Shape> Translation::shapes_of(const Node& node) const {
  std::vector<Shape> result;
  for (std::size_t probe = 0; probe < probes(); ++probe) {
    const Size2 size = options_.probes[probe];
    std::vector<Shape> given;
    Graph alone;
    Node copy = node;
    copy.inputs.clear();
    for (const ValueId input : node.inputs) {
      copy.inputs.push_back(static_cast<ValueId>(alone.nodes.size()));
      alone.inputs.push_back(copy.inputs.back());
      alone.nodes.push_back({.name = graph_.node(input).name,
                             .op = op::Input{channels(input)},
                             .channels = channels(input)});
      given.push_back(shape(input, probe));
    }
    if (std::holds_alternative<op::Input>(node.op)) {
      alone.inputs.push_back(0);
      given.push_back({options_.batch, node.channels, size.h, size.w});
    }
    alone.nodes.push_back(std::move(copy));
    result.push_back(infer_shapes(alone, given).back());
  }
  return result;
}

int Translation::parameter(const ParameterSpec& spec, const Weight& weight) {
  if (weight.count != spec.shape.count()) {
    throw Error("needs " + counted(spec.shape.count(), "number") + " as " + spec.name + ", " +
                std::to_string(weight.count) + " are given");
  }
  // Shared by two nodes only where both mean the same by it.
  const std::string key = weight.key.empty() ? ""
                                             : weight.key + " " + spec.shape.to_string() +
                                                   std::to_string(static_cast<int>(spec.role));
  if (!key.empty()) {
    if (const auto found = shared_.find(key); found != shared_.end()) return found->second;
  }
  weight_numbers_ += weight.count;
  const auto stored = static_cast<std::int64_t>(options_.file_bytes / 2);
  if (weight_numbers_ > kMostMadeWeights + stored) {
    throw OnnxRefusal("needs far more weights than the file holds");
  }
  const auto index = static_cast<int>(graph_.parameters.size());
  graph_.parameters.push_back(spec);
  weights_.push_back(weight);
  if (!key.empty()) shared_.emplace(key, index);
  return index;
}

ValueId Translation::add(const std::string& name, Operator op, std::vector<ValueId> inputs,
                         std::vector<Weight> weights) {
  std::vector<int> input_channels;
  for (const ValueId input : inputs) input_channels.push_back(channels(input));
  Node node{.name = unique(name), .op = std::move(op), .inputs = std::move(inputs)};
  node.channels = output_channels(node.op, input_channels);
  const auto specs =
      parameter_specs(node.name, node.op, input_channels.empty() ? 0 : input_channels[0]);
  if (specs.size() != weights.size()) throw Error("has another number of weights than it needs");
  for (std::size_t i = 0; i < specs.size(); ++i) {
    node.parameters.push_back(parameter(specs[i], weights[i]));
  }
  shapes_.push_back(shapes_of(node));
  graph_.nodes.push_back(std::move(node));
  const auto id = static_cast<ValueId>(graph_.nodes.size()) - 1;
  last_of_sizes_.insert_or_assign(flattened(sizes(id)), id);
  return id;
}

ValueId Translation::affine(const std::string& name, ValueId x, std::vector<float> scale,
                            std::vector<float> shift) {
  const int c = channels(x);
  const auto spread = [&](std::vector<float> numbers, float otherwise) {
    if (numbers.empty()) return constant_weight(c, otherwise);
    if (numbers.size() == 1) return constant_weight(c, numbers[0]);
    return constant_weight(std::move(numbers));
  };
  const op::Conv conv{.channels = c, .groups = c, .bias = !shift.empty()};
  std::vector<Weight> weights{spread(std::move(scale), 1)};
  if (conv.bias) weights.push_back(spread(std::move(shift), 0));
  return add(name, conv, {x}, std::move(weights));
}

/// A convolution by ones and zeros: we have no view of a part.
ValueId Translation::picked(const std::string& name, ValueId x, std::int64_t first,
                            std::int64_t count) {
  const std::int64_t c = channels(x);
  const op::Conv conv{.channels = setting(count), .bias = false};
  const auto fill = [=](std::span<float> into) {
    std::ranges::fill(into, 0.0f);
    for (std::int64_t k = 0; k < count; ++k) into[static_cast<std::size_t>(k * c + first + k)] = 1;
  };
  return add(name, conv, {x}, {Weight{count * c, fill, ""}});
}

ValueId Translation::scaled(const std::string& name, ValueId x, std::vector<float> scale) {
  if (const auto before = scalings_.find(x); before != scalings_.end()) {
    const std::vector<float>& by = before->second.by;
    std::vector<float> both(std::max(scale.size(), by.size()));
    for (std::size_t c = 0; c < both.size(); ++c) {
      both[c] = scale[scale.size() == 1 ? 0 : c] * by[by.size() == 1 ? 0 : c];
    }
    x = before->second.of;
    scale = std::move(both);
  }
  constexpr float kRounding = 1e-6f;
  const auto is_one = [](float factor) { return std::abs(factor - 1) < kRounding; };
  if (std::ranges::all_of(scale, is_one)) return x;
  const ValueId id = affine(name, x, scale, {});
  scalings_.insert_or_assign(id, Scaling{x, std::move(scale)});
  return id;
}

std::optional<float> Translation::ratio(ValueId a, ValueId b) const {
  const auto of = [&](ValueId id) {
    const auto found = scalings_.find(id);
    return found == scalings_.end() ? Scaling{id, {1}} : found->second;
  };
  const Scaling over = of(a), under = of(b);
  if (over.of != under.of || over.by.size() != 1 || under.by.size() != 1) return std::nullopt;
  return over.by[0] / under.by[0];
}

void Translation::set_weight(ValueId id, std::size_t parameter, Weight weight) {
  const auto index = static_cast<std::size_t>(node(id).parameters[parameter]);
  if (weight.count != graph_.parameters[index].shape.count()) {
    throw Error("gives " + counted(weight.count, "number") + " to " +
                counted(channels(id), "channel"));
  }
  weights_[index] = std::move(weight);
}

void Translation::add_bias(ValueId conv, Weight bias) {
  std::get<op::Conv>(node(conv).op).bias = true;
  scalings_.erase(conv);  // it is more than that now
  const std::string name = node(conv).name + ".bias";
  node(conv).parameters.push_back(
      parameter({name, {channels(conv)}, ParameterRole::bias, Init::zeros}, bias));
}

void Translation::rename(ValueId id, const std::string& name) {
  const std::string old = node(id).name;
  node(id).name = unique(name);
  for (const int parameter : node(id).parameters) {
    std::string& own = graph_.parameters[static_cast<std::size_t>(parameter)].name;
    if (own.starts_with(old + ".")) own = node(id).name + own.substr(old.size());
  }
}

std::pair<Graph, ParameterStore> Translation::finished() && {
  std::map<std::string, const Weight*> by_name;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    by_name.insert_or_assign(graph_.parameters[i].name, &weights_[i]);
  }
  Graph graph = remove_unused(graph_);
  validate(graph);
  ParameterStore parameters;
  for (const ParameterSpec& spec : graph.parameters) {
    Tensor value(spec.shape);
    by_name.at(spec.name)->fill(value.values());
    if (!std::ranges::all_of(value.values(), [](float number) { return std::isfinite(number); })) {
      throw Error("the weights " + spec.name + " hold numbers that are not finite");
    }
    parameters.add(spec.name, spec.role, std::move(value));
  }
  return {std::move(graph), std::move(parameters)};
}

}  // namespace segmentum
