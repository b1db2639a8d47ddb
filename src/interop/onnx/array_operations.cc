#include "interop/onnx/array_operations.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <string_view>

#include "base/counted.h"
#include "interop/onnx/onnx_numbers.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using Dims = std::vector<std::int64_t>;

std::int64_t count_of(const Dims& dims) {
  std::int64_t count = 1;
  for (const std::int64_t dim : dims) {
    if (dim < 0) throw Error("would make an axis of " + std::to_string(dim));
    if (dim > 0 && count > kMostArrayNumbers / dim) {
      throw Error("would make more than 2^24 numbers of constants alone");
    }
    count *= dim;
  }
  return count;
}

bool has_input(ArrayInputs inputs, std::size_t i) {
  return i < inputs.size() && inputs[i] != nullptr;
}

Dims as_indices(const Array& array) {
  Dims indices;
  for (const double number : array.numbers) indices.push_back(as_index(number));
  return indices;
}

double only_number(const Array& array) {
  if (array.count() != 1) {
    throw Error("takes one number where " + std::to_string(array.count()) + " are given");
  }
  return array.numbers[0];
}

/// Axes from an attribute (older operator sets) or from input `i`.
Dims axes_from(const OnnxNode& node, ArrayInputs inputs, std::size_t i) {
  return has_input(inputs, i) ? as_indices(*inputs[i]) : wholes_of(node, "axes");
}

Dims strides_of(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (std::size_t axis = dims.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * dims[axis];
  return strides;
}

/// Calls visit(position in the result, offset) for each position of `dims`, in order; the offset
/// moves by `strides` along each axis.
template <typename Visit>
void walk(const Dims& dims, const Dims& strides, std::int64_t offset, const Visit& visit) {
  Dims at(dims.size(), 0);
  const std::int64_t count = count_of(dims);
  for (std::int64_t i = 0; i < count; ++i) {
    visit(static_cast<std::size_t>(i), static_cast<std::size_t>(offset));
    for (std::size_t axis = dims.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++at[axis] < dims[axis]) break;
      offset -= strides[axis] * dims[axis];
      at[axis] = 0;
    }
  }
}

Array shape(const OnnxNode& node, ArrayInputs inputs) {
  const Dims& dims = input_of(inputs, 0).dims;
  const auto rank = static_cast<std::int64_t>(dims.size());
  const SliceRange range =
      slice_range(rank, whole_of(node, "start", 0), whole_of(node, "end", rank), 1);
  return Array::of(Dims(dims.begin() + range.begin, dims.begin() + range.begin + range.count));
}

Array size(const OnnxNode&, ArrayInputs inputs) {
  return {{}, true, {static_cast<double>(input_of(inputs, 0).count())}};
}

Array constant(const OnnxNode& node, ArrayInputs) {
  for (const OnnxAttribute& attribute : node.attributes) {
    if (attribute.name == "value" && attribute.tensor) return array_of(*attribute.tensor);
    if (attribute.name == "value_int") {
      return {{}, true, {static_cast<double>(attribute.whole)}};
    }
    if (attribute.name == "value_float") return {{}, false, {attribute.real}};
    if (attribute.name == "value_ints") return Array::of(attribute.wholes);
    if (attribute.name == "value_floats") {
      return {{static_cast<std::int64_t>(attribute.reals.size())},
              false,
              {attribute.reals.begin(), attribute.reals.end()}};
    }
  }
  throw Error("holds no numbers");
}

Array constant_of_shape(const OnnxNode& node, ArrayInputs inputs) {
  Array value{{}, false, {0}};
  if (const OnnxAttribute* given = node.find("value"); given && given->tensor) {
    value = array_of(*given->tensor);
  }
  Array result = array_like(as_indices(input_of(inputs, 0)), value.is_whole);
  std::ranges::fill(result.numbers, only_number(value));
  return result;
}

Array range(const OnnxNode&, ArrayInputs inputs) {
  const double start = only_number(input_of(inputs, 0));
  const double limit = only_number(input_of(inputs, 1));
  const double delta = only_number(input_of(inputs, 2));
  const double count = delta == 0 ? 0 : std::max(std::ceil((limit - start) / delta), 0.0);
  if (!(count <= static_cast<double>(kMostArrayNumbers))) {
    throw Error("would make more than 2^24 numbers of constants alone");
  }
  Array result = array_like({static_cast<std::int64_t>(count)}, inputs[0]->is_whole);
  for (std::size_t i = 0; i < result.numbers.size(); ++i) {
    result.numbers[i] = rounded(start + static_cast<double>(i) * delta, result.is_whole);
  }
  return result;
}

Array concat(const OnnxNode& node, ArrayInputs inputs) {
  const Array& first = input_of(inputs, 0);
  const std::size_t axis = axis_of(whole_of(node, "axis", 0), first.dims.size());
  Dims dims = first.dims;
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    Dims other = input_of(inputs, i).dims;
    if (other.size() != dims.size()) throw Error("joins arrays of different axes");
    dims[axis] += other[axis];
    other[axis] = dims[axis];
    if (other != dims) throw Error("joins arrays of different axes");
  }
  Array result = array_like(dims, first.is_whole);
  const Dims strides = strides_of(dims);
  std::int64_t offset = 0;
  for (const Array* part : inputs) {
    walk(part->dims, strides, offset,
         [&](std::size_t i, std::size_t to) { result.numbers[to] = part->numbers[i]; });
    offset += part->dims[axis] * strides[axis];
  }
  return result;
}

Array gather(const OnnxNode& node, ArrayInputs inputs) {
  const Array &data = input_of(inputs, 0), &indices = input_of(inputs, 1);
  const std::size_t axis = axis_of(whole_of(node, "axis", 0), data.dims.size());
  const auto at = static_cast<std::ptrdiff_t>(axis);
  Dims dims(data.dims.begin(), data.dims.begin() + at);
  dims.insert(dims.end(), indices.dims.begin(), indices.dims.end());
  dims.insert(dims.end(), data.dims.begin() + at + 1, data.dims.end());
  Array result = array_like(dims, data.is_whole);
  const std::int64_t inner = strides_of(data.dims)[axis];
  const std::int64_t extent = data.dims[axis];
  for (std::size_t i = 0; i < result.numbers.size(); ++i) {
    const auto place = static_cast<std::int64_t>(i);
    const std::int64_t block = place / inner;
    std::int64_t index =
        as_index(indices.numbers[static_cast<std::size_t>(block % indices.count())]);
    if (index < 0) index += extent;
    if (index < 0 || index >= extent) {
      throw Error("takes number " + std::to_string(index) + " of " + std::to_string(extent));
    }
    const std::int64_t from = (block / indices.count() * extent + index) * inner + place % inner;
    result.numbers[i] = data.numbers[static_cast<std::size_t>(from)];
  }
  return result;
}

Array slice(const OnnxNode& node, ArrayInputs inputs) {
  const Array& data = input_of(inputs, 0);
  const auto from = [&](std::size_t i, const char* attribute) {
    return has_input(inputs, i) ? as_indices(*inputs[i]) : wholes_of(node, attribute);
  };
  const Dims starts = from(1, "starts"), ends = from(2, "ends"), steps = from(4, "steps");
  Dims axes = from(3, "axes");
  if (axes.empty()) {
    axes.resize(starts.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  Array result{data.dims, data.is_whole, {}};
  Dims strides = strides_of(data.dims);
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = axis_of(axes[i], data.dims.size());
    if (i >= starts.size() || i >= ends.size()) throw Error("lacks the ends of its axes");
    const SliceRange range =
        slice_range(data.dims[axis], starts[i], ends[i], i < steps.size() ? steps[i] : 1);
    offset += range.begin * strides[axis];
    result.dims[axis] = range.count;
    strides[axis] *= range.step;
  }
  result.numbers.resize(static_cast<std::size_t>(count_of(result.dims)));
  walk(result.dims, strides, offset,
       [&](std::size_t i, std::size_t at) { result.numbers[i] = data.numbers[at]; });
  return result;
}

Array transpose(const OnnxNode& node, ArrayInputs inputs) {
  const Array& data = input_of(inputs, 0);
  Dims order = wholes_of(node, "perm");
  if (order.empty()) {
    for (std::size_t axis = data.dims.size(); axis-- > 0;) {
      order.push_back(static_cast<std::int64_t>(axis));
    }
  }
  if (order.size() != data.dims.size()) throw Error("orders another number of axes");
  const Dims own = strides_of(data.dims);
  Dims dims, strides;
  for (const std::int64_t axis : order) {
    const std::size_t from = axis_of(axis, data.dims.size());
    dims.push_back(data.dims[from]);
    strides.push_back(own[from]);
  }
  if (count_of(dims) != data.count()) throw Error("names an axis twice");
  Array result = array_like(dims, data.is_whole);
  walk(dims, strides, 0,
       [&](std::size_t i, std::size_t at) { result.numbers[i] = data.numbers[at]; });
  return result;
}

Array with_dims(const Array& array, Dims dims) {
  if (count_of(dims) != array.count()) {
    throw Error("makes " + counted(count_of(dims), "number") + " of " +
                std::to_string(array.count()));
  }
  return {std::move(dims), array.is_whole, array.numbers};
}

Array reshape(const OnnxNode& node, ArrayInputs inputs) {
  const Array& data = input_of(inputs, 0);
  const Dims wanted = has_input(inputs, 1) ? as_indices(*inputs[1]) : wholes_of(node, "shape");
  return with_dims(data, reshaped(data.dims, wanted, whole_of(node, "allowzero", 0) != 0));
}

Array flatten(const OnnxNode& node, ArrayInputs inputs) {
  const Array& data = input_of(inputs, 0);
  const std::int64_t axis = whole_of(node, "axis", 1);
  const auto rank = static_cast<std::int64_t>(data.dims.size());
  const std::int64_t at = axis < 0 ? axis + rank : axis;
  if (at < 0 || at > rank) throw Error("flattens at axis " + std::to_string(axis));
  const Dims lead(data.dims.begin(), data.dims.begin() + at);
  const std::int64_t outer = count_of(lead);
  return with_dims(data, {outer, outer == 0 ? 0 : data.count() / outer});
}

Array squeeze(const OnnxNode& node, ArrayInputs inputs) {
  const Array& data = input_of(inputs, 0);
  const Dims axes = axes_from(node, inputs, 1);
  std::vector<bool> drop(data.dims.size(), false);
  for (const std::int64_t axis : axes) drop[axis_of(axis, data.dims.size())] = true;
  Dims dims;
  for (std::size_t axis = 0; axis < data.dims.size(); ++axis) {
    if (axes.empty() ? data.dims[axis] != 1 : !drop[axis]) dims.push_back(data.dims[axis]);
  }
  return with_dims(data, dims);
}

Array unsqueeze(const OnnxNode& node, ArrayInputs inputs) {
  const Array& data = input_of(inputs, 0);
  const Dims axes = axes_from(node, inputs, 1);
  const std::size_t rank = data.dims.size() + axes.size();
  std::vector<bool> is_new(rank, false);
  for (const std::int64_t axis : axes) is_new[axis_of(axis, rank)] = true;
  Dims dims;
  auto next = data.dims.begin();
  for (std::size_t axis = 0; axis < rank; ++axis) {
    dims.push_back(is_new[axis] || next == data.dims.end() ? 1 : *next++);
  }
  return with_dims(data, dims);
}

Array expand(const OnnxNode&, ArrayInputs inputs) {
  const Array& data = input_of(inputs, 0);
  return expanded(data, broadcast(data.dims, as_indices(input_of(inputs, 1))));
}

/// ReduceSum, ReduceProd, ReduceMin, ReduceMax over the given axes, or all.
Array reduced(const OnnxNode& node, ArrayInputs inputs) {
  const Array& data = input_of(inputs, 0);
  Dims axes = axes_from(node, inputs, 1);
  if (axes.empty()) {
    axes.resize(data.dims.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  Dims kept = data.dims;
  for (const std::int64_t axis : axes) kept[axis_of(axis, data.dims.size())] = 1;
  Dims strides = strides_of(kept);
  for (std::size_t axis = 0; axis < kept.size(); ++axis) {
    if (kept[axis] != data.dims[axis]) strides[axis] = 0;
  }
  Array result = array_like(kept, data.is_whole);
  std::vector<bool> begun(result.numbers.size(), false);
  walk(data.dims, strides, 0, [&](std::size_t i, std::size_t to) {
    double& sum = result.numbers[to];
    const double x = data.numbers[i];
    if (!begun[to]) {
      sum = x;
    } else if (node.op == "ReduceSum") {
      sum += x;
    } else if (node.op == "ReduceProd") {
      sum *= x;
    } else {
      sum = node.op == "ReduceMin" ? std::min(sum, x) : std::max(sum, x);
    }
    begun[to] = true;
  });
  if (whole_of(node, "keepdims", 1) != 0) return result;
  Dims dims;
  std::vector<bool> drop(kept.size(), false);
  for (const std::int64_t axis : axes) drop[axis_of(axis, kept.size())] = true;
  for (std::size_t axis = 0; axis < kept.size(); ++axis) {
    if (!drop[axis]) dims.push_back(kept[axis]);
  }
  return with_dims(result, dims);
}

const std::map<std::string_view, ArrayOperation> kOperations{
    {"Concat", concat},      {"Constant", constant},   {"ConstantOfShape", constant_of_shape},
    {"Expand", expand},      {"Flatten", flatten},     {"Gather", gather},
    {"Range", range},        {"ReduceMax", reduced},   {"ReduceMin", reduced},
    {"ReduceProd", reduced}, {"ReduceSum", reduced},   {"Reshape", reshape},
    {"Shape", shape},        {"Size", size},           {"Slice", slice},
    {"Squeeze", squeeze},    {"Transpose", transpose}, {"Unsqueeze", unsqueeze},
};

}  // namespace

Array array_like(Dims dims, bool is_whole) {
  const std::int64_t count = count_of(dims);
  return {std::move(dims), is_whole, std::vector<double>(static_cast<std::size_t>(count))};
}

double rounded(double number, bool is_whole) {
  return is_whole ? number : static_cast<double>(static_cast<float>(number));
}

const Array& input_of(ArrayInputs inputs, std::size_t i) {
  if (i >= inputs.size() || inputs[i] == nullptr) {
    throw Error("lacks its input " + std::to_string(i + 1));
  }
  return *inputs[i];
}

Dims broadcast(const Dims& a, const Dims& b) {
  Dims result(std::max(a.size(), b.size()), 1);
  for (const Dims* dims : {&a, &b}) {
    const std::size_t lead = result.size() - dims->size();
    for (std::size_t axis = 0; axis < dims->size(); ++axis) {
      std::int64_t& extent = result[lead + axis];
      const std::int64_t dim = (*dims)[axis];
      if (extent != 1 && dim != 1 && dim != extent) {
        throw Error("joins axes of " + std::to_string(extent) + " and " + std::to_string(dim));
      }
      if (extent == 1) extent = dim;
    }
  }
  return result;
}

Array expanded(const Array& array, const Dims& dims) {
  Dims strides(dims.size(), 0);
  const Dims own = strides_of(array.dims);
  const std::size_t lead = dims.size() - array.dims.size();
  for (std::size_t axis = 0; axis < array.dims.size(); ++axis) {
    if (array.dims[axis] != 1) strides[lead + axis] = own[axis];
  }
  Array result = array_like(dims, array.is_whole);
  walk(dims, strides, 0,
       [&](std::size_t i, std::size_t from) { result.numbers[i] = array.numbers[from]; });
  return result;
}

ArrayOperation array_operation(const std::string& op) {
  const auto found = kOperations.find(op);
  return found == kOperations.end() ? nullptr : found->second;
}

Array Array::of(Dims wholes) {
  Array array{{static_cast<std::int64_t>(wholes.size())}, true, {}};
  for (const std::int64_t number : wholes) array.numbers.push_back(static_cast<double>(number));
  return array;
}

Array array_of(const OnnxTensor& tensor) {
  Array array = array_like(tensor.dims, !is_real(tensor.type));
  read_numbers(tensor, array.numbers);
  return array;
}

}  // namespace segmentum
