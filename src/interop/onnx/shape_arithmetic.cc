#include "interop/onnx/shape_arithmetic.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string_view>

#include "base/counted.h"
#include "interop/onnx/array_operations.h"
#include "interop/onnx/onnx_numbers.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using Dims = std::vector<std::int64_t>;

using Unary = double (*)(double);
using Binary = double (*)(double a, double b, bool is_whole);

Array mapped(const Array& x, const std::function<double(double)>& of) {
  Array result = x;
  for (double& number : result.numbers) number = rounded(of(number), x.is_whole);
  return result;
}

template <typename Of>
Array combined(const Array& a, const Array& b, bool is_whole, const Of& of) {
  const Dims dims = broadcast(a.dims, b.dims);
  const Array left = expanded(a, dims), right = expanded(b, dims);
  Array result = array_like(dims, is_whole);
  for (std::size_t i = 0; i < result.numbers.size(); ++i) {
    result.numbers[i] = rounded(of(left.numbers[i], right.numbers[i]), is_whole);
  }
  return result;
}

double divide(double a, double b, bool is_whole) {
  if (!is_whole) return a / b;
  if (b == 0) throw Error("divides a whole number by 0");
  return std::trunc(a / b);
}

double power(double a, double b, bool is_whole) {
  const double result = std::pow(a, b);
  return is_whole ? std::trunc(result) : result;
}

/// Operators of two inputs and one type.
const std::map<std::string_view, Binary> kArithmetic{
    {"Add", [](double a, double b, bool) { return a + b; }},
    {"Sub", [](double a, double b, bool) { return a - b; }},
    {"Mul", [](double a, double b, bool) { return a * b; }},
    {"Div", divide},
    {"Pow", power},
};

const std::map<std::string_view, Binary> kComparisons{
    {"Equal", [](double a, double b, bool) { return static_cast<double>(a == b); }},
    {"Less", [](double a, double b, bool) { return static_cast<double>(a < b); }},
    {"LessOrEqual", [](double a, double b, bool) { return static_cast<double>(a <= b); }},
    {"Greater", [](double a, double b, bool) { return static_cast<double>(a > b); }},
    {"GreaterOrEqual", [](double a, double b, bool) { return static_cast<double>(a >= b); }},
    {"And", [](double a, double b, bool) { return static_cast<double>(a != 0 && b != 0); }},
    {"Or", [](double a, double b, bool) { return static_cast<double>(a != 0 || b != 0); }},
};

const std::map<std::string_view, Unary> kFunctions{
    {"Abs", [](double x) { return std::abs(x); }},
    {"Ceil", [](double x) { return std::ceil(x); }},
    {"Exp", [](double x) { return std::exp(x); }},
    {"Floor", [](double x) { return std::floor(x); }},
    {"Identity", [](double x) { return x; }},
    {"Neg", [](double x) { return -x; }},
    {"Not", [](double x) { return static_cast<double>(x == 0); }},
    {"Reciprocal", [](double x) { return 1 / x; }},
    {"Round", [](double x) { return std::nearbyint(x); }},
    {"Sqrt", [](double x) { return std::sqrt(x); }},
};

Array modulo(const OnnxNode& node, ArrayInputs inputs) {
  const Array &a = input_of(inputs, 0), &b = input_of(inputs, 1);
  const bool as_c = whole_of(node, "fmod", 0) != 0;
  return combined(a, b, a.is_whole, [&](double x, double y) {
    if (a.is_whole && y == 0) throw Error("divides a whole number by 0");
    const double rest = std::fmod(x, y);
    return !as_c && rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
  });
}

Array least_or_most(const OnnxNode& node, ArrayInputs inputs) {
  Array result = input_of(inputs, 0);
  const bool least = node.op == "Min";
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    result = combined(result, input_of(inputs, i), result.is_whole,
                      [&](double a, double b) { return least ? std::min(a, b) : std::max(a, b); });
  }
  return result;
}

Array where(const OnnxNode&, ArrayInputs inputs) {
  const Array &condition = input_of(inputs, 0), &yes = input_of(inputs, 1),
              &no = input_of(inputs, 2);
  const Dims dims = broadcast(condition.dims, broadcast(yes.dims, no.dims));
  const Array choice = expanded(condition, dims), a = expanded(yes, dims), b = expanded(no, dims);
  Array result = array_like(dims, yes.is_whole);
  for (std::size_t i = 0; i < result.numbers.size(); ++i) {
    result.numbers[i] = choice.numbers[i] != 0 ? a.numbers[i] : b.numbers[i];
  }
  return result;
}

Array cast(const OnnxNode& node, ArrayInputs inputs) {
  Array result = input_of(inputs, 0);
  const auto type = static_cast<OnnxType>(whole_of(node, "to", 0));
  result.is_whole = !is_real(type);
  for (double& number : result.numbers) {
    if (type == OnnxType::boolean) {
      number = static_cast<double>(number != 0);
    } else if (result.is_whole) {
      if (!std::isfinite(number)) throw Error("makes a whole number of one that is not finite");
      number = std::trunc(number);
    } else {
      number = rounded(number, false);
    }
  }
  return result;
}

const std::map<std::string_view, ArrayOperation> kOthers{
    {"Cast", cast},  {"Max", least_or_most}, {"Min", least_or_most},
    {"Mod", modulo}, {"Where", where},
};

}  // namespace

bool is_shape_arithmetic(const std::string& op) {
  return array_operation(op) != nullptr || kOthers.contains(op) || kArithmetic.contains(op) ||
         kComparisons.contains(op) || kFunctions.contains(op);
}

Array evaluate(const OnnxNode& node, ArrayInputs inputs) {
  if (const ArrayOperation operation = array_operation(node.op)) return operation(node, inputs);
  if (const auto found = kOthers.find(node.op); found != kOthers.end()) {
    return found->second(node, inputs);
  }
  if (const auto found = kFunctions.find(node.op); found != kFunctions.end()) {
    return mapped(input_of(inputs, 0), found->second);
  }
  const Array &a = input_of(inputs, 0), &b = input_of(inputs, 1);
  if (const auto found = kArithmetic.find(node.op); found != kArithmetic.end()) {
    const bool is_whole = a.is_whole && b.is_whole;
    return combined(a, b, is_whole,
                    [&](double x, double y) { return found->second(x, y, is_whole); });
  }
  const Binary compare = kComparisons.at(node.op);
  return combined(a, b, true, [&](double x, double y) { return compare(x, y, true); });
}

std::int64_t as_index(double number) {
  if (number >= 0x1p63) return std::numeric_limits<std::int64_t>::max();
  if (number <= -0x1p63) return std::numeric_limits<std::int64_t>::min();
  if (std::isnan(number)) throw Error("counts with a number that is none");
  return static_cast<std::int64_t>(number);
}

std::size_t axis_of(std::int64_t axis, std::size_t rank) {
  const auto axes = static_cast<std::int64_t>(rank);
  if (axis < -axes || axis >= axes) {
    throw Error("names axis " + std::to_string(axis) + " of " + std::to_string(rank));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + axes : axis);
}

std::vector<std::int64_t> reshaped(std::span<const std::int64_t> dims,
                                   std::span<const std::int64_t> wanted, bool allow_zero) {
  Dims result(wanted.begin(), wanted.end());
  std::optional<std::size_t> free;
  for (std::size_t axis = 0; axis < result.size(); ++axis) {
    if (result[axis] == 0 && !allow_zero) {
      if (axis >= dims.size()) throw Error("keeps an axis that is not there");
      result[axis] = dims[axis];
    } else if (result[axis] == -1) {
      if (free) throw Error("leaves two axes open");
      free = axis;
      result[axis] = 1;
    }
  }
  if (!free) return result;
  const std::int64_t all = product_of(dims), known = product_of(result);
  if (known == 0 || all % known != 0) {
    throw Error("cannot deal " + counted(all, "number") + " out over " + std::to_string(known));
  }
  result[*free] = all / known;
  return result;
}

std::int64_t product_of(std::span<const std::int64_t> dims) {
  constexpr std::int64_t kMost = std::int64_t{1} << 60;
  std::int64_t product = 1;
  for (const std::int64_t dim : dims) {
    if (dim < 0) throw Error("would make an axis of " + std::to_string(dim));
    if (dim > 0 && product > kMost / dim) throw Error("would make more than 2^60 numbers");
    product *= dim;
  }
  return product;
}

std::int64_t product_of(std::initializer_list<std::int64_t> dims) {
  return product_of(std::span(dims.begin(), dims.size()));
}

SliceRange slice_range(std::int64_t size, std::int64_t start, std::int64_t end, std::int64_t step) {
  if (step == 0) throw Error("steps by 0");
  const auto clamped = [&](std::int64_t at, std::int64_t lowest, std::int64_t highest) {
    return std::clamp(at < 0 ? std::max(at, -size - 1) + size : at, lowest, highest);
  };
  const std::int64_t top = step < 0 ? size - 1 : size;
  const std::int64_t begin = clamped(start, 0, std::max<std::int64_t>(top, 0));
  const std::int64_t stop = clamped(end, step < 0 ? -1 : 0, top);
  const std::int64_t span = step < 0 ? begin - stop : stop - begin;
  const auto stride = static_cast<std::uint64_t>(step < 0 ? -(step + 1) : step - 1) + 1;
  const auto count =
      span <= 0 ? 0
                : static_cast<std::int64_t>((static_cast<std::uint64_t>(span) - 1) / stride + 1);
  return {begin, count, count > 1 ? step : 1};
}

}  // namespace segmentum
