#include <algorithm>
#include <utility>

#include "base/counted.h"
#include "interop/onnx/onnx_numbers.h"
#include "interop/onnx/translation.h"
#include "interop/pickle.h"

namespace segmentum {
namespace {

constexpr std::int64_t kMostSettings = 1 << 16;  // numbers that stand for sizes, axes or lines

}  // namespace

std::string clean_name(const std::string& name) {
  std::string text = printable(name, 200);
  std::ranges::replace(text, '/', '.');
  while (text.starts_with('.')) text.erase(0, 1);
  return text;
}

bool Step::is_known(std::size_t i) const {
  return has(i) && std::holds_alternative<Known>(t.value(node.inputs[i]));
}

const GridWeights* Step::grid_weights(std::size_t i) const {
  return has(i) ? std::get_if<GridWeights>(&t.value(node.inputs[i])) : nullptr;
}

const Known& Step::known(std::size_t i) const {
  if (!has(i)) throw OnnxRefusal("lacks its input " + std::to_string(i + 1));
  const auto* known = std::get_if<Known>(&t.value(node.inputs[i]));
  if (known == nullptr) {
    throw OnnxRefusal("computes \"" + printable(node.inputs[i]) +
                      "\" from the picture; expected a constant");
  }
  return *known;
}

const Seen& Step::seen(std::size_t i) const {
  if (!has(i)) throw OnnxRefusal("lacks its input " + std::to_string(i + 1));
  const auto* seen = std::get_if<Seen>(&t.value(node.inputs[i]));
  if (seen == nullptr) {
    throw OnnxRefusal("reads the constant \"" + printable(node.inputs[i]) +
                      "\", where a value of the network is expected");
  }
  return *seen;
}

Seen Step::plain(std::size_t i) {
  Seen seen = this->seen(i);
  if (!seen.ended_by.empty()) {
    refuse("reads what " + seen.ended_by + " makes; only the network's end may");
  }
  if (seen.chain == Chain::mean) {
    const int c = t.channels(seen.id);
    const op::Conv mean{.channels = 1, .bias = false};
    seen.id =
        t.add(name() + ".mean", mean, {seen.id}, {constant_weight(c, 1 / static_cast<float>(c))});
    seen.chain = Chain::none;
    t.define(node.inputs[i], seen);
  }
  if (seen.chain != Chain::none) {
    refuse("reads a part of what " +
           std::string(seen.chain >= Chain::erf ? "GELU" : "a layer norm") +
           " is made of; only what completes it may");
  }
  if (seen.grid > 0) refuse("reads scores by location; only a sum over each class's may");
  if (seen.view == View::groups) {
    refuse("reads a picture as rows of pixels, as attention does; only a group norm may");
  }
  if (!seen.frame.empty()) {
    seen = t.settled(name(), std::move(seen));
    t.define(node.inputs[i], seen);
  }
  return seen;
}

ValueId Step::planes(std::size_t i) {
  const Seen seen = plain(i);
  if (seen.view != View::planes) {
    refuse("reads a value of axes " + std::string(seen.view == View::flat ? "[N,C]" : "[N,H,W,C]") +
           "; expected [N,C,H,W]");
  }
  return seen.id;
}

std::shared_ptr<const Array> Step::array(std::size_t i, std::size_t probe) const {
  return t.array(known(i), probe);
}

std::shared_ptr<const Array> Step::constant(std::size_t i) const {
  const Known& all = known(i);
  auto first = t.array(all, 0);
  for (const auto& other : all.at) {
    if (other->dims != first->dims || other->numbers != first->numbers) {
      throw Error("takes numbers in \"" + printable(node.inputs[i]) +
                  "\" that depend on the picture's size");
    }
  }
  return first;
}

std::vector<float> Step::reals(std::size_t i) const {
  const auto numbers = constant(i);
  std::vector<float> reals;
  for (const double number : numbers->numbers) reals.push_back(static_cast<float>(number));
  return reals;
}

float Step::real(std::size_t i) const {
  const std::vector<float> numbers = reals(i);
  if (numbers.size() != 1) refuse("takes one number in \"" + printable(node.inputs[i]) + "\"");
  return numbers[0];
}

std::vector<std::int64_t> Step::wholes(std::size_t i, std::size_t probe) const {
  const auto numbers = array(i, probe);
  if (numbers->count() > kMostSettings) {
    throw OnnxRefusal("takes " + counted(numbers->count(), "number") + " in \"" +
                      printable(node.inputs[i]) + "\"; a few were expected");
  }
  std::vector<std::int64_t> wholes;
  for (const double number : numbers->numbers) wholes.push_back(as_index(number));
  return wholes;
}

std::vector<std::int64_t> Step::dims(std::size_t i) const {
  const Known& numbers = known(i);
  return numbers.tensor != nullptr ? numbers.tensor->dims : constant(i)->dims;
}

Weight Step::weight(std::size_t i) const {
  const Known& numbers = known(i);
  if (numbers.tensor != nullptr) {
    const OnnxTensor* tensor = numbers.tensor;
    return {count_of(*tensor), [tensor](std::span<float> into) { read_numbers(*tensor, into); },
            tensor->name};
  }
  return constant_weight(reals(i));
}

Weight Step::transposed_weight(std::size_t i) const {
  const std::vector<std::int64_t> axes = dims(i);
  Weight weight = this->weight(i);
  const std::int64_t rows = axes[axes.size() - 2], columns = axes.back();
  const auto fill = std::move(weight.fill);
  weight.fill = [fill, rows, columns](std::span<float> into) {
    std::vector<float> numbers(into.size());
    fill(numbers);
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t column = 0; column < columns; ++column) {
        into[static_cast<std::size_t>(column * rows + row)] =
            numbers[static_cast<std::size_t>(row * columns + column)];
      }
    }
  };
  weight.key += " transposed";
  return weight;
}

std::string Step::name() const {
  const std::string own = clean_name(node.name);
  return !own.empty() || node.outputs.empty() ? own : clean_name(node.outputs[0]);
}

std::string Step::owner_of(std::size_t i, std::string_view end) const {
  const Known& numbers = known(i);
  if (numbers.tensor == nullptr || !numbers.tensor->name.ends_with(end)) return "";
  const std::string& name = numbers.tensor->name;
  std::string owner = clean_name(name.substr(0, name.size() - end.size()));
  return t.is_free(owner) ? owner : "";
}

std::string Step::name_by_weight(std::size_t i) const {
  const std::string owner = owner_of(i, ".weight");
  return owner.empty() ? name() : owner;
}

void Step::result(Value value, std::size_t output) const {
  if (output >= node.outputs.size()) throw OnnxRefusal("has no output");
  for (std::size_t other = 1; other < node.outputs.size(); ++other) {
    if (t.uses(node.outputs[other]) > 0) {
      throw OnnxRefusal("is read for its output " + std::to_string(other + 1) +
                        ", which this program does not compute");
    }
  }
  t.define(node.outputs[output], std::move(value));
}

void Step::result_like(Seen seen, ValueId id) const {
  seen.id = id;
  result(std::move(seen));
}

}  // namespace segmentum
