#include "cli/json_object.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

JsonObject& JsonObject::set(const std::string& name, const std::string& value) {
  members_.emplace_back(name, dump(value));
  return *this;
}

JsonObject& JsonObject::set(const std::string& name, bool value) {
  members_.emplace_back(name, dump(value));
  return *this;
}

JsonObject& JsonObject::set(const std::string& name, std::int64_t value) {
  members_.emplace_back(name, dump(value));
  return *this;
}

JsonObject& JsonObject::set(const std::string& name, double value) {
  members_.emplace_back(name, dump(value));
  return *this;
}

JsonObject& JsonObject::set(const std::string& name, const std::optional<double>& value) {
  members_.emplace_back(name, value ? dump(*value) : "null");
  return *this;
}

JsonObject& JsonObject::set(const std::string& name, const std::vector<std::string>& values) {
  members_.emplace_back(name, dump(values));
  return *this;
}

JsonObject& JsonObject::set(const std::string& name,
                            const std::map<std::string, std::string>& values) {
  members_.emplace_back(name, dump(values));
  return *this;
}

JsonObject& JsonObject::set(const std::string& name, const std::vector<JsonObject>& values) {
  std::string text;
  for (const JsonObject& value : values) text += (text.empty() ? "" : ",") + value.compact();
  members_.emplace_back(name, "[" + text + "]");
  return *this;
}

JsonObject& JsonObject::set(const std::string& name, const JsonObject& value) {
  members_.emplace_back(name, value.compact());
  return *this;
}

JsonObject& JsonObject::set_json(const std::string& name, const std::string& json) {
  if (!Json::accept(json)) throw Error("\"" + name + "\" is no JSON");
  members_.emplace_back(name, json);
  return *this;
}

std::string JsonObject::compact() const {
  std::string text;
  for (const auto& [name, value] : members_) {
    text += (text.empty() ? "" : ",") + dump(name) + ":" + value;
  }
  return "{" + text + "}";
}

std::string JsonObject::text() const {
  return Json::parse(compact()).dump(2) + "\n";
}

void write_json(const std::string& file, const JsonObject& object) {
  if (!file.empty()) write_file(file, object.text());
}

}  // namespace segmentum
