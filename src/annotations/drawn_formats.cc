#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "annotations/coco.h"
#include "annotations/cvat.h"
#include "annotations/geojson.h"
#include "annotations/labelme.h"
#include "annotations/source_formats.h"
#include "annotations/yolo.h"
#include "base/counted.h"
#include "base/file.h"
#include "data/class_legend.h"
#include "data/file_role.h"
#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

/// `read` of a file's text; its Error is told of the file.
template <typename Read>
auto read_as(const fs::path& file, const Read& read) {
  const std::string text = read_file(file);
  try {
    return read(std::string_view(text));
  } catch (const Error& error) {
    throw Error::in_file(file.string(), error.what());
  }
}

LabelSource make_source(const fs::path& path, DrawnSet set, const SourceOptions& options,
                        const std::string& format) {
  LabelSource source = drawn_source(path, std::move(set), options);
  source.what = fmt::format("{} of {}", counted(source.items.size(), "picture"), format);
  return source;
}

void append(DrawnSet set, DrawnSet& to) {
  for (ClassInfo& info : set.classes) {
    const bool known =
        std::ranges::find(to.classes, info.name, &ClassInfo::name) != to.classes.end();
    if (!known) to.classes.push_back(std::move(info));
  }
  std::ranges::move(set.pictures, std::back_inserter(to.pictures));
  for (std::string& note : set.notes) {
    if (std::ranges::find(to.notes, note) == to.notes.end()) to.notes.push_back(std::move(note));
  }
}

/// The picture lies beside the file unless another folder is named.
DrawnSet read_single_file(const fs::path& root, const fs::path& file,
                          DrawnSet (*parse)(std::string_view)) {
  DrawnSet set = read_as(file, parse);
  DrawnPicture& picture = set.pictures.front();
  const fs::path inside = file.lexically_relative(root);
  if (picture.file.empty()) picture.file = inside.stem().string();
  picture.file = (inside.parent_path() / safe_path(picture.file).filename()).generic_string();
  picture.split = split_in(inside.parent_path().generic_string());
  picture.annotations = file.string();
  return set;
}

/// Files of one picture each (LabelMe, GeoJSON); classes in the order of a legend or the alphabet.
DrawnSet read_single_files(const fs::path& path, const std::vector<fs::path>& files,
                           DrawnSet (*parse)(std::string_view)) {
  DrawnSet all;
  const fs::path root = fs::is_directory(path) ? path : path.parent_path();
  for (const fs::path& file : files) {
    try {
      append(read_single_file(root, file, parse), all);
    } catch (const Error& error) {
      if (files.size() == 1) throw;
      all.failures.emplace_back(error.what());
    }
  }
  std::ranges::sort(all.classes, {}, &ClassInfo::name);
  const Legend legend = find_legend(root);
  const bool complete =
      !legend.empty() && std::ranges::all_of(all.classes, [&](const ClassInfo& info) {
        return is_ignore_name(info.name) ||
               std::ranges::find(legend.entries, info.name, &LegendEntry::name) !=
                   legend.entries.end();
      });
  if (complete) {
    all.classes.clear();
    for (const LegendEntry& entry : legend.entries) {
      if (!entry.ignore) all.classes.push_back({entry.name, entry.colour.value_or(Rgb{})});
    }
    all.notes.push_back(fmt::format("{} gives the order of the classes", legend.file.string()));
  }
  return all;
}

/// images/a.jpg has labels/a.txt, train/images/a.jpg train/labels/a.txt.
fs::path yolo_labels_of(const fs::path& picture) {
  fs::path labels;
  bool replaced = false;
  for (const fs::path& part : picture) {
    const bool here = part == "images" && !replaced;
    replaced = replaced || here;
    labels /= here ? fs::path("labels") : part;
  }
  return replaced ? labels.replace_extension(".txt") : fs::path();
}

std::vector<std::string> yolo_names(const fs::path& folder, const SourceOptions& options) {
  std::vector<std::string> names;
  if (!options.classes.empty()) {
    for (ClassInfo& info : read_classes(options.classes)) names.push_back(std::move(info.name));
    return names;
  }
  for (const char* extension : {".yaml", ".yml"}) {
    for (const fs::path& file : files_of(folder, extension, false))
      return read_as(file, parse_yolo_names);
  }
  for (const LegendEntry& entry : find_legend(folder).entries) names.push_back(entry.name);
  if (!names.empty()) return names;
  throw Error::in_file(folder.string(),
                       "names no classes; expected a data.yaml with names, a classes.txt, "
                       "or --classes FILE");
}

std::vector<fs::path> pictures_below(const fs::path& folder) {
  std::vector<fs::path> pictures;
  for (const char* extension : {".jpg", ".jpeg", ".png", ".tif", ".tiff"}) {
    std::ranges::move(files_of(folder, extension, true), std::back_inserter(pictures));
  }
  std::ranges::sort(pictures);
  return pictures;
}

/// Without a text file there is no object.
DrawnPicture yolo_picture(const fs::path& file, const fs::path& text_file,
                          const std::vector<std::string>& names) {
  const ImageSize size = image_size(file);
  DrawnPicture picture{.height = size.height, .width = size.width};
  if (text_file.empty()) return picture;
  picture.objects = read_as(text_file, [&](std::string_view text) {
    return parse_yolo(text, names, size.height, size.width);
  });
  return picture;
}

}  // namespace

std::string held_picture(const LabelItem& item) {
  return read_as(item.holder, labelme_picture);
}

LabelSource open_coco(const fs::path& path, const SourceOptions& options) {
  DrawnSet all;
  for (const fs::path& file : json_files(path, "coco")) {
    DrawnSet set = read_as(file, parse_coco);
    for (DrawnPicture& picture : set.pictures) picture.split = split_in(file.stem().string());
    append(std::move(set), all);
  }
  return make_source(path, std::move(all), options, "COCO instances");
}

LabelSource open_labelme(const fs::path& path, const SourceOptions& options) {
  std::vector<fs::path> files{path};
  if (fs::is_directory(path)) {
    files = files_of(path, ".json", true);
    std::erase_if(files, [](const fs::path& file) { return json_format(file) != "labelme"; });
  }
  if (files.empty()) throw Error::in_file(path.string(), "holds no LabelMe annotations (*.json)");
  return make_source(path, read_single_files(path, files, parse_labelme), options, "LabelMe");
}

LabelSource open_geojson(const fs::path& path, const SourceOptions& options) {
  std::vector<fs::path> files{path};
  if (fs::is_directory(path)) {
    files = files_of(path, ".geojson", true);
    if (files.empty()) files = files_of(path, ".json", true);
  }
  if (files.empty()) throw Error::in_file(path.string(), "holds no GeoJSON (*.geojson)");
  return make_source(path, read_single_files(path, files, parse_geojson), options, "GeoJSON");
}

LabelSource open_cvat(const fs::path& path, const SourceOptions& options) {
  DrawnSet all;
  const std::vector<fs::path> files =
      fs::is_directory(path) ? files_of(path, ".xml", false) : std::vector<fs::path>{path};
  if (files.empty()) throw Error::in_file(path.string(), "holds no CVAT annotations (*.xml)");
  for (const fs::path& file : files) append(read_as(file, parse_cvat), all);
  return make_source(path, std::move(all), options, "CVAT");
}

LabelSource open_yolo(const fs::path& folder, const SourceOptions& options) {
  if (!fs::is_directory(folder)) {
    throw Error::in_file(folder.string(),
                         "is no folder; YOLO's data are images/ and labels/ in one");
  }
  const std::vector<std::string> names = yolo_names(folder, options);
  DrawnSet set;
  for (const std::string& name : names) set.classes.push_back({name, {}});
  int without = 0;
  for (const fs::path& file : pictures_below(folder)) {
    const fs::path inside = file.lexically_relative(folder), labels = yolo_labels_of(inside);
    if (labels.empty()) continue;
    const bool has_text = fs::is_regular_file(folder / labels);
    without += !has_text;
    try {
      set.pictures.push_back(yolo_picture(file, has_text ? folder / labels : fs::path(), names));
      set.pictures.back().file = inside.generic_string();
      set.pictures.back().split = split_in(inside.parent_path().generic_string());
    } catch (const Error& error) {
      set.failures.emplace_back(error.what());
    }
  }
  if (without > 0) {
    set.notes.push_back(
        fmt::format("{} without a text file hold no object", counted(without, "picture")));
  }
  SourceOptions here = options;
  here.images = folder;
  here.classes.clear();
  return make_source(folder, std::move(set), here, "YOLO");
}

}  // namespace segmentum
