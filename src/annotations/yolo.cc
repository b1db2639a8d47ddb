#include "annotations/yolo.h"

#include <fmt/format.h>

#include <charconv>
#include <map>

#include "base/counted.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

/// Takes the first line from `text`.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

/// Without a comment, space and quotes around it.
std::string yaml_text(std::string_view text) {
  text = trimmed(text);
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'')) {
    const std::size_t end = text.find(text.front(), 1);
    if (end != std::string_view::npos) return std::string(text.substr(1, end - 1));
  }
  return std::string(trimmed(text.substr(0, text.find(" #"))));
}

/// "[a, b]" and "{0: a, 1: b}".
std::vector<std::string> inline_names(std::string_view list) {
  const bool numbered = list.front() == '{';
  const std::size_t end = list.find(numbered ? '}' : ']');
  if (end == std::string_view::npos) throw Error("the list behind \"names:\" does not end");
  std::string_view rest = list.substr(1, end - 1);
  std::vector<std::string> names;
  while (!trimmed(rest).empty()) {
    const std::size_t comma = rest.find(',');
    std::string_view entry = rest.substr(0, comma);
    const std::size_t colon = entry.find(':');
    if (numbered && colon != std::string_view::npos) entry.remove_prefix(colon + 1);
    names.push_back(yaml_text(entry));
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  return names;
}

/// The lines below "names:": "- a", or "0: a" with numbers that count up.
std::vector<std::string> listed_names(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::string_view line = take_line(text), entry = trimmed(line);
    if (entry.empty() || entry.front() == '#') continue;
    const std::size_t colon = entry.find(':');
    if (entry.starts_with("- ")) {
      names.push_back(yaml_text(entry.substr(2)));
    } else if (colon != std::string_view::npos &&
               entry.substr(0, colon) == std::to_string(names.size())) {
      names.push_back(yaml_text(entry.substr(colon + 1)));
    } else {
      break;
    }
  }
  return names;
}

std::vector<double> numbers_of(std::string_view line) {
  std::vector<double> numbers;
  for (line = trimmed(line); !line.empty(); line = trimmed(line)) {
    const std::string_view word = line.substr(0, line.find_first_of(kSpace));
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size()) {
      throw Error(fmt::format("\"{}\" is no number", word));
    }
    numbers.push_back(value);
    line.remove_prefix(word.size());
  }
  return numbers;
}

DrawnObject object_of(const std::vector<double>& numbers, const std::vector<std::string>& names,
                      int height, int width) {
  const double number = numbers.front();
  if (!(number >= 0 && number < static_cast<double>(names.size())) ||
      number != static_cast<double>(static_cast<std::size_t>(number))) {
    throw Error(fmt::format("class {} has no name; there are {}, from 0", number,
                            counted(names.size(), "name")));
  }
  if (numbers.size() == 5) {
    throw Error("four numbers are a box, not an outline; polygons are \"class x y x y x y ...\"");
  }
  if (numbers.size() < 7 || numbers.size() % 2 == 0) {
    throw Error(fmt::format("{} numbers behind the class; expected x y pairs, three or more",
                            numbers.size() - 1));
  }
  Ring ring;
  for (std::size_t i = 1; i < numbers.size(); i += 2) {
    ring.push_back(checked_point(numbers[i] * width, numbers[i + 1] * height));
  }
  DrawnObject object{.class_name = names[static_cast<std::size_t>(number)]};
  object.polygons.push_back({std::move(ring)});
  return object;
}

}  // namespace

std::vector<std::string> parse_yolo_names(std::string_view text) {
  constexpr std::string_view kKey = "names:";
  while (!text.empty()) {
    const std::string_view rest = text;
    const std::string_view line = take_line(text);
    if (!line.starts_with(kKey)) continue;
    const std::string_view value = trimmed(line.substr(kKey.size()));
    const bool is_inline = value.starts_with('[') || value.starts_with('{');
    // A list in brackets may run over several lines.
    std::vector<std::string> names =
        is_inline ? inline_names(rest.substr(rest.find_first_of("[{"))) : listed_names(text);
    if (!names.empty()) return names;
  }
  throw Error("lists no classes; expected \"names: [a, b]\" or lines \"0: a\" below \"names:\"");
}

std::vector<DrawnObject> parse_yolo(std::string_view text, const std::vector<std::string>& names,
                                    int height, int width) {
  std::vector<DrawnObject> objects;
  for (int line = 1; !text.empty(); ++line) {
    try {
      const std::vector<double> numbers = numbers_of(take_line(text));
      if (!numbers.empty()) objects.push_back(object_of(numbers, names, height, width));
    } catch (const Error& error) {
      throw Error(fmt::format("line {}: {}", line, error.what()));
    }
  }
  return objects;
}

}  // namespace segmentum
