// Results for other programs: a JSON object, member by member. Keeps the JSON library out of the
// commands, where it is costly to compile.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace segmentum {

/// Members stay in the order in which they are set. Bytes that are not UTF-8 become U+FFFD.
class JsonObject {
 public:
  JsonObject& set(const std::string& name, const std::string& value);
  JsonObject& set(const std::string& name, const char* value) {
    return set(name, std::string(value));
  }
  JsonObject& set(const std::string& name, bool value);
  JsonObject& set(const std::string& name, int value) {
    return set(name, static_cast<std::int64_t>(value));
  }
  JsonObject& set(const std::string& name, std::int64_t value);
  JsonObject& set(const std::string& name, double value);  // null where it is not finite
  JsonObject& set(const std::string& name, const std::optional<double>& value);
  JsonObject& set(const std::string& name, const std::vector<std::string>& values);
  JsonObject& set(const std::string& name, const std::map<std::string, std::string>& values);
  JsonObject& set(const std::string& name, const std::vector<JsonObject>& values);
  JsonObject& set(const std::string& name, const JsonObject& value);
  /// `json` is JSON already. Throws Error if it is not.
  JsonObject& set_json(const std::string& name, const std::string& json);

  /// Indented, ends with a newline.
  std::string text() const;

 private:
  std::vector<std::pair<std::string, std::string>> members_;
  std::string compact() const;
};

/// Writes the object to `file`, or nothing where `file` is empty: nobody asked.
void write_json(const std::string& file, const JsonObject& object);

}  // namespace segmentum
