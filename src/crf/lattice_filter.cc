#include "crf/lattice_filter.h"

#include <algorithm>

#include "base/threads.h"
#include "crf/lattice_kernels.h"

namespace segmentum {

class LatticeFilter::LatticeRun : public PairwiseFilter::Run {
 public:
  LatticeRun(const Lattice& lattice, int stride)
      : lattice_(lattice),
        stride_(stride),
        parts_(lattice.band_vertices() * stride),
        vertices_(lattice.vertices() * stride) {}

  void clear(int band) override {
    std::fill(part(lattice_.band_begin(band)), part(lattice_.band_begin(band + 1)), 0.0f);
  }

  void splat(int band, PixelRange range, const float* rows, const float* scale) override {
    splat_rows(rows, scale, range.count(), stride_, corners(range),
               part(lattice_.band_begin(band)));
  }

  void blur(FilterDirection direction) override {
    gather();
    const auto& axes = lattice_.axes();
    for (std::size_t a = 0; a < axes.size(); ++a) {
      blur_along(axes[direction == FilterDirection::forward ? a : axes.size() - 1 - a]);
    }
  }

  bool blur_uses_threads() const override { return vertices_.count() > kFewFloats; }

  void slice(int band, PixelRange range, float factor, const float* scale,
             float* rows) const override {
    slice_rows(vertices_.data(), lattice_.vertex_of() + lattice_.band_begin(band), corners(range),
               factor * lattice_.gain(), scale, range.count(), stride_, rows);
  }

 private:
  float* part(std::int64_t band_vertex) { return parts_.data() + band_vertex * stride_; }
  Corners corners(PixelRange range) const {
    return {lattice_.corner(range.begin), lattice_.weight(range.begin), lattice_.corners()};
  }

  void gather() {
    constexpr std::int64_t kPiece = 1024;
    const std::int64_t vertices = lattice_.vertices();
    for_pieces((vertices + kPiece - 1) / kPiece, [&](std::int64_t piece) {
      gather_rows(parts_.data(), lattice_.part_begin(), lattice_.parts(), piece * kPiece,
                  std::min(vertices, (piece + 1) * kPiece), stride_, vertices_.data());
    });
  }

  void blur_along(const Lattice::Axis& axis) {
    const auto pieces = static_cast<std::int64_t>(axis.piece_begin.size()) - 1;
    for_pieces(pieces, [&](std::int64_t piece) {
      const std::int64_t begin = axis.piece_begin[piece];
      blur_lines(axis.line.data() + begin, axis.piece_begin[piece + 1] - begin, stride_,
                 vertices_.data());
    });
  }

  template <typename Body>
  void for_pieces(std::int64_t count, const Body& body) {
    if (blur_uses_threads()) return parallel_for(count, body);
    for (std::int64_t piece = 0; piece < count; ++piece) body(piece);
  }

  // Up to here an axis is blurred in less time than threads take to meet when they are not alone on
  // the machine.
  static constexpr std::int64_t kFewFloats = 1 << 20;

  const Lattice& lattice_;
  int stride_;
  Block<float> parts_, vertices_;
};

std::unique_ptr<PairwiseFilter::Run> LatticeFilter::make_run(int stride) const {
  return std::make_unique<LatticeRun>(lattice_, stride);
}

}  // namespace segmentum
