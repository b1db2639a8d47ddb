// A network that goes down some columns of a picture, band by band: with the bits that the whole
// would give, and no row computed twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "engine/executor.h"
#include "engine/score_rows.h"
#include "graph/bands.h"
#include "image/picture_source.h"
#include "image/preprocess.h"
#include "segmentum/image.h"

namespace segmentum {

/// Not thread-safe, but for the const members beside `run`. What it is made of must outlive it.
class BandPlan {
 public:
  /// The least rows of a band, of which others are multiples; 0: the network cannot go by bands.
  static int unit(const Graph& graph, const ConvolutionGrid& grid);

  /// For columns [columns.begin, columns.end) of pictures of this shape in bands of `rows`; none
  /// where that is not possible. `workspace`: memory that is another's before band `first_run` and
  /// after the last one.
  static std::optional<BandPlan> make(Executor& executor, const Graph& graph,
                                      ParameterStore& parameters, const Preprocess& preprocess,
                                      const Shape& picture, Interval columns, int rows,
                                      std::shared_ptr<Workspace> workspace);

  /// The rows of a band, of which the last one has more than there are.
  int rows() const { return static_cast<int>(bands_.rows); }
  /// The first of the bands that must have run, one after the other, where `band` is wanted.
  std::int64_t first_run(std::int64_t band) const { return band - bands_.before_band(band); }

  /// The part of the picture that a band reads; of height 0 where it reads nothing.
  PixelRect seen(std::int64_t band) const;
  /// Runs it on that part, or on that of the picture mirrored left to right, `flipped` still to be
  /// mirrored. The scores are of rows band * rows() on and of the columns, valid until the next
  /// run.
  const ScoreRows& run(std::int64_t band, const ImageView& seen, bool flipped);

  /// Of the values, and of `rows_seen` x `columns_seen` pixels at most that a band reads.
  std::size_t memory_bytes() const { return plan_->memory_bytes(); }
  std::int64_t rows_seen() const { return bands_.input.y.size(); }
  std::int64_t columns_seen() const { return bands_.input.x.size(); }
  /// All pixels that the bands of a whole picture read and compute, those at the sides and those
  /// above the first band included.
  std::int64_t pixels_read() const;

 private:
  BandPlan(const Preprocess& preprocess, BandedGraph bands, std::unique_ptr<Plan> plan);

  struct Rows {
    int first, end;    // of the picture and below it, mirrored
    int least, count;  // of the picture, to make them of
  };
  Rows rows_of(std::int64_t band) const;
  void fill(std::int64_t band, const ImageView& seen);

  const Preprocess* preprocess_;
  BandedGraph bands_;
  std::unique_ptr<Plan> plan_;
};

}  // namespace segmentum
