// Layer norms and GELU, which exporters write as chains of small operators until there are names
// for them. A value keeps how far its chain has come; the last operator makes one of ours of it.
#include <cmath>
#include <numbers>
#include <set>

#include "interop/onnx/onnx_numbers.h"
#include "interop/onnx/translation.h"

namespace segmentum {
namespace {

constexpr float kRootOfTwo = std::numbers::sqrt2_v<float>;

/// The link at input `i`, or null where it is a constant or none of a chain.
const Seen* link(const Step& s, std::size_t i) {
  if (!s.has(i) || s.is_known(i) || s.grid_weights(i) != nullptr) return nullptr;
  const Seen& x = s.seen(i);
  return x.chain == Chain::none ? nullptr : &x;
}

bool is_link(const Step& s, std::size_t i, Chain chain) {
  const Seen* x = link(s, i);
  return x != nullptr && x->chain == chain;
}

/// Passes `x` on as the next link.
bool next(const Step& s, Seen x, Chain chain) {
  x.chain = chain;
  s.result(std::move(x));
  return true;
}

bool are_of_one_value(const Step& s) {
  const Seen &a = s.seen(0), &b = s.seen(1);
  return a.id == b.id && a.view == b.view;
}

// --- layer norm ---

/// Has it the mean over the channels of each pixel, one number that stays an axis?
bool is_over_channels(const Step& s, const Seen& x) {
  const auto axes = s.has(1) ? s.wholes(1, 0) : wholes_of(s.node, "axes");
  const std::size_t rank = s.t.dims(x, 0).size();
  std::set<std::size_t> over;
  for (const std::int64_t axis : axes) over.insert(axis_of(axis, rank));
  const std::size_t channels = x.view == View::channels_last ? rank - 1 : 1;
  return x.view != View::groups && over == std::set{channels} &&
         whole_of(s.node, "keepdims", 1) != 0;
}

bool after_mean(Step& s) {
  const bool is_variance = is_link(s, 0, Chain::squared);
  if (!is_variance && link(s, 0) != nullptr) return false;
  if (!is_over_channels(s, s.seen(0))) return false;
  return is_variance ? next(s, s.seen(0), Chain::variance) : next(s, s.plain(0), Chain::mean);
}

bool after_difference(Step& s) {
  if (!is_link(s, 1, Chain::mean) || s.is_known(0) || link(s, 0) != nullptr) return false;
  const Seen x = s.plain(0);
  return are_of_one_value(s) && next(s, x, Chain::centred);
}

/// The norm without numbers of its own; a Mul and an Add behind it may bring them.
bool end_norm(Step& s, std::size_t divisor) {
  Seen x = s.seen(divisor);
  const std::int64_t c = s.t.channels(x.id);
  const op::LayerNorm norm{.epsilon = *x.epsilon};
  x.id = s.t.add(s.name(), norm, {x.id}, {constant_weight(c, 1), constant_weight(c, 0)});
  x.epsilon.reset();
  s.t.keep_plain_norm(x.id);
  return next(s, std::move(x), Chain::none);
}

/// The root or the inverse root of what is above zero.
bool after_root(Step& s, bool inverse) {
  if (!is_link(s, 0, Chain::above_zero)) return false;
  return next(s, s.seen(0), inverse ? Chain::inverse : Chain::deviation);
}

// --- GELU: x (1 + erf(x / sqrt(2))) / 2, with u for x / sqrt(2) ---

/// `i` is factor * (1 + erf(u)), the other r * u: together sqrt(2) * factor * r * gelu(sqrt(2) u).
bool end_gelu(Step& s, std::size_t i) {
  const Seen erf = s.seen(i);
  Seen x = s.plain(1 - i);
  const auto r = s.t.ratio(x.id, erf.id);
  if (!r || x.view != erf.view) return false;
  const ValueId in = s.t.scaled(s.name() + ".in", erf.id, {kRootOfTwo});
  const ValueId gelu = s.t.add(s.name(), op::Activate{ActivationKind::gelu}, {in});
  s.result_like(x, s.t.scaled(s.name() + ".scaled", gelu, {kRootOfTwo * erf.factor * *r}));
  return true;
}

bool scaled_erf(Step& s, std::size_t i, float factor) {
  Seen x = s.seen(i);
  x.factor *= factor;
  return next(s, std::move(x), Chain::one_and_erf);
}

// --- operators ---

bool after_sum(Step& s, std::size_t i) {
  if (!s.is_known(1 - i)) return false;
  if (is_link(s, i, Chain::variance)) {
    Seen x = s.seen(i);
    x.epsilon = s.real(1 - i);
    return next(s, std::move(x), Chain::above_zero);
  }
  return is_link(s, i, Chain::erf) && s.real(1 - i) == 1 && next(s, s.seen(i), Chain::one_and_erf);
}

bool after_product(Step& s, std::size_t i) {
  if (is_link(s, i, Chain::one_and_erf)) {
    if (s.is_known(1 - i)) return scaled_erf(s, i, s.real(1 - i));
    return link(s, 1 - i) == nullptr && end_gelu(s, i);
  }
  if (!is_link(s, i, Chain::centred) || link(s, 1 - i) == nullptr || !are_of_one_value(s)) {
    return false;
  }
  if (is_link(s, 1 - i, Chain::inverse)) return end_norm(s, 1 - i);
  return is_link(s, 1 - i, Chain::centred) && next(s, s.seen(i), Chain::squared);
}

bool after_quotient(Step& s) {
  if (is_link(s, 0, Chain::one_and_erf) && s.is_known(1)) return scaled_erf(s, 0, 1 / s.real(1));
  return is_link(s, 0, Chain::centred) && is_link(s, 1, Chain::deviation) && are_of_one_value(s) &&
         end_norm(s, 1);
}

void square_root(Step& s) {
  if (!after_root(s, false)) s.refuse("takes a root that is no layer norm's");
}

void reciprocal(Step& s) {
  if (!is_link(s, 0, Chain::deviation)) s.refuse("divides by what is no layer norm's deviation");
  next(s, s.seen(0), Chain::inverse);
}

/// What a layer norm needs; squares and cubes besides.
void power(Step& s) {
  const float exponent = s.is_known(1) ? s.real(1) : 0;
  if (exponent == 2 && is_link(s, 0, Chain::centred)) {
    next(s, s.seen(0), Chain::squared);
    return;
  }
  if ((exponent == 0.5f && after_root(s, false)) || (exponent == -0.5f && after_root(s, true))) {
    return;
  }
  if (exponent != 2 && exponent != 3) s.refuse("takes a power other than 2 or 3");
  const Seen x = s.plain(0);
  ValueId product = s.t.add(s.name(), op::Multiply{}, {x.id, x.id});
  if (exponent == 3) product = s.t.add(s.name(), op::Multiply{}, {product, x.id});
  s.result_like(x, product);
}

void error_function(Step& s) {
  next(s, s.plain(0), Chain::erf);
}

/// Approximated, x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), it is x sigmoid(x (a + b x^2)).
void gelu(Step& s) {
  const Seen x = s.plain(0);
  const std::string rule = text_of(s.node, "approximate", "none"), name = s.name();
  if (rule == "none") {
    return s.result_like(x, s.t.add(name, op::Activate{ActivationKind::gelu}, {x.id}));
  }
  if (rule != "tanh") s.refuse("is approximated by rule \"" + rule + "\"");
  const float a = 2 * std::sqrt(2 / std::numbers::pi_v<float>);
  const ValueId square = s.t.add(name + ".square", op::Multiply{}, {x.id, x.id});
  const ValueId factor = s.t.affine(name + ".factor", square, {0.044715f * a}, {a});
  const ValueId bend = s.t.add(name + ".bend", op::Multiply{}, {x.id, factor});
  const ValueId share = s.t.add(name + ".share", op::Activate{ActivationKind::sigmoid}, {bend});
  s.result_like(x, s.t.add(name, op::Multiply{}, {x.id, share}));
}

/// On [N,H,W,C] or [N,C], over the last axis.
void layer_normalization(Step& s) {
  const Seen x = s.plain(0);
  const std::size_t rank = s.t.dims(x, 0).size();
  if (x.view == View::planes || axis_of(whole_of(s.node, "axis", -1), rank) != rank - 1) {
    s.refuse("is not over the channels of each pixel");
  }
  const op::LayerNorm o{.epsilon = real_of(s.node, "epsilon", 1e-5f)};
  const Weight bias = s.has(2) ? s.weight(2) : constant_weight(s.t.channels(x.id), 0);
  s.result_like(x, s.t.add(s.name_by_weight(1), o, {x.id}, {s.weight(1), bias}));
}

}  // namespace

bool continues_chain(Step& s) {
  const std::string& op = s.node.op;
  if (op == "ReduceMean") return after_mean(s);
  if (op == "Sub") return after_difference(s);
  if (op == "Div") return after_quotient(s);
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    if ((op == "Add" && after_sum(s, i)) || (op == "Mul" && after_product(s, i))) return true;
  }
  return false;
}

const Translators& chain_translators() {
  static const Translators kAll{{"Erf", error_function},
                                {"Gelu", gelu},
                                {"LayerNormalization", layer_normalization},
                                {"Pow", power},
                                {"Reciprocal", reciprocal},
                                {"Sqrt", square_root}};
  return kAll;
}

}  // namespace segmentum
