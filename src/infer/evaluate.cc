#include "infer/evaluate.h"

#include <algorithm>

namespace segmentum {
namespace {

ImageScores image_scores(const std::string& name, const ConfusionMatrix& matrix) {
  const Scores all = scores(matrix);
  ImageScores result{name, all.pixels, {}, {}};
  if (all.pixels > 0) {
    result.mean_iou = all.mean_iou;
    result.pixel_accuracy = all.pixel_accuracy;
  }
  return result;
}

/// The samples that have masks. Throws Error if none has.
std::vector<Sample> labelled(const Dataset& dataset, const std::string& split) {
  std::vector<Sample> samples = dataset.split(split);
  std::erase_if(samples, [](const Sample& sample) { return sample.mask.empty(); });
  if (samples.empty()) {
    throw Error("split \"" + split + "\" of " + dataset.root.string() +
                " has no picture with a mask; scores need masks");
  }
  return samples;
}

}  // namespace

Evaluation evaluate(const Segmenter& segmenter, const Dataset& dataset, const std::string& split,
                    ProgressSink* progress, const EvaluationVisitor& visit) {
  const int classes = static_cast<int>(segmenter.classes().size());
  if (dataset.class_count() != classes) {
    throw Error("the model tells " + std::to_string(classes) + " classes apart, the data set has " +
                std::to_string(dataset.class_count()) +
                "; evaluate it on data described with the classes it was trained on");
  }
  const std::vector<Sample> samples = labelled(dataset, split);
  Evaluation evaluation{ConfusionMatrix(classes), {}, {}};
  Segmenter::Context context = segmenter.make_context();
  if (progress) progress->begin("evaluate", static_cast<std::int64_t>(samples.size()), "picture");
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (progress && progress->stop_requested()) throw Interrupted();
    const Sample& sample = samples[i];
    try {
      const Image picture = read_picture(dataset, sample);
      const LabelMap truth = read_labels(dataset, sample);
      const LabelMap prediction = context.segment(picture);
      ConfusionMatrix counts(classes);
      counts.add(prediction, truth);
      evaluation.matrix += counts;
      evaluation.images.push_back(image_scores(sample.name, counts));
      if (visit) visit(sample, picture, prediction, truth);
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      evaluation.failures.push_back(error.what());
      if (progress) progress->message(error.what());
    }
    if (progress) progress->update(static_cast<std::int64_t>(i) + 1, sample.name);
  }
  if (progress) progress->end();
  if (evaluation.images.empty()) {
    throw Error("none of the " + std::to_string(samples.size()) +
                " pictures could be scored; the first one: " + evaluation.failures.front());
  }
  return evaluation;
}

}  // namespace segmentum
