// --protocol: what a benchmark's rules make of an evaluation.
#pragma once

#include <string>

#include "cli/model_report.h"

namespace segmentum {

/// The protocol of this name, or none where it is empty. Throws UsageError for an unknown one.
const Protocol* protocol_argument(const std::string& name);

/// What the protocol fixes, set in `extra`.
void apply_protocol(const Protocol& protocol, ExtraScores& extra);

/// Throws Error unless the split is what the protocol scores: its number of classes, not in another
/// order, and the size of every mask, of which the headers are read. `progress` is told of other
/// class names.
void require_protocol(const Protocol& protocol, const Dataset& dataset, const std::string& split,
                      ProgressSink& progress);

/// A line about the rules, one about what came of them, and one where classes look exchanged; ends
/// with a newline.
std::string protocol_text(const EvaluationPart& part);

/// All protocols for the help, a paragraph each.
std::string protocol_help();

}  // namespace segmentum
