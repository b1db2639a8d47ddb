// Keeps the manifest of a run while it trains.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "segmentum/progress.h"
#include "train/data_hashes.h"
#include "train/manifest.h"
#include "train/run_folder.h"
#include "train/setup.h"

namespace segmentum {

class RunRecord {
 public:
  /// Reads the data, and writes data.sha256 and manifest.json. A run that `goes_on` keeps what its
  /// manifest says, and `progress` is told of what is not as it was: files of the data, the
  /// program. Throws Error naming a file of the data that cannot be read.
  RunRecord(const RunFolder& folder, const RunFacts& facts, const TrainingSetup& setup,
            std::string data_identity, bool goes_on, ProgressSink& progress);

  /// The training has ended: notes when, the hashes of the weights, and files that changed
  /// meanwhile.
  void finish(std::int64_t steps, ProgressSink& progress);

 private:
  void take_over(ProgressSink& progress);
  void note_changes(const std::vector<std::string>& names, const char* when,
                    ProgressSink& progress);

  const RunFolder& folder_;
  std::vector<HashedFile> files_;
  RunManifest manifest_;
  RunCall call_;
};

}  // namespace segmentum
