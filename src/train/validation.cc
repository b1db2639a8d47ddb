#include "train/validation.h"

#include <vector>

#include "base/threads.h"
#include "data/loader.h"
#include "engine/plan_cache.h"
#include "image/most_likely.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

// Of plans kept for pictures of other sizes, beside the training's own.
constexpr std::size_t kPlansMemory = std::size_t{1} << 30;

LabelMap labels_of(ConstTensorView logits) {
  const Shape& shape = logits.shape;
  LabelMap labels(static_cast<int>(shape.h()), static_cast<int>(shape.w()));
  parallel_for(shape.h(), [&](std::int64_t y) {
    most_likely(&logits(0, 0, y, 0), shape.h() * shape.w(), static_cast<int>(shape.c()),
                labels.width(), labels.row(static_cast<int>(y)));
  });
  return labels;
}

}  // namespace

ConfusionMatrix validate(const Graph& graph, ParameterStore& parameters, const Dataset& dataset,
                         const std::string& split, const Preprocess& preprocess, Executor& executor,
                         ProgressSink& progress) {
  const std::vector<Sample>& samples = dataset.split(split);
  ConfusionMatrix matrix(dataset.class_count());
  PlanCache plans(executor, graph, parameters, kPlansMemory);
  progress.begin("validate", static_cast<std::int64_t>(samples.size()), "image");
  for_each_labelled(dataset, split, [&](int index, const LabelledPicture& picture) {
    if (progress.stop_requested()) throw Interrupted();
    const Image& image = picture.image;
    Plan& plan = plans.plan_for({1, preprocess.channels(), image.height(), image.width()});
    to_tensor(image, preprocess, plan.input(), 0);
    plan.forward();
    matrix.add(labels_of(plan.output("logits")), picture.labels);
    progress.update(index + 1, samples[static_cast<std::size_t>(index)].name);
  });
  progress.end();
  return matrix;
}

}  // namespace segmentum
