// What mean field asks of a Gaussian: one interface for the lattice and for every pair of pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "crf/rows.h"

namespace segmentum {

/// Whether out = A in or out = A^T in is computed. A Gaussian is symmetric, a lattice's not quite.
enum class FilterDirection : std::uint8_t { forward, adjoint };

/// The matrix A [N,N] of one Gaussian kernel over N pixels, made once and applied many times to
/// rows of any width. Immutable; safe to use from many threads.
class PairwiseFilter {
 public:
  /// One product with A at a time, in three phases, so that what precedes and follows can be done
  /// while a pixel's row is at hand: every band is cleared and its pixels splatted, then blur, then
  /// pixels are sliced, in any order. Splats of the next product may begin while this one's pixels
  /// are still being sliced. Bands may run on different threads.
  class Run {
   public:
    virtual ~Run() = default;
    virtual void clear(int band) = 0;
    /// Takes scale[i] * rows[i] in as the input of the range's pixels, which lie in the band.
    /// `rows` and `scale` begin at the range's first pixel; no `scale` means 1.
    virtual void splat(int band, PixelRange range, const float* rows, const float* scale) = 0;
    /// May be called again for the same splats.
    virtual void blur(FilterDirection direction) = 0;
    /// Whether blur() has work for several threads. Where it has not, it uses none but the
    /// caller's, and several kernels can be blurred side by side.
    virtual bool blur_uses_threads() const = 0;
    /// rows[i] += factor * scale[i] * (the output of pixel i).
    virtual void slice(int band, PixelRange range, float factor, const float* scale,
                       float* rows) const = 0;
  };

  explicit PairwiseFilter(std::int64_t pixels) : bands_(pixels) {}
  virtual ~PairwiseFilter() = default;
  PairwiseFilter(const PairwiseFilter&) = delete;
  PairwiseFilter& operator=(const PairwiseFilter&) = delete;

  const Bands& bands() const { return bands_; }
  /// For rows of `stride` floats, a multiple of kRowUnit. The filter must outlive it.
  virtual std::unique_ptr<Run> make_run(int stride) const = 0;

  /// Memory that it holds; runs have their own.
  virtual std::size_t bytes() const = 0;

  /// out = A in, or A^T in: all three phases for rows [N][stride]. in = out is allowed.
  void apply(const float* in, float* out, int stride, FilterDirection direction) const;

 private:
  Bands bands_;
};

}  // namespace segmentum
