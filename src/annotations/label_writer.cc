#include "annotations/label_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "annotations/annotation_text.h"
#include "base/file.h"
#include "data/inspect.h"
#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<const char*, LabelFormat>, 6> kFormats{
    {{"masks", LabelFormat::masks},
     {"coco", LabelFormat::coco},
     {"coco-polygons", LabelFormat::coco_polygons},
     {"labelme", LabelFormat::labelme},
     {"geojson", LabelFormat::geojson},
     {"yolo", LabelFormat::yolo}}};

fs::path settled(const fs::path& path) {
  fs::path settled = fs::weakly_canonical(fs::absolute(path));
  return settled.has_filename() ? settled : settled.parent_path();
}

/// A folder under construction, gone unless it is finished.
class PartFolder {
 public:
  explicit PartFolder(const fs::path& finished) : finished_(settled(finished)), path_(finished_) {
    std::error_code unknown;
    if (fs::exists(finished_, unknown) &&
        !(fs::is_directory(finished_, unknown) && fs::is_empty(finished_, unknown))) {
      throw Error::in_file(finished.string(),
                           "is already there and not empty; expected a new folder");
    }
    path_ += ".part";
    fs::remove_all(path_);
  }
  ~PartFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  PartFolder(const PartFolder&) = delete;
  PartFolder& operator=(const PartFolder&) = delete;

  const fs::path& path() const { return path_; }
  void finish() {
    fs::remove(finished_);  // it is empty, or not there
    fs::rename(path_, finished_);
  }

 private:
  fs::path finished_;
  fs::path path_;
};

std::string csv_field(const std::string& text) {
  std::string field = text;
  std::ranges::replace(field, '"', '\'');
  return field.find_first_of(",; \t") == std::string::npos ? field : "\"" + field + "\"";
}

/// What is written of all pictures together, and of each as it comes.
class Writer {
 public:
  Writer(const LabelSource& source, const WriteOptions& options, fs::path part)
      : source_(source),
        options_(options),
        part_(std::move(part)),
        palette_(palette_of(source.classes)) {
    summary.failures = source.failures;
    int numbers = 0;
    for (const ClassInfo& info : source.classes) {
      number_of_class_.push_back(is_background_name(info.name) ? -1 : numbers++);
    }
  }

  void write(const LabelItem& item) {
    const Labelling labelling = source_.read(item);
    const fs::path picture = write_picture(item);
    AnnotatedPicture annotated{
        .file = picture.empty() ? item.name + ".png" : picture.filename().string(),
        .height = labelling.labels.height(),
        .width = labelling.labels.width()};
    if (options_.format == LabelFormat::masks) {
      write_mask(item, picture, labelling);
    } else {
      annotated.objects = objects_of(labelling.labels, labelling.instances, options_.objects);
      std::erase_if(annotated.objects, [&](const LabelledObject& object) {
        return object.label != kIgnoreLabel && number_of_class_[object.label] < 0;
      });
      write_annotation(item, picture, annotated);
    }
    ++summary.pictures;
    summary.objects += annotated.objects.size();
    summary.overlapping += labelling.overlapping;
  }

  void finish() {
    if (options_.format == LabelFormat::masks) describe_masks();
    if (options_.format == LabelFormat::yolo) write_yolo_description();
    if (options_.format == LabelFormat::labelme || options_.format == LabelFormat::geojson) {
      std::string names;  // the order of the classes, which these formats do not have
      for (const ClassInfo& info : source_.classes) names += info.name + "\n";
      write_file(part_ / "labels.txt", names);
    }
    for (const auto& [split, coco] : coco_) {
      write_file(part_ / "annotations" / ("instances_" + (split.empty() ? "all" : split) + ".json"),
                 coco.text());
    }
  }

  WriteSummary summary;

 private:
  /// "images/train/a" and the extension.
  static fs::path place(const char* folder, const LabelItem& item, const fs::path& extension) {
    fs::path path = fs::path(folder) / item.split / item.name;
    path += extension;
    return path.lexically_normal();
  }

  /// Where it now lies below the folder; empty where there is none.
  fs::path write_picture(const LabelItem& item) const {
    if (!item.holder.empty()) return write_held_picture(item);
    if (item.image.empty()) return {};
    const bool paged = item.page > 0 || page_count(item.image) > 1;
    fs::path to = place("images", item, paged ? fs::path(".png") : item.image.extension());
    fs::create_directories((part_ / to).parent_path());
    if (paged) {
      write_png(part_ / to, read_image(item.image, {.page = item.page}));
    } else if (options_.link) {
      fs::create_symlink(settled(item.image), part_ / to);
    } else {
      write_file(part_ / to, read_file(item.image));
    }
    return to;
  }

  fs::path write_held_picture(const LabelItem& item) const {
    const std::string bytes = held_picture(item);
    fs::path to = place("images", item, bytes.starts_with("\x89PNG") ? ".png" : ".jpg");
    fs::create_directories((part_ / to).parent_path());
    write_file(part_ / to, bytes);
    return to;
  }

  void write_mask(const LabelItem& item, const fs::path& picture, const Labelling& labelling) {
    const fs::path mask = place("masks", item, ".png");
    fs::create_directories((part_ / mask).parent_path());
    write_label_png(part_ / mask, labelling.labels, palette_);
    std::string line =
        fmt::format("\"{}\" \"{}\"", picture.generic_string(), mask.generic_string());
    if (source_.has_objects && !labelling.instances.empty()) {
      const fs::path instances = place("instances", item, ".png");
      write_instances(instances, labelling.instances);
      line += fmt::format(" \"{}\"", instances.generic_string());
    }
    lists_[item.split] += line + "\n";
  }

  void write_instances(const fs::path& to, const LabelMap& instances) const {
    Image image(instances.height(), instances.width(), 1, PixelType::u16);
    for (int y = 0; y < instances.height(); ++y) {
      std::transform(
          instances.row(y), instances.row(y) + instances.width(), image.row<std::uint16_t>(y),
          [](std::uint16_t number) { return number == kIgnoreLabel ? std::uint16_t{0} : number; });
    }
    fs::create_directories((part_ / to).parent_path());
    write_png(part_ / to, image);
  }

  void write_annotation(const LabelItem& item, const fs::path& picture,
                        AnnotatedPicture& annotated) {
    switch (options_.format) {
      case LabelFormat::coco:
      case LabelFormat::coco_polygons: {
        const auto shape =
            options_.format == LabelFormat::coco ? CocoShape::runs : CocoShape::polygons;
        if (!picture.empty())
          annotated.file = picture.lexically_relative("images").generic_string();
        coco_.try_emplace(item.split, source_.classes, shape).first->second.add(annotated);
        break;
      }
      case LabelFormat::labelme:
        write_file(part_ / place("images", item, ".json"),
                   labelme_text(annotated, source_.classes));
        break;
      case LabelFormat::geojson:
        write_file(part_ / place("geojson", item, ".geojson"),
                   geojson_text(annotated, source_.classes));
        break;
      case LabelFormat::yolo:
        for (const LabelledObject& object : annotated.objects) {
          if (object.label == kIgnoreLabel) summary.ignored += pixel_count(object.region);
        }
        write_file(part_ / place("labels", item, ".txt"), yolo_text(annotated, number_of_class_));
        yolo_splits_.insert(item.split);
        break;
      case LabelFormat::masks:
        break;  // not a format of objects
    }
  }

  void write_yolo_description() const {
    std::string text = "path: .\n";
    for (const std::string& split : yolo_splits_) {
      text += split.empty() ? "train: images\n" : fmt::format("{0}: images/{0}\n", split);
    }
    text += "names:\n";
    for (std::size_t k = 0; k < source_.classes.size(); ++k) {
      if (number_of_class_[k] < 0) continue;
      text += fmt::format("  {}: {}\n", number_of_class_[k], json_string(source_.classes[k].name));
    }
    write_file(part_ / "data.yaml", text);
  }

  /// Class k is written as k.
  LabelEncoding class_indices() const {
    LabelEncoding encoding;
    for (std::size_t k = 0; k < source_.classes.size(); ++k) {
      encoding.to_class[static_cast<std::uint32_t>(k)] = static_cast<std::uint16_t>(k);
    }
    encoding.ignore_value = source_.classes.size() <= 255 ? 255 : kIgnoreLabel;
    encoding.to_class[encoding.ignore_value] = kIgnoreLabel;
    return encoding;
  }

  void describe_masks() {
    std::string legend = "id,name,r,g,b\n";
    for (std::size_t k = 0; k < source_.classes.size(); ++k) {
      const Rgb colour = source_.classes[k].colour;
      legend += fmt::format("{},{},{},{},{}\n", k, csv_field(source_.classes[k].name), colour.r,
                            colour.g, colour.b);
    }
    legend += fmt::format("{},void,224,224,192\n", class_indices().ignore_value);
    write_file(part_ / "classes.csv", legend);
    const bool pictures = std::ranges::all_of(
        source_.items, [](const LabelItem& item) { return item.has_picture(); });
    if (!pictures) return;
    for (const auto& [split, lines] : lists_) {
      if (!split.empty()) write_file(part_ / (split + ".txt"), lines);
    }
    Inspection inspection = inspect_folder(part_, options_.seed);
    inspection.dataset.classes =
        source_.classes;  // known, whatever occurs and however it is called
    inspection.dataset.encoding = class_indices();
    write_file(part_ / "dataset.toml", dataset_toml(inspection, part_));
    summary.notes = inspection.notes;
    summary.questions = inspection.questions;
    summary.questions.insert(summary.questions.end(), inspection.obstacles.begin(),
                             inspection.obstacles.end());
  }

  const LabelSource& source_;
  const WriteOptions& options_;
  fs::path part_;
  Palette palette_;
  std::vector<int> number_of_class_;  // without background, from 0; -1: it is background
  std::map<std::string, std::string> lists_;
  std::map<std::string, CocoText> coco_;
  std::set<std::string> yolo_splits_;
};

}  // namespace

LabelFormat label_format(const std::string& name) {
  for (const auto& [known, format] : kFormats) {
    if (name == known) return format;
  }
  throw Error(fmt::format("there is no format \"{}\" to write; there are {}", name, kLabelFormats));
}

WriteSummary write_labels(const LabelSource& source, const WriteOptions& options) {
  PartFolder part(options.out);
  Writer writer(source, options, part.path());
  ProgressSink* progress = options.progress;
  const auto count = static_cast<std::int64_t>(source.items.size());
  if (progress != nullptr) progress->begin("convert", count, "picture");
  for (std::int64_t i = 0; i < count; ++i) {
    if (progress != nullptr && progress->stop_requested()) throw Interrupted();
    try {
      writer.write(source.items[static_cast<std::size_t>(i)]);
    } catch (const Error& error) {
      const std::string what = error.what();
      if (what.starts_with(part.path().string())) throw;  // it cannot be written: nor can the rest
      writer.summary.failures.push_back(what);
    }
    if (progress != nullptr) progress->update(i + 1, "");
  }
  if (progress != nullptr) progress->end();
  if (writer.summary.pictures == 0) {
    throw Error(writer.summary.failures.empty() ? "there is nothing to convert"
                                                : writer.summary.failures.front());
  }
  writer.finish();
  part.finish();
  return std::move(writer.summary);
}

}  // namespace segmentum
