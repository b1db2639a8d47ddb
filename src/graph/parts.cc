#include "graph/parts.h"

#include <algorithm>
#include <cctype>

#include "base/spelling.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// "conv3_2" and "bn3_2".
bool is_vgg_layer(std::string_view word) {
  for (const std::string_view kind : {"conv", "bn"}) {
    if (!word.starts_with(kind)) continue;
    const std::string_view number = word.substr(kind.size());
    const std::size_t line = number.find('_');
    if (line == std::string_view::npos) continue;
    if (is_digits(number.substr(0, line)) && is_digits(number.substr(line + 1))) return true;
  }
  return false;
}

/// Wildcards with one place to go back to: the last star, which takes one letter more each time.
bool matches_wildcards(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace

std::string part_of(std::string_view name) {
  const std::string_view word = name.substr(0, name.find('.'));
  return is_vgg_layer(word) ? "backbone" : std::string(word);
}

std::vector<std::string> parts_of(const Graph& graph) {
  std::vector<std::string> parts;
  for (const ParameterSpec& spec : graph.parameters) {
    std::string part = part_of(spec.name);
    if (std::ranges::find(parts, part) == parts.end()) parts.push_back(std::move(part));
  }
  return parts;
}

bool matches_pattern(std::string_view pattern, std::string_view name) {
  if (pattern.find_first_of("*?") != std::string_view::npos) {
    return matches_wildcards(pattern, name);
  }
  if (name.starts_with(pattern)) {
    if (name.size() == pattern.size() || name[pattern.size()] == '.') return true;
  }
  return part_of(name) == pattern;
}

std::vector<std::string> pattern_list(std::string_view text) {
  std::vector<std::string> patterns;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(", "), text.size());
    if (end > 0) patterns.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return patterns;
}

std::vector<std::string> parameters_matching(const Graph& graph, const std::string& pattern) {
  std::vector<std::string> names;
  for (const ParameterSpec& spec : graph.parameters) {
    if (is_trainable(spec.role) && matches_pattern(pattern, spec.name)) names.push_back(spec.name);
  }
  if (!names.empty()) return names;
  const std::vector<std::string> parts = parts_of(graph);
  throw Error("no parameter of " + graph.architecture + " is meant by \"" + pattern + "\"; " +
              did_you_mean(pattern, parts) + "its parts are " + joined(parts) +
              ", and a pattern such as \"*.bias\" works too");
}

}  // namespace segmentum
