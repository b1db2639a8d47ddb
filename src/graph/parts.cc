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

/// "conv3_2" and "bn3_2" of the five blocks; "bn6_1" is of a head, fc6's on DeepLab v2's branch 1.
bool is_vgg_layer(std::string_view word) {
  for (const std::string_view kind : {"conv", "bn"}) {
    if (!word.starts_with(kind)) continue;
    const std::string_view number = word.substr(kind.size());
    const std::size_t line = number.find('_');
    if (line == std::string_view::npos) continue;
    const bool in_a_block = line == 1 && number[0] >= '1' && number[0] <= '5';
    if (in_a_block && is_digits(number.substr(line + 1))) return true;
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

std::vector<std::string> names_of(const Graph& graph) {
  std::vector<std::string> names;
  for (const ParameterSpec& spec : graph.parameters) names.push_back(spec.name);
  return names;
}

}  // namespace

std::string part_of(std::string_view name) {
  const std::string_view word = name.substr(0, name.find('.'));
  return is_vgg_layer(word) ? "backbone" : std::string(word);
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

Parts::Parts(const std::vector<std::string>& parameters) {
  for (const std::string& name : parameters) {
    std::string part = part_of(name);
    if (!has(part)) names_.push_back(std::move(part));
  }
  for (const char* name : {"backbone", "features", "encoder"}) {
    if (backbone_.empty() && has(name)) backbone_ = name;
  }
}

Parts::Parts(const Graph& graph) : Parts(names_of(graph)) {}

bool Parts::has(std::string_view part) const {
  return std::ranges::find(names_, part) != names_.end();
}

std::optional<std::size_t> Parts::exactness(std::string_view pattern, std::string_view name) const {
  if (matches_pattern(pattern, name)) return pattern.size();
  if (backbone_.empty() || has(pattern)) return std::nullopt;
  const bool in_backbone = part_of(name) == backbone_;
  const bool meant = (pattern == "backbone" && in_backbone) || (pattern == "head" && !in_backbone);
  return meant ? std::optional<std::size_t>(0) : std::nullopt;
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
  const Parts parts(graph);
  std::vector<std::string> names;
  for (const ParameterSpec& spec : graph.parameters) {
    if (is_trainable(spec.role) && parts.exactness(pattern, spec.name)) names.push_back(spec.name);
  }
  if (!names.empty()) return names;
  throw Error("no parameter of " + graph.architecture + " is meant by \"" + pattern + "\"; " +
              did_you_mean(pattern, parts.names()) + "its parts are " + joined(parts.names()) +
              ", and a pattern such as \"*.bias\" works too");
}

}  // namespace segmentum
