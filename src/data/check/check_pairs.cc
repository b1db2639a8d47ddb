// Pictures without masks, masks without pictures, and masks of other pictures.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "data/check/checkup.h"
#include "data/file_role.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using Paths = std::set<fs::path>;

struct UsedFiles {
  Paths files;  // pictures, masks and instance maps of all splits
  Paths picture_folders;
  Paths mask_folders;
  std::set<std::string> mask_words;  // by which masks were recognised
};

UsedFiles used_files(const Dataset& dataset) {
  UsedFiles used;
  for (const auto& [name, samples] : dataset.splits) {
    for (const Sample& sample : samples) {
      used.files.insert({sample.image, sample.mask, sample.instances});
      used.picture_folders.insert(sample.image.parent_path());
      if (sample.mask.empty()) continue;
      used.mask_folders.insert(sample.mask.parent_path());
      used.mask_words.insert(file_role(sample.mask).word);
    }
  }
  return used;
}

/// Picture files in `folder` below `root` that no split uses.
std::vector<fs::path> unused_in(const fs::path& root, const fs::path& folder,
                                const UsedFiles& used) {
  std::vector<fs::path> unused;
  std::error_code code, unknown;
  for (fs::directory_iterator at(root / folder, code), end; !code && at != end;
       at.increment(code)) {
    const fs::path path = folder / at->path().filename();
    if (path.filename().string().starts_with('.') || !at->is_regular_file(unknown)) continue;
    if (is_image_file(path) && !used.files.contains(path)) unused.push_back(path);
  }
  std::ranges::sort(unused);
  return unused;
}

/// A mask by the word of those in use; in a folder of masks alone, any file.
bool is_mask_like(const fs::path& path, const UsedFiles& used) {
  const FileRole role = file_role(path);
  if (role.kind == FileRole::Kind::other) return false;
  return role.kind == FileRole::Kind::mask ? used.mask_words.contains(role.word)
                                           : !used.picture_folders.contains(path.parent_path());
}

bool is_picture_like(const fs::path& path, const UsedFiles& used) {
  const FileRole::Kind kind = file_role(path).kind;
  if (kind == FileRole::Kind::image) return true;
  return kind == FileRole::Kind::unknown && !used.mask_folders.contains(path.parent_path());
}

/// What a mask and its picture have in common.
std::string pair_key(const fs::path& path) {
  const FileRole role = file_role(path);
  return role.split + ":" + role.key;
}

/// The masks of the data set by that.
std::map<std::string, fs::path> masks_by_key(const Checkup& checkup) {
  std::map<std::string, fs::path> masks;
  for (const CheckedSample& sample : checkup.samples) {
    if (!sample.has_mask()) continue;
    const auto [found, added] = masks.try_emplace(pair_key(sample.sample.mask), sample.sample.mask);
    if (!added && found->second != sample.sample.mask) found->second.clear();  // ambiguous
  }
  return masks;
}

/// The mask beside the listed one that bears the picture's name; empty: there is none.
fs::path namesake(const Checkup& checkup, const CheckedSample& sample,
                  const std::map<std::string, fs::path>& masks, const std::string& key) {
  const auto found = masks.find(key);
  if (found != masks.end() && !found->second.empty()) return found->second;
  fs::path beside = sample.sample.mask.parent_path() / sample.sample.image.stem();
  beside += sample.sample.mask.extension();
  std::error_code unknown;
  return beside != sample.sample.image && fs::exists(checkup.dataset.root / beside, unknown)
             ? beside
             : fs::path();
}

void check_wrong_pairs(Checkup& checkup) {
  std::size_t alike = 0, pairs = 0;
  const auto is_alike = [](const CheckedSample& sample) {
    return pair_key(sample.sample.image) == pair_key(sample.sample.mask);
  };
  for (const CheckedSample& sample : checkup.samples) {
    if (!sample.has_mask()) continue;
    ++pairs;
    alike += is_alike(sample);
  }
  if (alike == pairs || 5 * alike < 4 * pairs) return;  // else names pair nothing here
  const auto masks = masks_by_key(checkup);
  Finding finding{.fault = Fault::wrong_pair,
                  .severity = Severity::error,
                  .what = "pictures are listed with the mask of another picture, by their names",
                  .fix = "correct the list; --fix DIR takes the mask of the same name",
                  .repaired = true};
  for (CheckedSample& sample : checkup.samples) {
    if (!sample.has_mask() || is_alike(sample)) continue;
    const fs::path own = namesake(checkup, sample, masks, pair_key(sample.sample.image));
    if (own.empty()) continue;
    finding.add(sample.mask_file("listed with " + sample.sample.image.generic_string()));
    sample.remedy.own_mask = own;
  }
  checkup.add(std::move(finding));
}

void check_shared_masks(Checkup& checkup) {
  std::map<fs::path, Paths> pictures;
  for (const CheckedSample& sample : checkup.samples) {
    if (sample.has_mask()) pictures[sample.sample.mask].insert(sample.sample.image);
  }
  Finding finding{.fault = Fault::shared_mask,
                  .severity = Severity::error,
                  .what = "masks serve several pictures although they show something",
                  .fix = "give each picture its own mask"};
  Paths told;
  for (const CheckedSample& sample : checkup.samples) {
    const Paths& sharing = pictures[sample.sample.mask];
    const bool empty_mask = sample.mask.readable() && sample.mask.reading.only_class() >= 0;
    if (!sample.has_mask() || sharing.size() < 2 || empty_mask) continue;
    if (!sample.remedy.own_mask.empty() || !told.insert(sample.sample.mask).second) continue;
    finding.add(sample.mask_file(sharing.begin()->generic_string() + " and " +
                                 std::next(sharing.begin())->generic_string()));
  }
  checkup.add(std::move(finding));
}

}  // namespace

void check_leftovers(Checkup& checkup) {
  const fs::path& root = checkup.dataset.root;
  const UsedFiles used = used_files(checkup.dataset);
  const Severity severity = checkup.listed ? Severity::note : Severity::warning;
  Finding pictures{.fault = Fault::no_mask,
                   .severity = severity,
                   .what = checkup.listed ? "pictures beside the listed ones are not listed"
                                          : "pictures have no mask of their name and are left out",
                   .fix = checkup.listed ? "" : "label them, or give their masks the same names"};
  Finding masks{.fault = Fault::no_picture,
                .severity = severity,
                .what = checkup.listed ? "masks beside the listed ones are not listed"
                                       : "masks have no picture of their name and are left out",
                .fix = checkup.listed ? "" : "is the picture missing, or called otherwise?"};
  for (const fs::path& folder : used.picture_folders) {
    for (const fs::path& path : unused_in(root, folder, used)) {
      if (is_picture_like(path, used)) pictures.add({.path = path});
    }
  }
  for (const fs::path& folder : used.mask_folders) {
    for (const fs::path& path : unused_in(root, folder, used)) {
      if (is_mask_like(path, used)) masks.add({.path = path});
    }
  }
  checkup.add(std::move(pictures));
  checkup.add(std::move(masks));
}

void check_pairs(Checkup& checkup) {
  check_wrong_pairs(checkup);
  check_shared_masks(checkup);
}

}  // namespace segmentum
