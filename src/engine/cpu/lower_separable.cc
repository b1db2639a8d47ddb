#include "engine/cpu/lower_separable.h"

#include <memory>
#include <string>
#include <vector>

#include "base/threads.h"
#include "engine/cpu/conv_pass.h"
#include "engine/cpu/kernels/kernels.h"
#include "engine/cpu/kernels/separable_convolution.h"
#include "engine/cpu/lower_depthwise.h"
#include "engine/cpu/lower_magnified.h"

namespace segmentum::cpu {
namespace {

/// 1x1 at stride 1.
bool is_pointwise(const ConvGeometry& g) {
  return g.kernel == Size2(1) && g.stride == Size2(1) && g.padding == Padding(0) && g.groups == 1;
}

/// Channels [first, first + count) of what a convolution reads.
struct Channels {
  std::int64_t first = 0, count = 0;
};

/// The layout of some channels of a parameter that has `all`.
std::string layout_name(const std::string& kind, const Channels& part, std::int64_t all) {
  if (part.count == all) return kind;
  return kind + " " + std::to_string(part.first) + "+" + std::to_string(part.count);
}

std::shared_ptr<PackedWeights> pack_pointwise(Lowering& l, ValueId id, const Channels& part) {
  const std::int64_t ic = l.shape(l.node(id).inputs[0]).c(), oc = l.node(id).channels;
  const auto how = [=](const float* parameter, void* packed) {
    pointwise_pack(parameter + part.first, ic, part.count, oc, static_cast<float*>(packed));
  };
  return l.weights().get(
      l.parameters(), l.parameter_name(id, 0),
      {layout_name("pointwise", part, ic), pointwise_weight_floats(part.count, oc), how});
}

std::shared_ptr<PackedWeights> pack_channels(Lowering& l, ValueId id, const Channels& part) {
  const Size2 kernel = std::get<op::Conv>(l.node(id).op).kernel;
  const std::int64_t taps = std::int64_t{kernel.h} * kernel.w;
  const auto how = [=](const float* parameter, void* packed) {
    depthwise_pack(parameter + part.first * taps, part.count, kernel, static_cast<float*>(packed));
  };
  return l.weights().get(l.parameters(), l.parameter_name(id, 0),
                         {layout_name("depthwise", part, l.node(id).channels),
                          depthwise_weight_floats(part.count, kernel), how});
}

/// What a layer of the chain reads besides its input, and does to its result.
struct Layer {
  std::shared_ptr<PackedWeights> weights, bias;
  Activation activation;

  SeparableWeights::Layer current() const {
    return {cpu::current(weights), cpu::current(bias), activation};
  }
};

Layer layer_of(Lowering& l, ValueId id, const Channels& part) {
  if (id < 0) return {};
  const auto& conv = std::get<op::Conv>(l.node(id).op);
  return {conv.groups == 1 ? pack_pointwise(l, id, part) : pack_channels(l, id, part),
          conv.bias ? pack_depthwise(l, id, 1, conv.channels, 1) : nullptr, l.activation(id)};
}

}  // namespace

std::vector<ValueId> SeparableChain::within() const {
  std::vector<ValueId> nodes{expand, depthwise};
  if (magnified) {
    nodes.insert(nodes.end(), magnified->between.begin(), magnified->between.end());
  }
  std::erase_if(nodes, [&](ValueId id) { return id < 0 || id == last(); });
  return nodes;
}

/// Each depthwise convolution with the 1x1 convolution that alone reads it, then with the one that
/// only it reads, unless that ends another chain. Which do goes by the layers alone, as 1x1
/// convolutions outside of chains run on oneDNN, whose bits may be others: nothing may stand
/// between them that is only at some sizes nothing.
void Lowering::find_separable() {
  within_.resize(graph_.nodes.size(), false);
  if (training()) return;
  const std::vector<int> readers = count_readers();
  std::vector<ValueId> reader(graph_.nodes.size(), -1);
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
    if (root_[id] != static_cast<ValueId>(id)) continue;
    for (ValueId input : graph_.nodes[id].inputs) reader[root(input)] = static_cast<ValueId>(id);
  }
  const auto reads_directly = [&](ValueId reader_id) {
    ValueId at = node(reader_id).inputs[0];
    for (; root_[static_cast<std::size_t>(at)] != at; at = node(at).inputs[0]) {
      const Operator& op = node(at).op;
      if (!std::holds_alternative<op::Activate>(op) && !std::holds_alternative<op::Dropout>(op)) {
        return false;
      }
    }
    return true;
  };
  // A convolution whose kernel applies all that belongs to it.
  const auto conv_at = [&](ValueId id) -> const op::Conv* {
    const auto* conv = std::get_if<op::Conv>(&node(id).op);
    return conv != nullptr && keeps_zero(activation(id)) ? conv : nullptr;
  };
  const auto geometry = [&](ValueId id, const op::Conv& conv) {
    return geometry_of(conv, shape(node(id).inputs[0]), shape(id));
  };
  const auto pointwise_at = [&](ValueId id) {
    const op::Conv* conv = conv_at(id);
    return conv != nullptr && is_pointwise(geometry(id, *conv)) ? conv : nullptr;
  };
  std::vector<SeparableChain> found;
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const auto id = static_cast<ValueId>(i);
    if (root_[i] != id) continue;
    const op::Conv* conv = conv_at(id);
    if (conv == nullptr || conv->add || !is_depthwise(geometry(id, *conv))) continue;
    const ValueId next = reader[i];
    const bool projects = readers[i] == 1 && next >= 0 && pointwise_at(next) != nullptr &&
                          root(node(next).inputs[0]) == i && reads_directly(next) &&
                          SeparableConvolution::weights_fit(conv->channels, node(next).channels);
    found.push_back({-1, id, projects ? next : -1});
    if (projects) {
      found.back().magnified = find_magnified(*this, id, readers);
      chains_[next] = found.back();
    }
  }
  for (SeparableChain& chain : found) {
    const std::size_t source = root(node(chain.depthwise).inputs[0]);
    const auto source_id = static_cast<ValueId>(source);
    const op::Conv* expand = pointwise_at(source_id);
    const auto& depthwise = std::get<op::Conv>(node(chain.depthwise).op);
    if (expand != nullptr && !expand->add && readers[source] == 1 &&
        reads_directly(chain.depthwise) && !chains_.contains(source_id) &&
        SeparableConvolution::rows_fit(expand->channels, {depthwise.kernel, depthwise.stride,
                                                          depthwise.dilation, depthwise.padding})) {
      chain.expand = source_id;
    }
    if (chain.first() == chain.last()) continue;
    chains_[chain.last()] = chain;
    for (const ValueId id : chain.within()) {
      // A cut or pad that changes nothing here is its input, and that is among them.
      within_[root(id)] = true;
      for (Place& place : places_) {
        if (place.concat == id) place = {};
      }
    }
  }
}

void lower_separable(Lowering& l, ValueId id) {
  const SeparableChain& chain = *l.separable(id);
  const MagnifiedInput* magnified = chain.magnified ? &*chain.magnified : nullptr;
  const auto& conv = std::get<op::Conv>(l.node(chain.depthwise).op);
  const auto& last = std::get<op::Conv>(l.node(chain.last()).op);
  const ValueId input = magnified != nullptr ? magnified->other : l.node(chain.first()).inputs[0];
  const Channels filtered{magnified != nullptr ? magnified->other_first_channel : 0,
                          magnified != nullptr ? l.shape(input).c() : conv.channels};
  const Slot taps = magnified != nullptr ? lower_tap_products(l, chain) : Slot{};
  const Slot y = l.value(id);
  const Slot x = l.value_in(input, y.block);
  const Slot residual = last.add ? l.value_in(l.node(chain.last()).inputs[1], y.block) : Slot{};
  const DepthwiseWindow window{conv.kernel, conv.stride, conv.dilation, conv.padding};
  const auto kernel = std::make_shared<const SeparableConvolution>(
      SeparableGeometry{.x = l.shape(input),
                        .y = y.shape,
                        .channels = filtered.count,
                        .window = window,
                        .expands = chain.expand >= 0,
                        .projects = chain.project >= 0},
      magnified != nullptr ? magnified_taps(l, chain) : nullptr);
  const Layer expand = layer_of(l, chain.expand, {0, l.shape(input).c()}),
              depthwise = layer_of(l, chain.depthwise, filtered),
              project = layer_of(l, chain.project, filtered);
  const int scratch = l.new_buffer(kernel->scratch_floats(threads()));
  const char* name = magnified != nullptr ? "separable of magnified"
                     : chain.project < 0  ? "expanded depthwise"
                     : chain.expand < 0   ? "separable"
                                          : "inverted residual";
  l.step(id, name, {x.buffer, y.buffer, residual.buffer, taps.buffer, scratch},
         [=](const Frame& f) {
           kernel->run(f.view(x), {expand.current(), depthwise.current(), project.current()},
                       f.view(residual), f.view(y), f.floats(scratch), f.view(taps));
         });
}

}  // namespace segmentum::cpu
