#include "engine/cpu/lower_narrow.h"

#include "engine/cpu/kernels/narrow_product.h"
#include "engine/cpu/kernels/separable_convolution.h"
#include "engine/cpu/lower_depthwise.h"

namespace segmentum::cpu {

bool is_narrow(const ConvGeometry& g) {
  return g.kernel == Size2(1) && g.stride == Size2(1) && g.padding == Padding(0) && g.groups == 1 &&
         g.oc <= most_narrow_channels() && g.ic > most_narrow_channels();
}

void lower_narrow(Lowering& l, ValueId id, const op::Conv& conv, const ConvGeometry& g,
                  const Activation& activation, const Slot& y) {
  const Slot x = l.value_in(l.node(id).inputs[0], y.block);
  const Slot residual = conv.add ? l.value_in(l.node(id).inputs[1], y.block) : Slot{};
  const auto how = [ic = g.ic, oc = g.oc](const float* parameter, void* packed) {
    pointwise_pack(parameter, ic, ic, oc, static_cast<float*>(packed));
  };
  const auto weights = l.weights().get(l.parameters(), l.parameter_name(id, 0),
                                       {"pointwise", pointwise_weight_floats(g.ic, g.oc), how});
  const auto bias = conv.bias ? pack_depthwise(l, id, 1, g.oc, 1) : nullptr;
  l.step(id, "narrow product", {x.buffer, y.buffer, residual.buffer}, [=](const Frame& f) {
    narrow_product(f.view(x), current(weights), current(bias), f.view(residual), activation,
                   f.view(y));
  });
}

}  // namespace segmentum::cpu
