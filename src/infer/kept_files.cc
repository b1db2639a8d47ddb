#include "infer/kept_files.h"

#include <set>

#include "infer/picture_list.h"
#include "segmentum/error.h"

namespace segmentum {

namespace fs = std::filesystem;

void require_inputs_kept(std::span<const fs::path> inputs, std::span<const fs::path> results) {
  std::set<fs::path> given, written;
  for (const fs::path& input : inputs) {
    if (!input.empty()) given.insert(resolved_path(input));
  }
  for (const fs::path& result : results) {
    std::error_code code;
    if (result.empty() || (fs::exists(result, code) && !fs::is_regular_file(result, code))) {
      continue;
    }
    if (given.contains(resolved_path(result))) {
      throw Error::in_file(result.string(),
                           "would be replaced by a result; choose another place for the results");
    }
    if (!written.insert(resolved_path(result)).second) {
      throw Error::in_file(result.string(),
                           "would hold two results; choose another place for one of them");
    }
  }
}

}  // namespace segmentum
