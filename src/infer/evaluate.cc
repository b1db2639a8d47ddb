#include "infer/evaluate.h"

#include "base/counted.h"

namespace segmentum {
namespace {

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

/// An error that concerns one sample and leaves the others alone.
struct SampleError : Error {
  using Error::Error;
};

struct Scored {
  LabelledPicture truth;
  LabelMap prediction;
  ConfusionMatrix counts;
};

/// Throws SampleError naming the file.
Scored score(Segmenter::Context& context, const Dataset& dataset, const Sample& sample,
             ProgressSink* progress) {
  std::string file;  // where the errors do not name it themselves
  try {
    LabelledPicture picture = read_labelled(dataset, sample);
    file = (dataset.root / sample.image).string() + ": ";
    LabelMap prediction = context.segment(picture.image, progress);
    ConfusionMatrix counts(dataset.class_count());
    counts.add(prediction, picture.labels);
    return {std::move(picture), std::move(prediction), std::move(counts)};
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    throw SampleError(file + error.what());
  }
}

}  // namespace

Evaluation evaluate(const Segmenter& segmenter, const Dataset& dataset, const std::string& split,
                    ProgressSink* progress, const EvaluationVisitor& visit,
                    const ProbabilityVisitor& visit_probabilities) {
  const int classes = static_cast<int>(segmenter.classes().size());
  if (dataset.class_count() != classes) {
    throw Error("the model tells " + counted(classes, "class") + " apart, the data set has " +
                std::to_string(dataset.class_count()) +
                "; evaluate it on data described with the classes it was trained on");
  }
  const std::vector<Sample> samples = labelled(dataset, split);
  Evaluation evaluation{ConfusionMatrix(classes), {}, {}};
  Segmenter::Context context = segmenter.make_context();
  if (progress) progress->begin("evaluate", static_cast<std::int64_t>(samples.size()), "picture");
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (progress && progress->stop_requested()) throw Interrupted();
    try {
      const Scored scored = score(context, dataset, samples[i], progress);
      evaluation.matrix += scored.counts;
      evaluation.images.push_back({samples[i].name, scores(scored.counts)});
      if (visit) visit(samples[i], scored.truth.image, scored.prediction, scored.truth.labels);
      if (visit_probabilities) {
        visit_probabilities(context.probabilities(scored.truth.image, progress), scored.prediction,
                            scored.truth.labels);
      }
    } catch (const SampleError& error) {
      evaluation.failures.push_back(error.what());
      if (progress) progress->message(error.what());
    }
    if (progress) progress->update(static_cast<std::int64_t>(i) + 1, samples[i].name);
  }
  if (progress) progress->end();
  if (evaluation.images.empty()) {
    throw Error("of " + counted(samples.size(), "picture") +
                " none could be scored; the first one: " + evaluation.failures.front());
  }
  return evaluation;
}

std::vector<PictureCounts> picture_counts(const Evaluation& evaluation) {
  std::vector<PictureCounts> counts;
  for (const ImageScores& image : evaluation.images) counts.push_back(class_counts(image.scores));
  return counts;
}

}  // namespace segmentum
