#include "infer/box_segmenter.h"

#include <utility>

#include "base/spelling.h"
#include "base/threads.h"
#include "infer/network.h"

namespace segmentum {
namespace {

Model require_boxes(Model model) {
  if (model.boxes) return model;
  throw Error(
      "the model segments whole pictures; boxes need one that was trained on boxes, such as "
      "hypercolumn_boxes");
}

}  // namespace

BoxSegmenter::BoxSegmenter(Model model, const SegmenterOptions& options)
    : model_(optimised(require_boxes(std::move(model)))),
      options_(options),
      executor_(make_executor(options)) {
  const int side = model_.boxes->side_px;
  const Shape input{1, model_.preprocess.channels(), side, side};
  const ThreadsInScope scope(options_.threads);
  plan_ = executor_->plan(model_.graph, model_.parameters, {&input, 1}, {});
}

BoxSegmenter BoxSegmenter::load(const std::string& path, const SegmenterOptions& options) {
  Model model = load_model(path);
  try {
    return BoxSegmenter(std::move(model), options);
  } catch (const Error& error) {
    throw Error::in_file(path, error.what());
  }
}

int BoxSegmenter::class_of(const std::string& name) const {
  const int count = static_cast<int>(classes().size());
  if (name.empty() && count == 2) return 1;
  std::vector<std::string> known;
  for (int label = 1; label < count; ++label) {
    known.push_back(classes()[static_cast<std::size_t>(label)].name);
    if (name == known.back() || name == std::to_string(label)) return label;
  }
  if (name.empty()) {
    throw Error("a box names no class, and the model knows several: " + joined(known));
  }
  throw Error("a box is of class \"" + name + "\"; " + did_you_mean(name, known) +
              "the model knows " + joined(known));
}

Mask BoxSegmenter::segment(const ImageView& picture, const Box& box, int label) {
  const ThreadsInScope scope(options_.threads);
  const BoxCrop& crop = *model_.boxes;
  const Box region = crop_region(box, crop, picture.height, picture.width);
  to_tensor(stretched_crop(picture, region, crop.side_px), model_.preprocess, plan_->input(), 0);
  plan_->forward();
  return pasted_mask(plan_->output("logits"), label - 1, region, picture.height, picture.width);
}

}  // namespace segmentum
