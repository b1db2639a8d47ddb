#include "crf/lattice.h"

#include <algorithm>

#include "base/threads.h"

namespace segmentum {
namespace {

/// The vertex after each along an axis, or kAbsent.
std::vector<std::uint32_t> neighbours(const VertexTable& table, std::uint64_t step) {
  const std::vector<std::uint64_t>& numbers = table.numbers();
  std::vector<std::uint32_t> next(numbers.size());
  for (std::size_t v = 0; v < numbers.size(); ++v) next[v] = table.find(numbers[v] + step);
  return next;
}

Lattice::Axis lines_along(const std::vector<std::uint32_t>& next) {
  constexpr std::int64_t kPiece = 1024;
  std::vector<bool> has_before(next.size(), false);
  for (const std::uint32_t v : next) {
    if (v != VertexTable::kAbsent) has_before[v] = true;
  }
  Lattice::Axis axis;
  axis.line.reserve(next.size());
  for (std::uint32_t first = 0; first < next.size(); ++first) {
    if (has_before[first]) continue;
    const auto length = static_cast<std::int64_t>(axis.line.size());
    if (axis.piece_begin.empty() || length - axis.piece_begin.back() >= kPiece) {
      axis.piece_begin.push_back(length);
    }
    axis.line.push_back(first);
    for (std::uint32_t v = next[first]; v != VertexTable::kAbsent; v = next[v]) {
      axis.line.push_back(v | Lattice::kLinked);
    }
  }
  axis.piece_begin.push_back(static_cast<std::int64_t>(axis.line.size()));
  return axis;
}

}  // namespace

Lattice::Lattice(const Features& features, const Bands& bands)
    : corners_(features.dimensions + 1),
      corner_(features.pixels * corners_),
      weight_(features.pixels * corners_) {
  const LatticeGeometry geometry(box_of(features));
  gain_ = geometry.gain();
  std::vector<VertexTable> tables(bands.count());
  find_corners(features, bands, geometry, tables);
  const VertexTable table = join(tables);
  tables.clear();
  find_parts(static_cast<std::int64_t>(table.numbers().size()));
  find_lines(table, geometry);
}

std::size_t Lattice::bytes() const {
  const auto of = [](const auto& numbers) { return sizeof(numbers[0]) * numbers.size(); };
  std::size_t sum = sizeof(std::uint32_t) * static_cast<std::size_t>(corner_.count()) +
                    sizeof(float) * static_cast<std::size_t>(weight_.count()) + of(band_begin_) +
                    of(vertex_of_) + of(part_begin_) + of(parts_);
  for (const Axis& axis : axes_) sum += of(axis.line) + of(axis.piece_begin);
  return sum;
}

void Lattice::find_corners(const Features& features, const Bands& bands,
                           const LatticeGeometry& geometry, std::vector<VertexTable>& tables) {
  parallel_for(bands.count(), [&](std::int64_t b) {
    VertexTable& table = tables[b];
    const int stride = row_stride(features.dimensions);
    std::vector<float> values(block_pixels(stride) * features.dimensions);
    for_blocks(bands[static_cast<int>(b)], stride, [&](PixelRange range) {
      features.write(range, values.data());
      std::uint32_t* corner = corner_.data() + range.begin * corners_;
      float* weight = weight_.data() + range.begin * corners_;
      geometry.for_simplices(
          values.data(), range.count(),
          [&](const LatticeGeometry::Numbers& number, const LatticeGeometry::Weights& share) {
            for (int r = 0; r < corners_; ++r) {
              *corner++ = table.find_or_add(number[r]);
              *weight++ = share[r];
            }
          });
    });
  });
}

VertexTable Lattice::join(const std::vector<VertexTable>& tables) {
  band_begin_.push_back(0);
  for (const VertexTable& band : tables) {
    band_begin_.push_back(band_begin_.back() + static_cast<std::int64_t>(band.numbers().size()));
  }
  if (band_begin_.back() >= std::int64_t{kLinked}) {
    throw Error("a kernel's lattice has " + std::to_string(band_begin_.back()) +
                " vertices, more than 31 bits count; larger sigmas need fewer");
  }
  VertexTable all;
  vertex_of_.reserve(static_cast<std::size_t>(band_begin_.back()));
  for (const VertexTable& band : tables) {
    for (const std::uint64_t number : band.numbers()) {
      vertex_of_.push_back(all.find_or_add(number));
    }
  }
  return all;
}

void Lattice::find_parts(std::int64_t vertices) {
  part_begin_.assign(static_cast<std::size_t>(vertices) + 1, 0);
  for (const std::uint32_t v : vertex_of_) ++part_begin_[v + 1];
  for (std::int64_t v = 0; v < vertices; ++v) part_begin_[v + 1] += part_begin_[v];
  std::vector<std::uint32_t> next(part_begin_.begin(), part_begin_.end() - 1);
  parts_.resize(vertex_of_.size());
  for (std::uint32_t i = 0; i < vertex_of_.size(); ++i) parts_[next[vertex_of_[i]]++] = i;
}

void Lattice::find_lines(const VertexTable& table, const LatticeGeometry& geometry) {
  axes_.resize(corners_);
  parallel_for(corners_, [&](std::int64_t axis) {
    axes_[axis] = lines_along(neighbours(table, geometry.step(static_cast<int>(axis))));
  });
}

}  // namespace segmentum
