#include <fmt/format.h>

#include <map>
#include <memory>
#include <optional>

#include "annotations/coco.h"
#include "annotations/source_formats.h"
#include "base/counted.h"
#include "base/file.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

struct Segments {
  PanopticPicture picture;
  fs::path file;
};
using SegmentsByItem = std::map<std::string, Segments>;

PanopticSet read_set(const fs::path& json) {
  const std::string text = read_file(json);
  try {
    return parse_coco_panoptic(text);
  } catch (const Error& error) {
    throw Error::in_file(json.string(), error.what());
  }
}

/// Adds the pictures of one file; names of those that are not there go to `missing`.
void add_set(const fs::path& json, const SourceOptions& options, LabelSource& source,
             SegmentsByItem& by_item, std::vector<std::string>& missing) {
  PanopticSet set = read_set(json);
  if (source.classes.empty()) source.classes = set.classes;
  if (source.classes != set.classes) {
    throw Error::in_file(json.string(),
                         "has other categories than the file before it; convert one at a time");
  }
  std::optional<PictureFinder> finder;
  if (options.pictures) finder.emplace(pictures_root(json, options));
  const fs::path folder = fs::path(json).replace_extension();  // COCO names it after the file
  for (PanopticPicture& picture : set.pictures) {
    LabelItem item{.name = without_extension(safe_path(picture.file)),
                   .split = split_in(json.stem().string())};
    if (finder) item.image = finder->find(picture.file);
    if (finder && item.image.empty()) {
      missing.push_back(picture.file);
      continue;
    }
    const fs::path file = folder / safe_path(picture.segments);
    by_item[key_of(item)] = {std::move(picture), file};
    source.items.push_back(std::move(item));
  }
}

}  // namespace

LabelSource open_panoptic(const fs::path& path, const SourceOptions& options) {
  const auto by_item = std::make_shared<SegmentsByItem>();
  LabelSource source{.has_objects = true};
  std::vector<std::string> missing;
  for (const fs::path& json : json_files(path, "panoptic")) {
    add_set(json, options, source, *by_item, missing);
  }
  note_missing(path, missing, source);
  source.what = counted(source.items.size(), "picture") + " of COCO panoptic";
  source.read = [by_item](const LabelItem& item) {
    const Segments& segments = by_item->at(key_of(item));
    const RawMask mask = read_mask(segments.file);
    try {
      return panoptic_labelling(segments.picture, mask);
    } catch (const Error& error) {
      throw Error::in_file(segments.file.string(), error.what());
    }
  };
  return source;
}

}  // namespace segmentum
