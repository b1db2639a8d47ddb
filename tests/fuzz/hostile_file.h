// Bytes from a fuzzer as a file, for readers that take paths.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace segmentum {

/// A file without a name that is gone with this.
class HostileFile {
 public:
  explicit HostileFile(std::string_view bytes) : handle_(memfd_create("hostile", MFD_CLOEXEC)) {
    if (handle_ < 0 || write(handle_, bytes.data(), bytes.size()) != std::ssize(bytes)) {
      throw std::runtime_error("no memory for a file");
    }
  }
  ~HostileFile() { close(handle_); }
  HostileFile(const HostileFile&) = delete;
  HostileFile& operator=(const HostileFile&) = delete;

  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(handle_); }

 private:
  int handle_;
};

}  // namespace segmentum
