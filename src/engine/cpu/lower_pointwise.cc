// Operators on one pixel at a time: activation, add, multiply, maximum, dropout, softmax.
#include "engine/cpu/kernels/kernels.h"
#include "engine/cpu/lowering.h"

namespace segmentum::cpu {

void lower(Lowering& l, ValueId id, const op::Activate& op) {
  const Slot x = l.value_in(l.node(id).inputs[0], vector_block());
  const Slot y = l.value(id);
  l.step(id, activation_name(op.activation.kind), {x.buffer, y.buffer},
         [=](const Frame& f) { activate(f.view(x), op.activation, f.view(y)); });
}

void lower_backward(Lowering& l, ValueId id, const op::Activate& op) {
  const ValueId input = l.node(id).inputs[0];
  if (!l.wants_gradient(input)) return;
  const Slot x = l.value_in(input, vector_block());
  const Slot dy = l.gradient(id);
  const auto target = l.gradient_target(input, vector_block());
  l.step(id, std::string("backward ") + activation_name(op.activation.kind),
         {x.buffer, dy.buffer, target.slot.buffer}, [=](const Frame& f) {
           activate_backward(f.view(x), f.view(dy), op.activation, f.view(target.slot), target.add);
         });
  l.finish(target);
}

void lower(Lowering& l, ValueId id, const op::Add& op) {
  const Slot a = l.value_in(l.node(id).inputs[0], vector_block());
  const Slot b = l.value_in(l.node(id).inputs[1], vector_block());
  const Slot y = l.value(id);
  const bool fused = is_rectifier(op.activation);
  const Slot sum = fused ? y : l.new_slot(y.shape, y.block);
  l.step(id, "add", {a.buffer, b.buffer, sum.buffer},
         [=, activation = fused ? op.activation : Activation{}](const Frame& f) {
           add(f.view(a), f.view(b), activation, f.view(sum));
         });
  if (!fused) {
    l.keep_before_activation(id, sum);
    l.step(id, activation_name(op.activation.kind), {sum.buffer, y.buffer},
           [=, activation = op.activation](const Frame& f) {
             activate(f.view(sum), activation, f.view(y));
           });
  }
}

void lower_backward(Lowering& l, ValueId id, const op::Add& op) {
  const Slot dy = gradient_before_activation(l, id, op.activation, false);
  for (ValueId input : l.node(id).inputs) {
    if (!l.wants_gradient(input)) continue;
    const auto target = l.gradient_target(input, vector_block());
    l.step(id, "add backward", {dy.buffer, target.slot.buffer},
           [=](const Frame& f) { copy(f.view(dy), f.view(target.slot), target.add); });
    l.finish(target);
  }
}

void lower(Lowering& l, ValueId id, const op::Multiply&) {
  const Slot a = l.value_in(l.node(id).inputs[0], vector_block());
  const Slot b = l.value_in(l.node(id).inputs[1], vector_block());
  const Slot y = l.value(id);
  l.step(id, "multiply", {a.buffer, b.buffer, y.buffer},
         [=](const Frame& f) { multiply(f.view(a), f.view(b), f.view(y)); });
}

void lower_backward(Lowering& l, ValueId id, const op::Multiply&) {
  const Slot dy = l.gradient(id);
  for (int side = 0; side < 2; ++side) {  // one after the other: both may be the same value
    const ValueId input = l.node(id).inputs[static_cast<std::size_t>(side)];
    if (!l.wants_gradient(input)) continue;
    const Slot a = l.value_in(l.node(id).inputs[0], vector_block());
    const Slot b = l.value_in(l.node(id).inputs[1], vector_block());
    const auto target = l.gradient_target(input, vector_block());
    l.step(id, "multiply backward", {a.buffer, b.buffer, dy.buffer, target.slot.buffer},
           [=](const Frame& f) {
             const View to = f.view(target.slot);
             multiply_backward(f.view(a), f.view(b), f.view(dy), side == 0 ? to : View{},
                               target.add, side == 1 ? to : View{}, target.add);
           });
    l.finish(target);
  }
}

void lower(Lowering& l, ValueId id, const op::Maximum&) {
  const Slot a = l.value_in(l.node(id).inputs[0], vector_block());
  const Slot b = l.value_in(l.node(id).inputs[1], vector_block());
  const Slot y = l.value(id);
  l.step(id, "maximum", {a.buffer, b.buffer, y.buffer},
         [=](const Frame& f) { maximum(f.view(a), f.view(b), f.view(y)); });
}

void lower_backward(Lowering& l, ValueId id, const op::Maximum&) {
  const Slot dy = l.gradient(id);
  const ValueId inputs[] = {l.node(id).inputs[0], l.node(id).inputs[1]};
  for (int side = 0; side < 2; ++side) {  // one after the other: both may be the same value
    const ValueId own = inputs[side], other = inputs[1 - side];
    if (!l.wants_gradient(own)) continue;
    const Slot a = l.value_in(own, vector_block());
    const Slot b = l.value_in(other, vector_block());
    const auto target = l.gradient_target(own, vector_block());
    l.step(id, "maximum backward", {a.buffer, b.buffer, dy.buffer, target.slot.buffer},
           [=](const Frame& f) {
             maximum_backward(f.view(a), f.view(b), f.view(dy), f.view(target.slot), target.add);
           });
    l.finish(target);
  }
}

void lower(Lowering& l, ValueId id, const op::Dropout& op) {
  const Slot y = l.value(id);
  const Slot x = l.value_in(l.node(id).inputs[0], y.block);
  l.step(id, "dropout", {x.buffer, y.buffer}, [=](const Frame& f) {
    dropout(f.view(x), DropoutMask(f.run.seed, f.run.step, id, op.rate), f.view(y), false);
  });
}

void lower_backward(Lowering& l, ValueId id, const op::Dropout& op) {
  const ValueId input = l.node(id).inputs[0];
  if (!l.wants_gradient(input)) return;
  const Slot dy = l.gradient(id);
  const auto target = l.gradient_target(input, dy.block);
  l.step(id, "dropout backward", {dy.buffer, target.slot.buffer}, [=](const Frame& f) {
    dropout(f.view(dy), DropoutMask(f.run.seed, f.run.step, id, op.rate), f.view(target.slot),
            target.add);
  });
  l.finish(target);
}

void lower(Lowering& l, ValueId id, const op::Softmax&) {
  const Slot x = l.value_in(l.node(id).inputs[0], vector_block());
  const Slot y = l.value(id);
  l.step(id, "softmax", {x.buffer, y.buffer},
         [=](const Frame& f) { softmax(f.view(x), f.view(y)); });
}

void lower_backward(Lowering& l, ValueId id, const op::Softmax&) {
  const ValueId input = l.node(id).inputs[0];
  if (!l.wants_gradient(input)) return;
  const Slot y = l.value(id);
  const Slot dy = l.gradient(id);
  const auto target = l.gradient_target(input, vector_block());
  l.step(id, "softmax backward", {y.buffer, dy.buffer, target.slot.buffer}, [=](const Frame& f) {
    softmax_backward(f.view(y), f.view(dy), f.view(target.slot), target.add);
  });
  l.finish(target);
}

}  // namespace segmentum::cpu
