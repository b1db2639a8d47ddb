#include "base/json_problem.h"

#include <algorithm>

namespace segmentum {
namespace {

/// What stands between `before` and the `after` that follows it; empty where they do not occur.
std::string_view between(std::string_view text, std::string_view before, std::string_view after) {
  const std::size_t start = text.find(before);
  if (start == std::string_view::npos) return {};
  text.remove_prefix(start + before.size());
  const std::size_t end = text.find(after);
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end);
}

}  // namespace

std::string json_problem(std::string_view what) {
  if (what.starts_with("[json.exception.")) {
    what.remove_prefix(std::min(what.find(']') + 2, what.size()));
  }
  if (what.starts_with("parse error")) {
    const std::string place(between(what, " at ", ": "));
    if (what.find("unexpected end of input") != std::string_view::npos) {
      return "it ends too early, at " + place;
    }
    return "what stands at " + place + " does not belong there";
  }
  if (const std::string_view key = between(what, "key '", "' not found"); !key.empty()) {
    return "it has no \"" + std::string(key) + "\"";
  }
  if (what.starts_with("type must be ")) {
    const std::string expected(between(what, "type must be ", ", but is "));
    const std::size_t is = what.rfind(" is ");
    return "the type " + expected + " was expected where there is " +
           std::string(what.substr(is + 4));
  }
  if (what.starts_with("array index")) return "a list is too short";
  if (what.starts_with("cannot use ")) {
    return "a list or {object} was expected where there is " +
           std::string(what.substr(what.rfind(' ') + 1));
  }
  return std::string(what);
}

}  // namespace segmentum
