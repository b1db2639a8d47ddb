#include "infer/evaluate_boxes.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "base/counted.h"
#include "data/instances.h"
#include "metrics/mask_precision.h"

namespace segmentum {
namespace {

/// A picture with its objects and their sizes.
struct TruePicture {
  Image image;
  LabelMap instances;
  std::vector<Instance> objects;
  std::vector<std::int64_t> sizes;  // of the instances
};

TruePicture read_true_picture(const Dataset& dataset, const Sample& sample) {
  LabelledPicture picture = read_with_instances(dataset, sample);
  std::vector<Instance> objects = list_instances(picture.instances, picture.labels);
  std::vector<std::int64_t> sizes = instance_sizes(picture.instances);
  return {std::move(picture.image), std::move(picture.instances), std::move(objects),
          std::move(sizes)};
}

/// Calls score(index, picture) for every labelled picture of the split.
void for_each_picture(const BoxSegmenter& segmenter, const Dataset& dataset,
                      const std::string& split, ProgressSink* progress, BoxEvaluation& evaluation,
                      const std::function<void(const Sample&, const TruePicture&)>& score) {
  if (dataset.classes.size() != segmenter.classes().size()) {
    throw Error(
        fmt::format("the model tells {} apart, the data set has {}; evaluate it on "
                    "data described with the classes it was trained on",
                    counted(segmenter.classes().size(), "class"), dataset.classes.size()));
  }
  const std::vector<Sample>& samples = dataset.split(split);
  if (progress) progress->begin("evaluate", static_cast<std::int64_t>(samples.size()), "picture");
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (progress && progress->stop_requested()) throw Interrupted();
    try {
      score(samples[i], read_true_picture(dataset, samples[i]));
      ++evaluation.pictures;
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      evaluation.failures.push_back(error.what());
      if (progress) progress->message(error.what());
    }
    if (progress) progress->update(static_cast<std::int64_t>(i) + 1, samples[i].name);
  }
  if (progress) progress->end();
  if (evaluation.pictures == 0 && !evaluation.failures.empty()) {
    throw Error(fmt::format("of {} none could be scored; the first one: {}",
                            counted(samples.size(), "picture"), evaluation.failures.front()));
  }
}

std::size_t class_place(int label) {
  return static_cast<std::size_t>(label) - 1;
}

/// Empty scores of each class of objects.
BoxEvaluation empty_evaluation(const BoxSegmenter& segmenter) {
  BoxEvaluation evaluation;
  evaluation.all.name = "all";
  for (std::size_t k = 1; k < segmenter.classes().size(); ++k) {
    evaluation.classes.push_back({.name = segmenter.classes()[k].name});
  }
  return evaluation;
}

std::optional<double> mean_of_classes(const std::vector<BoxScores>& classes,
                                      std::optional<double> BoxScores::*score) {
  double sum = 0;
  int count = 0;
  for (const BoxScores& of_class : classes) {
    if (!(of_class.*score)) continue;
    sum += *(of_class.*score);
    ++count;
  }
  return count == 0 ? std::nullopt : std::optional(sum / count);
}

void count_all(BoxEvaluation& evaluation) {
  for (const BoxScores& of_class : evaluation.classes) {
    evaluation.all.objects += of_class.objects;
    evaluation.all.boxes += of_class.boxes;
  }
}

/// What is wrong with the file is wrong with all of it.
void check_scored(const BoxSegmenter& segmenter, const BoxFile& boxes) {
  for (const auto& [picture, listed] : boxes.pictures()) {
    try {
      for (const ListedBox& box : listed) {
        segmenter.class_of(box.class_name);
        if (box.score) continue;
        throw Error("the box " + to_string(box.box) +
                    " has no score; average precision ranks boxes by theirs");
      }
    } catch (const Error& error) {
      throw Error::in_file(boxes.path().string(), picture + ": " + error.what());
    }
  }
}

/// The masks of a picture's boxes by class. Throws Error for a box that is none of this picture.
std::vector<std::pair<int, ScoredMask>> scored_masks(BoxSegmenter& segmenter,
                                                     const TruePicture& picture, int number,
                                                     const std::vector<ListedBox>& boxes) {
  std::map<std::uint16_t, int> labels;
  for (const Instance& object : picture.objects) labels[object.id] = object.label;
  std::vector<std::pair<int, ScoredMask>> result;
  for (const ListedBox& listed : boxes) {
    const int label = segmenter.class_of(listed.class_name);
    const Mask mask = segmenter.segment(picture.image, listed.box, label);
    ScoredMask scored{*listed.score, number, mask_overlaps(mask, picture.instances, picture.sizes)};
    std::erase_if(scored.overlaps, [&](const MaskOverlap& o) { return labels[o.id] != label; });
    result.emplace_back(label, std::move(scored));
  }
  return result;
}

std::string percent(const std::optional<double>& score) {
  return score ? fmt::format("{:>10.2f}", 100 * *score) : std::string(9, ' ') + "–";
}

}  // namespace

BoxEvaluation evaluate_true_boxes(BoxSegmenter& segmenter, const Dataset& dataset,
                                  const std::string& split, ProgressSink* progress) {
  BoxEvaluation evaluation = empty_evaluation(segmenter);
  std::vector<double> sums(evaluation.classes.size(), 0.0);
  const auto score = [&](const Sample&, const TruePicture& picture) {
    for (const Instance& object : picture.objects) {
      if (progress && progress->stop_requested()) throw Interrupted();
      const Mask mask = segmenter.segment(picture.image, object.box, object.label);
      const std::size_t place = class_place(object.label);
      sums[place] += mask_iou(mask, picture.instances, picture.sizes, object.id);
      ++evaluation.classes[place].objects;
      ++evaluation.classes[place].boxes;
    }
  };
  for_each_picture(segmenter, dataset, split, progress, evaluation, score);
  count_all(evaluation);
  double sum = 0;
  for (std::size_t k = 0; k < sums.size(); ++k) {
    BoxScores& of_class = evaluation.classes[k];
    if (of_class.objects > 0) of_class.mean_iou = sums[k] / static_cast<double>(of_class.objects);
    sum += sums[k];
  }
  if (evaluation.all.objects > 0) {
    evaluation.all.mean_iou = sum / static_cast<double>(evaluation.all.objects);
  }
  return evaluation;
}

BoxEvaluation evaluate_scored_boxes(BoxSegmenter& segmenter, const Dataset& dataset,
                                    const std::string& split, const BoxFile& boxes,
                                    ProgressSink* progress) {
  check_scored(segmenter, boxes);
  BoxEvaluation evaluation = empty_evaluation(segmenter);
  evaluation.scored = true;
  std::vector<std::vector<ScoredMask>> masks(evaluation.classes.size());
  int number = 0;
  const auto score = [&](const Sample& sample, const TruePicture& picture) {
    const std::filesystem::path path = dataset.root / sample.image;
    try {
      for (auto& [label, mask] : scored_masks(segmenter, picture, number, boxes.of(path))) {
        masks[class_place(label)].push_back(std::move(mask));
        ++evaluation.classes[class_place(label)].boxes;
      }
    } catch (const Error& error) {
      throw Error::in_file(boxes.path().string(), path.string() + ": " + error.what());
    }
    for (const Instance& object : picture.objects) {
      ++evaluation.classes[class_place(object.label)].objects;
    }
    ++number;
  };
  for_each_picture(segmenter, dataset, split, progress, evaluation, score);
  count_all(evaluation);
  if (evaluation.all.boxes == 0) {
    throw Error::in_file(boxes.path().string(),
                         "has no box of any picture of split \"" + split + "\"");
  }
  for (std::size_t k = 0; k < masks.size(); ++k) {
    BoxScores& of_class = evaluation.classes[k];
    of_class.apr_50 = average_precision(masks[k], of_class.objects, 0.5);
    of_class.apr_70 = average_precision(masks[k], of_class.objects, 0.7);
  }
  evaluation.all.apr_50 = mean_of_classes(evaluation.classes, &BoxScores::apr_50);
  evaluation.all.apr_70 = mean_of_classes(evaluation.classes, &BoxScores::apr_70);
  return evaluation;
}

std::string box_score_table(const BoxEvaluation& evaluation) {
  std::vector<BoxScores> rows = evaluation.classes;
  rows.push_back(evaluation.all);
  std::size_t width = 5;
  for (const BoxScores& row : rows) width = std::max(width, row.name.size());
  std::string text = fmt::format("{:<{}}{:>10}{:>10}", "class", width, "objects", "boxes");
  text += evaluation.scored ? "   APr 0.5   APr 0.7\n" : "  mean IoU\n";
  for (const BoxScores& row : rows) {
    text += fmt::format("{:<{}}{:>10}{:>10}", row.name, width, row.objects, row.boxes);
    text += evaluation.scored ? percent(row.apr_50) + percent(row.apr_70) : percent(row.mean_iou);
    text += '\n';
  }
  return text;
}

}  // namespace segmentum
