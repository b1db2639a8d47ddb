#include "infer/probability_cache.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "segmentum/error.h"

namespace segmentum {
namespace {

std::size_t picture_bytes(const Image& image) {
  return image.row_bytes() * static_cast<std::size_t>(image.height());
}

std::size_t bytes_of(const CachedPicture& picture) {
  return picture_bytes(picture.picture) + picture.truth.labels().size_bytes() +
         picture.probabilities.values().size_bytes();
}

[[noreturn]] void fail(const std::filesystem::path& folder, const char* doing) {
  throw Error::in_file(folder.string(),
                       std::string("cannot ") + doing +
                           " a temporary file of probabilities: " + std::strerror(errno) +
                           "; fewer pictures (--limit), more memory (--cache) or another TMPDIR "
                           "would work");
}

}  // namespace

ProbabilityCache::ProbabilityCache(std::size_t memory_bytes, std::filesystem::path folder)
    : memory_left_(memory_bytes), folder_(std::move(folder)) {}

ProbabilityCache::~ProbabilityCache() {
  if (file_ >= 0) ::close(file_);
}

void ProbabilityCache::open_file() {
  if (file_ >= 0) return;
  std::string name = (folder_ / "segmentum-probabilities-XXXXXX").string();
  file_ = ::mkstemp(name.data());
  if (file_ < 0) fail(folder_, "make");
  ::unlink(name.c_str());
}

void ProbabilityCache::append(const void* bytes, std::size_t count) {
  const auto* from = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::pwrite(file_, from, count, static_cast<off_t>(file_bytes_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(folder_, "write");
    from += written;
    count -= static_cast<std::size_t>(written);
    file_bytes_ += static_cast<std::uint64_t>(written);
  }
}

std::uint64_t ProbabilityCache::read(std::uint64_t offset, void* bytes, std::size_t count) const {
  auto* to = static_cast<char*>(bytes);
  while (count > 0) {
    const ssize_t got = ::pread(file_, to, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail(folder_, "read");
    to += got;
    count -= static_cast<std::size_t>(got);
    offset += static_cast<std::uint64_t>(got);
  }
  return offset;
}

void ProbabilityCache::add(CachedPicture picture) {
  const std::size_t bytes = bytes_of(picture);
  Entry entry{.offset = file_bytes_,
              .height = picture.picture.height(),
              .width = picture.picture.width(),
              .channels = picture.picture.channels(),
              .classes = picture.probabilities.classes(),
              .type = picture.picture.type()};
  if (bytes <= memory_left_) {
    memory_left_ -= bytes;
    entry.picture = std::move(picture);
  } else {
    open_file();
    append(picture.picture.data(), picture_bytes(picture.picture));
    append(picture.truth.labels().data(), picture.truth.labels().size_bytes());
    append(picture.probabilities.values().data(), picture.probabilities.values().size_bytes());
    entry.in_file = true;
    entry.picture.name = std::move(picture.name);
  }
  entries_.push_back(std::move(entry));
}

const CachedPicture& ProbabilityCache::at(std::size_t i) {
  const Entry& entry = entries_[i];
  if (!entry.in_file) return entry.picture;
  CachedPicture& back = read_back_;
  back = {.name = entry.picture.name,
          .picture = Image(entry.height, entry.width, entry.channels, entry.type),
          .truth = LabelMap(entry.height, entry.width),
          .probabilities = Probabilities(entry.classes, entry.height, entry.width)};
  std::uint64_t offset = read(entry.offset, back.picture.data(), picture_bytes(back.picture));
  offset = read(offset, back.truth.labels().data(), back.truth.labels().size_bytes());
  read(offset, back.probabilities.values().data(), back.probabilities.values().size_bytes());
  return back;
}

}  // namespace segmentum
