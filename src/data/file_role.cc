#include "data/file_role.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <vector>

namespace segmentum {
namespace {

// Best sign first: class masks before what may be instances or drawings.
constexpr std::array<std::string_view, 24> kMaskWords = {"segmentationclass",
                                                         "labeltrainids",
                                                         "labelids",
                                                         "masks",
                                                         "mask",
                                                         "fg",
                                                         "gt",
                                                         "gts",
                                                         "gtfine",
                                                         "truth",
                                                         "groundtruth",
                                                         "segmentation",
                                                         "segmentations",
                                                         "seg",
                                                         "segs",
                                                         "annotation",
                                                         "annotations",
                                                         "annot",
                                                         "annots",
                                                         "targets",
                                                         "manual1",
                                                         "labels",
                                                         "label",
                                                         "lbl"};
constexpr std::array<std::string_view, 16> kImageWords = {
    "image",  "images",  "img",      "imgs",  "jpegimages", "leftimg8bit", "rgb", "photo",
    "photos", "picture", "pictures", "input", "inputs",     "sat",         "raw", "original"};
// In the names of files only: a folder of this name is one of several volumes.
constexpr std::string_view kStackWord = "volume";
constexpr std::array<std::string_view, 9> kOtherWords = {
    "instance",    "instances", "segmentationobject", "instanceids",  "polygons",
    "predictions", "overlay",   "overlays",           "visualization"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == '_' || c == '-' || c == ' ' || c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  std::erase(parts, "");
  return parts;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : "_") + part;
  return text;
}

// "trainannot" is "train" and "annot"; other words stay whole.
std::vector<std::string> split_compound(const std::string& part) {
  for (const std::string_view split : {"train", "val", "test"}) {
    if (part.starts_with(split) && contains(kMaskWords, part.substr(split.size()))) {
      return {std::string(split), part.substr(split.size())};
    }
  }
  return {part};
}

// CamVid's own folders, whose pictures have masks of the same name with "_L" behind it.
constexpr std::string_view kCamVidPictures = "701_stillsraw_full";
constexpr std::string_view kCamVidMasks = "labeledapproved_full";
constexpr std::string_view kCamVidEnding = "l";

// Takes the words of one folder out of its name; what is left belongs to the key.
void read_folder(const std::string& folder, FileRole& role) {
  if (lower_case(folder) == kCamVidPictures) {
    role.kind = FileRole::Kind::image;
    return;
  }
  if (lower_case(folder) == kCamVidMasks) {
    role.kind = FileRole::Kind::mask;
    role.word = "labels";
    return;
  }
  std::vector<std::string> rest;
  for (const std::string& part : parts_of(lower_case(folder))) {
    for (const std::string& word : split_compound(part)) {
      if (contains(kOtherWords, word)) {
        role.kind = FileRole::Kind::other;
      } else if (contains(kMaskWords, word)) {
        role.kind = FileRole::Kind::mask;
        role.word = word;
      } else if (contains(kImageWords, word)) {
        role.kind = FileRole::Kind::image;
      } else if (const std::string split = split_word(word); !split.empty()) {
        role.split = split;
      } else {
        rest.push_back(word);
      }
    }
  }
  if (!rest.empty()) role.key += joined(rest) + "/";
}

void read_stem(const std::string& stem, FileRole& role) {
  std::vector<std::string> parts = parts_of(lower_case(stem));
  bool decided = false;  // "gtFine_instanceIds" ends in two such words: the last one tells
  const auto take = [&](std::size_t at) {
    const std::string word = parts[at];
    const bool mask = contains(kMaskWords, word), other = contains(kOtherWords, word);
    const bool image = contains(kImageWords, word) || (word == kStackWord && at > 0);
    if (!mask && !other && !image) return false;
    if (!decided && mask) {
      role.kind = FileRole::Kind::mask;
      role.word = word;
    } else if (!decided && other) {
      role.kind = FileRole::Kind::other;
    } else if (role.kind == FileRole::Kind::unknown) {
      role.kind = FileRole::Kind::image;
    }
    decided = true;
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(at));
    return true;
  };
  if (role.kind == FileRole::Kind::mask && parts.size() > 1 && parts.back() == kCamVidEnding) {
    parts.pop_back();
  }
  // One part always stays, for a file named "mask.png".
  bool took_last = false;
  while (parts.size() > 1 && take(parts.size() - 1)) took_last = true;
  if (!took_last && parts.size() > 1) take(0);
  role.key += joined(parts);
}

}  // namespace

bool is_jpeg_file(const std::filesystem::path& path) {
  const std::string extension = lower_case(path.extension().string());
  return extension == ".jpg" || extension == ".jpeg";
}

bool is_tiff_file(const std::filesystem::path& path) {
  const std::string extension = lower_case(path.extension().string());
  return extension == ".tif" || extension == ".tiff";
}

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string split_word(const std::string& word) {
  if (word == "train" || word == "training") return "train";
  if (word == "val" || word == "valid" || word == "validation") return "val";
  if (word == "test" || word == "testing") return "test";
  return "";
}

int mask_word_rank(const std::string& word) {
  return static_cast<int>(std::ranges::find(kMaskWords, word) - kMaskWords.begin());
}

FileRole file_role(const std::filesystem::path& path) {
  FileRole role;
  for (const auto& folder : path.parent_path()) read_folder(folder.string(), role);
  read_stem(path.stem().string(), role);
  return role;
}

}  // namespace segmentum
