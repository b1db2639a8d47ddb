// Model files are read without an engine: none runs in their fuzzer.
#include "engine/executor.h"
#include "segmentum/error.h"

namespace segmentum {

std::unique_ptr<Executor> make_reference_executor() {
  throw Error("the fuzzer has no engine");
}

}  // namespace segmentum
