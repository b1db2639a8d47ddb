// A convolution over a magnified map, summed from products that were made at the map's own size:
// what each tap of its kernel gives, if everything that lies between is linear.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/cpu/kernels/depthwise.h"
#include "engine/cpu/layout.h"
#include "engine/resize_taps.h"
#include "graph/regions.h"

namespace segmentum::cpu {

/// A result along one axis is the sum of `weight` times what tap `tap` of the kernel gives at pixel
/// `source` of the map, over its terms: two for each tap, as a magnified pixel lies between two.
struct TapTerm {
  std::int64_t tap;
  std::int64_t source;
  float weight;
};
using TapTerms = std::vector<std::vector<TapTerm>>;  // by result

/// `seen`: how each pixel that the convolution reads along this axis is made of the map's; `first`
/// is -1 where it is zero, as those in the convolution's padding are. In the order of the taps.
TapTerms tap_terms(std::span<const ResizeTap> seen, int kernel, int dilation, int before,
                   std::int64_t results);

/// Some blocks of channels of a region of one image's results.
struct MagnifiedPart {
  View taps;  // [N, kernel.h * kernel.w * whole blocks of y, h, w]: tap by tap, of the map's size
  View y;
  std::int64_t image;
  Region results;
  std::int64_t first_block, end_block;
  const float* bias;  // packed, of all blocks; or null
};

class MagnifiedTaps {
 public:
  /// `map`: what is magnified; `channels`: of the results. Terms for each row and each column.
  MagnifiedTaps(Size2 kernel, const Shape& map, std::int64_t channels, const TapTerms& rows,
                const TapTerms& columns);

  /// Blocks of channels that are best asked for at once.
  static constexpr std::int64_t kBlocks = 2;
  /// For so many rows of results at once.
  std::int64_t scratch_floats(std::int64_t rows) const;
  /// y = bias + the sum over rows of taps, then over columns, each in the order of its terms: the
  /// same bits for any region.
  void sum(const MagnifiedPart& part, float* scratch) const;

  /// One axis: of result i the terms [begin[i], begin[i + 1]), each `weight` times the value
  /// `offset` floats on.
  struct Term {
    std::int64_t offset;
    float weight;
  };
  struct Axis {
    std::vector<Term> terms;
    std::vector<std::size_t> begin;
    std::vector<Interval> sources;  // of each result
  };

 private:
  int kernel_w_;
  std::int64_t map_w_;
  Axis rows_, columns_;
};

}  // namespace segmentum::cpu
