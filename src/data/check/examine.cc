#include "data/check/examine.h"

#include <algorithm>
#include <mutex>

#include "base/threads.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

/// The message of an Error without the file that it begins with.
std::string reason(const Error& error, const fs::path& path) {
  const std::string what = error.what(), name = path.string() + ": ";
  return what.starts_with(name) ? what.substr(name.size()) : what;
}

bool is_missing(const fs::path& path) {
  std::error_code unknown;
  return !fs::exists(path, unknown);
}

/// Large files one after the other, whatever the number of threads: memory is for one of them.
class OneLargeFile {
 public:
  explicit OneLargeFile(const fs::path& path) : lock_(mutex(), std::defer_lock) {
    constexpr std::int64_t kLarge = std::int64_t{1} << 25;
    const ImageSize size = image_size(path);
    if (std::int64_t{size.height} * size.width * size.channels > kLarge) lock_.lock();
  }

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  std::unique_lock<std::mutex> lock_;
};

PictureFacts examine_picture(const fs::path& path, bool pixels) {
  PictureFacts facts{.missing = is_missing(path)};
  if (facts.missing) return facts;
  try {
    facts.form = stored_form(path);
    facts.file_bytes = fs::file_size(path);
    if (pixels) {
      const OneLargeFile turn(path);
      const Image image = read_image(path);
      facts.size = {image.height(), image.width(), image.channels(), image.type()};
      facts.print = fingerprint(image);
    } else {
      facts.size = image_size(path);
    }
  } catch (const Error& error) {
    facts.error = reason(error, path);
  } catch (const fs::filesystem_error& error) {
    facts.error = error.code().message();
  }
  return facts;
}

MaskFacts examine_mask(const fs::path& path, const Dataset& dataset) {
  MaskFacts facts{.missing = is_missing(path)};
  if (facts.missing) return facts;
  try {
    const OneLargeFile turn(path);
    const RawMask mask = read_mask(path);
    facts.content = mask_content(mask, stored_form(path));
    facts.reading = mask_reading(mask, dataset.encoding, dataset.class_count());
  } catch (const Error& error) {
    facts.error = reason(error, path);
  }
  return facts;
}

}  // namespace

void examine(const Dataset& dataset, std::span<CheckedSample> samples,
             const ExamineOptions& options) {
  const std::size_t stretch = 4 * static_cast<std::size_t>(threads());
  ProgressSink* progress = options.progress;
  if (progress != nullptr) {
    progress->begin("check", static_cast<std::int64_t>(samples.size()), "picture");
  }
  for (std::size_t first = 0; first < samples.size(); first += stretch) {
    if (progress != nullptr && progress->stop_requested()) throw Interrupted();
    const auto part = samples.subspan(first, std::min(stretch, samples.size() - first));
    parallel_for(static_cast<std::int64_t>(part.size()), [&](std::int64_t i) {
      CheckedSample& sample = part[static_cast<std::size_t>(i)];
      sample.picture = examine_picture(dataset.root / sample.sample.image, options.picture_pixels);
      if (sample.has_mask()) {
        sample.mask = examine_mask(dataset.root / sample.sample.mask, dataset);
      }
    });
    if (progress != nullptr) {
      progress->update(static_cast<std::int64_t>(first + part.size()), part.back().sample.name);
    }
  }
  if (progress != nullptr) progress->end();
}

}  // namespace segmentum
