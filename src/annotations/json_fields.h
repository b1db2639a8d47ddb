// The fields of JSON documents of others, each missing or wrong one told of. Costly to include: for
// the readers of this folder only.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "annotations/drawing.h"
#include "base/json_problem.h"
#include "segmentum/error.h"

namespace segmentum {

using Json = nlohmann::json;

/// Throws Error for text that is no JSON, and for one that is nested deeper than annotations are.
inline Json parse_json(std::string_view text) {
  constexpr int kDeepest = 32;
  const auto shallow = [](int depth, Json::parse_event_t, Json&) {
    if (depth > kDeepest) throw Error("is nested too deeply for a file of annotations");
    return true;
  };
  try {
    Json document = Json::parse(text.begin(), text.end(), shallow);
    if (!document.is_object()) throw Error("is JSON, but no {object} as annotations are");
    return document;
  } catch (const Json::exception& error) {
    throw Error(fmt::format("is not JSON: {}", json_problem(error.what())));
  }
}

/// None where it is missing or null, or `object` is no object.
inline const Json* find_field(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

inline const Json& field(const Json& object, const char* name) {
  if (const Json* value = find_field(object, name)) return *value;
  throw Error(fmt::format("there is no \"{}\"", name));
}

inline const Json& list_field(const Json& object, const char* name) {
  const Json& value = field(object, name);
  if (!value.is_array()) throw Error(fmt::format("\"{}\" is no [list]", name));
  return value;
}

inline double number_of(const Json& value, const char* what) {
  if (!value.is_number()) throw Error(fmt::format("{} is no number", what));
  return value.get<double>();
}

inline std::int64_t integer_of(const Json& value, const char* what) {
  const double number = number_of(value, what);
  constexpr double kMost = 9007199254740992.0;  // whole numbers up to here are exact
  if (!(number >= -kMost && number <= kMost) ||
      number != static_cast<double>(static_cast<std::int64_t>(number))) {
    throw Error(fmt::format("{} is {}; expected a whole number", what, number));
  }
  return static_cast<std::int64_t>(number);
}

inline std::int64_t integer_field(const Json& object, const char* name) {
  return integer_of(field(object, name), name);
}

/// "height" and "width" of a picture under the names that a format has for them.
struct PictureSides {
  int height = 0, width = 0;
};
inline PictureSides picture_sides(const Json& height, const Json& width) {
  check_drawn_size(number_of(height, "height"), number_of(width, "width"));
  return {static_cast<int>(height.get<double>()), static_cast<int>(width.get<double>())};
}

/// Texts, and numbers that stand for texts.
inline std::string text_of(const Json& value, const char* what) {
  if (value.is_number_integer()) return value.dump();
  if (!value.is_string()) throw Error(fmt::format("\"{}\" is no text", what));
  return value.get<std::string>();
}

inline std::string text_field(const Json& object, const char* name) {
  return text_of(field(object, name), name);
}

/// Calls `read` for each entry of a list; its Error is told of the entry's number, from 1.
template <typename Read>
void for_each_entry(const Json& list, const char* noun, const Read& read) {
  std::size_t number = 0;
  for (const Json& entry : list) {
    ++number;
    try {
      read(entry);
    } catch (const Error& error) {
      throw Error(fmt::format("{} {}: {}", noun, number, error.what()));
    }
  }
}

}  // namespace segmentum
