// Reads the files of samples and keeps what the label doctor needs of them.
#pragma once

#include <filesystem>
#include <span>

#include "data/check/checkup.h"
#include "segmentum/progress.h"

namespace segmentum {

struct ExamineOptions {
  bool picture_pixels = true;        // else headers only
  ProgressSink* progress = nullptr;  // may ask to stop
};

/// Fills in the facts of the samples of a data set, on `threads()` threads; what cannot be read is
/// a fact too. Throws Interrupted. O(pixels); a kilobyte for each picture stays in memory.
void examine(const Dataset& dataset, std::span<CheckedSample> samples,
             const ExamineOptions& options);

}  // namespace segmentum
