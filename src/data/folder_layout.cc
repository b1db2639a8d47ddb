#include "data/folder_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <string_view>
#include <unordered_map>

#include "base/counted.h"
#include "base/file.h"
#include "data/class_legend.h"
#include "data/file_role.h"
#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

struct Files {
  std::vector<fs::path> pictures;  // relative to the root, sorted
  std::vector<fs::path> foreign;   // pictures of kinds that are not read
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
    if (is_foreign_image_file(path)) files.foreign.push_back(path);
    if (may_be_list(path)) files.lists.push_back(path);
  }
  if (code) throw Error::in_file(root.string(), "cannot read the folder: " + code.message());
  std::ranges::sort(files.pictures);
  std::ranges::sort(files.foreign);
  std::ranges::sort(files.lists);
  return files;
}

// ---- list files of "image mask" lines -----------------------------------------------------------

// The longest end of a path that names a picture below the root, since lists may be written where
// the pictures lay elsewhere; empty if none does.
std::string existing_end(const fs::path& root, const std::string& path) {
  if (!is_image_file(path)) return "";
  std::string_view end = path;
  while (!end.empty()) {
    if (fs::is_regular_file(root / end)) return std::string(end);
    const std::size_t slash = end.find('/');
    end.remove_prefix(slash == std::string_view::npos ? end.size() : slash + 1);
  }
  return "";
}

std::string line_text(const ListLine& line) {
  return fmt::format("{}", fmt::join(line.fields, " "));
}

bool names_two_pictures(const ListLine& line) {
  return line.fields.size() >= 2 && is_image_file(line.fields[0]) && is_image_file(line.fields[1]);
}

// A first line that names columns, above lines of pictures.
bool has_header(std::span<const ListLine> lines) {
  return lines.size() > 1 && lines[0].fields.size() > 1 && names_two_pictures(lines[1]) &&
         std::ranges::none_of(lines[0].fields,
                              [](const std::string& field) { return is_image_file(field); });
}

// What a list of "image mask" lines names.
struct PairList {
  std::vector<ListLine> lines;        // with the paths of existing files, two or three
  std::size_t all = 0;                // lines, without a header
  std::size_t of_pictures = 0;        // of them, that name two pictures, there or not
  std::size_t with_instances = 0;     // of `lines`
  std::size_t with_more = 0;          // columns that are not used
  const ListLine* missing = nullptr;  // the first line whose files are not there
  std::vector<fs::path> absent;       // those files, one of each such line
  std::string left_off;               // the beginning of the first path that exists without it
  bool exact = true;                  // all paths exist as they are written

  bool usable() const { return !lines.empty() && 2 * lines.size() >= all; }
};

void add_line(const fs::path& root, const ListLine& line, PairList& list) {
  std::vector<std::string> found;
  for (const std::string& field :
       std::span(line.fields).first(std::min<std::size_t>(line.fields.size(), 3))) {
    std::string end = existing_end(root, field);
    if (end.empty()) break;
    found.push_back(std::move(end));
  }
  if (found.size() < 2 || found[0] == found[1]) {
    if (list.missing == nullptr) list.missing = &line;
    list.absent.emplace_back(line.fields[std::min(found.size(), line.fields.size() - 1)]);
    return;
  }
  const std::size_t left_off = line.fields[0].size() - found[0].size();
  if (list.left_off.empty()) list.left_off = line.fields[0].substr(0, left_off);
  list.exact = list.exact && std::ranges::equal(found, std::span(line.fields).first(found.size()));
  list.with_instances += found.size() > 2;
  list.with_more += line.fields.size() > found.size();
  list.lines.push_back({line.number, std::move(found)});
}

PairList find_pairs(const fs::path& root, std::span<const ListLine> lines) {
  PairList list{.all = lines.size()};
  for (const ListLine& line : lines) {
    list.of_pictures += names_two_pictures(line);
    add_line(root, line, list);
  }
  return list;
}

// Why a list is not used: most of what it names is not there.
std::string unusable_text(const fs::path& list, std::size_t found, std::size_t all,
                          const std::string& what, const std::string& first) {
  return fmt::format("{}: {} of its {} names {} (first: {})", list.generic_string(),
                     found == 0 ? "none" : fmt::format("only {}", found), counted(all, "line"),
                     what, first);
}

void note_pair_list(const fs::path& list, const std::string& split, const PairList& pairs,
                    FolderLayout& layout) {
  const auto note = [&](const std::string& text) {
    layout.notes.push_back(list.generic_string() + ": " + text);
  };
  note(fmt::format("{} with masks, split \"{}\"", counted(pairs.lines.size(), "picture"), split));
  if (!pairs.left_off.empty()) {
    note(fmt::format("its paths are read without \"{}\", as they exist here", pairs.left_off));
  }
  if (pairs.with_instances > 0) {
    note(fmt::format("{} of them with instance maps (third column)", pairs.with_instances));
  }
  if (pairs.with_more > 0) {
    note(fmt::format("columns after the {} are not used",
                     pairs.with_instances > 0 ? "third" : "second"));
  }
  if (pairs.missing != nullptr) {
    note(
        fmt::format("{} of {} lines name no pair of existing files and are left out, first line "
                    "{} (\"{}\")",
                    pairs.all - pairs.lines.size(), pairs.all, pairs.missing->number,
                    line_text(*pairs.missing)));
  }
}

// Reads one list into the layout, if it is one of pictures and masks.
void read_pair_list(const fs::path& root, const fs::path& list, FolderLayout& layout) {
  const std::vector<ListLine> lines = parse_list(read_file(root / list));
  const bool header = has_header(lines);
  PairList pairs = find_pairs(root, std::span(lines).subspan(header ? 1 : 0));
  if (!pairs.usable()) {
    if (pairs.missing != nullptr && 2 * pairs.of_pictures >= pairs.all) {
      layout.unusable[list] = unusable_text(list, pairs.lines.size(), pairs.all, "existing files",
                                            line_text(*pairs.missing));
    }
    return;
  }
  std::string split = split_of_list(list);
  if (layout.splits.contains(split)) split = list.stem().string();
  if (layout.splits.contains(split)) return;
  layout.splits[split] = samples_of_list(pairs.lines, {});
  layout.absent.insert(layout.absent.end(), pairs.absent.begin(), pairs.absent.end());
  note_pair_list(list, split, pairs, layout);
  // The file itself can stand for the split where it says no more and no less.
  if (pairs.missing == nullptr && pairs.exact && !header) layout.lists[split] = list;
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

// By a name, or by a path whose end is the picture's whole path.
const Pair* find_pair(const std::unordered_map<std::string, const Pair*>& by_name,
                      std::string name) {
  const auto found = by_name.find(name);
  if (found != by_name.end()) return found->second;
  for (std::size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/')) {
    name.erase(0, slash + 1);
    const auto end = by_name.find(name);
    if (end != by_name.end() && end->second != nullptr && end->second->sample.image == name) {
      return end->second;
    }
  }
  return nullptr;
}

void read_name_list(const fs::path& root, const fs::path& list,
                    const std::unordered_map<std::string, const Pair*>& by_name,
                    FolderLayout& layout) {
  const std::vector<ListLine> lines = parse_list(read_file(root / list));
  std::vector<Sample> samples;
  std::vector<fs::path> absent;
  for (const ListLine& line : lines) {
    if (const Pair* pair = find_pair(by_name, line.fields[0])) {
      samples.push_back(pair->sample);
    } else {
      absent.emplace_back(line.fields[0]);
    }
  }
  const std::string split = split_of_list(list);
  if (samples.empty() || 2 * samples.size() < lines.size()) {
    if (!absent.empty() && !split_word(split).empty()) {
      layout.unusable.try_emplace(
          list, unusable_text(list, samples.size(), lines.size(), "a picture with a mask here",
                              absent.front().generic_string()));
    }
    return;
  }
  layout.unusable.erase(list);
  if (layout.splits.contains(split)) return;
  layout.absent.insert(layout.absent.end(), absent.begin(), absent.end());
  layout.notes.push_back(fmt::format("{}: {}, split \"{}\"", list.generic_string(),
                                     counted(samples.size(), "picture"), split));
  if (samples.size() < lines.size()) {
    layout.notes.push_back(fmt::format("{}: {} without picture and mask, left out, first {}",
                                       list.generic_string(), counted(absent.size(), "name"),
                                       absent.front().generic_string()));
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

// Pictures beside those that have masks, and what is called a picture anywhere.
void note_pictures_without_mask(const Files& files, const std::vector<Pair>& pairs,
                                FolderLayout& layout) {
  std::set<fs::path> used, picture_folders, mask_folders;
  for (const Pair& pair : pairs) {
    used.insert({pair.sample.image, pair.sample.mask});
    picture_folders.insert(pair.sample.image.parent_path());
    mask_folders.insert(pair.sample.mask.parent_path());
  }
  std::vector<fs::path> unused;
  for (const fs::path& path : files.pictures) {
    if (used.contains(path)) continue;
    const FileRole::Kind kind = file_role(path).kind;
    const fs::path folder = path.parent_path();
    const bool beside =
        picture_folders.contains(folder) && (is_jpeg_file(path) || !mask_folders.contains(folder));
    if (kind == FileRole::Kind::image || (kind == FileRole::Kind::unknown && beside)) {
      unused.push_back(path);
    }
  }
  if (unused.empty()) return;
  layout.notes.push_back(fmt::format("{} without a mask left out, first {}",
                                     counted(unused.size(), "picture"),
                                     unused.front().generic_string()));
}

void divide(const fs::path& root, const Files& files, const std::vector<Pair>& pairs,
            FolderLayout& layout) {
  layout.notes.push_back(describe(pairs));
  note_pictures_without_mask(files, pairs, layout);
  layout.patterns = common_patterns(pairs);
  const auto by_name = pairs_by_name(pairs);
  // Its numbers of classes are no names of pictures, though some may be called 0, 1, 2, ...
  const fs::path legend = find_legend(root).file;
  for (const fs::path& list : files.lists) {
    if (list != legend) read_name_list(root, list, by_name, layout);
  }
  if (!layout.splits.empty()) return;
  for (const Pair& pair : pairs) {
    layout.splits[pair.split.empty() ? kUndivided : pair.split].push_back(pair.sample);
  }
  if (!layout.splits.contains(kUndivided)) {
    layout.notes.push_back("the folders' names divide them");
  }
}

}  // namespace

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

FolderLayout find_samples(const fs::path& root) {
  const Files files = scan(root);
  FolderLayout layout;
  layout.left_out = left_out_text(files.foreign);
  if (files.pictures.empty()) {
    throw Error::in_file(
        root.string(),
        files.foreign.empty()
            ? "holds no PNG, JPEG or TIFF picture; expected pictures and their masks, such as "
              "images/a.png and masks/a.png"
            : "holds no picture that can be read: " + layout.left_out);
  }
  for (const fs::path& list : files.lists) read_pair_list(root, list, layout);
  if (layout.splits.empty()) {
    std::vector<Pair> pairs = pairs_by_role(files, layout);
    if (pairs.empty()) pairs = pairs_by_extension(files);
    if (!pairs.empty()) divide(root, files, pairs, layout);
  }
  for (const auto& [list, text] : layout.unusable) layout.notes.push_back(text);
  if (!layout.left_out.empty()) layout.notes.push_back(layout.left_out);
  return layout;
}

}  // namespace segmentum
