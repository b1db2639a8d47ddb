#include "train/validation.h"

#include <algorithm>
#include <vector>

#include "data/instances.h"
#include "data/loader.h"
#include "graph/restrict.h"
#include "infer/labelling.h"
#include "infer/tiled_inference.h"
#include "segmentum/error.h"
#include "train/memory_forecast.h"

namespace segmentum {
namespace {

/// One count of a mask against its object.
void count_mask(const Mask& mask, const Instance& object, const LabelMap& instances,
                ConfusionMatrix& matrix) {
  std::int64_t counts[2][2] = {};  // [truth][prediction]
  for (int y = 0; y < mask.height; ++y) {
    const std::uint16_t* row = instances.row(mask.top + y) + mask.left;
    for (int x = 0; x < mask.width; ++x) {
      if (row[x] != kIgnoreLabel) ++counts[row[x] == object.id][mask(y, x)];
    }
  }
  for (const int truth : {0, 1}) {
    for (const int prediction : {0, 1}) {
      matrix.add(truth * object.label, prediction * object.label, counts[truth][prediction]);
    }
  }
}

}  // namespace

ConfusionMatrix validate_on_boxes(const Graph& graph, ParameterStore& parameters,
                                  const Dataset& dataset, const std::string& split,
                                  const Preprocess& preprocess, const BoxCrop& crop,
                                  Executor& executor, ProgressSink& progress) {
  const std::vector<Sample>& samples = dataset.split(split);
  ConfusionMatrix matrix(dataset.class_count());
  const Shape input{1, preprocess.channels(), crop.side_px, crop.side_px};
  const auto plan = executor.plan(graph, parameters, {&input, 1}, {});
  progress.begin("validate", static_cast<std::int64_t>(samples.size()), "picture");
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const LabelledPicture picture = read_with_instances(dataset, samples[i]);
    const Image& image = picture.image;
    for (const Instance& object : list_instances(picture.instances, picture.labels)) {
      if (progress.stop_requested()) throw Interrupted();
      const Box region = crop_region(object.box, crop, image.height(), image.width());
      to_tensor(stretched_crop(image, region, crop.side_px), preprocess, plan->input(), 0);
      plan->forward();
      count_mask(pasted_mask(plan->output("logits"), object.label - 1, region, image.height(),
                             image.width()),
                 object, picture.instances, matrix);
    }
    progress.update(static_cast<std::int64_t>(i) + 1, samples[i].name);
  }
  progress.end();
  return matrix;
}

ConfusionMatrix validate(const TrainingSetup& setup, ParameterStore& parameters,
                         const Dataset& dataset, Executor& executor, ProgressSink& progress) {
  const std::string& split = setup.config.val_split;
  if (setup.boxes) {
    return validate_on_boxes(setup.graph, parameters, dataset, split, setup.preprocess,
                             setup.boxes->crop, executor, progress);
  }
  return validate(setup.graph, parameters, dataset, split, setup.preprocess, executor, progress,
                  setup.validation_bytes);
}

ConfusionMatrix validate(const Graph& graph, ParameterStore& parameters, const Dataset& dataset,
                         const std::string& split, const Preprocess& preprocess, Executor& executor,
                         ProgressSink& progress, std::size_t memory_bytes) {
  const std::vector<Sample>& samples = dataset.split(split);
  ConfusionMatrix matrix(dataset.class_count());
  TiledInference inference(executor, graph, parameters, preprocess, {.memory_bytes = memory_bytes});
  progress.begin("validate", static_cast<std::int64_t>(samples.size()), "picture");
  for_each_labelled(dataset, split, [&](int index, const LabelledPicture& picture) {
    const Image& image = picture.image;
    LabelMap labels(image.height(), image.width());
    inference.walk(image, false, [&](const PixelRect& part, const ScoreRows& scores) {
      if (progress.stop_requested()) throw Interrupted();
      label_part(scores, part, labels);
    });
    matrix.add(labels, picture.labels);
    progress.update(index + 1, samples[static_cast<std::size_t>(index)].name);
  });
  progress.end();
  return matrix;
}

std::size_t least_validation_bytes(const Graph& graph, const Shape& picture,
                                   const ConvolutionGrid& grid) {
  const std::size_t whole = inference_floor(graph, picture);
  const auto middle = [](std::int64_t size) {
    const std::int64_t side = std::min<std::int64_t>(size, TiledInference::kLeastSide);
    return Interval{(size - side) / 2, (size - side) / 2 + side};
  };
  const Region wanted{middle(picture.h()), middle(picture.w())};
  const auto part = restricted(graph, picture, "logits", wanted, grid);
  if (!part) return whole;
  const Shape seen{1, picture.c(), part->input.y.size(), part->input.x.size()};
  return std::min(whole, inference_floor(part->graph, seen));
}

}  // namespace segmentum
