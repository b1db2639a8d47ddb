#include "data/picture_cache.h"

#include "data/instances.h"

namespace segmentum {

PictureCache::PictureCache(const Dataset& dataset, const std::string& split,
                           std::size_t limit_bytes, bool instances)
    : dataset_(dataset),
      samples_(dataset.split(split)),
      limit_bytes_(limit_bytes),
      instances_(instances),
      pictures_(samples_.size()) {}

std::shared_ptr<const LabelledPicture> PictureCache::get(int index) {
  {
    const std::scoped_lock lock(mutex_);
    if (pictures_[index]) return pictures_[index];
  }
  auto picture = std::make_shared<LabelledPicture>(read_labelled(dataset_, samples_[index]));
  if (instances_) {
    picture->instances = read_instances(dataset_, samples_[index], picture->labels);
  }
  const std::size_t size = picture->image.row_bytes() * picture->image.height() +
                           picture->labels.labels().size_bytes() +
                           picture->instances.labels().size_bytes();
  const std::scoped_lock lock(mutex_);
  if (!pictures_[index] && bytes_ + size <= limit_bytes_) {
    pictures_[index] = picture;
    bytes_ += size;
  }
  return picture;
}

std::size_t PictureCache::bytes() const {
  const std::scoped_lock lock(mutex_);
  return bytes_;
}

}  // namespace segmentum
