#include "data/dataset.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/counted.h"
#include "data/dataset_file.h"
#include "data/inspect.h"
#include "data/instances.h"
#include "data/label_values.h"
#include "image/codec.h"
#include "image/colour.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

void check_has_mask(const Dataset& dataset, const Sample& sample) {
  if (!sample.mask.empty()) return;
  throw Error::in_file((dataset.root / sample.image).string(),
                       "has no mask; labels are needed to train and to score");
}

LabelMap read_labels_of_size(const Dataset& dataset, const Sample& sample, int height, int width) {
  const auto path = dataset.root / sample.mask;
  const RawMask mask = read_mask(path);
  if (mask.values.height() != height || mask.values.width() != width) {
    throw Error::in_file(
        path.string(),
        fmt::format("is {}x{} but its picture {} is {}x{} (width x height); a mask has exactly the "
                    "size of its picture",
                    mask.values.width(), mask.values.height(), sample.image.generic_string(), width,
                    height));
  }
  try {
    return decode_labels(mask, dataset.encoding);
  } catch (const Error& error) {
    throw Error::in_file(path.string(), error.what());
  }
}

/// What nobody has read in a dataset.toml.
void tell(const Inspection& inspection, const std::filesystem::path& folder,
          ProgressSink& progress) {
  progress.message(folder.string() + " has no dataset.toml; found there:");
  for (const std::string& note : inspection.notes) progress.message("  " + note);
  for (const std::string& question : inspection.questions) progress.message("  ? " + question);
  progress.message("`segmentum init " + folder.string() + "` writes this down, to be changed");
}

/// As it is written down, or as `inspect` finds it.
Dataset described_dataset(const std::filesystem::path& path, ProgressSink* progress) {
  const std::filesystem::path file = description_of(path);
  if (file.empty()) {
    Inspection inspection = inspect_folder(path);
    if (!inspection.obstacles.empty()) {
      throw Error::in_file(path.string(), inspection.obstacles.front() +
                                              "; `segmentum init` writes a dataset.toml in which "
                                              "this can be said");
    }
    if (progress) tell(inspection, path, *progress);
    return std::move(inspection.dataset);
  }
  if (!std::filesystem::exists(path)) {
    throw Error::in_file(path.string(),
                         "does not exist; expected a folder of pictures and masks, or a "
                         "dataset.toml");
  }
  if (is_image_file(path)) {
    throw Error::in_file(
        path.string(), "is a picture; expected a folder of pictures and masks, or a dataset.toml");
  }
  return read_dataset_file(file);
}

Dataset open(const std::filesystem::path& path, ProgressSink* progress) {
  Dataset dataset = described_dataset(path, progress);
  for (auto& [name, samples] : dataset.splits) {
    for (Sample& sample : samples) {
      if (!sample.instances.empty()) continue;
      sample.instances = instance_map_beside(dataset.root, sample.mask);
    }
  }
  return dataset;
}

}  // namespace

const std::vector<Sample>& Dataset::split(const std::string& name) const {
  const auto found = splits.find(name);
  if (found != splits.end()) return found->second;
  std::string known;
  for (const auto& [other, samples] : splits) {
    known += (known.empty() ? "" : ", ") +
             fmt::format("{} ({})", other, counted(samples.size(), "picture"));
  }
  throw Error(fmt::format("{} has no split \"{}\"; there are: {}", root.string(), name,
                          known.empty() ? "none" : known));
}

Dataset open_dataset(const std::filesystem::path& path) {
  return open(path, nullptr);
}

Dataset open_dataset(const std::filesystem::path& path, ProgressSink& progress) {
  return open(path, &progress);
}

Image read_picture(const Dataset& dataset, const Sample& sample) {
  Image image = read_image(dataset.root / sample.image);
  // Grey pictures of a colour data set become colour when they become tensors, not here.
  if (!has_alpha(image.channels(), dataset.channels)) return image;
  return first_channels(image, image.channels() - 1);
}

LabelMap read_labels(const Dataset& dataset, const Sample& sample) {
  check_has_mask(dataset, sample);
  const ImageSize picture = image_size(dataset.root / sample.image);
  return read_labels_of_size(dataset, sample, picture.height, picture.width);
}

LabelledPicture read_labelled(const Dataset& dataset, const Sample& sample) {
  check_has_mask(dataset, sample);
  LabelledPicture picture;
  picture.image = read_picture(dataset, sample);
  picture.labels =
      read_labels_of_size(dataset, sample, picture.image.height(), picture.image.width());
  return picture;
}

}  // namespace segmentum
