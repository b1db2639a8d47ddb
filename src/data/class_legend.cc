#include "data/class_legend.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <pugixml.hpp>
#include <set>

#include "base/file.h"
#include "data/file_role.h"
#include "data/label_values.h"
#include "data/sample_list.h"

namespace segmentum {
namespace {

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

// Which column of a CSV file holds what; -1: none does.
struct Columns {
  int value = -1, name = -1, r = -1, g = -1, b = -1, colour = -1;
};

std::optional<Columns> header_columns(const std::vector<std::string>& fields) {
  Columns columns;
  for (int i = 0; i < static_cast<int>(fields.size()); ++i) {
    const std::string title = lower_case(fields[i]);
    const auto is = [&](std::initializer_list<std::string_view> titles) {
      return std::ranges::find(titles, title) != titles.end();
    };
    if (is({"id", "idx", "index", "value", "number"})) columns.value = i;
    if (is({"name", "class", "class_name", "classname", "label", "category"})) columns.name = i;
    if (is({"r", "red"})) columns.r = i;
    if (is({"g", "green"})) columns.g = i;
    if (is({"b", "blue"})) columns.b = i;
    if (is({"colour", "color", "hex"})) columns.colour = i;
  }
  if (columns.name < 0) return std::nullopt;
  return columns;
}

std::optional<LegendEntry> entry_of_columns(const std::vector<std::string>& fields,
                                            const Columns& columns, std::uint32_t place) {
  const auto field = [&](int column) -> std::string_view {
    return column >= 0 && column < static_cast<int>(fields.size()) ? fields[column]
                                                                   : std::string_view();
  };
  LegendEntry entry;
  entry.name = field(columns.name);
  entry.value = place;
  if (columns.value >= 0) {
    const auto value = number(field(columns.value));
    if (!value) return std::nullopt;
    entry.value = *value;
    entry.numbered = true;
  }
  const auto r = number(field(columns.r)), g = number(field(columns.g)),
             b = number(field(columns.b));
  if (r && g && b && std::max({*r, *g, *b}) <= 255) {
    entry.colour = Rgb{static_cast<std::uint8_t>(*r), static_cast<std::uint8_t>(*g),
                       static_cast<std::uint8_t>(*b)};
  } else {
    entry.colour = colour_of_text(field(columns.colour));
  }
  return entry.name.empty() ? std::nullopt : std::optional(entry);
}

// A line without header: numbers and words in any order; three numbers are a colour, one a value.
std::optional<LegendEntry> entry_of_words(const ListLine& line, std::uint32_t place) {
  LegendEntry entry{.value = place};
  std::vector<std::uint32_t> numbers;
  for (const std::string& field : line.fields) {
    std::string word;
    const auto finish = [&] {
      if (word.empty()) return;
      if (const auto value = number(word)) {
        numbers.push_back(*value);
      } else if (const auto colour = colour_of_text(word)) {
        entry.colour = colour;
      } else {
        entry.name += (entry.name.empty() ? "" : " ") + word;
      }
      word.clear();
    };
    for (const char c : field) {
      if (c == ' ' || c == ':' || c == '\t') {
        finish();
      } else {
        word += c;
      }
    }
    finish();
  }
  if (entry.name.empty() || entry.name.size() > 60) return std::nullopt;
  if (numbers.size() == 1 || numbers.size() == 4) {
    entry.value = numbers.front();
    entry.numbered = true;
    numbers.erase(numbers.begin());
  }
  if (numbers.size() == 3) {
    if (*std::ranges::max_element(numbers) > 255) return std::nullopt;
    entry.colour = Rgb{static_cast<std::uint8_t>(numbers[0]), static_cast<std::uint8_t>(numbers[1]),
                       static_cast<std::uint8_t>(numbers[2])};
  } else if (!numbers.empty()) {
    return std::nullopt;
  }
  return entry;
}

// Legends name each class once, and give each value once.
bool consistent(const std::vector<LegendEntry>& entries) {
  std::set<std::string> names;
  std::set<std::uint32_t> values;
  for (const LegendEntry& entry : entries) {
    if (!names.insert(entry.name).second || !values.insert(entry.value).second) return false;
  }
  return true;
}

/// Small, and nothing but them: "_background_" is "background".
std::string letters_of(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    if (std::isalpha(static_cast<unsigned char>(c))) letters += c;
  }
  return lower_case(letters);
}

}  // namespace

bool is_ignore_name(std::string_view name) {
  constexpr std::array<std::string_view, 13> kNames = {
      "void",      "unlabelled", "unlabeled", "ignore",  "ignored", "dontcare", "unknown",
      "undefined", "boundary",   "outofroi",  "invalid", "nodata",  "border"};
  return std::ranges::find(kNames, letters_of(name)) != kNames.end();
}

bool is_background_name(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {"background", "other", "others", "none",
                                                      "normal"};
  return std::ranges::find(kNames, letters_of(name)) != kNames.end();
}

bool Legend::has_colours() const {
  return !entries.empty() &&
         std::ranges::all_of(entries, [](const LegendEntry& e) { return e.colour.has_value(); });
}

std::vector<LegendEntry> parse_legend(std::string_view text) {
  std::vector<ListLine> lines = parse_list(text);
  if (lines.empty()) return {};
  const auto columns = header_columns(lines.front().fields);
  if (columns) lines.erase(lines.begin());
  std::vector<LegendEntry> entries;
  for (const ListLine& line : lines) {
    const auto place = static_cast<std::uint32_t>(entries.size());
    auto entry =
        columns ? entry_of_columns(line.fields, *columns, place) : entry_of_words(line, place);
    if (!entry) return {};
    entry->ignore = is_ignore_name(entry->name);
    entries.push_back(std::move(*entry));
  }
  return consistent(entries) ? entries : std::vector<LegendEntry>();
}

Legend find_legend(const std::filesystem::path& root) {
  for (const char* name : {"classes.csv", "class_dict.csv", "labels.csv", "colors.csv",
                           "colours.csv", "classes.txt", "class_names.txt", "label_names.txt",
                           "labelmap.txt", "label_colors.txt", "label_colours.txt", "labels.txt",
                           "colors.txt", "colours.txt", "objectInfo150.csv", "objectInfo150.txt"}) {
    const auto file = root / name;
    if (!std::filesystem::is_regular_file(file)) continue;
    Legend legend{.file = name, .entries = parse_legend(read_file(file))};
    if (legend.empty()) continue;
    // ADE20K counts its classes from 1; 0 is whatever else is there.
    const bool ade20k = std::string_view(name).starts_with("objectInfo150");
    if (ade20k) legend.entries.push_back({0, true, "other", std::nullopt, true});
    return legend;
  }
  return {};
}

std::vector<std::string> annotated_names(const std::filesystem::path& root) {
  const auto folder = root / "Annotations";
  if (!std::filesystem::is_directory(folder)) return {};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".xml") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  files.resize(std::min<std::size_t>(files.size(), 500));
  std::set<std::string> names;
  for (const auto& file : files) {
    pugi::xml_document document;
    if (!document.load_file(file.c_str())) continue;  // classes can do without its names
    for (const pugi::xml_node& object : document.child("annotation").children("object")) {
      const std::string name = object.child_value("name");
      if (!name.empty()) names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace segmentum
