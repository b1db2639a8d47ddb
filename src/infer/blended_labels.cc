#include "infer/blended_labels.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/threads.h"
#include "infer/labelling.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Weights of the `size` pixels that a tile sees along one axis: they rise over those that it
/// shares with the tile `before` it, and fall over those that it shares with the one `after` it.
std::vector<float> window(int size, int before, int after) {
  const auto rising = [](int i, int overlap) {
    return static_cast<float>(0.5 - 0.5 * std::cos(std::numbers::pi * (i + 0.5) / overlap));
  };
  std::vector<float> weights(static_cast<std::size_t>(size), 1.0f);
  for (int i = 0; i < before; ++i) weights[i] *= rising(i, before);
  for (int i = 0; i < after; ++i) weights[size - after + i] *= 1.0f - rising(i, after);
  return weights;
}

/// Adds [y0, y0 + rows) x [x0, x0 + columns) of `from` to `to`, whose corner is at `y1`, `x1`.
void add_part(const Probabilities& from, int y0, int x0, int rows, int columns, Probabilities& to,
              int y1, int x1) {
  for (int k = 0; k < from.classes(); ++k) {
    for (int y = 0; y < rows; ++y) {
      const float* in = from.row(k, y0 + y) + x0;
      float* out = to.row(k, y1 + y) + x1;
      for (int x = 0; x < columns; ++x) out[x] += in[x];
    }
  }
}

}  // namespace

BlendedLabels::BlendedLabels(Network& network, PictureSource& picture, const TileGrid& grid,
                             int overlap_px)
    : network_(network), picture_(picture), grid_(grid), overlap_(overlap_px) {
  const bool down = grid.count_down() > 1 && grid.rows < overlap_px;
  const bool across = grid.count_across() > 1 && grid.columns < overlap_px;
  if (down || across) {
    throw Error("tiles of " + std::to_string(grid.rows) + "x" + std::to_string(grid.columns) +
                " pixels cannot overlap by " + std::to_string(overlap_px) +
                "; a smaller --blend, a larger --tile or more --memory would work");
  }
}

PixelRect BlendedLabels::seen(int down, int across) const {
  const int y = down * grid_.rows, x = across * grid_.columns;
  return {y, x, std::min(grid_.rows + overlap_, grid_.height - y),
          std::min(grid_.columns + overlap_, grid_.width - x)};
}

Plan& BlendedLabels::plan_for(int height, int width) {
  std::unique_ptr<Plan>& plan = plans_[{height, width}];
  if (!plan) {
    const Shape input{1, network_.input_channels(), height, width};
    plan = network_.executor().plan(network_.graph(), network_.parameters(), {&input, 1},
                                    {.outputs = OutputForm::rows, .workspace = workspace_});
  }
  return *plan;
}

Probabilities BlendedLabels::weighted(int down, int across) {
  const PixelRect rect = seen(down, across);
  const PixelRect all{0, 0, rect.height, rect.width};
  Probabilities sum(network_.classes(), rect.height, rect.width);
  const bool both = network_.options().flip;
  for (const bool flipped : {false, true}) {
    if (flipped && !both) break;
    Plan& plan = plan_for(rect.height, rect.width);
    to_tensor(picture_.read(rect), network_.model().preprocess, plan.input(), 0);
    if (flipped) mirror_rows(plan.input());
    plan.forward();
    add_probabilities(plan.rows("logits"), all, both ? 0.5f : 1.0f, flipped, sum);
  }
  const PixelRect part = grid_.part(down, across);
  const auto shared = [&](int index, int size) {
    return index == 0 ? 0 : std::min(overlap_, size);
  };
  const std::vector<float> rows =
      window(rect.height, shared(down, rect.height), rect.height - part.height);
  const std::vector<float> columns =
      window(rect.width, shared(across, rect.width), rect.width - part.width);
  parallel_for(rect.height, [&](std::int64_t i) {
    const int y = static_cast<int>(i);
    for (int k = 0; k < sum.classes(); ++k) {
      float* row = sum.row(k, y);
      for (int x = 0; x < rect.width; ++x) row[x] *= rows[y] * columns[x];
    }
  });
  return sum;
}

LabelMap BlendedLabels::finish_part(Probabilities& tile, int down, int across) {
  const PixelRect rect = seen(down, across), part = grid_.part(down, across);
  // What was said of these columns by the tile on the left holds what was said from above, too.
  const int known = across > 0 ? std::min(overlap_, rect.width) : 0;
  if (across > 0) add_part(beside_, 0, 0, rect.height, known, tile, 0, 0);
  if (down > 0) {
    const int rows = std::min(overlap_, rect.height);
    add_part(below_, 0, rect.x + known, rows, rect.width - known, tile, 0, known);
  }
  const int more_rows = rect.height - part.height, more_columns = rect.width - part.width;
  if (more_columns > 0) {
    beside_ = Probabilities(tile.classes(), rect.height, more_columns);
    add_part(tile, 0, part.width, rect.height, more_columns, beside_, 0, 0);
  }
  if (more_rows > 0) add_part(tile, part.height, 0, more_rows, part.width, below_next_, 0, part.x);
  Probabilities done(tile.classes(), part.height, part.width);
  add_part(tile, 0, 0, part.height, part.width, done, 0, 0);
  return most_probable(done, network_.model().one_class_head());
}

void BlendedLabels::walk(int first,
                         const std::function<void(const PixelRect&, const LabelMap&)>& visit) {
  const int classes = network_.classes();
  for (int down = std::max(first - 1, 0); down < grid_.count_down(); ++down) {
    std::swap(below_, below_next_);
    if (down + 1 < grid_.count_down()) below_next_ = Probabilities(classes, overlap_, grid_.width);
    // Nothing is known from above of the row that is only segmented again; it is not shown.
    if (down > 0 && below_.classes() == 0) below_ = Probabilities(classes, overlap_, grid_.width);
    for (int across = 0; across < grid_.count_across(); ++across) {
      Probabilities tile = weighted(down, across);
      const LabelMap labels = finish_part(tile, down, across);
      if (down >= first) visit(grid_.part(down, across), labels);
    }
  }
}

std::size_t BlendedLabels::memory_bytes(Network& network, const PictureSource& picture,
                                        const PixelRect& part, int overlap_px) {
  const int height = std::min(part.height + overlap_px, picture.size().height);
  const int width = std::min(part.width + overlap_px, picture.size().width);
  const Shape input{1, network.input_channels(), height, width};
  const std::size_t plan =
      network.executor()
          .plan(network.graph(), network.parameters(), {&input, 1},
                {.outputs = OutputForm::rows, .workspace = std::make_shared<Workspace>()})
          ->memory_bytes();
  const auto classes = static_cast<std::size_t>(network.classes());
  const std::size_t seen = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  const std::size_t below =
      2 * static_cast<std::size_t>(overlap_px) * static_cast<std::size_t>(picture.size().width);
  return plan + sizeof(float) * classes * (2 * seen + below) +
         seen * sample_bytes(picture.size().type) *
             static_cast<std::size_t>(picture.size().channels) +
         picture.held_bytes(height);
}

}  // namespace segmentum
