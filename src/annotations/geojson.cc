#include "annotations/geojson.h"

#include <algorithm>
#include <map>

#include "annotations/json_fields.h"
#include "base/counted.h"

namespace segmentum {
namespace {

/// The last position repeats the first.
Ring ring_of(const Json& positions) {
  if (!positions.is_array() || positions.size() < 4) {
    throw Error("a ring is expected to be a list of at least four positions");
  }
  Ring ring;
  for (const Json& position : positions) {
    if (!position.is_array() || position.size() < 2)
      throw Error("a position is expected to be [x, y]");
    ring.push_back(checked_point(number_of(position[0], "x"), number_of(position[1], "y")));
  }
  if (ring.front() == ring.back()) ring.pop_back();
  return ring;
}

Polygon polygon_of(const Json& rings) {
  if (!rings.is_array()) throw Error("\"coordinates\" are no list of rings");
  Polygon polygon;
  for (const Json& ring : rings) polygon.push_back(ring_of(ring));
  return polygon;
}

std::string class_of(const Json& feature) {
  const Json* properties = find_field(feature, "properties");
  if (properties != nullptr) {
    if (const Json* classification = find_field(*properties, "classification")) {
      return text_field(*classification, "name");
    }
    for (const char* name : {"class", "label", "name"}) {
      if (const Json* value = find_field(*properties, name)) return text_of(*value, name);
    }
  }
  throw Error("it has no class: expected properties.classification.name, or properties.class");
}

}  // namespace

DrawnSet parse_geojson(std::string_view text) {
  const Json document = parse_json(text);
  DrawnSet set;
  DrawnPicture picture;
  if (const Json* file = find_field(document, "image")) picture.file = text_of(*file, "image");
  if (find_field(document, "height") != nullptr) {
    const PictureSides sides = picture_sides(field(document, "height"), field(document, "width"));
    picture.height = sides.height;
    picture.width = sides.width;
  }
  std::map<std::string, int> left_out;
  for_each_entry(list_field(document, "features"), "feature", [&](const Json& feature) {
    const Json& geometry = field(feature, "geometry");
    const std::string type = text_field(geometry, "type");
    if (type != "Polygon" && type != "MultiPolygon") {
      ++left_out[type];
      return;
    }
    DrawnObject object{.class_name = class_of(feature)};
    const Json& coordinates = list_field(geometry, "coordinates");
    if (type == "Polygon") {
      object.polygons.push_back(polygon_of(coordinates));
    } else {
      for (const Json& polygon : coordinates) object.polygons.push_back(polygon_of(polygon));
    }
    if (std::ranges::find(set.classes, object.class_name, &ClassInfo::name) == set.classes.end()) {
      set.classes.push_back({object.class_name, {}});
    }
    picture.objects.push_back(std::move(object));
  });
  for (const auto& [type, count] : left_out) {
    set.notes.push_back(fmt::format("{} of type \"{}\" left out", counted(count, "feature"), type));
  }
  set.pictures.push_back(std::move(picture));
  return set;
}

}  // namespace segmentum
