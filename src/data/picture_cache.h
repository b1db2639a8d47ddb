// Keeps decoded pictures in memory, so that only the first epoch decodes them.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace segmentum {

/// The pictures of one split by index, for many threads. When the limit is reached the rest is read
/// anew each time: in random order, dropping old ones would gain nothing.
class PictureCache {
 public:
  /// `dataset` must outlive the cache. `instances`: whether pictures come with their objects.
  PictureCache(const Dataset& dataset, const std::string& split, std::size_t limit_bytes,
               bool instances);

  /// Throws the errors of `read_labelled` and `read_instances`.
  std::shared_ptr<const LabelledPicture> get(int index);

  std::size_t bytes() const;

 private:
  const Dataset& dataset_;
  const std::vector<Sample>& samples_;
  const std::size_t limit_bytes_;
  const bool instances_;
  mutable std::mutex mutex_;
  std::size_t bytes_ = 0;
  std::vector<std::shared_ptr<const LabelledPicture>> pictures_;
};

}  // namespace segmentum
