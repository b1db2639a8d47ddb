#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <set>
#include <string_view>

#include "annotations/source_formats.h"
#include "base/file.h"
#include "data/class_legend.h"
#include "data/dataset_file.h"
#include "data/file_role.h"
#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

/// Calls `visit` for the files of a folder, hidden ones left out.
template <typename Visit>
void for_each_file(const fs::path& folder, bool deep, const Visit& visit) {
  std::error_code code, unknown;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, code);
  for (; !code && at != fs::recursive_directory_iterator(); at.increment(code)) {
    const bool hidden = at->path().filename().string().starts_with('.');
    if (at->is_directory(unknown) && (hidden || !deep)) at.disable_recursion_pending();
    if (!hidden && at->is_regular_file(unknown)) visit(at->path());
  }
  if (code) throw Error::in_file(folder.string(), "cannot read the folder: " + code.message());
}

/// The ends of "a/b/c": itself, "b/c", "c".
template <typename Visit>
void for_each_end(std::string_view path, const Visit& visit) {
  while (!path.empty()) {
    visit(std::string(path));
    const std::size_t slash = path.find('/');
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
}

}  // namespace

std::string without_extension(const fs::path& path) {
  return (path.parent_path() / path.stem()).generic_string();
}

PictureFinder::PictureFinder(const fs::path& root) : root_(root) {
  for_each_file(root, true, [&](const fs::path& file) {
    if (!is_image_file(file)) return;
    const fs::path inside = file.lexically_relative(root);
    const auto add = [&](const std::string& end) {
      const auto [found, added] = by_end_.try_emplace(end, inside);
      if (!added && found->second != inside) found->second.clear();
    };
    for_each_end(inside.generic_string(), add);
    for_each_end(without_extension(inside), add);
  });
}

fs::path PictureFinder::find(const std::string& file) const {
  const fs::path safe = safe_path(file);
  if (safe.empty()) return {};
  fs::path found;
  const auto look = [&](const std::string& end) {
    const auto at = by_end_.find(end);
    if (found.empty() && at != by_end_.end() && !at->second.empty()) found = root_ / at->second;
  };
  std::error_code unknown;
  if (fs::is_regular_file(root_ / safe, unknown) && is_image_file(safe)) return root_ / safe;
  for_each_end(safe.generic_string(), look);
  for_each_end(without_extension(safe), look);
  return found;
}

std::vector<fs::path> files_of(const fs::path& folder, const std::string& extension, bool deep) {
  std::vector<fs::path> files;
  for_each_file(folder, deep, [&](const fs::path& file) {
    if (lower_case(file.extension().string()) == extension) files.push_back(file);
  });
  std::ranges::sort(files);
  return files;
}

fs::path safe_path(const std::string& file) {
  fs::path safe;
  for (const fs::path& part : fs::path(file).relative_path()) {
    if (!part.empty() && part != "." && part != "..") safe /= part;
  }
  return safe;
}

void name_items(const std::vector<std::string>& files, std::vector<LabelItem>& items) {
  std::map<std::string, int> counts;  // of stems and of paths without extension
  const auto stem = [&](std::size_t i) { return safe_path(files[i]).stem().string(); };
  const auto path = [&](std::size_t i) { return without_extension(safe_path(files[i])); };
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (const std::string& name : std::set{stem(i), path(i)})
      ++counts[items[i].split + ":" + name];
  }
  const auto alone = [&](std::size_t i, const std::string& name) {
    return counts[items[i].split + ":" + name] == 1;
  };
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].name = alone(i, stem(i))   ? stem(i)
                    : alone(i, path(i)) ? path(i)
                                        : safe_path(files[i]).generic_string();
    if (items[i].name.empty()) throw Error("a picture has no name");
  }
}

std::string split_in(const std::string& path) {
  std::string word, split;
  for (const char c : path + "/") {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      word += c;
      continue;
    }
    if (const std::string found = split_word(lower_case(word)); !found.empty()) split = found;
    word.clear();
  }
  return split;
}

std::vector<ClassInfo> read_classes(const fs::path& file) {
  if (lower_case(file.extension().string()) == ".toml") return read_dataset_file(file).classes;
  const std::vector<LegendEntry> entries = parse_legend(read_file(file));
  const Palette usual = Palette::voc(static_cast<int>(entries.size()));
  std::vector<ClassInfo> classes;
  for (const LegendEntry& entry : entries) {
    if (entry.ignore) continue;
    classes.push_back({entry.name, entry.colour.value_or(usual.colours[classes.size()])});
  }
  if (!classes.empty()) return classes;
  throw Error::in_file(file.string(),
                       "names no classes; expected a dataset.toml, or lines with a name each as in "
                       "classes.csv");
}

std::string json_format(const fs::path& file) {
  const std::string text = read_file(file);
  const auto has = [&](std::string_view key) { return text.find(key) != std::string::npos; };
  if (has("\"FeatureCollection\"")) return "geojson";
  if (has("\"annotations\"") && has("\"categories\""))
    return has("\"segments_info\"") ? "panoptic" : "coco";
  if (has("\"shapes\"")) return "labelme";
  return "";
}

std::vector<fs::path> json_files(const fs::path& path, const std::string& format) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const fs::path& folder : {path, path / "annotations"}) {
    if (!fs::is_directory(folder)) continue;
    for (const fs::path& file : files_of(folder, ".json", false)) {
      if (json_format(file) == format) files.push_back(file);
    }
  }
  // COCO keeps the joints of persons beside its objects.
  const std::string start = format == "coco" ? "instances" : "panoptic";
  const auto is_named = [&](const fs::path& file) {
    return file.filename().string().starts_with(start);
  };
  if (std::ranges::any_of(files, is_named)) std::erase_if(files, std::not_fn(is_named));
  if (!files.empty()) return files;
  throw Error::in_file(path.string(), "holds no COCO annotations of this kind (*.json)");
}

fs::path pictures_root(const fs::path& annotations, const SourceOptions& options) {
  if (!options.images.empty()) return options.images;
  fs::path folder = fs::absolute(annotations).lexically_normal();
  if (!fs::is_directory(folder) || !folder.has_filename()) folder = folder.parent_path();
  const std::string name = lower_case(folder.filename().string());
  bool beside = name == "annotations";
  if (name == "geojson") {  // ours lies beside images/, but the folder of both may be called so
    beside = true;
    for_each_file(folder, true,
                  [&](const fs::path& file) { beside = beside && !is_image_file(file); });
  }
  return beside ? folder.parent_path() : folder;
}

}  // namespace segmentum
