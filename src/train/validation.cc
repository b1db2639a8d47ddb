#include "train/validation.h"

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "base/threads.h"
#include "data/loader.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Plans for the sizes met last: data sets have few sizes, but some have one for every picture.
class PlansForSizes {
 public:
  PlansForSizes(const Graph& graph, ParameterStore& parameters, Executor& executor)
      : graph_(graph), parameters_(parameters), executor_(executor) {}

  Plan& at(const Shape& shape) {
    const auto found = std::ranges::find(plans_, shape, &Entry::shape);
    if (found != plans_.end()) return *found->plan;
    if (plans_.size() == kPlans) plans_.pop_front();
    const std::array inputs{shape};
    plans_.push_back({shape, executor_.plan(graph_, parameters_, inputs, {.mode = Mode::infer})});
    return *plans_.back().plan;
  }

 private:
  static constexpr std::size_t kPlans = 3;
  struct Entry {
    Shape shape;
    std::unique_ptr<Plan> plan;
  };
  const Graph& graph_;
  ParameterStore& parameters_;
  Executor& executor_;
  std::deque<Entry> plans_;
};

}  // namespace

ConfusionMatrix validate(const Graph& graph, ParameterStore& parameters, const Dataset& dataset,
                         const std::string& split, const Preprocess& preprocess, Executor& executor,
                         ProgressSink& progress) {
  const std::vector<Sample>& samples = dataset.split(split);
  ConfusionMatrix matrix(dataset.class_count());
  PlansForSizes plans(graph, parameters, executor);
  progress.begin("validate", static_cast<std::int64_t>(samples.size()), "image");
  for_each_labelled(dataset, split, [&](int index, const LabelledPicture& picture) {
    if (progress.stop_requested()) throw Interrupted();
    const Image& image = picture.image;
    Plan& plan = plans.at({1, preprocess.channels(), image.height(), image.width()});
    to_tensor(image, preprocess, plan.input(), 0);
    plan.forward();
    matrix.add(most_likely(plan.output("logits")), picture.labels);
    progress.update(index + 1, samples[static_cast<std::size_t>(index)].name);
  });
  progress.end();
  return matrix;
}

LabelMap most_likely(ConstTensorView logits) {
  const auto height = static_cast<int>(logits.shape.h());
  const auto width = static_cast<int>(logits.shape.w());
  LabelMap labels(height, width);
  parallel_for(height, [&](std::int64_t y) {
    std::uint16_t* label = labels.row(static_cast<int>(y));
    const float* first = &logits(0, 0, y, 0);
    if (logits.shape.c() == 1) {
      for (int x = 0; x < width; ++x) label[x] = first[x] >= 0 ? 1 : 0;
      return;
    }
    std::vector<float> highest(first, first + width);
    for (std::int64_t k = 1; k < logits.shape.c(); ++k) {
      const float* row = &logits(0, k, y, 0);
      for (int x = 0; x < width; ++x) {
        if (row[x] > highest[static_cast<std::size_t>(x)]) {
          highest[static_cast<std::size_t>(x)] = row[x];
          label[x] = static_cast<std::uint16_t>(k);
        }
      }
    }
  });
  return labels;
}

}  // namespace segmentum
