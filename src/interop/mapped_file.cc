#include "interop/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "segmentum/error.h"

namespace segmentum {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw Error::in_file(path.string(), what);
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    fail(path, errno == ENOENT ? "there is no such file"
                               : std::string("cannot open: ") + std::strerror(errno));
  }
  struct stat status {};
  const bool known = ::fstat(file, &status) == 0;
  if (known && S_ISREG(status.st_mode) && status.st_size > 0) {
    size_ = static_cast<std::size_t>(status.st_size);
    data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
  }
  const int problem = errno;
  ::close(file);
  if (!known || !S_ISREG(status.st_mode)) {
    fail(path, "is no file of bytes" + std::string(known && S_ISDIR(status.st_mode)
                                                       ? " but a folder; a checkpoint was expected"
                                                       : ""));
  }
  if (data_ == MAP_FAILED) fail(path, std::string("cannot map: ") + std::strerror(problem));
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace segmentum
