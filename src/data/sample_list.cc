#include "data/sample_list.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "data/file_role.h"
#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// The separator of a line, spaces last because names may hold them.
char separator_of(std::string_view line) {
  bool quoted = false;
  char found = ' ';
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '\t' || c == ',' || c == ';')) {
      found = c;
      break;
    }
  }
  return found;
}

std::vector<std::string> fields_of(std::string_view line) {
  const char separator = separator_of(line);
  std::vector<std::string> fields;
  std::string field;
  bool quoted = false;
  const auto finish = [&] {
    const std::string_view text = trimmed(field);
    if (!text.empty() || separator != ' ') fields.emplace_back(text);
    field.clear();
  };
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == separator && !quoted) {
      finish();
    } else {
      field += c;
    }
  }
  finish();
  return fields;
}

}  // namespace

std::vector<ListLine> parse_list(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<ListLine> lines;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    if (!line.empty() && line.front() != '#') {
      std::vector<std::string> fields = fields_of(line);
      if (!fields.empty()) lines.push_back({number, std::move(fields)});  // not "" alone
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::string fill_pattern(const std::string& pattern, const std::string& name) {
  std::string path = pattern;
  path.replace(path.find("{}"), 2, name);
  return path;
}

std::string match_pattern(const std::string& pattern, const std::string& path) {
  const std::size_t at = pattern.find("{}");
  if (at == std::string::npos || path.size() + 2 <= pattern.size()) return "";
  const std::string name = path.substr(at, path.size() + 2 - pattern.size());
  return fill_pattern(pattern, name) == path ? name : "";
}

std::vector<Sample> samples_of_list(const std::vector<ListLine>& lines,
                                    const PathPatterns& patterns) {
  std::vector<Sample> samples;
  samples.reserve(lines.size());
  for (const ListLine& line : lines) {
    Sample sample;
    if (line.fields.size() == 1 && !patterns.empty()) {
      sample.image = fill_pattern(patterns.image, line.fields[0]);
      if (!patterns.mask.empty()) sample.mask = fill_pattern(patterns.mask, line.fields[0]);
    } else {
      sample.image = line.fields[0];
      if (line.fields.size() > 1) sample.mask = line.fields[1];
      if (line.fields.size() > 2 && is_image_file(line.fields[2])) {
        sample.instances = line.fields[2];
      }
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

void name_samples(std::vector<Sample>& samples) {
  std::map<std::string, int> stems, paths;
  const auto path_name = [](const Sample& sample) {
    return (sample.image.parent_path() / sample.image.stem()).generic_string();
  };
  std::set<std::filesystem::path> images;
  for (const Sample& sample : samples) {
    if (!images.insert(sample.image).second) {
      throw Error(sample.image.generic_string() +
                  " is listed twice in one split; list each picture once");
    }
    ++stems[lower_case(sample.image.stem().string())];
    ++paths[lower_case(path_name(sample))];
  }
  for (Sample& sample : samples) {
    const std::string stem = sample.image.stem().string();
    const std::string path = path_name(sample);
    sample.name = stems[lower_case(stem)] == 1   ? stem
                  : paths[lower_case(path)] == 1 ? path
                                                 : sample.image.generic_string();
  }
}

}  // namespace segmentum
