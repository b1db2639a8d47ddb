#include "infer/tiled_inference.h"

#include <algorithm>
#include <utility>

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
  return cut(height, width).grid;
}

void TiledInference::walk(const ImageView& picture, bool flipped, const Visit& visit) {
  const int height = picture.height, width = picture.width;
  if (grid(height, width).count() == 1) {
    cut_.reset();
    Plan& plan = wholes_.plan_for({1, preprocess_.channels(), height, width});
    return visit({0, 0, height, width}, run(plan, picture, flipped));
  }
  wholes_.clear();
  Cut& cut = *cut_;
  if (cut.columns.empty()) return walk_tiles(cut, picture, flipped, visit);
  walk_bands(cut, picture, flipped, visit);
}

void TiledInference::walk_tiles(Cut& cut, const ImageView& picture, bool flipped,
                                const Visit& visit) {
  for (int i = 0; i < cut.grid.count(); ++i) {
    const PixelRect part = cut.grid.part(i);
    const RegionPlans::Ready ready = cut.regions.plan_for(part);
    const PixelRect seen = flipped ? mirrored(ready.seen, picture.width) : ready.seen;
    visit(part, run(*ready.plan, part_of(picture, seen), flipped));
  }
}

void TiledInference::walk_bands(Cut& cut, const ImageView& picture, bool flipped,
                                const Visit& visit) {
  for (int across = 0; across < cut.grid.count_across(); ++across) {
    BandPlan& plan = cut.columns[static_cast<std::size_t>(across)];
    for (std::int64_t band = plan.first_run(0); band < cut.grid.count_down(); ++band) {
      const PixelRect seen = plan.seen(band);
      const ScoreRows& scores =
          plan.run(band, part_of(picture, flipped ? mirrored(seen, picture.width) : seen), flipped);
      if (band >= 0) visit(cut.grid.part(static_cast<int>(band), across), scores);
    }
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

TiledInference::Cut& TiledInference::cut(int height, int width) {
  if (cut_ && cut_->grid.height == height && cut_->grid.width == width) return *cut_;
  const Shape picture{1, preprocess_.channels(), height, width};
  cut_.reset();
  Cut cut{{}, RegionPlans(executor_, graph_, parameters_, picture), {}};
  cut.grid = tiles_of(cut.regions, height, width);
  if (cut.grid.count() > 1 && options_.tile == 0) go_by_bands(cut);
  return cut_.emplace(std::move(cut));
}

TileGrid TiledInference::tiles_of(const RegionPlans& regions, int height, int width) const {
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

std::optional<BandPlan> TiledInference::bands_of(const TileGrid& grid, const PixelRect& part,
                                                 std::shared_ptr<Workspace> workspace) const {
  const Shape picture{1, preprocess_.channels(), grid.height, grid.width};
  return BandPlan::make(executor_, graph_, parameters_, preprocess_, picture,
                        {part.x, part.x + part.width}, grid.rows, std::move(workspace));
}

/// In as few columns as memory allows, where that reads fewer pixels than the tiles do.
void TiledInference::go_by_bands(Cut& cut) const {
  const int rows = BandPlan::unit(graph_, executor_.grid());
  if (rows == 0) return;
  const double pixels_of_tiles = pixels_read(cut.grid, cut.regions.around_px());
  for (const int columns : equal_sides(cut.grid.width, kLeastSide)) {
    const TileGrid grid{cut.grid.height, cut.grid.width, rows, columns};
    const int count = grid.count_across();
    const auto middle = bands_of(grid, grid.middle(), std::make_shared<Workspace>());
    if (!middle || static_cast<double>(middle->pixels_read()) * count >= pixels_of_tiles) return;
    if (middle->memory_bytes() > options_.memory_bytes) continue;
    const auto workspace = std::make_shared<Workspace>();
    std::vector<BandPlan> plans;
    for (int across = 0; across < count; ++across) {
      std::optional<BandPlan> plan = bands_of(grid, grid.part(0, across), workspace);
      if (!plan) return;
      plans.push_back(*std::move(plan));
    }
    cut.columns = std::move(plans);
    cut.grid = grid;
    return;
  }
}

}  // namespace segmentum
