#include "train/validation.h"

#include <algorithm>
#include <vector>

#include "data/loader.h"
#include "engine/plan_cache.h"
#include "infer/labelling.h"
#include "infer/tiling.h"
#include "segmentum/error.h"
#include "train/memory_forecast.h"

namespace segmentum {
namespace {

// Of plans kept for pictures of other sizes, beside the training's own.
constexpr std::size_t kPlansMemory = std::size_t{1} << 30;

}  // namespace

ConfusionMatrix validate(const Graph& graph, ParameterStore& parameters, const Dataset& dataset,
                         const std::string& split, const Preprocess& preprocess, Executor& executor,
                         ProgressSink& progress, std::size_t memory_bytes) {
  const std::vector<Sample>& samples = dataset.split(split);
  ConfusionMatrix matrix(dataset.class_count());
  PlanCache plans(executor, graph, parameters, std::min(kPlansMemory, memory_bytes));
  Tiling tiling(executor, graph, parameters, memory_bytes);
  progress.begin("validate", static_cast<std::int64_t>(samples.size()), "image");
  for_each_labelled(dataset, split, [&](int index, const LabelledPicture& picture) {
    const Image& image = picture.image;
    LabelMap labels(image.height(), image.width());
    for (const Tile& tile : tiling.tiles(image.height(), image.width())) {
      if (progress.stop_requested()) throw Interrupted();
      Plan& plan =
          plans.plan_for({1, preprocess.channels(), tile.rows.length(), tile.columns.length()});
      to_tensor(region(image, tile), preprocess, plan.input(), 0);
      plan.forward();
      label_tile(plan.output("logits"), tile, labels);
    }
    matrix.add(labels, picture.labels);
    progress.update(index + 1, samples[static_cast<std::size_t>(index)].name);
  });
  progress.end();
  return matrix;
}

std::size_t least_validation_bytes(const Graph& graph, const Shape& picture,
                                   const ConvolutionGrid& grid) {
  Shape seen = picture;
  if (const auto rule = tile_rule(graph, static_cast<int>(picture.c()), grid)) {
    const std::int64_t side = least_tile_side(*rule);
    seen = {1, picture.c(), std::min(picture.h(), side), std::min(picture.w(), side)};
  }
  return inference_floor(graph, seen);
}

}  // namespace segmentum
