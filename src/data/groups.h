// Which pictures belong together by their names, as those of one patient, plate or sequence do:
// such pictures look alike, so a split that divides them gives scores that are too good.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace segmentum {

/// One way to read groups out of the pictures' names.
struct GroupReading {
  std::string by;                   // `the word "patient"`, "the first part of their names"
  bool known_word = false;          // by a word that can hardly mean anything else
  std::vector<std::string> groups;  // of each picture; empty where its name shows none
  std::size_t count = 0;            // of different groups
  std::size_t example = 0;          // a picture with a group
  bool divides = false;             // at least three groups, none of which holds most pictures
};

/// What the names show, from what to take first on:
/// - words for persons, then for plates, then for recordings, with the number or the part of the
///   name behind them: "patient00" of "patient00_L.png", "plate_3" of "x/plate_3/A00.png";
/// - else numbered folders, the first part of names if it holds a digit ("P0" of "P0_A00_s0.png"),
///   and what stands before the last number ("0016E5" of "0016E5_04350.png"), the last two within
///   one folder; of these the ones with the fewest groups first, and only such as divide.
/// One name, or one in ten, may show no group. Words that name folders' roles (images, train) count
/// for nothing. Ways that group alike are given once. O(n log n).
std::vector<GroupReading> group_readings(std::span<const Sample> samples);

/// Sets the groups of `samples` by the first reading that divides, else none.
/// Returns that reading's place in `readings`, or readings.size().
std::size_t assign_groups(const std::vector<GroupReading>& readings, std::vector<Sample>& samples);

}  // namespace segmentum
