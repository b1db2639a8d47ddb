// Activations and arithmetic. What we have no operator for is put together from those we have,
// where that is exact: a scale and a shift for each channel are a 1x1 convolution of each channel.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/counted.h"
#include "interop/onnx/translation.h"

namespace segmentum {
namespace {

using Numbers = std::vector<float>;

void activate(Step& s, Activation activation) {
  const Seen x = s.plain(0);
  s.result_like(x, s.t.add(s.name(), op::Activate{activation}, {x.id}));
}

void relu(Step& s) {
  activate(s, ActivationKind::relu);
}
void sigmoid(Step& s) {
  activate(s, ActivationKind::sigmoid);
}
void hard_swish(Step& s) {
  activate(s, ActivationKind::hard_swish);
}
void leaky_relu(Step& s) {
  activate(s, {ActivationKind::leaky_relu, real_of(s.node, "alpha", 0.01f)});
}

/// max(0, min(1, alpha*x + beta)); ours has alpha 1/6 and beta 1/2. Without beta it is a part of a
/// relu6.
void hard_sigmoid(Step& s) {
  const float alpha = real_of(s.node, "alpha", 0.2f), beta = real_of(s.node, "beta", 0.5f);
  const Seen x = s.plain(0);
  if (beta == 0) {
    const ValueId sixfold = s.t.scaled(s.name() + ".in", x.id, {6 * alpha});
    const ValueId clipped =
        s.t.add(s.name() + ".relu6", op::Activate{ActivationKind::relu6}, {sixfold});
    return s.result_like(x, s.t.scaled(s.name(), clipped, {1.0f / 6}));
  }
  ValueId id = x.id;
  constexpr float kRounding = 1e-6f;  // writers round 1/6
  if (std::abs(alpha - 1.0f / 6) > kRounding || beta != 0.5f) {
    id = s.t.affine(s.name() + ".in", id, {6 * alpha}, {6 * (beta - 0.5f)});
  }
  s.result_like(x, s.t.add(s.name(), op::Activate{ActivationKind::hard_sigmoid}, {id}));
}

/// 2 * sigmoid(2x) - 1.
void hyperbolic_tangent(Step& s) {
  const Seen x = s.plain(0);
  const ValueId twice = s.t.affine(s.name() + ".in", x.id, {2}, {});
  const ValueId curve =
      s.t.add(s.name() + ".sigmoid", op::Activate{ActivationKind::sigmoid}, {twice});
  s.result_like(x, s.t.affine(s.name(), curve, {2}, {-1}));
}

/// Both bounds: lowest + relu6((x - lowest) * f) / f with f = 6 / (highest - lowest).
ValueId clipped(Step& s, ValueId x, float lowest, float highest) {
  const std::string name = s.name();
  const auto act = [&](ActivationKind kind, ValueId value) {
    return s.t.add(name + ".act", op::Activate{kind}, {value});
  };
  const bool below = std::isfinite(lowest), above = std::isfinite(highest);
  if (!below && !above) return x;
  if (below && !above) {
    return s.t.affine(name, act(ActivationKind::relu, s.t.affine(name + ".in", x, {}, {-lowest})),
                      {}, {lowest});
  }
  if (!below) {  // highest - relu(highest - x)
    return s.t.affine(name, act(ActivationKind::relu, s.t.affine(name + ".in", x, {-1}, {highest})),
                      {-1}, {highest});
  }
  if (highest <= lowest) s.refuse("clips to an empty range");
  const float f = 6 / (highest - lowest);
  return s.t.affine(name,
                    act(ActivationKind::relu6, s.t.affine(name + ".in", x, {f}, {-lowest * f})),
                    {1 / f}, {lowest});
}

void clip(Step& s) {
  constexpr float kNoBound = std::numeric_limits<float>::infinity();
  const Seen x = s.plain(0);
  const auto bound = [&](std::size_t i, const char* attribute, float otherwise) {
    const float given = s.has(i) ? s.real(i) : real_of(s.node, attribute, otherwise);
    constexpr float kNearlyNone = 3e38f;  // older operator sets say "none" by the largest number
    return std::abs(given) >= kNearlyNone ? otherwise : given;
  };
  const float lowest = bound(1, "min", -kNoBound), highest = bound(2, "max", kNoBound);
  if (lowest == 0 && highest == kNoBound) return relu(s);
  if (lowest == 0 && highest == 6) return activate(s, ActivationKind::relu6);
  s.result_like(x, clipped(s, x.id, lowest, highest));
}

/// Numbers that are the same all over the plane: one, or one for each channel. Null for others.
std::optional<Numbers> channel_numbers(const Step& s, std::size_t i, const Seen& seen) {
  const auto array = s.constant(i);
  const auto axes = s.t.dims(seen, 0).size();
  const std::size_t channel_axis = seen.view == View::channels_last ? axes - 1 : 1;
  if (array->count() == 1) return s.reals(i);
  if (array->dims.size() > axes) return std::nullopt;
  const std::size_t lead = axes - array->dims.size();
  for (std::size_t axis = 0; axis < array->dims.size(); ++axis) {
    if (array->dims[axis] == 1) continue;
    if (lead + axis != channel_axis || array->dims[axis] != s.t.channels(seen.id)) {
      return std::nullopt;
    }
  }
  return s.reals(i);
}

void p_relu(Step& s) {
  const Seen x = s.plain(0);
  auto slopes = channel_numbers(s, 1, x);
  if (!slopes) s.refuse("has a slope for each pixel, not for each channel");
  if (std::ranges::all_of(*slopes, [&](float slope) { return slope == slopes->front(); })) {
    activate(s, {ActivationKind::leaky_relu, slopes->front()});
    return;
  }
  // relu(x) - slope * relu(-x)
  const std::string name = s.name();
  const auto relu_of = [&](const char* end, ValueId value) {
    return s.t.add(name + end, op::Activate{ActivationKind::relu}, {value});
  };
  const ValueId negative = relu_of(".negative", s.t.affine(name + ".minus", x.id, {-1}, {}));
  for (float& slope : *slopes) slope = -slope;
  const ValueId scaled = s.t.affine(name + ".slope", negative, std::move(*slopes), {});
  s.result_like(x, s.t.add(name, op::Add{}, {relu_of(".positive", x.id), scaled}));
}

// --- a value and a constant ---

/// Is this the only reader of input `i`, so that the node that made it may change?
bool is_only_reader(const Step& s, std::size_t i, const Seen& x) {
  return s.t.uses(s.node.inputs[i]) == 1 && s.t.names_of(x.id) == 1;
}

/// A norm made from PyTorch's chain gets its scale and shift by a Mul and an Add after it, as
/// does a convolution without bias.
bool absorbed(Step& s, std::size_t i, const Seen& x, const Numbers& scale, const Numbers& shift) {
  Node& maker = s.t.node(x.id);
  const auto c = static_cast<std::size_t>(s.t.channels(x.id));
  if (!is_only_reader(s, i, x)) return false;
  const bool scales = scale.size() == c && shift.empty();
  const bool shifts = shift.size() == c && scale.empty();
  const std::size_t other = 1 - i;
  const bool is_norm = std::holds_alternative<op::GroupNorm>(maker.op) ||
                       std::holds_alternative<op::LayerNorm>(maker.op);
  if (is_norm && (scales || shifts)) {
    if (!s.t.take_plain_norm(x.id, scales)) return false;
    if (scales) {
      const std::string name = s.name_by_weight(other);
      if (name != s.name()) s.t.rename(x.id, name);
    }
    s.t.set_weight(x.id, scales ? 0 : 1, constant_weight(scales ? scale : shift));
    return true;
  }
  const auto* conv = std::get_if<op::Conv>(&maker.op);
  if (conv == nullptr || conv->bias || !shifts || conv->kernel != Size2(1)) return false;
  s.t.add_bias(x.id, constant_weight(shift));
  // PyTorch keeps the name of a linear layer's bias alone.
  const std::string owner = s.owner_of(other, ".bias");
  const bool has_own_name = clean_name(s.node.inputs[i]) != maker.name + "_output_0";
  if (!owner.empty() && !has_own_name) s.t.rename(x.id, owner);
  return true;
}

void scale_and_shift(Step& s, std::size_t i, const Numbers& scale, const Numbers& shift) {
  const Seen x = s.plain(i);
  const auto is_all = [](const Numbers& numbers, float number) {
    return std::ranges::all_of(numbers, [&](float other) { return other == number; });
  };
  if (is_all(scale, 1) && is_all(shift, 0)) {
    s.result(x);
  } else if (absorbed(s, i, x, scale, shift)) {
    s.t.retire(s.node.inputs[i]);
    s.result(x);
  } else if (shift.empty()) {
    s.result_like(x, s.t.scaled(s.name(), x.id, scale));
  } else {
    s.result_like(x, s.t.affine(s.name(), x.id, scale, shift));
  }
}

Numbers negated(Numbers numbers) {
  for (float& number : numbers) number = -number;
  return numbers;
}

void with_constant(Step& s, std::size_t i) {
  const Seen x = s.plain(i);
  const auto numbers = channel_numbers(s, 1 - i, x);
  if (!numbers) {
    s.refuse("joins the network with a constant of " +
             counted(s.constant(1 - i)->count(), "number") + "; expected one for each channel");
  }
  const std::string& op = s.node.op;
  if (op == "Mul") return scale_and_shift(s, i, *numbers, {});
  if (op == "Add") return scale_and_shift(s, i, {}, *numbers);
  if (op == "Sub") {
    return i == 0 ? scale_and_shift(s, 0, {}, negated(*numbers))
                  : scale_and_shift(s, 1, {-1}, *numbers);
  }
  if (op != "Div" || i != 0) s.refuse("divides by, or compares with, a value of the network");
  Numbers inverse;
  for (const float number : *numbers) inverse.push_back(1 / number);
  scale_and_shift(s, 0, inverse, {});
}

// --- two values ---

bool is_one_pixel(const Step& s, ValueId id) {
  const auto sizes = s.t.sizes(id);
  return std::ranges::all_of(sizes, [](const Size2& size) { return size == Size2(1); });
}

/// One channel as `channels` equal ones.
ValueId spread_channel(Step& s, ValueId x, int channels) {
  const op::Conv copy{.channels = channels, .bias = false};
  return s.t.add(s.name() + ".channels", copy, {x}, {constant_weight(channels, 1)});
}

/// Gives both values the channels, and unless `factor` may be one pixel the size, of the larger.
std::pair<ValueId, ValueId> same_shape(Step& s, ValueId a, ValueId b, bool factor) {
  const int c = std::max(s.t.channels(a), s.t.channels(b));
  for (ValueId* value : {&a, &b}) {
    if (s.t.channels(*value) == 1 && c > 1) *value = spread_channel(s, *value, c);
  }
  if (is_one_pixel(s, a) && !is_one_pixel(s, b)) std::swap(a, b);
  if (is_one_pixel(s, b) && !is_one_pixel(s, a) && !factor) {
    b = s.t.add(s.name() + ".plane", op::Resize{.mode = Interpolation::nearest}, {b, a});
  }
  return {a, b};
}

/// x * hard_sigmoid(x), as older operator sets write a hard swish.
std::optional<ValueId> argument_of_hard_swish(const Step& s, ValueId a, ValueId b) {
  for (const auto& [x, factor] : {std::pair(a, b), std::pair(b, a)}) {
    const Node& maker = s.t.node(factor);
    const auto* activate = std::get_if<op::Activate>(&maker.op);
    if (activate != nullptr && activate->activation == Activation(ActivationKind::hard_sigmoid) &&
        maker.inputs[0] == x) {
      return x;
    }
  }
  return std::nullopt;
}

/// The two values in one view: a flat one stands beside [N,C] only.
std::pair<Seen, Seen> two_values(Step& s) {
  Seen a = s.plain(0);
  Seen b = s.plain(1);
  a = s.plain(0);  // both may be one value that had a frame
  if (a.view != b.view) s.refuse("joins values of different axes");
  return {a, b};
}

void of_two_values(Step& s) {
  const auto [a, b] = two_values(s);
  const std::string& op = s.node.op;
  if (op == "Mul") {
    if (const auto x = argument_of_hard_swish(s, a.id, b.id)) {
      return s.result_like(a, s.t.add(s.name(), op::Activate{ActivationKind::hard_swish}, {*x}));
    }
    const auto [x, factor] = same_shape(s, a.id, b.id, true);
    return s.result_like(a, s.t.add(s.name(), op::Multiply{}, {x, factor}));
  }
  if (op == "Div") s.refuse("divides one value of the network by another");
  const ValueId second = op == "Sub" ? s.t.affine(s.name() + ".minus", b.id, {-1}, {}) : b.id;
  const auto [x, y] = same_shape(s, a.id, second, false);
  s.result_like(a, s.t.add(s.name(), op::Add{}, {x, y}));
}

/// Scores of every class for each place of a grid, weighted by how near each pixel is.
void by_location(Step& s, std::size_t i, const GridWeights& weights) {
  Seen x = s.plain(i);
  const bool fits = s.node.op == "Mul" && x.view == View::planes &&
                    weights.sizes == s.t.sizes(x.id) &&
                    s.t.channels(x.id) == weights.copies * weights.grid * weights.grid;
  if (!fits) s.refuse("joins weights by location with a value that they do not fit");
  x.grid = weights.grid;
  s.result(std::move(x));
}

void arithmetic(Step& s) {
  if (continues_chain(s)) return;
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    if (const GridWeights* weights = s.grid_weights(1 - i)) return by_location(s, i, *weights);
  }
  if (s.is_known(1)) return with_constant(s, 0);
  if (s.is_known(0)) return with_constant(s, 1);
  of_two_values(s);
}

void sum(Step& s) {
  Seen total = s.plain(0);
  for (std::size_t i = 1; i < s.node.inputs.size(); ++i) {
    const Seen next = s.plain(i);
    if (next.view != total.view) s.refuse("joins values of different axes");
    total.id = s.t.add(s.name(), op::Add{}, {total.id, next.id});
  }
  s.result(total);
}

void maximum(Step& s) {
  Seen most = s.plain(0);
  for (std::size_t i = 1; i < s.node.inputs.size(); ++i) {
    const Seen next = s.plain(i);
    if (next.view != most.view) s.refuse("joins values of different axes");
    most.id = s.t.add(s.name(), op::Maximum{}, {most.id, next.id});
  }
  s.result(most);
}

void negate(Step& s) {
  scale_and_shift(s, 0, {-1}, {});
}

/// One class: 1 where its logit reaches 0, or its probability one half.
void threshold(Step& s) {
  const Seen x = s.plain(0);
  const bool is_probability = [&] {
    const auto* maker = std::get_if<op::Activate>(&s.t.node(x.id).op);
    return maker != nullptr && maker->activation.kind == ActivationKind::sigmoid;
  }();
  if (!s.is_known(1) || s.t.channels(x.id) != 1 || s.real(1) != (is_probability ? 0.5f : 0.0f)) {
    s.refuse("compares; only one class is told by a threshold, its logit by 0");
  }
  Seen labels = x;
  labels.ended_by = s.node.op;
  s.result(labels);
}

void invert(Step& s) {
  const Seen& labels = s.seen(0);
  if (labels.ended_by != "Less") s.refuse("inverts what is no comparison with Less");
  s.result(labels);
}

}  // namespace

const Translators& pointwise_translators() {
  static const Translators kAll{
      {"Add", arithmetic},
      {"Clip", clip},
      {"Div", arithmetic},
      {"Greater", threshold},
      {"GreaterOrEqual", threshold},
      {"HardSigmoid", hard_sigmoid},
      {"HardSwish", hard_swish},
      {"LeakyRelu", leaky_relu},
      {"Less", threshold},
      {"Max", maximum},
      {"Mul", arithmetic},
      {"Neg", negate},
      {"Not", invert},
      {"PRelu", p_relu},
      {"Relu", relu},
      {"Sigmoid", sigmoid},
      {"Sub", arithmetic},
      {"Sum", sum},
      {"Tanh", hyperbolic_tangent},
  };
  return kAll;
}

}  // namespace segmentum
