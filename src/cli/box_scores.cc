#include "cli/box_scores.h"

#include <vector>

namespace segmentum {
namespace {

JsonObject json_of(const BoxScores& scores, bool scored) {
  JsonObject json;
  json.set("name", scores.name).set("objects", scores.objects).set("boxes", scores.boxes);
  if (!scored) return json.set("mean_iou", scores.mean_iou);
  return json.set("apr_50", scores.apr_50).set("apr_70", scores.apr_70);
}

}  // namespace

JsonObject box_scores_json(const BoxEvaluation& evaluation) {
  std::vector<JsonObject> classes;
  for (const BoxScores& scores : evaluation.classes) {
    classes.push_back(json_of(scores, evaluation.scored));
  }
  return JsonObject()
      .set("pictures", evaluation.pictures)
      .set("all", json_of(evaluation.all, evaluation.scored))
      .set("classes", classes)
      .set("failures", evaluation.failures);
}

}  // namespace segmentum
