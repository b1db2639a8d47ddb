// A network lowered for one size: a flat list of steps over values in one planned arena.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/cpu/kernels/score_rows.h"
#include "engine/cpu/layout.h"
#include "engine/executor.h"
#include "tensor/tensor.h"

namespace segmentum::cpu {

/// A stretch of the arena. Its place is chosen from the steps that touch it; `persistent` buffers
/// are never shared: inputs, outputs, their gradients.
struct Buffer {
  std::int64_t floats = 0;
  std::int64_t offset = -1;  // in the arena, once planned
  bool persistent = false;
  bool given = false;  // holds something before the first step
  bool kept = false;   // is read after the last one
  bool noted = false;  // a step that runs again reads in it what it found the first time
  /// What it holds is given up after the forward pass, and computed again in the backward pass at
  /// a place of its own.
  bool dropped = false;
  std::int64_t again = -1;  // that place, once planned
  /// Of rows that are carried over: by how much what it holds lies further on with each band, and
  /// after how many bands it begins anew.
  std::int64_t slide = 0;
  std::int64_t turns = 1;
};

/// A value before its address is known: a view into a buffer.
struct Slot {
  int buffer = -1;
  std::int64_t offset = 0;  // floats into the buffer
  Shape shape;
  int block = 1;
  std::int64_t batch_stride = 0;
  std::int64_t frame_h = 0, frame_w = 0;  // as of a View

  bool valid() const { return buffer >= 0; }
  bool window() const { return frame_w != 0; }
  bool dense() const {
    return !window() && (shape.n() == 1 || batch_stride == image_floats(shape, block));
  }
  /// Whether each image lies in one stretch: no window, or one of all columns and one block.
  bool unbroken() const { return !window() || (frame_w == shape.w() && shape.c() <= block); }
};

/// What a step sees when it runs.
struct Frame {
  float* arena = nullptr;
  const std::vector<Buffer>* buffers = nullptr;
  RunOptions run;
  Pass pass = Pass::forward;
  bool again = false;  // the step has run before, on the same values

  float* floats(int buffer) const {
    const Buffer& b = (*buffers)[static_cast<std::size_t>(buffer)];
    const std::int64_t slid = b.slide == 0 ? 0 : b.slide * turn(b);
    return arena + (pass == Pass::backward && b.dropped ? b.again : b.offset) + slid;
  }
  /// Of a buffer that slides: from 0 up to its turns.
  std::int64_t turn(const Buffer& b) const { return (run.band % b.turns + b.turns) % b.turns; }
  View view(const Slot& slot) const {
    if (!slot.valid()) return {};
    return {floats(slot.buffer) + slot.offset,
            slot.shape,
            slot.block,
            slot.batch_stride,
            slot.frame_h,
            slot.frame_w};
  }
};

/// One call of one kernel for one node of the graph.
struct Step {
  std::string node;
  std::string kernel;
  std::vector<int> buffers;  // all that it reads or writes
  std::function<void(const Frame&)> run;
  std::vector<int> writes;          // of a forward step: those that it may change
  bool once = false;                // keeps what it makes outside of the arena: cannot run again
  double work = 0;                  // multiply-adds
  bool again = false;               // a forward step, among the backward ones
  std::vector<std::string> within;  // other nodes that it computes on the way
};

/// An output that is drawn from a value as it is read.
struct DrawnOutput {
  Slot source;  // blocked
  ScoreDrawing drawing;
  Shape shape;
};

struct Program {
  std::vector<Buffer> buffers;
  std::vector<Step> forward;
  std::vector<Step> backward;
  std::vector<Slot> inputs;                          // plain, by graph input
  std::vector<Slot> input_gradients;                 // plain, if asked for
  std::map<std::string, Slot> outputs;               // plain, by name
  std::map<std::string, DrawnOutput> drawn_outputs;  // instead of them, where rows are asked for
  std::map<std::string, Slot> output_gradients;
  std::map<std::string, Tensor> unread_gradients;  // of frozen parameters, made along with others
  std::int64_t arena_floats = 0;
  std::vector<std::function<std::size_t()>> beside_arena;  // bytes that steps hold elsewhere
};

/// Gives every buffer its place: buffers whose lives (first to last step that touches them, forward
/// and backward in one sequence) do not overlap may share memory; what is dropped lives twice.
/// Largest first, lowest free place.
void plan_memory(Program& program);

}  // namespace segmentum::cpu
