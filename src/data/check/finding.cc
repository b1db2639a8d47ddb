#include "data/check/finding.h"

#include <array>
#include <cassert>
#include <utility>

namespace segmentum {
namespace {

constexpr std::array kNames = {
    std::pair{Fault::cannot_train, "cannot-train"},
    std::pair{Fault::missing_file, "missing-file"},
    std::pair{Fault::unreadable_picture, "unreadable-picture"},
    std::pair{Fault::unreadable_mask, "unreadable-mask"},
    std::pair{Fault::no_mask, "no-mask"},
    std::pair{Fault::no_picture, "no-picture"},
    std::pair{Fault::wrong_pair, "wrong-pair"},
    std::pair{Fault::shared_mask, "shared-mask"},
    std::pair{Fault::size_mismatch, "size-mismatch"},
    std::pair{Fault::rotated_picture, "rotated-picture"},
    std::pair{Fault::picture_channels, "picture-channels"},
    std::pair{Fault::constant_picture, "constant-picture"},
    std::pair{Fault::mixed_encodings, "mixed-encodings"},
    std::pair{Fault::palette_order, "palette-order"},
    std::pair{Fault::alpha_mask, "alpha-mask"},
    std::pair{Fault::wide_mask, "wide-mask"},
    std::pair{Fault::jpeg_mask, "jpeg-mask"},
    std::pair{Fault::soft_edges, "soft-edges"},
    std::pair{Fault::interpolated_labels, "interpolated-labels"},
    std::pair{Fault::unknown_values, "unknown-values"},
    std::pair{Fault::zero_one_255, "0-1-255"},
    std::pair{Fault::scaled_values, "scaled-values"},
    std::pair{Fault::one_based, "one-based"},
    std::pair{Fault::zero_based, "zero-based"},
    std::pair{Fault::label_ids, "label-ids"},
    std::pair{Fault::grey_of_colours, "grey-of-colours"},
    std::pair{Fault::swapped_colours, "swapped-colours"},
    std::pair{Fault::object_numbers, "object-numbers"},
    std::pair{Fault::mostly_ignored, "mostly-ignored"},
    std::pair{Fault::constant_mask, "constant-mask"},
    std::pair{Fault::empty_masks, "empty-masks"},
    std::pair{Fault::missing_class, "missing-class"},
    std::pair{Fault::empty_split, "empty-split"},
    std::pair{Fault::same_file, "same-file"},
    std::pair{Fault::duplicate_across_splits, "duplicate-across-splits"},
    std::pair{Fault::duplicate_in_split, "duplicate-in-split"},
    std::pair{Fault::similar_across_splits, "similar-across-splits"},
    std::pair{Fault::shared_groups, "shared-groups"},
};

}  // namespace

const char* severity_name(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      break;
  }
  return "error";
}

const char* fault_name(Fault fault) {
  for (const auto& [known, name] : kNames) {
    if (known == fault) return name;
  }
  assert(false);
  return "";
}

std::string line_of(const Finding& finding) {
  if (finding.files.empty()) return finding.what;
  const FaultyFile& file = finding.files.front();
  const std::string line = finding.what + ", such as " + file.path.generic_string();
  return file.detail.empty() ? line : line + ": " + file.detail;
}

}  // namespace segmentum
