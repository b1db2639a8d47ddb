#include "crf/lattice_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "crf/lattice_kernels.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "crf/lattice.h"
#include "crf/row_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum {
namespace HWY_NAMESPACE {

void splat_rows_of(const float* HWY_RESTRICT rows, const float* HWY_RESTRICT scale,
                   std::int64_t pixels, int stride, const Corners& corners,
                   float* HWY_RESTRICT table) {
  for_columns(stride, [&](auto columns, int column) {
    constexpr int kVectors = columns;
    const RowTag d;
    const std::uint32_t* corner = corners.corner;
    const float* weight = corners.weight;
    for (std::int64_t p = 0; p < pixels; ++p) {
      RowVector row[kVectors];
      load_row<kVectors>(d, rows + p * stride + column, row);
      const float factor = scale ? scale[p] : 1.0f;
      for (int r = 0; r < corners.count; ++r) {
        const RowVector w = hn::Set(d, *weight++ * factor);
        float* HWY_RESTRICT out = table + static_cast<std::int64_t>(*corner++) * stride + column;
        for (int v = 0; v < kVectors; ++v) {
          float* at = out + v * kRowLanes;
          hn::Store(hn::MulAdd(w, row[v], hn::Load(d, at)), d, at);
        }
      }
    }
  });
}

void gather_rows_of(const float* HWY_RESTRICT parts, const std::uint32_t* HWY_RESTRICT part_begin,
                    const std::uint32_t* HWY_RESTRICT part, std::int64_t first, std::int64_t last,
                    int stride, float* HWY_RESTRICT vertices) {
  for_columns(stride, [&](auto columns, int column) {
    constexpr int kVectors = columns;
    const RowTag d;
    for (std::int64_t vertex = first; vertex < last; ++vertex) {
      RowVector sum[kVectors];
      for (int v = 0; v < kVectors; ++v) sum[v] = hn::Zero(d);
      for (std::uint32_t i = part_begin[vertex]; i < part_begin[vertex + 1]; ++i) {
        const float* row = parts + static_cast<std::int64_t>(part[i]) * stride + column;
        for (int v = 0; v < kVectors; ++v) {
          sum[v] = hn::Add(sum[v], hn::Load(d, row + v * kRowLanes));
        }
      }
      store_row<kVectors>(d, sum, vertices + vertex * stride + column);
    }
  });
}

// Links are factors, 0 or 1/2, since the ends of lines, often short, would be mispredicted.
void blur_lines_of(const std::uint32_t* HWY_RESTRICT line, std::int64_t count, int stride,
                   float* HWY_RESTRICT vertices) {
  for_columns(stride, [&](auto columns, int column) {
    constexpr int kVectors = columns;
    const RowTag d;
    const auto row_of = [&](std::int64_t i) {
      return vertices + static_cast<std::int64_t>(line[i] & ~Lattice::kLinked) * stride + column;
    };
    RowVector before[kVectors], here[kVectors], after[kVectors];
    for (int v = 0; v < kVectors; ++v) before[v] = hn::Zero(d);
    if (count > 0) load_row<kVectors>(d, row_of(0), here);
    RowVector link_before = hn::Zero(d);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t next = i + 1 < count ? i + 1 : i;
      const float linked = i + 1 < count ? 0.5f * static_cast<float>(line[next] >> 31) : 0.0f;
      const RowVector link_after = hn::Set(d, linked);
      float* row = row_of(i);
      load_row<kVectors>(d, row_of(next), after);
      for (int v = 0; v < kVectors; ++v) {
        const RowVector sum = hn::MulAdd(link_before, before[v], here[v]);
        hn::Store(hn::MulAdd(link_after, after[v], sum), d, row + v * kRowLanes);
        before[v] = here[v];
        here[v] = after[v];
      }
      link_before = link_after;
    }
  });
}

void slice_rows_of(const float* HWY_RESTRICT vertices, const std::uint32_t* HWY_RESTRICT vertex_of,
                   const Corners& corners, float factor, const float* HWY_RESTRICT scale,
                   std::int64_t pixels, int stride, float* HWY_RESTRICT rows) {
  for_columns(stride, [&](auto columns, int column) {
    constexpr int kVectors = columns;
    const RowTag d;
    const std::uint32_t* corner = corners.corner;
    const float* weight = corners.weight;
    for (std::int64_t p = 0; p < pixels; ++p) {
      RowVector sum[kVectors];
      for (int v = 0; v < kVectors; ++v) sum[v] = hn::Zero(d);
      for (int r = 0; r < corners.count; ++r) {
        const RowVector w = hn::Set(d, *weight++);
        const float* row =
            vertices + static_cast<std::int64_t>(vertex_of[*corner++]) * stride + column;
        for (int v = 0; v < kVectors; ++v) {
          sum[v] = hn::MulAdd(w, hn::Load(d, row + v * kRowLanes), sum[v]);
        }
      }
      const RowVector f = hn::Set(d, scale ? factor * scale[p] : factor);
      float* out = rows + p * stride + column;
      for (int v = 0; v < kVectors; ++v) {
        float* at = out + v * kRowLanes;
        hn::Store(hn::MulAdd(f, sum[v], hn::Load(d, at)), d, at);
      }
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace segmentum
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum {

HWY_EXPORT(splat_rows_of);
HWY_EXPORT(gather_rows_of);
HWY_EXPORT(blur_lines_of);
HWY_EXPORT(slice_rows_of);

void splat_rows(const float* rows, const float* scale, std::int64_t pixels, int stride,
                const Corners& corners, float* table) {
  HWY_DYNAMIC_DISPATCH(splat_rows_of)(rows, scale, pixels, stride, corners, table);
}

void gather_rows(const float* parts, const std::uint32_t* part_begin, const std::uint32_t* part,
                 std::int64_t first, std::int64_t last, int stride, float* vertices) {
  HWY_DYNAMIC_DISPATCH(gather_rows_of)(parts, part_begin, part, first, last, stride, vertices);
}

void blur_lines(const std::uint32_t* line, std::int64_t count, int stride, float* vertices) {
  HWY_DYNAMIC_DISPATCH(blur_lines_of)(line, count, stride, vertices);
}

void slice_rows(const float* vertices, const std::uint32_t* vertex_of, const Corners& corners,
                float factor, const float* scale, std::int64_t pixels, int stride, float* rows) {
  HWY_DYNAMIC_DISPATCH(slice_rows_of)
  (vertices, vertex_of, corners, factor, scale, pixels, stride, rows);
}

}  // namespace segmentum
#endif  // HWY_ONCE
