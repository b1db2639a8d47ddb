// Folders that `segmentum demo` writes into: what it made there is not made twice, and what it did
// not make is left alone.
#pragma once

#include <filesystem>
#include <string>

namespace segmentum {

/// Throws Error if the folder holds files but no note of a demo: they are someone's.
void require_demo_folder(const std::filesystem::path& folder);

/// Notes in a file `.demo` that the folder is the demo's, and what was made in it; "": nothing is
/// finished. Creates the folder where it is missing.
void note_made(const std::filesystem::path& folder, const std::string& what);

/// What was noted last; empty where there is no note.
std::string noted(const std::filesystem::path& folder);

}  // namespace segmentum
