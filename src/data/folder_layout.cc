#include "data/folder_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/file.h"
#include "data/file_role.h"
#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

struct Files {
  std::vector<fs::path> pictures;  // relative to the root, sorted
  std::vector<fs::path> lists;     // text files where lists use to lie
};

struct Pair {
  Sample sample;
  std::string split;
  std::string key;
};

bool may_be_list(const fs::path& path) {
  const std::string extension = lower_case(path.extension().string());
  if (extension != ".txt" && extension != ".lst" && extension != ".csv") return false;
  const std::string folder = lower_case(path.parent_path().generic_string());
  return folder.empty() || folder == "imagesets/segmentation" || folder == "imagesets" ||
         folder == "lists" || folder == "splits";
}

/// Throws Error if a folder cannot be read.
Files scan(const fs::path& root) {
  Files files;
  std::error_code code, unknown;
  fs::recursive_directory_iterator at(root, fs::directory_options::skip_permission_denied, code);
  for (; !code && at != fs::recursive_directory_iterator(); at.increment(code)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with('.') || name == "__MACOSX") {
      if (at->is_directory(unknown)) at.disable_recursion_pending();
      continue;
    }
    if (!at->is_regular_file(unknown)) continue;
    const fs::path path = at->path().lexically_relative(root);
    if (is_image_file(path)) files.pictures.push_back(path);
    if (may_be_list(path)) files.lists.push_back(path);
  }
  if (code) throw Error::in_file(root.string(), "cannot read the folder: " + code.message());
  std::ranges::sort(files.pictures);
  std::ranges::sort(files.lists);
  return files;
}

// "train" for train.txt and train_list.txt, "fold1_train" for fold1_train.txt.
std::string split_of_list(const fs::path& list) {
  std::string stem = lower_case(list.stem().string());
  for (const char* ending : {"_list", "_files", "_set", "_images", "_ids", "list", "set"}) {
    if (!stem.ends_with(ending)) continue;
    std::string split = split_word(stem.substr(0, stem.size() - std::string(ending).size()));
    if (!split.empty()) return split;
  }
  const std::string split = split_word(stem);
  return split.empty() ? list.stem().string() : split;
}

// ---- list files of "image mask" lines -----------------------------------------------------------

bool names_file(const fs::path& root, const std::string& path) {
  return is_image_file(path) && fs::is_regular_file(root / path);
}

// Of a line that names no pair: the file that is not there.
fs::path first_absent(const fs::path& root, const ListLine& line) {
  for (const std::string& field : line.fields) {
    if (!names_file(root, field)) return field;
  }
  return line.fields.front();
}

// Reads one list into the layout; false if it is no list of pictures and masks.
bool read_pair_list(const fs::path& root, const fs::path& list, FolderLayout& layout) {
  std::vector<ListLine> lines = parse_list(read_file(root / list));
  const std::size_t all = lines.size();
  std::string missing;
  std::vector<fs::path> absent;
  std::erase_if(lines, [&](const ListLine& line) {
    const bool there = line.fields.size() >= 2 && names_file(root, line.fields[0]) &&
                       names_file(root, line.fields[1]);
    if (!there && missing.empty()) {
      missing = fmt::format("line {} (\"{}\")", line.number, fmt::join(line.fields, " "));
    }
    if (!there) absent.push_back(first_absent(root, line));
    return !there;
  });
  if (lines.empty() || 2 * lines.size() < all) return false;
  layout.absent.insert(layout.absent.end(), absent.begin(), absent.end());
  std::string split = split_of_list(list);
  if (layout.splits.contains(split)) split = list.stem().string();
  if (layout.splits.contains(split)) return false;
  std::size_t with_instances = 0, extra = 0;
  for (ListLine& line : lines) {
    const bool instances = line.fields.size() > 2 && names_file(root, line.fields[2]);
    with_instances += instances;
    extra += line.fields.size() > (instances ? 3 : 2);
    line.fields.resize(instances ? 3 : 2);
  }
  layout.splits[split] = samples_of_list(lines, {});
  layout.notes.push_back(fmt::format("{}: {} pictures with masks, split \"{}\"",
                                     list.generic_string(), lines.size(), split));
  if (with_instances > 0) {
    layout.notes.push_back(fmt::format("{}: {} of them with instance maps (third column)",
                                       list.generic_string(), with_instances));
  }
  if (extra > 0) {
    layout.notes.push_back(fmt::format("{}: columns after the {} are not used",
                                       list.generic_string(),
                                       with_instances > 0 ? "third" : "second"));
  }
  if (lines.size() == all) {
    layout.lists[split] = list;
  } else {
    layout.notes.push_back(
        fmt::format("{}: {} of {} lines name no pair of existing files and are left out, first {}",
                    list.generic_string(), all - lines.size(), all, missing));
  }
  return true;
}

// ---- pairs by name ------------------------------------------------------------------------------

// The pictures by what pairs them; a picture that says so itself goes before one that only may be.
class PictureIndex {
 public:
  void add(const FileRole& role, const fs::path& path) {
    const auto put = [&](const std::string& key) {
      const auto [found, added] = by_key_.try_emplace(key, Entry{path, role.kind});
      if (!added && role.kind == FileRole::Kind::image &&
          found->second.kind == FileRole::Kind::unknown) {
        found->second = {path, role.kind};
      }
    };
    put(role.split + ":" + role.key);
    if (!role.split.empty()) put("*:" + role.key);
  }

  const fs::path* find(const FileRole& mask) const {
    std::vector<std::string> keys = {mask.split + ":" + mask.key};
    keys.push_back((mask.split.empty() ? "*:" : ":") + mask.key);
    for (const std::string& key : keys) {
      const auto found = by_key_.find(key);
      if (found != by_key_.end()) return &found->second.path;
    }
    return nullptr;
  }

 private:
  struct Entry {
    fs::path path;
    FileRole::Kind kind;
  };
  std::unordered_map<std::string, Entry> by_key_;
};

// The first mask of each picture; the others are named in a note.
std::vector<Pair> one_mask_each(const std::vector<Pair>& pairs, FolderLayout& layout) {
  std::set<fs::path> pictures;
  std::vector<Pair> kept;
  const Pair* left_out = nullptr;
  for (const Pair& pair : pairs) {
    if (pictures.insert(pair.sample.image).second) {
      kept.push_back(pair);
    } else if (left_out == nullptr) {
      left_out = &pair;
    }
  }
  if (left_out != nullptr) {
    layout.notes.push_back(fmt::format("second masks of a picture are not used: {} like {}",
                                       pairs.size() - kept.size(),
                                       left_out->sample.mask.generic_string()));
  }
  return kept;
}

std::vector<Pair> pairs_by_role(const Files& files, FolderLayout& layout) {
  PictureIndex pictures;
  std::vector<std::pair<FileRole, fs::path>> masks;
  for (const fs::path& path : files.pictures) {
    FileRole role = file_role(path);
    if (role.kind == FileRole::Kind::mask) {
      masks.emplace_back(std::move(role), path);
    } else if (role.kind != FileRole::Kind::other) {
      pictures.add(role, path);
    }
  }
  std::map<std::string, std::vector<Pair>> by_word;
  for (const auto& [role, path] : masks) {
    const fs::path* picture = pictures.find(role);
    if (picture == nullptr) continue;
    const FileRole picture_role = file_role(*picture);
    const std::string split = picture_role.split.empty() ? role.split : picture_role.split;
    by_word[role.word].push_back({{.image = *picture, .mask = path}, split, role.key});
  }
  if (by_word.empty()) return {};
  const auto best = std::ranges::min_element(by_word, [](const auto& a, const auto& b) {
    if (a.second.size() != b.second.size()) return a.second.size() > b.second.size();
    return mask_word_rank(a.first) < mask_word_rank(b.first);
  });
  for (const auto& [word, pairs] : by_word) {
    if (word == best->first) continue;
    layout.notes.push_back(fmt::format("other masks are not used: {} like {}", pairs.size(),
                                       pairs.front().sample.mask.generic_string()));
  }
  return one_mask_each(best->second, layout);
}

// x.jpg and x.png in one folder: the lossy one is the picture.
std::vector<Pair> pairs_by_extension(const Files& files) {
  std::map<fs::path, fs::path> photos;  // path without extension -> jpg
  const auto bare = [](fs::path path) { return path.replace_extension(); };
  for (const fs::path& path : files.pictures) {
    if (is_jpeg_file(path)) photos[bare(path)] = path;
  }
  std::vector<Pair> pairs;
  for (const fs::path& path : files.pictures) {
    const auto photo = photos.find(bare(path));
    if (is_jpeg_file(path) || photo == photos.end()) continue;
    FileRole role = file_role(path);
    pairs.push_back({{.image = photo->second, .mask = path}, role.split, role.key});
  }
  return pairs;
}

// ---- lists of names over pairs ------------------------------------------------------------------

// A pair under all the names that a list may use for it; an ambiguous name stands for none.
std::unordered_map<std::string, const Pair*> pairs_by_name(const std::vector<Pair>& pairs) {
  std::unordered_map<std::string, const Pair*> by_name;
  for (const Pair& pair : pairs) {
    const fs::path& image = pair.sample.image;
    const std::set<std::string> names = {
        image.generic_string(), (image.parent_path() / image.stem()).generic_string(),
        image.filename().string(), image.stem().string(), pair.key};
    for (const std::string& name : names) {
      const auto [found, added] = by_name.try_emplace(name, &pair);
      if (!added) found->second = nullptr;
    }
  }
  return by_name;
}

void read_name_list(const fs::path& root, const fs::path& list,
                    const std::unordered_map<std::string, const Pair*>& by_name,
                    FolderLayout& layout) {
  const std::vector<ListLine> lines = parse_list(read_file(root / list));
  std::vector<Sample> samples;
  std::vector<fs::path> absent;
  for (const ListLine& line : lines) {
    const auto found = by_name.find(line.fields[0]);
    if (found != by_name.end() && found->second != nullptr) {
      samples.push_back(found->second->sample);
    } else {
      absent.emplace_back(line.fields[0]);
    }
  }
  const std::string split = split_of_list(list);
  if (samples.empty() || 2 * samples.size() < lines.size() || layout.splits.contains(split)) return;
  layout.absent.insert(layout.absent.end(), absent.begin(), absent.end());
  layout.notes.push_back(
      fmt::format("{}: {} pictures, split \"{}\"", list.generic_string(), samples.size(), split));
  if (samples.size() < lines.size()) {
    layout.notes.push_back(fmt::format("{}: {} names have no picture and mask and are left out",
                                       list.generic_string(), lines.size() - samples.size()));
  }
  const bool complete = !layout.patterns.empty() && samples.size() == lines.size() &&
                        std::ranges::equal(samples_of_list(lines, layout.patterns), samples,
                                           [](const Sample& a, const Sample& b) {
                                             return a.image == b.image && a.mask == b.mask;
                                           });
  if (complete) layout.lists[split] = list;
  layout.splits[split] = std::move(samples);
}

// The pattern around the longest end that picture and mask have in common, before the extension.
PathPatterns patterns_of(const Sample& sample) {
  const fs::path &image = sample.image, &mask = sample.mask;
  const std::string image_stem = image.stem().string(), mask_stem = mask.stem().string();
  std::size_t common = 0;
  while (common < std::min(image_stem.size(), mask_stem.size()) &&
         image_stem[common] == mask_stem[common]) {
    ++common;
  }
  if (common == 0) return {};
  const auto pattern = [&](const fs::path& path, const std::string& stem) {
    const std::string folder = path.parent_path().generic_string();
    return (folder.empty() ? "" : folder + "/") + "{}" + stem.substr(common) +
           path.extension().string();
  };
  // "plant001_" is common to _rgb and _fg; the separator belongs to the ending.
  if (common < image_stem.size() || common < mask_stem.size()) {
    while (common > 1 && std::string("_- .").find(image_stem[common - 1]) != std::string::npos) {
      --common;
    }
  }
  return {pattern(image, image_stem), pattern(mask, mask_stem)};
}

PathPatterns common_patterns(const std::vector<Pair>& pairs) {
  std::map<std::pair<std::string, std::string>, std::size_t> counts;
  for (const Pair& pair : pairs) {
    const PathPatterns patterns = patterns_of(pair.sample);
    ++counts[{patterns.image, patterns.mask}];
  }
  for (const auto& [patterns, count] : counts) {
    if (2 * count > pairs.size()) return {patterns.first, patterns.second};
  }
  return {};
}

std::string describe(const std::vector<Pair>& pairs) {
  const Sample& first = pairs.front().sample;
  return fmt::format("pictures with masks: {}, such as {} and {}", pairs.size(),
                     first.image.generic_string(), first.mask.generic_string());
}

void divide(const fs::path& root, const Files& files, const std::vector<Pair>& pairs,
            FolderLayout& layout) {
  layout.notes.push_back(describe(pairs));
  layout.patterns = common_patterns(pairs);
  const auto by_name = pairs_by_name(pairs);
  for (const fs::path& list : files.lists) read_name_list(root, list, by_name, layout);
  if (!layout.splits.empty()) return;
  for (const Pair& pair : pairs) {
    layout.splits[pair.split.empty() ? kUndivided : pair.split].push_back(pair.sample);
  }
  if (!layout.splits.contains(kUndivided)) {
    layout.notes.push_back("the folders' names divide them");
  }
}

}  // namespace

FolderLayout find_samples(const fs::path& root) {
  const Files files = scan(root);
  if (files.pictures.empty()) {
    throw Error::in_file(root.string(),
                         "holds no PNG, JPEG or TIFF picture; expected pictures and their masks, "
                         "such as images/a.png and masks/a.png");
  }
  FolderLayout layout;
  for (const fs::path& list : files.lists) read_pair_list(root, list, layout);
  if (!layout.splits.empty()) return layout;
  std::vector<Pair> pairs = pairs_by_role(files, layout);
  if (pairs.empty()) pairs = pairs_by_extension(files);
  if (!pairs.empty()) divide(root, files, pairs, layout);
  return layout;
}

}  // namespace segmentum
