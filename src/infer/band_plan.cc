#include "infer/band_plan.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/mirror.h"
#include "infer/labelling.h"

namespace segmentum {

int BandPlan::unit(const Graph& graph, const ConvolutionGrid& grid) {
  constexpr std::int64_t kLargest = 1 << 12;
  const std::int64_t unit = band_unit(graph, "logits", grid);
  return unit > kLargest ? 0 : static_cast<int>(unit);
}

std::optional<BandPlan> BandPlan::make(Executor& executor, const Graph& graph,
                                       ParameterStore& parameters, const Preprocess& preprocess,
                                       const Shape& picture, Interval columns, int rows,
                                       std::shared_ptr<Workspace> workspace) {
  std::optional<BandedGraph> bands =
      in_bands(graph, picture, "logits", columns, rows, executor.grid());
  if (!bands) return std::nullopt;
  const Shape input{1, picture.c(), bands->input.y.size(), bands->input.x.size()};
  auto plan = executor.plan(
      bands->graph, parameters, {&input, 1},
      {.outputs = OutputForm::rows, .workspace = std::move(workspace), .carried = bands->carried});
  return BandPlan(preprocess, *std::move(bands), std::move(plan));
}

BandPlan::BandPlan(const Preprocess& preprocess, BandedGraph bands, std::unique_ptr<Plan> plan)
    : preprocess_(&preprocess), bands_(std::move(bands)), plan_(std::move(plan)) {}

BandPlan::Rows BandPlan::rows_of(std::int64_t band) const {
  const auto height = static_cast<int>(bands_.height);
  const auto begin = static_cast<int>(bands_.input.y.begin + band * bands_.rows);
  const int end =
      std::min(begin + static_cast<int>(rows_seen()), height + static_cast<int>(bands_.mirrored));
  int least = height, last = -1;
  for (int y = std::max(begin, 0); y < end; ++y) {
    const auto at = static_cast<int>(mirror_index(y, height));
    least = std::min(least, at);
    last = std::max(last, at);
  }
  return {std::max(begin, 0), end, least, std::max(last - least + 1, 0)};
}

PixelRect BandPlan::seen(std::int64_t band) const {
  const Rows rows = rows_of(band);
  return {rows.least, static_cast<int>(bands_.input.x.begin), rows.count,
          static_cast<int>(columns_seen())};
}

/// The plan's input: the rows that the picture has, mirrored ones below it, and zeros.
void BandPlan::fill(std::int64_t band, const ImageView& seen) {
  const TensorView input = plan_->input();
  const std::int64_t top = bands_.input.y.begin + band * bands_.rows;
  const Rows rows = rows_of(band);
  if (rows.count == rows_seen() && rows.least == top) {
    return to_tensor(seen, *preprocess_, input, 0);
  }
  if (rows.count > 0) {
    Image all(static_cast<int>(rows_seen()), seen.width, seen.channels, seen.type);
    for (int y = rows.first; y < rows.end; ++y) {
      const auto from = static_cast<int>(mirror_index(y, bands_.height)) - rows.least;
      std::memcpy(all.row<std::byte>(y - static_cast<int>(top)), seen.row<std::byte>(from),
                  all.row_bytes());
    }
    to_tensor(all, *preprocess_, input, 0);
  }
  for (std::int64_t y = 0; y < input.shape.h(); ++y) {
    if (top + y >= rows.first && top + y < rows.end) continue;
    for (std::int64_t c = 0; c < input.shape.c(); ++c) {
      std::fill_n(&input(0, c, y, 0), input.shape.w(), 0.0f);
    }
  }
}

const ScoreRows& BandPlan::run(std::int64_t band, const ImageView& seen, bool flipped) {
  fill(band, seen);
  if (flipped) mirror_rows(plan_->input());
  plan_->forward({.band = band});
  return plan_->rows("logits");
}

std::int64_t BandPlan::pixels_read() const {
  return (bands_.height + bands_.before_first * bands_.rows) * columns_seen();
}

}  // namespace segmentum
