// Labelled pictures of any format, read as label maps: what `segmentum convert` reads.
//
// A label map is the one form that all formats share and that a network learns from: polygons
// become exactly the pixels whose centres they enclose (polygon.h).
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "annotations/drawing.h"
#include "segmentum/classes.h"

namespace segmentum {

struct LabelItem {
  std::string name;             // a path without extension, safe below any folder; one in its split
  std::string split;            // empty: none is said
  std::filesystem::path image;  // empty: the picture is not there, or not wanted
  int page = 0;                 // of it, from 0
  std::filesystem::path holder;  // instead of it: LabelMe's file that holds the picture itself

  bool has_picture() const { return !image.empty() || !holder.empty(); }
};

/// The bytes of the picture's file that `item.holder` holds: PNG or JPEG. Throws Error naming it.
std::string held_picture(const LabelItem& item);

struct LabelSource {
  std::string what;  // "3 pictures of COCO instances"
  std::vector<ClassInfo> classes;
  std::vector<LabelItem> items;
  std::vector<std::string> notes;     // what was found and decided, one line each
  std::vector<std::string> failures;  // files of a batch that cannot be read, one line each
  bool has_objects = false;           // `read` numbers single objects
  /// The labels of an item: classes or kIgnoreLabel, and objects. Throws Error naming the file.
  /// May be called from several threads.
  std::function<Labelling(const LabelItem&)> read;
};

struct SourceOptions {
  std::string from;               // a format's name; empty: what the path looks like
  std::filesystem::path images;   // where pictures lie; empty: beside the annotations
  std::filesystem::path classes;  // a legend file or a dataset.toml; empty: as the data say
  Overlap overlap = Overlap::later;
  bool pictures = true;  // false: their files are not looked for
};

/// The formats that can be read, as `SourceOptions::from` names them.
inline constexpr const char* kSourceFormats =
    "dataset, labels, coco, panoptic, labelme, cvat, yolo, geojson, objects, stack";

/// Opens a file or folder of annotations. Pictures of drawn formats get a class "background" for
/// what no object covers, unless a class has that name or all is covered. Throws Error naming the
/// file where nothing can be read or two pictures have one name, and for options that the format
/// has no use for.
LabelSource open_label_source(const std::filesystem::path& path, const SourceOptions& options);

/// The name of the format of a file or folder, by its content. Throws Error if it is none.
std::string detect_format(const std::filesystem::path& path);

}  // namespace segmentum
