// Training batches from worker threads, ahead of the trainer, and whole pictures for scoring.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/augment.h"
#include "data/border_weights.h"
#include "data/box_examples.h"
#include "data/dataset.h"
#include "image/preprocess.h"
#include "tensor/tensor.h"

namespace segmentum {

/// What one training step reads.
struct Batch {
  Tensor images;                      // [N,C,H,W], preprocessed
  std::vector<std::uint16_t> labels;  // N*H*W
  std::vector<float> border_weights;  // N*H*W; empty unless asked for
  std::vector<int> samples;           // the index in its split (or of its box) of each of the N
};

struct LoaderOptions {
  std::string split = "train";
  int batch_size = 4;
  AugmentOptions augment;
  BorderOptions border;
  Preprocess preprocess;
  std::shared_ptr<const BoxExamples> boxes;  // set: examples are these instead of pictures
  std::uint64_t seed = 0;
  int workers = 1;
  int prefetch = 4;                                // batches made ahead
  std::int64_t first_step = 0;                     // the step whose batch `next` gives first
  std::size_t cache_bytes = std::size_t{1} << 30;  // decoded pictures kept in memory
};

/// Gives the batches of training steps in order, without end.
///
/// Each epoch is a permutation of the split that follows from (seed, epoch); batches run on over
/// the border of epochs, so all have the same size. What happens to a picture follows from (seed,
/// epoch, sample). So a batch follows from the seed and the step alone: not from the number of
/// workers, and a training that resumes at step n reads what an unbroken one would.
class Loader {
 public:
  /// Throws Error for an empty split, samples without mask, and options that make no sense.
  Loader(const Dataset& dataset, const LoaderOptions& options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The batch of the next step; waits for it. Throws the Error of the worker that made it, naming
  /// the file, and again when called again.
  Batch next();

  /// Waits until all batches that are made ahead are there: the workers rest until the next call
  /// of `next`.
  void wait_until_full();
  /// Time spent waiting in `next`.
  double seconds_waited() const;
  /// Pictures in the split, or boxes.
  int sample_count() const;

 private:
  class Workers;
  std::unique_ptr<Workers> workers_;
};

/// The order in which an epoch shows the samples of a split.
std::vector<int> epoch_order(int samples, std::uint64_t seed, std::uint32_t epoch);

/// Calls `visit(index, picture)` for all samples of a split in order, on this thread, while the
/// next one is read by another. Throws Error at a sample without mask or that cannot be read.
void for_each_labelled(const Dataset& dataset, const std::string& split,
                       const std::function<void(int, const LabelledPicture&)>& visit);

}  // namespace segmentum
