// What the label doctor finds: one fault of a data set, the files that show it, and what to do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace segmentum {

enum class Severity : std::uint8_t {
  note,     // worth knowing
  warning,  // a person should look
  error,    // training would stop, or learn something else than what was meant
};

/// "note", "warning", "error".
const char* severity_name(Severity severity);

/// The faults that are looked for; `fault_name` is their word in messages, JSON and documents.
enum class Fault : std::uint8_t {
  // Files and pairs.
  cannot_train,
  missing_file,
  unreadable_picture,
  unreadable_mask,
  no_mask,
  no_picture,
  wrong_pair,
  shared_mask,
  size_mismatch,
  rotated_picture,
  picture_channels,
  constant_picture,
  // How masks are stored.
  mixed_encodings,
  palette_order,
  alpha_mask,
  wide_mask,
  jpeg_mask,
  soft_edges,
  interpolated_labels,
  // What their values mean.
  unknown_values,
  zero_one_255,
  scaled_values,
  one_based,
  zero_based,
  label_ids,
  grey_of_colours,
  swapped_colours,
  object_numbers,
  mostly_ignored,
  constant_mask,
  empty_masks,
  missing_class,
  // Splits.
  empty_split,
  same_file,
  duplicate_across_splits,
  duplicate_in_split,
  similar_across_splits,
  shared_groups,
};
const char* fault_name(Fault fault);

/// A file that shows a fault.
struct FaultyFile {
  std::filesystem::path path;  // relative to the root
  std::string detail;          // what is special to this one; may be empty
  std::string split;           // where it belongs to a sample: which
  int index = -1;              // in its split
};

struct Finding {
  Fault fault;
  Severity severity;
  std::string what;               // one line: what is
  std::string fix;                // one line: what to do; may be empty for notes
  std::vector<FaultyFile> files;  // all of them
  std::int64_t count = 0;         // of files
  bool repaired = false;          // by `repair_dataset`

  void add(FaultyFile file) {
    files.push_back(std::move(file));
    ++count;
  }
};

/// What is found and the first of its files, as one line: "masks are ..., such as a.png: detail".
std::string line_of(const Finding& finding);

}  // namespace segmentum
