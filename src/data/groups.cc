#include "data/groups.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <map>
#include <optional>
#include <string_view>

#include "data/file_role.h"

namespace segmentum {
namespace {

using Names = std::vector<std::string>;

constexpr std::string_view kSeparators = "_- .";
constexpr std::size_t kDeepestFolder = 3;

// Persons hold plates, plates hold recordings: never the other way round.
constexpr std::array<std::string_view, 21> kWords = {
    "patient", "pat",   "subject",  "subj",  "sub",    "donor",    "case",
    "animal",  "mouse", "specimen", "plate", "slide",  "sequence", "seq",
    "video",   "vid",   "clip",     "movie", "volume", "vol",      "scan"};

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

bool has_digit(std::string_view text) {
  return std::ranges::any_of(text, is_digit);
}

bool is_word(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return std::isalpha(static_cast<unsigned char>(c)); });
}

// "frame12" and "12" but not "12a".
bool is_numbered(std::string_view part) {
  const auto digits = std::ranges::find_if(part, is_digit);
  return digits != part.end() && is_word({part.begin(), digits}) &&
         std::all_of(digits, part.end(), is_digit);
}

// Folders in lower case, without what only says pictures, masks or a split.
std::string folder_of(const Sample& sample) {
  std::string key = file_role(sample.image.parent_path() / "0").key;
  key.pop_back();
  if (!key.empty()) key.pop_back();
  return key;
}

std::string within(const std::string& folder, const std::string& name) {
  return folder.empty() || name.empty() ? folder + name : folder + "/" + name;
}

// "patient00" of "patient00_L" and "plate_3" of "plate_3_A00": `word` with the digits or, behind a
// separator, the part that follows, which holds a digit or is one letter. Empty if there is none.
std::string after_word(const std::string& text, std::string_view word) {
  const std::string lower = lower_case(text);
  for (std::size_t at = lower.find(word); at != std::string::npos; at = lower.find(word, at + 1)) {
    if (at > 0 && kSeparators.find(lower[at - 1]) == std::string_view::npos) continue;
    std::size_t end = at + word.size();
    if (end == text.size()) continue;
    if (is_digit(text[end])) {
      while (end < text.size() && is_digit(text[end])) ++end;
      return text.substr(at, end - at);
    }
    if (kSeparators.find(text[end]) == std::string_view::npos) continue;
    const std::size_t next = std::min(text.find_first_of(kSeparators, end + 1), text.size());
    const std::string_view value = std::string_view(text).substr(end + 1, next - end - 1);
    if (has_digit(value) || (value.size() == 1 && is_word(value))) {
      return text.substr(at, next - at);
    }
  }
  return "";
}

std::string by_word(const Sample& sample, std::string_view word) {
  for (const auto& folder : sample.image.parent_path()) {
    if (std::string group = after_word(folder.string(), word); !group.empty()) return group;
  }
  return after_word(sample.image.stem().string(), word);
}

// The first `depth` folders, if the last of them is numbered.
std::string by_folder(const Sample& sample, std::size_t depth) {
  const std::string folder = folder_of(sample);
  std::size_t begin = 0;
  while (--depth > 0) {
    begin = folder.find('/', begin);
    if (begin == std::string::npos) return "";
    ++begin;
  }
  const std::size_t end = std::min(folder.find('/', begin), folder.size());
  return has_digit(std::string_view(folder).substr(begin, end - begin)) ? folder.substr(0, end)
                                                                        : "";
}

std::string by_first_part(const Sample& sample) {
  const std::string stem = sample.image.stem().string();
  const std::string part = stem.substr(0, stem.find_first_of(kSeparators));
  return has_digit(part) ? within(folder_of(sample), part) : "";
}

// "0016E5" of "0016E5_04350", "Seq05VD" of "Seq05VD_f00000_rgb", the folder of "17".
std::string before_last_number(const Sample& sample) {
  std::string stem = sample.image.stem().string();
  std::size_t cut = stem.find_last_of(kSeparators);
  const auto last_part = [&] {
    return cut == std::string::npos ? std::string_view(stem)
                                    : std::string_view(stem).substr(cut + 1);
  };
  if (cut != std::string::npos && is_word(last_part())) {
    stem.resize(cut);  // "_rgb" and the like
    cut = stem.find_last_of(kSeparators);
  }
  if (!is_numbered(last_part())) return "";
  return within(folder_of(sample), cut == std::string::npos ? "" : stem.substr(0, cut));
}

// None where too many names show no group, or each shows one of its own.
std::optional<GroupReading> reading_of(std::span<const Sample> samples, std::string by,
                                       bool known_word,
                                       const std::function<std::string(const Sample&)>& group_of) {
  GroupReading reading{.by = std::move(by), .known_word = known_word};
  std::map<std::string, std::size_t> sizes;
  std::size_t shown = 0, largest = 0;
  for (const Sample& sample : samples) {
    reading.groups.push_back(group_of(sample));
    const std::string& group = reading.groups.back();
    if (group.empty()) continue;
    if (shown++ == 0) reading.example = reading.groups.size() - 1;
    largest = std::max(largest, ++sizes[group]);
  }
  const std::size_t all = samples.size();
  reading.count = sizes.size();
  reading.divides = reading.count >= 3 && 10 * largest <= 7 * all;
  const bool several = known_word ? shown > reading.count : shown >= 2 * reading.count;
  const bool most = all - shown <= std::max<std::size_t>(1, all / 10);
  if (!most || reading.count < 2 || !several) return std::nullopt;
  if (!known_word && !reading.divides) return std::nullopt;
  return reading;
}

bool group_alike(const GroupReading& a, const GroupReading& b) {
  if (a.count != b.count) return false;
  std::map<std::string, std::string> other;
  for (std::size_t i = 0; i < a.groups.size(); ++i) {
    if (a.groups[i].empty() != b.groups[i].empty()) return false;
    if (other.try_emplace(a.groups[i], b.groups[i]).first->second != b.groups[i]) return false;
  }
  return true;
}

}  // namespace

std::vector<GroupReading> group_readings(std::span<const Sample> samples) {
  std::vector<GroupReading> words, others;
  const auto add = [&](std::vector<GroupReading>& to, std::string by, const auto& group_of) {
    auto reading = reading_of(samples, std::move(by), &to == &words, group_of);
    if (reading) to.push_back(std::move(*reading));
  };
  for (const std::string_view word : kWords) {
    add(words, "the word \"" + std::string(word) + "\"",
        [&](const Sample& sample) { return by_word(sample, word); });
  }
  for (std::size_t depth = 1; depth <= kDeepestFolder; ++depth) {
    add(others, "their folders", [&](const Sample& sample) { return by_folder(sample, depth); });
  }
  add(others, "the first part of their names", by_first_part);
  add(others, "what stands before the last number of their names", before_last_number);
  std::ranges::stable_sort(others, {}, &GroupReading::count);
  std::vector<GroupReading> readings;
  for (std::vector<GroupReading>* part : {&words, &others}) {
    for (GroupReading& reading : *part) {
      const bool known = std::ranges::any_of(
          readings, [&](const GroupReading& other) { return group_alike(other, reading); });
      if (!known) readings.push_back(std::move(reading));
    }
  }
  return readings;
}

std::size_t assign_groups(const std::vector<GroupReading>& readings, std::vector<Sample>& samples) {
  const auto used = std::ranges::find(readings, true, &GroupReading::divides);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i].group = used == readings.end() ? "" : used->groups[i];
  }
  return static_cast<std::size_t>(used - readings.begin());
}

}  // namespace segmentum
