// Maximum, average and global average pooling. Where a convolution by Winograd's algorithm makes
// what 2x2 pooling reads, its tiles are pooled before they leave the registers.
#include "engine/cpu/conv_pass.h"
#include "engine/cpu/kernels/kernels.h"
#include "engine/cpu/lowering.h"
#include "segmentum/error.h"

namespace segmentum::cpu {
namespace {

template <typename Pool>
PoolWindow window_of(const Pool& pool) {
  return {pool.kernel, pool.stride, pool.padding};
}

bool halves(const op::MaxPool& pool, const Shape& in, const Shape& out) {
  return pool.kernel == Size2(2) && pool.stride == Size2(2) && pool.padding == Padding(0) &&
         2 * out.h() <= in.h() && 2 * out.w() <= in.w();
}

/// Whether no 2x2 lies in two tiles.
bool tiles_are_even(const Lowering& l, ValueId id, const op::Conv& conv) {
  const int tile =
      winograd_tile(l, id, geometry_of(conv, l.shape(l.node(id).inputs[0]), l.shape(id)));
  return conv.phase.h % tile % 2 == 0 && conv.phase.w % tile % 2 == 0;
}

}  // namespace

void Lowering::find_pooled() {
  if (training()) return;
  const std::vector<int> readers = count_readers();
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const auto* pool = std::get_if<op::MaxPool>(&graph_.nodes[i].op);
    if (pool == nullptr) continue;
    const auto source = static_cast<ValueId>(root(graph_.nodes[i].inputs[0]));
    const auto* conv = std::get_if<op::Conv>(&node(source).op);
    if (conv == nullptr || pooled(source) >= 0 || carrier_[root(source)] >= 0 ||
        !keeps_zero(activation(source)) || !halves(*pool, shape(source), shapes_[i])) {
      continue;
    }
    const ConvGeometry geometry = geometry_of(*conv, shape(node(source).inputs[0]), shape(source));
    if (!winograd_pays(*this, geometry) || geometry.dilation != Size2(1) ||
        !tiles_are_even(*this, source, *conv)) {
      continue;
    }
    pooled_[source] = static_cast<ValueId>(i);
    if (readers[root(source)] == 1) only_pooled_.insert(source);
    within_[i] = true;
  }
}

void lower(Lowering& l, ValueId id, const op::MaxPool& pool) {
  const Slot x = l.window_in(l.node(id).inputs[0]);
  const Slot y = l.value(id);
  const bool keep = l.training() && l.wants_gradient(l.node(id).inputs[0]);
  if (keep && pool.kernel.h * pool.kernel.w > 256) {
    throw Error("node \"" + l.node(id).name + "\" pools over more than 256 values in training");
  }
  // One byte for each value.
  const int winners =
      keep ? l.new_buffer((y.shape.n() * image_floats(y.shape, y.block) + 3) / 4) : -1;
  if (keep) l.keep_arrays(id, winners);
  l.step(id, "max pool", {x.buffer, y.buffer, winners}, [=, w = window_of(pool)](const Frame& f) {
    max_pool(f.view(x), w, f.view(y),
             winners < 0 ? nullptr : reinterpret_cast<std::uint8_t*>(f.floats(winners)));
  });
}

void lower_backward(Lowering& l, ValueId id, const op::MaxPool& pool) {
  const ValueId input = l.node(id).inputs[0];
  if (!l.wants_gradient(input)) return;
  const Slot dy = l.gradient(id);
  const auto target = l.gradient_target(input, vector_block());
  const int winners = l.arrays(id);
  l.step(id, "max pool backward", {dy.buffer, target.slot.buffer, winners},
         [=, w = window_of(pool)](const Frame& f) {
           max_pool_backward(f.view(dy), w,
                             reinterpret_cast<const std::uint8_t*>(f.floats(winners)),
                             f.view(target.slot), target.add);
         });
  l.finish(target);
}

void lower(Lowering& l, ValueId id, const op::AveragePool& pool) {
  const Slot x = l.value_in(l.node(id).inputs[0], vector_block());
  const Slot y = l.value(id);
  PoolWindow window = window_of(pool);
  window.count_padding = pool.count_padding;
  l.step(id, "average pool", {x.buffer, y.buffer},
         [=](const Frame& f) { average_pool(f.view(x), window, f.view(y)); });
}

void lower_backward(Lowering& l, ValueId id, const op::AveragePool& pool) {
  const ValueId input = l.node(id).inputs[0];
  if (!l.wants_gradient(input)) return;
  const Slot dy = l.gradient(id);
  const auto target = l.gradient_target(input, vector_block());
  PoolWindow window = window_of(pool);
  window.count_padding = pool.count_padding;
  l.step(id, "average pool backward", {dy.buffer, target.slot.buffer}, [=](const Frame& f) {
    average_pool_backward(f.view(dy), window, f.view(target.slot), target.add);
  });
  l.finish(target);
}

void lower(Lowering& l, ValueId id, const op::GlobalAveragePool&) {
  const Slot x = l.value_in(l.node(id).inputs[0], vector_block());
  const Slot y = l.value(id);
  l.step(id, "global average pool", {x.buffer, y.buffer},
         [=](const Frame& f) { global_average_pool(f.view(x), f.view(y)); });
}

void lower_backward(Lowering& l, ValueId id, const op::GlobalAveragePool&) {
  const ValueId input = l.node(id).inputs[0];
  if (!l.wants_gradient(input)) return;
  const Slot dy = l.gradient(id);
  const auto target = l.gradient_target(input, vector_block());
  l.step(id, "global average pool backward", {dy.buffer, target.slot.buffer}, [=](const Frame& f) {
    global_average_pool_backward(f.view(dy), f.view(target.slot), target.add);
  });
  l.finish(target);
}

}  // namespace segmentum::cpu
