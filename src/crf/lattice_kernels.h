// The inner loops of a product with the lattice, over rows of `stride` floats (a multiple of
// kRowUnit) that are aligned to kRowUnit floats.
#pragma once

#include <cstdint>

namespace segmentum {

/// The corners of consecutive pixels: `count` of each, their rows in a table, and their weights.
struct Corners {
  const std::uint32_t* corner = nullptr;
  const float* weight = nullptr;
  int count = 0;
};

/// table[corner] += weight * scale * row, for each of `pixels` rows. No `scale` means 1.
void splat_rows(const float* rows, const float* scale, std::int64_t pixels, int stride,
                const Corners& corners, float* table);

/// vertices[v] = the sum of parts[i] over i = part[part_begin[v]] up to part_begin[v + 1], for v in
/// [first, last).
void gather_rows(const float* parts, const std::uint32_t* part_begin, const std::uint32_t* part,
                 std::int64_t first, std::int64_t last, int stride, float* vertices);

/// In place, each vertex of whole lines += half of the sum of its two neighbours on the line.
void blur_lines(const std::uint32_t* line, std::int64_t count, int stride, float* vertices);

/// row += factor * scale * (the weighted sum of vertices[vertex_of[corner]]).
void slice_rows(const float* vertices, const std::uint32_t* vertex_of, const Corners& corners,
                float factor, const float* scale, std::int64_t pixels, int stride, float* rows);

}  // namespace segmentum
