// The permutohedral lattice of one kernel: which vertices its pixels lie between, and how these lie
// beside each other. Built once for a picture, used for every product.
#pragma once

#include <cstdint>
#include <vector>

#include "crf/features.h"
#include "crf/lattice_geometry.h"
#include "crf/rows.h"
#include "crf/vertex_table.h"

namespace segmentum {

/// Pixels are interpolated from vertices *of their band*, which many bands share: a band sums its
/// pixels into rows of its own, small enough for the cache and nobody else's, and each vertex then
/// sums its rows over the bands in their order. So the bits do not depend on the threads.
///
/// Memory: 8 * (d + 1) bytes a pixel, 4 * (d + 2) a vertex and 8 for each band that it is in; while
/// it is built, up to 80 more for each of both.
class Lattice {
 public:
  /// O(N * d^2). Throws Error if there are more vertices than 31 bits count.
  Lattice(const Features& features, const Bands& bands);

  /// Memory that it holds.
  std::size_t bytes() const;
  /// Vertices around a pixel: d + 1.
  int corners() const { return corners_; }
  float gain() const { return gain_; }
  std::int64_t vertices() const { return static_cast<std::int64_t>(part_begin_.size()) - 1; }
  /// Vertices of all bands, each counted in every band that it is in.
  std::int64_t band_vertices() const { return static_cast<std::int64_t>(vertex_of_.size()); }

  /// The corners of pixel i, counted within its band; and their barycentric weights.
  const std::uint32_t* corner(std::int64_t i) const { return corner_.data() + i * corners_; }
  const float* weight(std::int64_t i) const { return weight_.data() + i * corners_; }
  /// A band's vertices are [band_begin(band), band_begin(band + 1)) of all bands' vertices.
  std::int64_t band_begin(int band) const { return band_begin_[band]; }
  /// The vertex of each of the bands' vertices.
  const std::uint32_t* vertex_of() const { return vertex_of_.data(); }
  /// The bands' vertices that are vertex v: parts()[part_begin()[v]] up to part_begin()[v + 1].
  const std::uint32_t* part_begin() const { return part_begin_.data(); }
  const std::uint32_t* parts() const { return parts_.data(); }

  /// All vertices along one axis, line by line; kLinked is set where a vertex is the neighbour of
  /// the one before. Cut at ends of lines into pieces that threads can take.
  struct Axis {
    std::vector<std::uint32_t> line;
    std::vector<std::int64_t> piece_begin;
  };
  static constexpr std::uint32_t kLinked = std::uint32_t{1} << 31;
  const std::vector<Axis>& axes() const { return axes_; }

 private:
  void find_corners(const Features& features, const Bands& bands, const LatticeGeometry& geometry,
                    std::vector<VertexTable>& tables);
  VertexTable join(const std::vector<VertexTable>& tables);
  void find_parts(std::int64_t vertices);
  void find_lines(const VertexTable& table, const LatticeGeometry& geometry);

  int corners_;
  float gain_;
  Block<std::uint32_t> corner_;
  Block<float> weight_;
  std::vector<std::int64_t> band_begin_;
  std::vector<std::uint32_t> vertex_of_;
  std::vector<std::uint32_t> part_begin_, parts_;
  std::vector<Axis> axes_;
};

}  // namespace segmentum
