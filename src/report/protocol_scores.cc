#include "report/report.h"

namespace segmentum {
namespace {

std::optional<double> score_named(const std::string& name, const Scores& split,
                                  const EvaluationPart& part) {
  if (name == "mean IoU") return split.mean_iou;
  if (name == "mean accuracy") return split.mean_accuracy;
  if (name == "pixel accuracy") return split.pixel_accuracy;
  if (name == "pixel error") return 1 - split.pixel_accuracy;
  if (name == "mean of pixel accuracy and mean IoU") {
    return (split.pixel_accuracy + split.mean_iou) / 2;
  }
  if (name == "boundary F" && part.boundary) return scores(*part.boundary).mean_f;
  if (name == "boundary F, mean of pictures" && part.boundary) {
    return scores(*part.boundary).mean_f_of_pictures;
  }
  for (const auto& [known, value] : part.more_scores) {
    if (known == name) return value;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::pair<std::string, double>> protocol_scores(const EvaluationPart& part) {
  std::vector<std::pair<std::string, double>> list;
  if (!part.protocol) return list;
  const Scores split = scores(part.evaluation.matrix);
  for (const std::string& name : part.protocol->reported) {
    if (const auto score = score_named(name, split, part)) list.emplace_back(name, *score);
  }
  return list;
}

}  // namespace segmentum
