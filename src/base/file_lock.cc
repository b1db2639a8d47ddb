#include "base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <sstream>
#include <utility>

#include "base/file.h"

namespace segmentum {
namespace {

std::string machine() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

bool is_removed(int handle) {
  struct stat status {};
  return ::fstat(handle, &status) == 0 && status.st_nlink == 0;
}

}  // namespace

FileLock::FileLock(std::filesystem::path file) : file_(std::move(file)) {
  // Who had it before may remove the file after it was opened here: that one is worth nothing.
  do {
    if (handle_ >= 0) ::close(handle_);
    claim();
  } while (ours_ && is_removed(handle_));
  if (!ours_) return;
  const std::string note = std::to_string(::getpid()) + " " + machine() + "\n";
  if (::ftruncate(handle_, 0) != 0 ||
      ::pwrite(handle_, note.data(), note.size(), 0) != static_cast<ssize_t>(note.size())) {
    return;  // a full disk: the claim stands without it
  }
}

void FileLock::claim() {
  handle_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (handle_ < 0) throw_write_error(file_, "create", errno);
  ours_ = ::flock(handle_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

FileLock::~FileLock() {
  if (ours_) ::unlink(file_.c_str());
  ::close(handle_);
}

std::string FileLock::holder() const {
  std::string text(256, '\0');
  const ssize_t count = ::pread(handle_, text.data(), text.size(), 0);
  std::istringstream note(text.substr(0, count > 0 ? static_cast<std::size_t>(count) : 0));
  long process = 0;
  std::string where;
  if (!(note >> process)) return "another process";
  note >> where;
  const std::string number = "process " + std::to_string(process);
  return where == machine() ? number : number + " on " + where;
}

}  // namespace segmentum
