#include "train/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "segmentum/error.h"

namespace segmentum {

RunFolder::RunFolder(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code code;
  std::filesystem::create_directories(path_, code);
  if (code) throw Error::in_file(path_.string(), "cannot create the folder: " + code.message());
  const std::filesystem::path file = path_ / ".lock";
  lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_ < 0) {
    throw Error::in_file(file.string(), std::string("cannot create: ") + std::strerror(errno));
  }
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
  const int reason = errno;
  ::close(lock_);
  // A file system without locks (some network ones) cannot tell; training there is still possible.
  lock_ = -1;
  if (reason == EWOULDBLOCK) {
    throw Error::in_file(path_.string(),
                         "another training is running in this folder; wait for it, stop it, or "
                         "choose another folder");
  }
}

RunFolder::~RunFolder() {
  if (lock_ >= 0) ::close(lock_);
}

void RunFolder::clear() const {
  // The checkpoint first: without it, what is left is no training that could be resumed.
  for (const auto& file : {checkpoint(), config(), log(), best()}) std::filesystem::remove(file);
}

}  // namespace segmentum
