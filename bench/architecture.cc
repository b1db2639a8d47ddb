#include "bench/architecture.h"

#include <map>

#include "segmentum/error.h"

namespace segmentum {

void Architecture::add_to(CLI::App& app) {
  app.add_option("NETWORK", name, "unet, fcn8s, deeplab_v3, ...: see segmentum models")->required();
  app.add_option("--set", settings, "NAME=VALUE: the network's settings");
}

Graph Architecture::build(int channels, int classes) const {
  std::map<std::string, std::string> values;
  for (const std::string& text : settings) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
      throw Error("--set takes NAME=VALUE, not \"" + text + "\"");
    }
    values[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return build_model(name, {.input_channels = channels, .classes = classes, .settings = values});
}

void add_mode(CLI::App& app, Mode& mode) {
  app.add_option("--mode", mode, "infer | train")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Mode>{{"infer", Mode::infer}, {"train", Mode::train}}));
}

GraphWithParameters prepared(const Graph& graph, Mode mode) {
  ParameterStore parameters = initialise(graph, 1);
  if (mode == Mode::train) return {graph, std::move(parameters)};
  const std::string logits = "logits";
  return optimise_for_inference(keep_outputs(graph, {&logits, 1}), parameters);
}

}  // namespace segmentum
