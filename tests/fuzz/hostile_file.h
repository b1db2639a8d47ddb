// Bytes from a fuzzer as a file, for readers that take paths.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace segmentum {

/// A file in memory that is gone with this; with a name where its reader asks for an extension.
class HostileFile {
 public:
  explicit HostileFile(std::string_view bytes, const std::string& extension = "")
      : handle_(memfd_create("hostile", MFD_CLOEXEC)) {
    if (handle_ < 0 || write(handle_, bytes.data(), bytes.size()) != std::ssize(bytes)) {
      throw std::runtime_error("no memory for a file");
    }
    path_ = "/proc/self/fd/" + std::to_string(handle_);
    if (extension.empty()) return;
    link_ = std::filesystem::temp_directory_path() /
            ("segmentum_hostile_" + std::to_string(getpid()) + extension);
    std::filesystem::remove(link_);
    std::filesystem::create_symlink(path_, link_);
    path_ = link_;
  }
  ~HostileFile() {
    std::error_code ignored;
    if (!link_.empty()) std::filesystem::remove(link_, ignored);
    close(handle_);
  }
  HostileFile(const HostileFile&) = delete;
  HostileFile& operator=(const HostileFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  int handle_;
  std::filesystem::path path_, link_;
};

}  // namespace segmentum
