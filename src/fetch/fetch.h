// Gets a public data set from its git repository and describes it, as `segmentum init` would.
#pragma once

#include <filesystem>
#include <string>

#include "data/inspect.h"
#include "fetch/public_dataset.h"
#include "segmentum/progress.h"

namespace segmentum {

struct FetchOptions {
  std::filesystem::path out;  // a folder; one of an earlier, perhaps interrupted fetch goes on
  std::uint64_t seed = 0;     // of the split, where the data have none
  ProgressSink* progress = nullptr;  // may ask to stop
};

struct FetchedDataset {
  std::filesystem::path description;  // out/dataset.toml
  Inspection inspection;
  bool was_there = false;  // nothing had to be downloaded
};

/// Takes the folders that `dataset` names, at its commit and without history, into out/source, one
/// by one, so that an interrupted fetch goes on at the folder where it ended; verifies that the
/// commit is the one that was asked for (git's ids are hashes of all content), that no file differs
/// from it and that all are there; makes masks of object folders in out/data; writes
/// out/dataset.toml. Throws Error where git fails, a file is missing or has changed, and where
/// another fetch works in the same folder; Interrupted.
FetchedDataset fetch_dataset(const PublicDataset& dataset, const FetchOptions& options);

}  // namespace segmentum
