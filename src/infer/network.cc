#include "infer/network.h"

#include "graph/rewrite.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

std::unique_ptr<Executor> make_executor(SegmenterOptions::Engine engine) {
  return engine == SegmenterOptions::Engine::reference ? make_reference_executor()
                                                       : make_cpu_executor();
}

/// The model as it is run: without auxiliary heads, which are for training, batch norms folded.
Model optimised(Model model) {
  const std::string logits[] = {"logits"};
  GraphWithParameters result =
      optimise_for_inference(keep_outputs(model.graph, logits), model.parameters);
  model.graph = std::move(result.graph);
  model.parameters = std::move(result.parameters);
  return model;
}

}  // namespace

Network::Network(Model model, const SegmenterOptions& options)
    : model_(optimised(std::move(model))),
      options_(options),
      executor_(make_executor(options.engine)) {
  if (options.tile < 0 || options.threads < 0) {
    throw Error("tile and threads must be 0 (automatic) or positive");
  }
  tiling_.emplace(*executor_, model_.graph, model_.parameters, options.memory_limit_bytes,
                  options.tile);
}

}  // namespace segmentum
