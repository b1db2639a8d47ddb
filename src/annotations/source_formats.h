// How each format's files become a LabelSource. Private to annotations/.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "annotations/label_source.h"

namespace segmentum {

LabelSource open_dataset_source(const std::filesystem::path& path, const SourceOptions& options);
LabelSource open_label_folder(const std::filesystem::path& folder, const SourceOptions& options);
LabelSource open_coco(const std::filesystem::path& path, const SourceOptions& options);
LabelSource open_panoptic(const std::filesystem::path& path, const SourceOptions& options);
LabelSource open_labelme(const std::filesystem::path& path, const SourceOptions& options);
LabelSource open_cvat(const std::filesystem::path& path, const SourceOptions& options);
LabelSource open_yolo(const std::filesystem::path& folder, const SourceOptions& options);
LabelSource open_geojson(const std::filesystem::path& path, const SourceOptions& options);
LabelSource open_object_folders(const std::filesystem::path& folder, const SourceOptions& options);
LabelSource open_stacks(const std::filesystem::path& folder, const SourceOptions& options);

/// What an item is known by in its source.
inline std::string key_of(const LabelItem& item) {
  return item.split + ":" + item.name;
}

/// Whether a folder holds a picture's masks as one file for each object: NAME/images, NAME/masks.
bool has_object_folders(const std::filesystem::path& folder);
/// Whether a folder holds TIFF files of several pages.
bool has_stacks(const std::filesystem::path& folder);

/// What a JSON file holds, by the keys in its text: "coco", "panoptic", "labelme", "geojson", or
/// empty for none of them.
std::string json_format(const std::filesystem::path& file);

/// The JSON files of a format: `path` itself, or those in a folder and its "annotations". Throws
/// Error if there are none.
std::vector<std::filesystem::path> json_files(const std::filesystem::path& path,
                                              const std::string& format);

/// Where the pictures of a file or folder of annotations are looked for.
std::filesystem::path pictures_root(const std::filesystem::path& annotations,
                                    const SourceOptions& options);

/// Tells of pictures that are not there. Throws Error if no item is left.
void note_missing(const std::filesystem::path& path, const std::vector<std::string>& missing,
                  LabelSource& source);

/// Pictures and masks below a folder by any end of their path.
class PictureFinder {
 public:
  explicit PictureFinder(const std::filesystem::path& root);

  /// By the path from the root, else by the longest end of it that one file alone has, else by that
  /// end without extension. Empty: none.
  std::filesystem::path find(const std::string& file) const;

 private:
  std::filesystem::path root_;
  std::unordered_map<std::string, std::filesystem::path> by_end_;  // ambiguous ends: empty paths
};

/// The files of a folder with this extension (lower case), sorted; all below it if `deep`.
std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder,
                                            const std::string& extension, bool deep);

/// A path without what would lead out of a folder: "../a//b.png" is "a/b.png".
std::filesystem::path safe_path(const std::string& file);

/// "a/b" of "a/b.png".
std::string without_extension(const std::filesystem::path& path);

/// Gives items the stems of their files; paths without extension, or paths, where these repeat in a
/// split.
void name_items(const std::vector<std::string>& files, std::vector<LabelItem>& items);

/// "train" for "instances_train2017.json" and "train/a.jpg"; empty if no word is a split's.
std::string split_in(const std::string& path);

/// The classes in a legend file or a dataset.toml; ignored ones are left out.
std::vector<ClassInfo> read_classes(const std::filesystem::path& file);

/// The source of what the annotations at `path` say; pictures are looked for if options say so.
LabelSource drawn_source(const std::filesystem::path& path, DrawnSet set,
                         const SourceOptions& options);

}  // namespace segmentum
