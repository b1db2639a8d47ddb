#include "cli/protocol.h"

#include <fmt/format.h>

#include "cli/arguments.h"
#include "image/codec.h"

namespace segmentum {

const Protocol* protocol_argument(const std::string& name) {
  if (name.empty()) return nullptr;
  try {
    return &find_protocol(name);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

void apply_protocol(const Protocol& protocol, ExtraScores& extra) {
  extra.protocol = &protocol;
  if (protocol.boundary) extra.more.boundary = protocol.boundary;
  if (protocol.interior) extra.more.interior = static_cast<std::uint16_t>(*protocol.interior);
  extra.more.thresholds = protocol.thresholds;
  extra.more.objects = extra.more.objects || protocol.objects;
}

void require_protocol(const Protocol& protocol, const Dataset& dataset, const std::string& split,
                      ProgressSink& progress) {
  require_classes(protocol, dataset.classes);
  const std::string others = other_class_names(protocol, dataset.classes);
  if (!others.empty()) progress.message(others);
  if (protocol.height == 0) return;
  for (const Sample& sample : dataset.split(split)) {
    if (sample.mask.empty()) continue;
    const auto path = dataset.root / sample.mask;
    const ImageSize size = image_size(path);
    require_size(protocol, size.height, size.width, path.string());
  }
}

std::string protocol_text(const EvaluationPart& part) {
  std::string text = fmt::format("protocol {}: {}\n", part.protocol->name, part.protocol->about);
  std::string line;
  for (const auto& [name, value] : protocol_scores(part)) {
    line += fmt::format("{}{} {:.4f}", line.empty() ? "" : ", ", name, value);
  }
  text += line + '\n';
  const std::string exchanged =
      exchanged_classes(*part.protocol, part.classes, scores(part.evaluation.matrix));
  return exchanged.empty() ? text : text + exchanged + '\n';
}

std::string protocol_help() {
  std::string text = "\nProtocols (--protocol NAME), docs/scores.md tells more:\n";
  for (const Protocol& protocol : protocols()) {
    text += fmt::format("  {:<12}{}\n", protocol.name, protocol.about);
  }
  return text;
}

}  // namespace segmentum
