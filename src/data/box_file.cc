#include "data/box_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <string_view>

#include "base/file.h"
#include "base/json_problem.h"
#include "data/file_role.h"
#include "data/sample_list.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Pictures = std::map<std::string, std::vector<ListedBox>>;

constexpr int kDeepestJson = 8;

void add(Pictures& pictures, const std::string& picture, ListedBox box) {
  check_box(box.box);
  if (box.score && !std::isfinite(*box.score)) {
    throw Error(fmt::format("the score {} is no number", *box.score));
  }
  pictures[picture].push_back(std::move(box));
}

double number_of(std::string_view text, const std::string& what) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(fmt::format("{} is \"{}\"; expected a number", what, text));
  }
  return value;
}

// ---- JSON ---------------------------------------------------------------------------------------

double json_number(const json& value, const char* what) {
  if (!value.is_number()) throw Error(fmt::format("has \"{}\" that is no number", what));
  return value.get<double>();
}

const json* member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string json_text(const json& value, const char* what) {
  if (value.is_number_unsigned()) return std::to_string(value.get<std::uint64_t>());
  if (!value.is_string()) throw Error(fmt::format("has \"{}\" that is no text", what));
  return value.get<std::string>();
}

void add_json_box(const json& entry, const std::string& default_picture, Pictures& pictures) {
  if (!entry.is_object()) throw Error("is no object");
  const json* image = member(entry, "image");
  const std::string picture = image ? json_text(*image, "image") : default_picture;
  if (picture.empty()) throw Error("has no \"image\"");
  const json* sides = member(entry, "box");
  if (sides == nullptr || !sides->is_array() || sides->size() != 4) {
    throw Error("has no \"box\" of four numbers [x0, y0, x1, y1]");
  }
  ListedBox box;
  box.box = {json_number((*sides)[0], "box"), json_number((*sides)[1], "box"),
             json_number((*sides)[2], "box"), json_number((*sides)[3], "box")};
  if (const json* score = member(entry, "score")) box.score = json_number(*score, "score");
  if (const json* name = member(entry, "class")) box.class_name = json_text(*name, "class");
  add(pictures, picture, std::move(box));
}

Pictures read_json(const std::string& text) {
  const auto shallow = [](int depth, json::parse_event_t, json&) {
    if (depth > kDeepestJson) throw Error("is nested too deeply for a list of boxes");
    return true;
  };
  json document;
  try {
    document = json::parse(text, shallow);
  } catch (const json::exception& error) {
    throw Error(fmt::format("is not JSON: {}", json_problem(error.what())));
  }
  const json* boxes = document.is_object() ? member(document, "boxes") : &document;
  if (boxes == nullptr || !boxes->is_array()) {
    throw Error(
        "holds no list of boxes; expected {\"boxes\": [{\"image\": \"a.jpg\", \"box\": "
        "[x0, y0, x1, y1]}]}");
  }
  const json* image = document.is_object() ? member(document, "image") : nullptr;
  const std::string picture = image ? json_text(*image, "image") : "";
  Pictures pictures;
  if (!picture.empty()) pictures[picture];  // its list may be empty
  for (std::size_t i = 0; i < boxes->size(); ++i) {
    try {
      add_json_box((*boxes)[i], picture, pictures);
    } catch (const Error& error) {
      throw Error(fmt::format("box {}: {}", i + 1, error.what()));
    }
  }
  return pictures;
}

// ---- CSV ----------------------------------------------------------------------------------------

struct Columns {
  std::map<std::string, std::size_t> places;

  explicit Columns(const ListLine& header) {
    for (std::size_t i = 0; i < header.fields.size(); ++i) {
      places.emplace(lower_case(header.fields[i]), i);
    }
    for (const char* name : {"image", "x0", "y0", "x1", "y1"}) {
      if (places.contains(name)) continue;
      throw Error(
          fmt::format("line {}: there is no column \"{}\"; expected the header "
                      "image,x0,y0,x1,y1 and perhaps score,class",
                      header.number, name));
    }
  }

  /// Empty where the line or the file has no such field.
  std::string text(const ListLine& line, const char* name) const {
    const auto place = places.find(name);
    return place != places.end() && place->second < line.fields.size() ? line.fields[place->second]
                                                                       : "";
  }
};

Pictures read_csv(const std::string& text) {
  const std::vector<ListLine> lines = parse_list(text);
  if (lines.empty()) throw Error("is empty; expected the header image,x0,y0,x1,y1");
  const Columns columns(lines.front());
  Pictures pictures;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const ListLine& line = lines[i];
    try {
      const auto side = [&](const char* name) { return number_of(columns.text(line, name), name); };
      const std::string picture = columns.text(line, "image");
      if (picture.empty()) throw Error("there is no image");
      ListedBox box{{side("x0"), side("y0"), side("x1"), side("y1")}, {}, {}};
      const std::string score = columns.text(line, "score");
      if (!score.empty()) box.score = number_of(score, "score");
      box.class_name = columns.text(line, "class");
      add(pictures, picture, std::move(box));
    } catch (const Error& error) {
      throw Error(fmt::format("line {}: {}", line.number, error.what()));
    }
  }
  return pictures;
}

// ---- VOC annotations ----------------------------------------------------------------------------

double side(const pugi::xml_node& bounds, const char* tag) {
  const pugi::xml_node node = bounds.child(tag);
  if (!node) throw Error(fmt::format("has a <bndbox> without <{}>", tag));
  return number_of(node.child_value(), tag);
}

/// A part of an object (a hand) has a <bndbox> of its own, inside of its <part>.
ListedBox voc_object(const pugi::xml_node& object) {
  const pugi::xml_node bounds = object.child("bndbox");
  if (!bounds) throw Error("has no <bndbox>");
  const Box box{side(bounds, "xmin") - 1, side(bounds, "ymin") - 1, side(bounds, "xmax"),
                side(bounds, "ymax")};
  return {box, std::nullopt, object.child_value("name")};
}

/// Pictures are known by the annotation's own name: <filename> is often that of another copy.
void read_voc(const fs::path& path, Pictures& pictures) {
  const std::string text = read_file(path);
  const std::string picture = path.stem().string();
  pugi::xml_document document;
  const pugi::xml_parse_result result =
      document.load_buffer(text.data(), text.size(), pugi::parse_default | pugi::parse_trim_pcdata);
  if (!result) {
    throw Error::in_file(path.string(), fmt::format("is not XML: {} (byte {})",
                                                    result.description(), result.offset));
  }
  const pugi::xml_node annotation = document.child("annotation");
  if (!annotation) throw Error::in_file(path.string(), "is no VOC annotation: no <annotation>");
  pictures[picture].clear();
  int number = 0;
  for (const pugi::xml_node& object : annotation.children("object")) {
    ++number;
    try {
      add(pictures, picture, voc_object(object));
    } catch (const Error& error) {
      throw Error::in_file(path.string(), fmt::format("object {}: {}", number, error.what()));
    }
  }
}

Pictures read_voc_folder(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code code;
  for (fs::directory_iterator at(folder, code); !code && at != fs::directory_iterator();
       at.increment(code)) {
    if (lower_case(at->path().extension().string()) == ".xml") files.push_back(at->path());
  }
  if (code) throw Error::in_file(folder.string(), "cannot read the folder: " + code.message());
  if (files.empty()) {
    throw Error::in_file(folder.string(),
                         "holds no VOC annotation (*.xml); expected boxes as JSON, "
                         "CSV or such a folder");
  }
  std::ranges::sort(files);
  Pictures pictures;
  for (const fs::path& file : files) read_voc(file, pictures);
  return pictures;
}

}  // namespace

BoxFile BoxFile::read(const fs::path& path) {
  BoxFile file;
  file.path_ = path;
  if (fs::is_directory(path)) {
    file.pictures_ = read_voc_folder(path);
    return file;
  }
  const std::string extension = lower_case(path.extension().string());
  if (extension == ".xml") {
    read_voc(path, file.pictures_);
    return file;
  }
  if (extension != ".json" && extension != ".csv") {
    throw Error::in_file(path.string(),
                         "is no file of boxes; expected .json, .csv, .xml or a folder "
                         "of VOC annotations");
  }
  const std::string text = read_file(path);
  try {
    file.pictures_ = extension == ".json" ? read_json(text) : read_csv(text);
  } catch (const Error& error) {
    throw Error::in_file(path.string(), error.what());
  }
  return file;
}

const std::vector<ListedBox>& BoxFile::of(const fs::path& picture) const {
  static const std::vector<ListedBox> kNone;
  const fs::path whole = fs::absolute(picture).lexically_normal();
  // From the longest end of the path to the shortest.
  for (auto first = whole.begin(); first != whole.end(); ++first) {
    fs::path end;
    for (auto part = first; part != whole.end(); ++part) end /= *part;
    for (const fs::path& name : {end, fs::path(end).replace_extension()}) {
      const auto found = pictures_.find(name.generic_string());
      if (found != pictures_.end()) return found->second;
    }
  }
  return kNone;
}

}  // namespace segmentum
