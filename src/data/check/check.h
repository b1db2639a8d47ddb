// The label doctor: what is wrong with a data set, before a network learns it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/check/checkup.h"
#include "data/inspect.h"
#include "segmentum/progress.h"

namespace segmentum {

/// What the masks of one split show, as they are meant.
struct SplitStatistics {
  std::string name;
  int pictures = 0;                        // of the split
  int counted = 0;                         // whose masks could be counted
  std::vector<std::int64_t> class_pixels;  // [K]
  std::vector<int> class_pictures;         // [K] that show the class
  std::int64_t ignored = 0;

  std::int64_t labelled() const;
};

struct CheckResult {
  Checkup checkup;  // findings: errors first
  std::vector<SplitStatistics> splits;
  std::vector<int> together;  // [K,K] pictures that show both classes

  int count(Severity severity) const;
  /// Whether a training would stop, or learn something else than what was meant.
  bool training_would_be_wrong() const { return count(Severity::error) > 0; }
};

struct CheckOptions {
  std::vector<std::string> splits;   // to look at; empty: all, save those made of others
  ProgressSink* progress = nullptr;  // may ask to stop
};

/// Reads all pictures and masks of a data set (a folder or dataset.toml), on `threads()` threads.
/// What is wrong with it is a finding; Error is thrown for a dataset.toml that cannot be read, an
/// unknown split, and a folder without pictures. Throws Interrupted.
CheckResult check_dataset(const std::filesystem::path& path, const CheckOptions& options = {});

struct QuickCheckOptions {
  std::vector<std::string> splits;  // to look at; empty: as in CheckOptions
  bool described = false;           // by a dataset.toml; else as `inspect_folder` found it
  std::int64_t most_pixels = std::int64_t{1} << 25;
};

/// The fast form, before a training: looks at up to 32 samples spread over the splits (their masks,
/// and the headers of their pictures) and at the names of all; stops where they hold more than
/// `most_pixels`. Errors and warnings only.
Checkup quick_check(const Dataset& dataset, const QuickCheckOptions& options);

/// Puts the errors of `quick_check` among the obstacles of an inspection. Its classes and encoding
/// are then those that the masks are meant to have: values that give cause for an error are not
/// ignored.
void check_inspection(Inspection& inspection);

}  // namespace segmentum
