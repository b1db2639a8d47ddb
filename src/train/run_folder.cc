#include "train/run_folder.h"

#include <utility>

#include "base/file.h"

namespace segmentum {

RunFolder::RunFolder(std::filesystem::path path) : path_(std::move(path)) {
  require_writable_folder(path_);
  lock_.emplace(path_ / ".lock");
  if (!lock_->is_ours()) {
    throw Error::in_file(path_.string(), "another training is running in this folder (" +
                                             lock_->holder() +
                                             "); wait for it, stop it, or choose another folder");
  }
  remove_broken_writes(path_);
}

void RunFolder::clear() const {
  // The checkpoint first: without it, what is left is no training that could be resumed.
  for (const auto& file : {checkpoint(), config(), manifest(), data_hashes(), log(), best()}) {
    std::filesystem::remove(file);
  }
}

}  // namespace segmentum
