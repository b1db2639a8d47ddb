// Rows that one run of a plan leaves for the next (`CarriedRows`). A carried pad's input is written
// straight into its rows below. Where the rows above are few, as those that a convolution reads
// again, they are put aside and back. Where they are many, as what a decoder takes from an encoder
// that is far ahead, the pad has memory of its own with room below for some bands more: each is
// written below the one before, and the pad's view slides down with it. Only when the room is used
// up do the rows that are still wanted move to the top.
#include <algorithm>
#include <cstring>

#include "base/threads.h"
#include "engine/cpu/kernels/kernels.h"
#include "engine/cpu/lowering.h"

namespace segmentum::cpu {
namespace {

std::size_t bytes(std::int64_t floats) {
  return static_cast<std::size_t>(floats) * sizeof(float);
}

template <typename Body>
void for_planes(const View& view, const Body& body) {
  parallel_for(view.shape.n() * view.blocks(),
               [&](std::int64_t i) { body(i / view.blocks(), i % view.blocks()); });
}

/// Of each plane the rows from `from` on become the first.
void move_up(const View& all, std::int64_t from, std::int64_t rows) {
  for_planes(all, [&](std::int64_t n, std::int64_t cb) {
    std::memmove(all.at(n, cb), all.at(n, cb, from), bytes(rows * all.row()));
  });
}

/// Rows of planes of one width.
void copy_rows(const View& from, std::int64_t from_row, const View& to, std::int64_t to_row,
               std::int64_t rows) {
  for_planes(to, [&](std::int64_t n, std::int64_t cb) {
    std::memcpy(to.at(n, cb, to_row), from.at(n, cb, from_row), bytes(rows * to.row()));
  });
}

/// Rows that the whole value has not.
void clear_beyond(const View& all, std::int64_t first, std::int64_t height) {
  for (std::int64_t y = 0; y < all.shape.h(); ++y) {
    if (first + y >= 0 && first + y < height) continue;
    for_planes(all, [&](std::int64_t n, std::int64_t cb) {
      std::memset(all.at(n, cb, y), 0, bytes(all.row()));
    });
  }
}

constexpr std::int64_t kFew = 4;  // times the rows above are no more than those of a band

}  // namespace

void Lowering::find_carried() {
  carrier_.resize(graph_.nodes.size(), -1);
  for (const CarriedRows& carried : options_.carried) {
    carrier_[root(node(carried.pad).inputs[0])] = carried.pad;
  }
}

const CarriedRows* Lowering::carried(ValueId pad) const {
  const auto found = std::ranges::find(options_.carried, pad, &CarriedRows::pad);
  return found == options_.carried.end() ? nullptr : &*found;
}

/// The part of the pad below what it carries.
Slot Lowering::added_rows(ValueId pad) {
  const Slot& all = value(pad);
  const Shape& added = shape(node(pad).inputs[0]);
  return window(all, {static_cast<int>(all.shape.h() - added.h()), 0}, added);
}

Slot Lowering::new_carried_slot(const CarriedRows& carried) {
  const Shape& shape = shapes_[static_cast<std::size_t>(carried.pad)];
  const std::int64_t above = shape.h() - carried.each;
  if (kFew * above <= carried.each) return new_slot(shape, vector_block());
  const std::int64_t turns = 1 + above / carried.each;
  const Shape frame{shape.n(), shape.c(), above + turns * carried.each, shape.w()};
  Slot slot = window(new_slot(frame, vector_block()), 0, shape);
  Buffer& buffer = program_.buffers[static_cast<std::size_t>(slot.buffer)];
  buffer.persistent = true;
  buffer.slide = carried.each * shape.w() * slot.block;
  buffer.turns = turns;
  return slot;
}

/// What rows must be moved before anything is written.
void Lowering::lower_rows_before() {
  for (const CarriedRows& carried : options_.carried) {
    const Slot all = value(carried.pad);
    if (!all.window()) continue;
    const std::int64_t turns = program_.buffers[static_cast<std::size_t>(all.buffer)].turns;
    const std::int64_t above = all.shape.h() - carried.each;
    step(carried.pad, "move up", {all.buffer}, [=, each = carried.each](const Frame& f) {
      if (f.run.band % turns == 0) move_up(f.view(all), turns * each, above);
    });
  }
}

void Lowering::lower_carried(const CarriedRows& carried) {
  const Slot all = value(carried.pad), below = added_rows(carried.pad);
  const ValueId input = node(carried.pad).inputs[0];
  if (value(input).buffer != all.buffer) {
    const Slot x = value_in(input, all.block);
    step(carried.pad, "copy rows", {x.buffer, all.buffer},
         [x, below](const Frame& f) { copy(f.view(x), f.view(below), false); });
  }
  const auto clear = [=](const Frame& f) {
    clear_beyond(f.view(all), carried.first + f.run.band * carried.each, carried.height);
  };
  if (all.window()) return step(carried.pad, "clear beyond", {all.buffer}, clear);
  Shape few = all.shape;
  few[2] -= carried.each;
  const Slot aside = new_slot(few, all.block);
  program_.buffers[static_cast<std::size_t>(aside.buffer)].persistent = true;
  step(carried.pad, "carry", {all.buffer, aside.buffer}, [=](const Frame& f) {
    const View kept = f.view(aside), rows = f.view(all);
    copy_rows(kept, 0, rows, 0, kept.shape.h());
    clear(f);
    copy_rows(rows, rows.shape.h() - kept.shape.h(), kept, 0, kept.shape.h());
  });
}

}  // namespace segmentum::cpu
