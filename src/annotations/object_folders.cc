// One folder for each picture, with a mask file for each object: NAME/images/NAME.png,
// NAME/masks/*.png, as Kaggle's nuclei lie.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "annotations/source_formats.h"
#include "base/counted.h"
#include "data/label_values.h"
#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

struct ObjectFolder {
  fs::path image;
  std::vector<fs::path> masks;
};

std::vector<fs::path> pictures_in(const fs::path& folder) {
  std::vector<fs::path> pictures;
  std::error_code code;
  for (fs::directory_iterator at(folder, code); !code && at != fs::directory_iterator();
       at.increment(code)) {
    if (is_image_file(at->path()) && !at->path().filename().string().starts_with('.')) {
      pictures.push_back(at->path());
    }
  }
  std::ranges::sort(pictures);
  return pictures;
}

std::optional<ObjectFolder> object_folder(const fs::path& folder) {
  if (!fs::is_directory(folder / "images") || !fs::is_directory(folder / "masks"))
    return std::nullopt;
  const std::vector<fs::path> pictures = pictures_in(folder / "images");
  if (pictures.size() != 1) return std::nullopt;
  return ObjectFolder{pictures.front(), pictures_in(folder / "masks")};
}

/// The folders of pictures in `root` itself and in its folders, such as stage1_train.
std::vector<fs::path> picture_folders(const fs::path& root) {
  std::vector<fs::path> folders{root};
  std::error_code code;
  for (fs::recursive_directory_iterator at(root, code);
       !code && at != fs::recursive_directory_iterator(); at.increment(code)) {
    if (!at->is_directory()) continue;
    const bool hidden = at->path().filename().string().starts_with('.');
    if (hidden || at.depth() >= 3) at.disable_recursion_pending();
    if (!hidden) folders.push_back(at->path());
  }
  std::ranges::sort(folders);
  return folders;
}

void check_size(const RawMask& mask, const ImageSize& picture, const fs::path& file) {
  if (mask.values.height() == picture.height && mask.values.width() == picture.width) return;
  throw Error::in_file(
      file.string(),
      fmt::format("is {}x{}, but its picture is {}x{} (width x height)", mask.values.width(),
                  mask.values.height(), picture.width, picture.height));
}

/// Whatever is not 0 belongs to the object; a later one lies on top.
void paint_mask(const RawMask& mask, std::uint16_t number, Labelling& labelling) {
  std::vector<std::uint32_t> row;
  for (int y = 0; y < labelling.labels.height(); ++y) {
    mask_row(mask, LabelEncoding::Kind::value, y, row);
    for (int x = 0; x < labelling.labels.width(); ++x) {
      if (row[static_cast<std::size_t>(x)] == 0) continue;
      labelling.overlapping += labelling.labels(y, x) != 0;
      labelling.labels(y, x) = 1;
      labelling.instances(y, x) = number;
    }
  }
}

Labelling read_folder(const ObjectFolder& folder) {
  const ImageSize size = image_size(folder.image);
  if (folder.masks.size() >= kUncovered) {
    throw Error::in_file(folder.image.string(), fmt::format("has {} masks", folder.masks.size()));
  }
  Labelling labelling{LabelMap(size.height, size.width), LabelMap(size.height, size.width)};
  std::uint16_t number = 0;
  for (const fs::path& file : folder.masks) {
    const RawMask mask = read_mask(file);
    check_size(mask, size, file);
    paint_mask(mask, ++number, labelling);
  }
  return labelling;
}

}  // namespace

bool has_object_folders(const fs::path& folder) {
  // A folder with one picture and one mask is an ordinary data set.
  return std::ranges::any_of(picture_folders(folder), [](const fs::path& path) {
    const auto found = object_folder(path);
    return found &&
           (found->masks.size() > 1 ||
            (found->masks.size() == 1 && found->masks.front().stem() != found->image.stem()));
  });
}

LabelSource open_object_folders(const fs::path& folder, const SourceOptions& options) {
  const auto by_item = std::make_shared<std::map<std::string, ObjectFolder>>();
  LabelSource source{.has_objects = true};
  std::size_t masks = 0;
  for (const fs::path& path : picture_folders(folder)) {
    std::optional<ObjectFolder> found = object_folder(path);
    if (!found) continue;
    const fs::path inside = path.lexically_relative(folder);
    LabelItem item{.name = found->image.stem().string(),
                   .split = split_in(inside.parent_path().generic_string()),
                   .image = options.pictures ? found->image : fs::path()};
    masks += found->masks.size();
    (*by_item)[key_of(item)] = std::move(*found);
    source.items.push_back(std::move(item));
  }
  if (source.items.empty()) {
    throw Error::in_file(
        folder.string(),
        "holds no folders with one mask for each object; expected NAME/images/NAME.png "
        "and NAME/masks/*.png");
  }
  source.classes = {{"background", {}}, {"object", {128, 0, 0}}};
  if (!options.classes.empty()) source.classes = read_classes(options.classes);
  if (source.classes.size() != 2) {
    throw Error::in_file(options.classes.string(),
                         "is expected to name two classes: background and the objects");
  }
  source.what = fmt::format("{} with {}, a mask file each", counted(source.items.size(), "picture"),
                            counted(masks, "object"));
  source.read = [by_item](const LabelItem& item) { return read_folder(by_item->at(key_of(item))); };
  return source;
}

}  // namespace segmentum
