// A verb of the program: what main.cc lists and each file beside it defines one of.
#pragma once

#include <functional>

namespace segmentum {

class Arguments;

/// Does what was asked for and returns the exit status: 0, or 1 where a part of it failed and was
/// told of. Throws Error (exit 1, one line), UsageError (exit 2) or Interrupted (130).
using Action = std::function<int()>;

struct Command {
  const char* name;
  const char* summary;  // one line
  const char* example;  // whole command lines, one below the other
  /// Declares operands and options; the action reads what the person gave for them.
  Action (*declare)(Arguments& arguments);
  bool computes = false;  // runs a network: worth a start with well-behaved threads
};

extern const Command kInitCommand;
extern const Command kCheckCommand;
extern const Command kConvertCommand;
extern const Command kFetchCommand;
extern const Command kTrainCommand;
extern const Command kRerunCommand;
extern const Command kEvalCommand;
extern const Command kCompareCommand;
extern const Command kPredictCommand;
extern const Command kCrfCommand;
extern const Command kCrfSearchCommand;
extern const Command kImportCommand;
extern const Command kExportCommand;
extern const Command kDescribeCommand;
extern const Command kBenchCommand;
extern const Command kModelsCommand;
extern const Command kCeilingCommand;
extern const Command kConvertClassifierCommand;
extern const Command kDemoCommand;
extern const Command kVersionCommand;

}  // namespace segmentum
