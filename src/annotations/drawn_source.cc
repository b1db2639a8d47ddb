#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include "annotations/source_formats.h"
#include "base/counted.h"
#include "data/class_legend.h"
#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

/// The drawn pictures of a source, shared by all copies of its `read`.
struct Drawn {
  std::vector<DrawnPicture> pictures;
  std::vector<ClassInfo> classes;
  std::map<std::string, std::size_t> by_item;  // by key_of
  std::uint16_t uncovered = kIgnoreLabel;      // the label of pixels without an object
  Overlap overlap = Overlap::later;
};

/// Background first, ignored names out, colours where there are none.
std::vector<ClassInfo> settled_classes(std::vector<ClassInfo> classes) {
  std::erase_if(classes, [](const ClassInfo& info) { return is_ignore_name(info.name); });
  // Not std::ranges::stable_partition: Clang 14 cannot read the view that it gives in libstdc++ 12.
  std::stable_partition(classes.begin(), classes.end(),
                        [](const ClassInfo& info) { return is_background_name(info.name); });
  const bool coloured =
      std::ranges::any_of(classes, [](const ClassInfo& info) { return info.colour != Rgb{}; });
  if (coloured) return classes;
  const Palette palette = Palette::voc(static_cast<int>(classes.size()) + 1);
  const std::size_t first = !classes.empty() && is_background_name(classes.front().name) ? 0 : 1;
  for (std::size_t k = 0; k < classes.size(); ++k) classes[k].colour = palette.colours[k + first];
  return classes;
}

ImageSize size_of_picture(const LabelItem& item) {
  if (!item.image.empty()) return image_size(item.image);
  const std::string bytes = held_picture(item);
  return image_size_memory(std::as_bytes(std::span(bytes.data(), bytes.size())),
                           item.holder.string() + ": \"imageData\"");
}

/// The picture's own size, which must be what the annotations say.
ImageSize size_of(const DrawnPicture& picture, const LabelItem& item) {
  if (!item.has_picture()) {
    if (picture.height > 0) return {.height = picture.height, .width = picture.width};
    throw Error::in_file(picture.file,
                         "the annotations do not say how large it is, and it is not there");
  }
  const ImageSize size = size_of_picture(item);
  if (picture.height == 0 || (size.height == picture.height && size.width == picture.width))
    return size;
  throw Error::in_file(
      (item.image.empty() ? item.holder : item.image).string(),
      fmt::format("is {}x{}, but the annotations say {}x{} (width x height); was it "
                  "resized, or turned by its EXIF tag?",
                  size.width, size.height, picture.width, picture.height));
}

Labelling paint_item(const Drawn& drawn, const DrawnPicture& picture, const LabelItem& item) {
  const ImageSize size = size_of(picture, item);
  try {
    return paint(picture, size.height, size.width, drawn.classes, drawn.overlap);
  } catch (const Error& error) {
    throw Error::in_file(picture.file, error.what());
  }
}

/// Whether any picture has pixels that no object covers; nearly always the first one has.
bool leaves_uncovered(const Drawn& drawn, const std::vector<LabelItem>& items) {
  for (const LabelItem& item : items) {
    try {
      const Labelling painted =
          paint_item(drawn, drawn.pictures[drawn.by_item.at(key_of(item))], item);
      if (std::ranges::find(painted.labels.labels(), kUncovered) != painted.labels.labels().end())
        return true;
    } catch (const Error&) {
      continue;  // told of when the picture is converted
    }
  }
  return false;
}

void settle_background(Drawn& drawn, LabelSource& source) {
  const bool named = !drawn.classes.empty() && is_background_name(drawn.classes.front().name);
  if (!named && leaves_uncovered(drawn, source.items)) {
    drawn.classes.insert(drawn.classes.begin(), {"background", {}});
    source.notes.push_back("what no object covers is the class \"background\"");
  }
  const bool any = !drawn.classes.empty() && is_background_name(drawn.classes.front().name);
  if (any) drawn.uncovered = 0;
}

/// Finds the pictures; those that are not there are left out and told of.
void find_items(const fs::path& path, std::vector<DrawnPicture>& pictures,
                const PictureFinder* finder, LabelSource& source) {
  std::vector<LabelItem> items;
  std::vector<DrawnPicture> kept;
  std::vector<std::string> files, missing;
  std::size_t held = 0;
  for (DrawnPicture& picture : pictures) {
    LabelItem item{.split = picture.split};
    if (finder != nullptr) item.image = finder->find(picture.file);
    if (finder != nullptr && item.image.empty() && picture.embedded) {
      item.holder = picture.annotations;
      ++held;
    }
    if (finder != nullptr && !item.has_picture()) {
      missing.push_back(picture.file);
      continue;
    }
    files.push_back(picture.file);
    items.push_back(std::move(item));
    kept.push_back(std::move(picture));
  }
  pictures = std::move(kept);
  name_items(files, items);
  source.items = std::move(items);
  note_missing(path, missing, source);
  if (held > 0) {
    source.notes.push_back(fmt::format("{} not there, taken out of the annotations (imageData)",
                                       counted(held, "picture")));
  }
}

}  // namespace

void note_missing(const fs::path& path, const std::vector<std::string>& missing,
                  LabelSource& source) {
  if (missing.empty() && !source.items.empty()) return;
  if (missing.empty() && !source.failures.empty()) throw Error(source.failures.front());
  if (missing.empty()) throw Error::in_file(path.string(), "holds no pictures");
  const std::string what = counted(missing.size(), "picture");
  if (!source.items.empty()) {
    source.notes.push_back(
        fmt::format("{} not there and left out, first {}", what, missing.front()));
    return;
  }
  throw Error::in_file(
      path.string(), fmt::format("names {}, but none is there (first: {}); --images DIR says where "
                                 "they lie, --no-pictures does without",
                                 what, missing.front()));
}

LabelSource drawn_source(const fs::path& path, DrawnSet set, const SourceOptions& options) {
  LabelSource source;
  source.notes = std::move(set.notes);
  source.failures = std::move(set.failures);
  source.has_objects = true;
  std::optional<PictureFinder> finder;
  if (options.pictures) finder.emplace(pictures_root(path, options));
  find_items(path, set.pictures, finder ? &*finder : nullptr, source);
  const auto drawn = std::make_shared<Drawn>();
  drawn->pictures = std::move(set.pictures);
  drawn->overlap = options.overlap;
  drawn->classes = settled_classes(options.classes.empty() ? std::move(set.classes)
                                                           : read_classes(options.classes));
  for (std::size_t i = 0; i < source.items.size(); ++i) drawn->by_item[key_of(source.items[i])] = i;
  settle_background(*drawn, source);
  source.classes = drawn->classes;
  source.read = [drawn](const LabelItem& item) {
    Labelling labelling =
        paint_item(*drawn, drawn->pictures[drawn->by_item.at(key_of(item))], item);
    std::ranges::replace(labelling.labels.labels(), kUncovered, drawn->uncovered);
    return labelling;
  };
  return source;
}

}  // namespace segmentum
