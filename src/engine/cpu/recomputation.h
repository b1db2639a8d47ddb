// Gradient checkpointing: less memory for a training, paid for with work that is done twice.
//
// The forward steps are cut into segments. What only the steps of one segment touch is dropped
// after the forward pass; just before the backward pass needs any of it, those steps of the segment
// run again that make it, from what was kept: the same kernels on the same values, so the same
// bits. What is kept is never written again, and the last segment is not dropped.
//
// After Chen, Xu, Zhang and Guestrin, "Training deep nets with sublinear memory cost" (2016),
// algorithm 3, which looks for the best budget of bytes for a segment. We differ: the measure of a
// cut is the memory that all steps of both passes then need at most; cuts may lie between any two
// steps, inside of layers too (after a convolution, only the batch norm that follows runs again);
// and the cuts are improved one by one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/cpu/program.h"

namespace segmentum::cpu {

/// What follows from cutting the forward steps.
struct Recomputation {
  /// Forward steps that run again, in order, before a backward step.
  struct Rerun {
    int before;
    std::vector<int> steps;
  };
  std::vector<bool> dropped;  // by buffer
  std::vector<Rerun> reruns;  // by segment
  std::int64_t floats = 0;    // most that live at one time
  double work = 0;            // of the steps that run again, in multiply-adds
};

/// Of a program that is lowered for training. O(program).
class ForwardCuts {
 public:
  explicit ForwardCuts(const Program& program);

  /// Each cut is the forward step that begins the next segment; rising.
  Recomputation recomputation(std::span<const int> cuts) const;

  /// The cuts with the least memory that the search finds, or among those within 5 % of it the ones
  /// with the least work.
  std::vector<int> best() const;

  /// Cuts that need less memory for at most this share of the work of a step of training. From cuts
  /// between all steps, with which nothing runs again, the search joins two neighbours at a time:
  /// those that save most for their work.
  std::vector<int> cheap(double share) const;

 private:
  struct Touches {
    int first_forward = -1, last_forward = -1, first_backward = -1;
  };
  std::vector<bool> dropped_by(std::span<const int> segments) const;
  std::vector<int> within_budget(double floats) const;
  std::int64_t most_floats(const Recomputation& recomputation) const;

  const Program& program_;
  std::vector<Touches> touches_;  // by buffer
  std::vector<double> work_;      // by forward step
};

/// Marks what is dropped and puts the steps that run again among the backward ones: for the least
/// memory where it is to be `lean`, else what costs 1.5 % of the work of a step. Changes
/// nothing where no memory is gained. To be called before `plan_memory`.
void recompute_segments(Program& program, bool lean);

}  // namespace segmentum::cpu
