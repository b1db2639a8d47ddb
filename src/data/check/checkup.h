// A data set under examination: its description, what was read of each sample, and what was found.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/check/finding.h"
#include "data/check/fingerprint.h"
#include "data/check/mask_facts.h"
#include "data/check/other_readings.h"
#include "data/dataset.h"
#include "image/codec.h"

namespace segmentum {

/// What was read of a picture.
struct PictureFacts {
  bool missing = false;
  std::string error;  // why it cannot be read
  StoredForm form;
  ImageSize size;  // upright
  std::uintmax_t file_bytes = 0;
  Fingerprint print;  // of pictures whose pixels were read

  bool readable() const { return !missing && error.empty(); }
};

/// What was read of a mask.
struct MaskFacts {
  bool missing = false;
  std::string error;
  MaskContent content;
  MaskReading reading;  // by the data set's encoding

  bool readable() const { return !missing && error.empty() && content.height > 0; }
};

/// What would make a sample right.
struct Remedy {
  std::string left_out;            // why it cannot be saved; empty: it can
  int reading = kAsDescribed;      // how to read its mask: of `Checkup::readings`
  bool fill_unknown = false;       // values that no class has take the nearest known label
  bool fill_ramps = false;         // labels between two others along borders do too
  int turn_mask = 1;               // the mask is drawn on the picture as stored in this orientation
  bool resize_mask = false;        // it shows the same at another size
  std::filesystem::path own_mask;  // the mask that belongs to the picture; empty: it has it

  static constexpr int kAsDescribed = -1;
};

struct CheckedSample {
  std::string split;
  int index = 0;  // in its split
  Sample sample;
  PictureFacts picture;
  MaskFacts mask;
  Remedy remedy;

  bool has_mask() const { return !sample.mask.empty(); }
  FaultyFile picture_file(std::string detail = "") const {
    return {sample.image, std::move(detail), split, index};
  }
  FaultyFile mask_file(std::string detail = "") const {
    return {sample.mask, std::move(detail), split, index};
  }
};

struct Checkup {
  Dataset dataset;  // with classes and encoding as the masks are meant, as far as they tell
  /// How training reads the masks; none where it cannot, or has other classes.
  std::optional<LabelEncoding> in_training;
  bool described = false;   // by a dataset.toml
  bool listed = false;      // by that, or by list files: what is not named is meant to be left out
  bool all_samples = true;  // of the splits were looked at, not only some
  bool picture_pixels = true;                 // were read, not only headers
  std::vector<std::filesystem::path> absent;  // files that lists name and `init` leaves out
  std::vector<OtherReading> readings;
  std::vector<CheckedSample> samples;
  std::vector<Finding> findings;

  /// Keeps a finding that some file shows, or that is about none (`count` of -1).
  void add(Finding finding) {
    if (finding.count != 0) findings.push_back(std::move(finding));
  }
};

// The parts of an examination, each for one kind of faults; they may set remedies.
void check_files(Checkup& checkup);       // missing, unreadable, sizes, rotation, channels
void check_leftovers(Checkup& checkup);   // pictures without masks, masks without pictures
void check_pairs(Checkup& checkup);       // masks of other pictures
void check_encodings(Checkup& checkup);   // how masks are stored and what their values mean
void check_edges(Checkup& checkup);       // values between classes along borders
void check_classes(Checkup& checkup);     // constant masks, ignored and missing classes
bool check_one_class(Checkup& checkup);   // whether all labelled pixels are of one class
void check_splits(Checkup& checkup);      // the same files in two splits, empty ones, groups
void check_duplicates(Checkup& checkup);  // the same pictures in other files

}  // namespace segmentum
