#include "infer/network.h"

#include "graph/group_phases.h"
#include "graph/rewrite.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

Model require_whole_pictures(Model model) {
  if (!model.boxes) return model;
  throw Error(
      "the model segments the objects in boxes, not whole pictures; --boxes FILE tells it where "
      "they are");
}

}  // namespace

std::unique_ptr<Executor> make_executor(const SegmenterOptions& options) {
  return options.engine == SegmenterOptions::Engine::reference
             ? make_reference_executor()
             : make_cpu_executor({.exact = options.exact});
}

Model optimised(Model model) {
  const std::string logits[] = {"logits"};
  GraphWithParameters result =
      optimise_for_inference(keep_outputs(model.graph, logits), model.parameters);
  model.graph = std::move(result.graph);
  model.parameters = std::move(result.parameters);
  return model;
}

Network::Network(Model model, const SegmenterOptions& options)
    : model_(optimised(require_whole_pictures(std::move(model)))),
      options_(options),
      crf_settings_(options.crf_settings.value_or(model_.crf.value_or(CrfSettings()))),
      executor_(make_executor(options)) {
  model_.graph = with_group_phases(std::move(model_.graph), executor_->grid());
  if (options.tile < 0 || options.threads < 0) {
    throw Error("tile and threads must be 0 (automatic) or positive");
  }
  for (const float scale : options.scales) {
    if (!(scale >= 0.1f && scale <= 10)) throw Error("scales must be from 0.1 to 10");
  }
  check(crf_settings_);
}

TiledInference Network::tiled_inference() {
  return {*executor_,
          model_.graph,
          model_.parameters,
          model_.preprocess,
          {.memory_bytes = options_.memory_limit_bytes, .tile = options_.tile}};
}

}  // namespace segmentum
