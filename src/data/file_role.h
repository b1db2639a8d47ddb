// What the names of files and folders say: picture or mask, train or test, and what pairs them.
#pragma once

#include <filesystem>
#include <string>

namespace segmentum {

/// What a path says of its file.
struct FileRole {
  enum class Kind { unknown, image, mask, other } kind = Kind::unknown;
  std::string word;   // by which a mask was recognised: "masks", "fg", "segmentationclass"
  std::string split;  // "train", "val", "test" or empty
  std::string key;    // what is left of the path: the same for a picture and its mask
};

/// Reads the role from a path relative to the data set's root: from its folders ("images",
/// "trainannot", "SegmentationClass"), and from the first or last part of its stem
/// ("plant001_fg.png", "mask_12.png"), which outweighs the folders.
FileRole file_role(const std::filesystem::path& path);

/// "train", "val" or "test" for the words used for them ("training", "valid", ...), else empty.
std::string split_word(const std::string& word);

/// How good a sign a mask word is: of several masks for one picture the least rank is taken.
int mask_word_rank(const std::string& word);

/// True for the extensions jpg and jpeg, or tif and tiff, in any case.
bool is_jpeg_file(const std::filesystem::path& path);
bool is_tiff_file(const std::filesystem::path& path);

/// In lower case, ASCII only.
std::string lower_case(std::string text);

}  // namespace segmentum
