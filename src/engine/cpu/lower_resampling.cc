// Operators that only move pixels or channels: resize, pad, crop, concat; and location_grid, which
// weighs channels as a resize weighs pixels.
#include <algorithm>

#include "engine/cpu/kernels/kernels.h"
#include "engine/cpu/kernels/resize_plain.h"
#include "engine/cpu/lowering.h"

namespace segmentum::cpu {
namespace {

/// No step where the result is a window over its input.
void lower_cut(Lowering& l, ValueId id, Size2 corner) {
  const Slot y = l.value(id);
  const ValueId input = l.node(id).inputs[0];
  if (y.window() && y.buffer == l.value(input).buffer) return;
  const Slot x = y.block == 1 ? l.value_in(input, 1) : l.window_in(input);
  l.step(id, "cut", {x.buffer, y.buffer},
         [=](const Frame& f) { crop(f.view(x), corner.h, corner.w, f.view(y)); });
}

}  // namespace

void lower(Lowering& l, ValueId id, const op::Resize& resize_op) {
  const Slot x = l.value_in(l.node(id).inputs[0], vector_block());
  const Slot y = l.value(id);
  const bool plain = y.block == 1;
  l.step(id, plain ? "resize to plain" : "resize", {x.buffer, y.buffer}, [=](const Frame& f) {
    const auto kernel = plain ? resize_to_plain : resize;
    kernel(f.view(x), resize_op.mode, resize_op.align_corners, f.view(y));
  });
}

void lower_backward(Lowering& l, ValueId id, const op::Resize& resize_op) {
  const ValueId input = l.node(id).inputs[0];
  if (!l.wants_gradient(input)) return;
  const Slot dy = l.gradient(id);
  const auto target = l.gradient_target(input, vector_block());
  l.step(id, "resize backward", {dy.buffer, target.slot.buffer}, [=](const Frame& f) {
    const auto kernel = dy.block == 1 ? resize_backward_from_plain : resize_backward;
    kernel(f.view(dy), resize_op.mode, resize_op.align_corners, f.view(target.slot), target.add);
  });
  l.finish(target);
}

void lower(Lowering& l, ValueId id, const op::LocationGrid& location) {
  const Slot x = l.value_in(l.node(id).inputs[0], vector_block());
  const Slot y = l.value(id);
  l.step(id, "location grid", {x.buffer, y.buffer},
         [=, grid = location.grid](const Frame& f) { location_grid(f.view(x), grid, f.view(y)); });
}

void lower_backward(Lowering& l, ValueId id, const op::LocationGrid& location) {
  const ValueId input = l.node(id).inputs[0];
  if (!l.wants_gradient(input)) return;
  const Slot dy = l.gradient(id);
  const auto target = l.gradient_target(input, vector_block());
  l.step(id, "location grid backward", {dy.buffer, target.slot.buffer},
         [=, grid = location.grid](const Frame& f) {
           location_grid_backward(f.view(dy), grid, f.view(target.slot), target.add);
         });
  l.finish(target);
}

void lower(Lowering& l, ValueId id, const op::Pad& pad_op) {
  if (const CarriedRows* carried = l.carried(id)) return l.lower_carried(*carried);
  const Slot y = l.value(id);
  const Shape& in = l.shape(l.node(id).inputs[0]);
  if (const auto corner = cuts_at(pad_op, in, l.shape(id))) return lower_cut(l, id, *corner);
  const Padding p = resolve_padding(pad_op, in.h(), in.w());
  const Slot x = l.value_in(l.node(id).inputs[0], y.block);
  l.step(id, "pad", {x.buffer, y.buffer}, [=, mode = pad_op.mode](const Frame& f) {
    pad(f.view(x), mode, p.top, p.left, f.view(y));
  });
}

void lower_backward(Lowering& l, ValueId id, const op::Pad& pad_op) {
  const ValueId input = l.node(id).inputs[0];
  if (!l.wants_gradient(input)) return;
  const Slot dy = l.gradient(id);
  const auto target = l.gradient_target(input, dy.block);
  const Shape& in = l.shape(input);
  const Padding p = resolve_padding(pad_op, in.h(), in.w());
  if (const auto corner = cuts_at(pad_op, in, dy.shape)) {
    l.step(id, "cut backward", {dy.buffer, target.slot.buffer}, [=, at = *corner](const Frame& f) {
      crop_backward(f.view(dy), at.h, at.w, f.view(target.slot), target.add);
    });
    return l.finish(target);
  }
  l.step(id, "pad backward", {dy.buffer, target.slot.buffer},
         [=, mode = pad_op.mode](const Frame& f) {
           pad_backward(f.view(dy), mode, p.top, p.left, f.view(target.slot), target.add);
         });
  l.finish(target);
}

void lower(Lowering& l, ValueId id, const op::Crop& crop_op) {
  lower_cut(l, id, *cuts_at(crop_op, l.shape(l.node(id).inputs[0]), l.shape(id)));
}

void lower_backward(Lowering& l, ValueId id, const op::Crop& crop_op) {
  const ValueId input = l.node(id).inputs[0];
  if (!l.wants_gradient(input)) return;
  const Slot dy = l.gradient(id);
  const auto target = l.gradient_target(input, dy.block);
  const Shape& in = l.shape(input);
  const Size2 at = resolve_crop(crop_op, in.h(), in.w(), dy.shape.h(), dy.shape.w());
  l.step(id, "crop backward", {dy.buffer, target.slot.buffer}, [=](const Frame& f) {
    crop_backward(f.view(dy), at.h, at.w, f.view(target.slot), target.add);
  });
  l.finish(target);
}

void lower(Lowering& l, ValueId id, const op::Concat&) {
  const Slot y = l.value(id);
  std::int64_t channel = 0;
  for (ValueId input : l.node(id).inputs) {
    const auto& place = l.place(input);
    const bool written_in_place = place.concat == id && place.channel == channel;
    if (!written_in_place && !l.is_within(input)) {
      const Slot x = l.value_in(input, l.value(input).block);
      l.step(id, "copy channels", {x.buffer, y.buffer}, [=](const Frame& f) {
        copy_channels(f.view(x), 0, f.view(y), channel, x.shape.c(), false);
      });
    }
    channel += l.node(input).channels;
  }
  if (channel % y.block != 0) {
    l.step(id, "clear padding", {y.buffer},
           [=](const Frame& f) { clear_padded_channels(f.view(y)); });
  }
}

void lower_backward(Lowering& l, ValueId id, const op::Concat&) {
  const Slot dy = l.gradient(id);
  std::int64_t channel = 0;
  for (ValueId input : l.node(id).inputs) {
    const std::int64_t first = channel;
    channel += l.node(input).channels;
    if (!l.wants_gradient(input)) continue;
    const auto& place = l.place(input);
    if (place.concat == id && place.channel == first && place.shares_gradient) {
      l.gradient_is_written(input);
      continue;
    }
    const auto target = l.gradient_target(input, l.value(input).block);
    l.step(id, "copy channels", {dy.buffer, target.slot.buffer}, [=](const Frame& f) {
      const View to = f.view(target.slot);
      if (!target.add) clear_padded_channels(to);
      copy_channels(f.view(dy), first, to, 0, to.shape.c(), target.add);
    });
    l.finish(target);
  }
}

}  // namespace segmentum::cpu
