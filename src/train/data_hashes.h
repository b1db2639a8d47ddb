// What the files of a training contained when it began, so that it can be repeated.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "segmentum/progress.h"

namespace segmentum {

/// A file of a data set, as it was when it was read for this.
struct HashedFile {
  std::string name;  // relative to the data's folder
  std::string sha256;
  std::int64_t bytes = 0;
  std::int64_t changed_ns = 0;  // when it was written last
};

/// Pictures, masks and instance maps of the labelled samples of `splits`, each once, sorted by
/// name. Reads all of them, on all threads. Throws Error naming a file that cannot be read,
/// Interrupted when asked to stop.
std::vector<HashedFile> hash_data(const Dataset& dataset, const std::vector<std::string>& splits,
                                  ProgressSink& progress);

/// A line for each file as `sha256sum` writes them; in the data's folder, its --check takes them.
std::string to_text(const std::vector<HashedFile>& files);

/// The hashes of such a file by name. Throws Error naming the file and a line that is none.
std::map<std::string, std::string> read_hashes(const std::filesystem::path& path);

/// Names of files whose content is another than `then`, that were not there then, or are no more.
std::vector<std::string> different_files(const std::map<std::string, std::string>& then,
                                         const std::vector<HashedFile>& now);

/// Names of files below `root` that are not what was hashed any more. Reads those that were written
/// since.
std::vector<std::string> changed_files(const std::filesystem::path& root,
                                       const std::vector<HashedFile>& files);

/// "a.png", or "a.png and 3 more".
std::string few_names(const std::vector<std::string>& names);

}  // namespace segmentum
