#include "cli/demo_folder.h"

#include "base/file.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

fs::path note_in(const fs::path& folder) {
  return folder / ".demo";
}

}  // namespace

void require_demo_folder(const fs::path& folder) {
  if (!fs::exists(folder) || fs::exists(note_in(folder))) return;
  if (fs::is_directory(folder) && fs::is_empty(folder)) return;
  throw Error::in_file(
      folder.string(),
      "is there already, and segmentum demo did not make it; choose another --out, "
      "or move it away");
}

void note_made(const fs::path& folder, const std::string& what) {
  write_file(note_in(folder), what);
}

std::string noted(const fs::path& folder) {
  return fs::exists(note_in(folder)) ? read_file(note_in(folder)) : "";
}

}  // namespace segmentum
