// What this build of the program is, and what it runs on.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "train/manifest.h"

namespace segmentum {

/// Version, kind of build, compiler, libraries with the instructions they use here, CPU: a name and
/// a text each. The bits of a training depend on all of them.
std::vector<std::pair<std::string, std::string>> build_facts();

/// For the manifest of a training on `data`: these facts, and the command that was given.
RunFacts run_facts(const std::string& data);

}  // namespace segmentum
