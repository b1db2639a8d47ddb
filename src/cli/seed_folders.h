// The folder of `train --seeds`, which holds trainings and is none itself.
#pragma once

#include <filesystem>
#include <string>

namespace segmentum {

/// "holds 3 trainings (seed1, seed2, seed3); name one of them, such as RUN/seed1", of a run's
/// folder; empty where it holds none.
std::string several_trainings(const std::filesystem::path& run);

}  // namespace segmentum
