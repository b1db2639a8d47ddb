#include "infer/tiled_inference.h"

#include <algorithm>

#include "infer/labelling.h"

namespace segmentum {
namespace {

constexpr int kProbeSide = 256;  // pictures of up to this size are always run whole

ImageView part_of(const ImageView& picture, const PixelRect& rect) {
  const std::ptrdiff_t pixel_bytes =
      static_cast<std::ptrdiff_t>(sample_bytes(picture.type)) * picture.channels;
  ImageView view = picture;
  view.data = static_cast<const std::byte*>(picture.data) + rect.y * picture.stride() +
              rect.x * pixel_bytes;
  view.height = rect.height;
  view.width = rect.width;
  view.row_stride_bytes = picture.stride();
  return view;
}

}  // namespace

TiledInference::TiledInference(Executor& executor, const Graph& graph, ParameterStore& parameters,
                               const Preprocess& preprocess, const TilingOptions& options)
    : executor_(executor),
      graph_(graph),
      parameters_(parameters),
      preprocess_(preprocess),
      options_(options),
      wholes_(executor, graph, parameters, options.memory_bytes) {}

TileGrid TiledInference::grid(int height, int width) {
  if (fits(height, width)) return {height, width, height, width};
  cut(height, width);
  return grid_;
}

void TiledInference::walk(
    const ImageView& picture, bool flipped,
    const std::function<void(const PixelRect& part, const ScoreRows& scores)>& visit) {
  const int height = picture.height, width = picture.width;
  const TileGrid parts = grid(height, width);
  if (parts.count() == 1) {
    regions_.reset();
    Plan& plan = wholes_.plan_for({1, preprocess_.channels(), height, width});
    return visit(parts.part(0), run(plan, picture, flipped));
  }
  wholes_.clear();
  for (int i = 0; i < parts.count(); ++i) {
    const PixelRect part = parts.part(i);
    const RegionPlans::Ready ready = regions_->plan_for(part);
    const PixelRect seen = flipped ? mirrored(ready.seen, width) : ready.seen;
    visit(part, run(*ready.plan, part_of(picture, seen), flipped));
  }
}

const ScoreRows& TiledInference::run(Plan& plan, const ImageView& seen, bool flipped) {
  to_tensor(seen, preprocess_, plan.input(), 0);
  if (flipped) mirror_rows(plan.input());
  plan.forward();
  return plan.rows("logits");
}

bool TiledInference::fits(int height, int width) {
  if (options_.tile > 0) return std::max(height, width) <= options_.tile;
  const std::int64_t pixels = std::int64_t{height} * width;
  return pixels <= kProbeSide * kProbeSide || bytes_per_pixel() * static_cast<double>(pixels) <=
                                                  static_cast<double>(options_.memory_bytes);
}

/// Measured on a plan of a moderate size.
double TiledInference::bytes_per_pixel() {
  if (bytes_per_pixel_ > 0) return bytes_per_pixel_;
  const Shape input{1, preprocess_.channels(), kProbeSide, kProbeSide};
  const auto plan = executor_.plan(graph_, parameters_, {&input, 1}, {.outputs = OutputForm::rows});
  bytes_per_pixel_ = static_cast<double>(plan->memory_bytes()) / (double{kProbeSide} * kProbeSide);
  return bytes_per_pixel_;
}

/// Makes what runs the parts of pictures of this size.
void TiledInference::cut(int height, int width) {
  if (regions_ && grid_.height == height && grid_.width == width) return;
  regions_.emplace(executor_, graph_, parameters_, Shape{1, preprocess_.channels(), height, width});
  grid_ = grid_of(*regions_, height, width);
}

TileGrid TiledInference::grid_of(const RegionPlans& regions, int height, int width) const {
  if (!regions.possible()) return {height, width, height, width};
  if (options_.tile > 0) {
    return {height, width, std::min(height, options_.tile), std::min(width, options_.tile)};
  }
  return choose_grid(
      {.height = height,
       .width = width,
       .multiple = kLeastSide,
       .around_px = regions.around_px(),
       .memory_bytes = options_.memory_bytes,
       .bytes_of = [&](const PixelRect& part) { return regions.memory_bytes(part); }});
}

}  // namespace segmentum
