#include "annotations/label_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "annotations/source_formats.h"
#include "base/counted.h"
#include "data/class_legend.h"
#include "data/dataset.h"
#include "data/file_role.h"
#include "data/folder_layout.h"
#include "data/instances.h"
#include "data/label_values.h"
#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

// ---- what a path is ----------------------------------------------------------------------------

std::string format_of_file(const fs::path& file) {
  const std::string extension = lower_case(file.extension().string());
  if (extension == ".toml") return "dataset";
  if (extension == ".xml") return "cvat";
  if (extension == ".json" || extension == ".geojson") {
    if (std::string format = json_format(file); !format.empty()) return format;
    throw Error::in_file(file.string(),
                         "is not JSON of COCO, LabelMe or GeoJSON: it lacks their keys");
  }
  throw Error::in_file(file.string(),
                       "is no file of annotations that we know; expected .json, .xml, "
                       ".geojson, a dataset.toml, or a folder");
}

/// The one format of the JSON files in a folder; empty for none.
std::string format_of_json(const fs::path& folder) {
  std::set<std::string> formats;
  for (const fs::path& place : {folder, folder / "annotations"}) {
    if (!fs::is_directory(place)) continue;
    for (const fs::path& file : files_of(place, ".json", false)) formats.insert(json_format(file));
  }
  formats.erase("");
  if (formats.size() > 1) {
    throw Error::in_file(folder.string(),
                         fmt::format("holds annotations of several formats ({}); name one "
                                     "file, or the format with --from",
                                     fmt::join(formats, ", ")));
  }
  if (!formats.empty()) return *formats.begin();
  for (const fs::path& file : files_of(folder, ".json", true)) {
    if (json_format(file) == "labelme") return "labelme";
  }
  return "";
}

bool has_pairs(const fs::path& folder) {
  try {
    return !find_samples(folder).splits.empty();
  } catch (const Error&) {
    return false;  // no pictures at all
  }
}

bool has_yolo_texts(const fs::path& folder) {
  const auto is_labels = [](const fs::path& file) {
    return std::ranges::find(file, fs::path("labels")) != file.end();
  };
  return std::ranges::any_of(files_of(folder, ".txt", true), is_labels);
}

std::string format_of_folder(const fs::path& folder) {
  if (fs::exists(folder / "dataset.toml")) return "dataset";
  if (has_stacks(folder)) return "stack";
  if (has_pairs(folder)) return "dataset";
  if (has_object_folders(folder)) return "objects";
  if (has_yolo_texts(folder)) return "yolo";
  if (std::string format = format_of_json(folder); !format.empty()) return format;
  if (!files_of(folder, ".geojson", true).empty()) return "geojson";
  if (!files_of(folder, ".xml", false).empty()) return "cvat";
  for (const char* extension : {".png", ".tif", ".tiff"}) {
    if (!files_of(folder, extension, true).empty()) return "labels";
  }
  throw Error::in_file(folder.string(), fmt::format("holds no labels in a format that we know ({})",
                                                    kSourceFormats));
}

// ---- label maps ---------------------------------------------------------------------------------

/// What the files of a folder hold together.
struct LabelSurvey {
  std::vector<fs::path> maps;
  int others = 0;                     // pictures, such as overlays
  std::vector<std::string> failures;  // files that cannot be read, one line each
  std::uint16_t greatest = 0;         // label, ignored ones left out
  std::vector<Rgb> palette;
};

std::uint16_t ignore_value_of(const RawMask& mask) {
  return mask.values.type() == PixelType::u16 ? kIgnoreLabel : std::uint16_t{255};
}

/// Class indices as they stand in the file; 255 (65535 in 16-bit files) is ignored.
LabelMap label_map_of(const RawMask& mask) {
  LabelMap labels(mask.values.height(), mask.values.width());
  const std::uint16_t ignored = ignore_value_of(mask);
  std::vector<std::uint32_t> row;
  for (int y = 0; y < labels.height(); ++y) {
    mask_row(mask, LabelEncoding::Kind::value, y, row);
    for (int x = 0; x < labels.width(); ++x) {
      const std::uint32_t value = row[static_cast<std::size_t>(x)];
      if (value >= kIgnoreLabel && value != ignored) {
        throw Error(fmt::format("is no label map: it holds no class index at x={} y={}", x, y));
      }
      labels(y, x) = value == ignored ? kIgnoreLabel : static_cast<std::uint16_t>(value);
    }
  }
  return labels;
}

/// Its Error names the file.
LabelMap read_label_map(const fs::path& file, const RawMask& mask) {
  try {
    return label_map_of(mask);
  } catch (const Error& error) {
    throw Error::in_file(file.string(), error.what());
  }
}

void survey_file(const fs::path& file, LabelSurvey& found) {
  if (image_size(file).channels != 1 && read_mask(file).palette.empty()) {
    ++found.others;
    return;
  }
  const RawMask mask = read_mask(file);
  const LabelMap labels = read_label_map(file, mask);
  for (const std::uint16_t label : labels.labels()) {
    if (label != kIgnoreLabel) found.greatest = std::max(found.greatest, label);
  }
  if (found.palette.size() < mask.palette.size()) found.palette = mask.palette;
  found.maps.push_back(file);
}

LabelSurvey survey(const std::vector<fs::path>& files) {
  LabelSurvey found;
  for (const fs::path& file : files) {
    try {
      survey_file(file, found);
    } catch (const Error& error) {
      found.failures.emplace_back(error.what());
    }
  }
  return found;
}

std::vector<ClassInfo> classes_of(const fs::path& folder, const LabelSurvey& found,
                                  const SourceOptions& options) {
  std::vector<ClassInfo> classes;
  if (!options.classes.empty()) classes = read_classes(options.classes);
  if (classes.empty()) {
    for (const LegendEntry& entry : find_legend(folder).entries) {
      if (!entry.ignore) classes.push_back({entry.name, entry.colour.value_or(Rgb{})});
    }
  }
  if (!classes.empty() && found.greatest >= classes.size()) {
    throw Error::in_file(folder.string(),
                         fmt::format("holds the class {}, but there are {}", found.greatest,
                                     counted(classes.size(), "name")));
  }
  const Palette usual = Palette::voc(found.greatest + 1);
  for (std::size_t k = classes.size(); k <= found.greatest; ++k) {
    classes.push_back({fmt::format("class_{}", k),
                       k < found.palette.size() ? found.palette[k] : usual.colours[k]});
  }
  return classes;
}

// ---- any of them --------------------------------------------------------------------------------

/// Options that a format has no use for would be passed over in silence.
void require_useful(const std::string& format, const SourceOptions& options) {
  const bool own_classes = format == "dataset" || format == "panoptic" || format == "stack";
  const bool own_pictures = format == "dataset" || format == "objects" || format == "stack";
  if (own_classes && !options.classes.empty()) {
    throw Error(fmt::format("the classes of \"{}\" are in the data; leave out --classes", format));
  }
  if (own_pictures && !options.images.empty()) {
    throw Error(fmt::format("the pictures of \"{}\" lie in the data; leave out --images", format));
  }
}

LabelSource open_as(const std::string& format, const fs::path& path, const SourceOptions& options) {
  require_useful(format, options);
  if (format == "dataset") return open_dataset_source(path, options);
  if (format == "labels") return open_label_folder(path, options);
  if (format == "coco") return open_coco(path, options);
  if (format == "panoptic") return open_panoptic(path, options);
  if (format == "labelme") return open_labelme(path, options);
  if (format == "cvat") return open_cvat(path, options);
  if (format == "yolo") return open_yolo(path, options);
  if (format == "geojson") return open_geojson(path, options);
  if (format == "objects") return open_object_folders(path, options);
  if (format == "stack") return open_stacks(path, options);
  throw Error(
      fmt::format("there is no format \"{}\" to read; there are {}", format, kSourceFormats));
}

/// What is written is called after the items: two of one name would be one file.
void require_settled(const fs::path& path, const LabelSource& source) {
  std::set<std::string> keys;
  for (const LabelItem& item : source.items) {
    if (keys.insert(key_of(item)).second) continue;
    throw Error::in_file(path.string(),
                         fmt::format("holds two pictures called {}{}; convert them one by one",
                                     item.split.empty() ? "" : item.split + "/", item.name));
  }
  if (source.classes.size() < kUncovered) return;
  throw Error::in_file(
      path.string(),
      fmt::format("names {} classes, more than labels can tell apart", source.classes.size()));
}

}  // namespace

LabelSource open_label_folder(const fs::path& folder, const SourceOptions& options) {
  std::vector<fs::path> files{folder};
  if (fs::is_directory(folder)) {
    files = files_of(folder, ".png", true);
    for (const char* extension : {".tif", ".tiff"}) {
      std::ranges::move(files_of(folder, extension, true), std::back_inserter(files));
    }
  }
  LabelSurvey found = survey(files);
  files = std::move(found.maps);
  if (files.empty() && !found.failures.empty()) throw Error(found.failures.front());
  if (files.empty())
    throw Error::in_file(folder.string(), "holds no label maps (grey or palette PNG or TIFF)");
  LabelSource source{.classes = classes_of(folder, found, options)};
  source.failures = std::move(found.failures);
  if (found.others > 0) {
    source.notes.push_back(counted(found.others, "colour picture") +
                           " beside the label maps left out");
  }
  const bool look = options.pictures && !options.images.empty();
  std::optional<PictureFinder> finder;
  if (look) finder.emplace(options.images);
  const auto by_name = std::make_shared<std::map<std::string, fs::path>>();
  const fs::path root = fs::is_directory(folder) ? folder : folder.parent_path();
  std::vector<std::string> names;
  for (const fs::path& file : files) {
    names.push_back(file.lexically_relative(root).generic_string());
    source.items.push_back({.image = finder ? finder->find(names.back()) : fs::path()});
  }
  name_items(names, source.items);
  for (std::size_t i = 0; i < files.size(); ++i) (*by_name)[key_of(source.items[i])] = files[i];
  source.what = counted(files.size(), "label map");
  source.read = [by_name](const LabelItem& item) {
    const fs::path& file = by_name->at(key_of(item));
    return Labelling{.labels = read_label_map(file, read_mask(file))};
  };
  return source;
}

LabelSource open_dataset_source(const fs::path& path, const SourceOptions& options) {
  const auto dataset = std::make_shared<const Dataset>(open_dataset(path));
  const auto samples = std::make_shared<std::map<std::string, const Sample*>>();
  LabelSource source{.classes = dataset->classes};
  int without = 0;
  for (const auto& [split, list] : dataset->splits) {
    for (const Sample& sample : list) {
      if (sample.mask.empty()) {
        ++without;
        continue;
      }
      LabelItem item{.name = safe_path(sample.name).generic_string(),
                     .split = split,
                     .image = options.pictures ? dataset->root / sample.image : fs::path()};
      (*samples)[key_of(item)] = &sample;
      source.has_objects = source.has_objects || !sample.instances.empty();
      source.items.push_back(std::move(item));
    }
  }
  if (without > 0) source.notes.push_back(counted(without, "picture") + " without a mask left out");
  source.what = counted(source.items.size(), "picture") + " of a data set";
  source.read = [dataset, samples](const LabelItem& item) {
    const Sample& sample = *samples->at(key_of(item));
    Labelling labelling{.labels = read_labels(*dataset, sample)};
    if (!sample.instances.empty())
      labelling.instances = read_instances(*dataset, sample, labelling.labels);
    return labelling;
  };
  return source;
}

std::string detect_format(const fs::path& path) {
  if (!fs::exists(path)) {
    throw Error::in_file(path.string(),
                         "does not exist; expected a data set or a file of annotations");
  }
  return fs::is_directory(path) ? format_of_folder(path) : format_of_file(path);
}

LabelSource open_label_source(const fs::path& path, const SourceOptions& options) {
  const std::string format = options.from.empty() ? detect_format(path) : options.from;
  LabelSource source = open_as(format, path, options);
  require_settled(path, source);
  return source;
}

}  // namespace segmentum
