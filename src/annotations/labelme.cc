#include "annotations/labelme.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "annotations/json_fields.h"
#include "base/base64.h"
#include "base/counted.h"

namespace segmentum {
namespace {

Ring points_of(const Json& shape) {
  Ring ring;
  for_each_entry(list_field(shape, "points"), "point", [&](const Json& point) {
    if (!point.is_array() || point.size() != 2) throw Error("is expected to be [x, y]");
    ring.push_back(checked_point(number_of(point[0], "x"), number_of(point[1], "y")));
  });
  return ring;
}

/// None for shapes that cover no pixels.
std::optional<Ring> outline_of(const Json& shape, const std::string& type) {
  const bool two_points = type == "rectangle" || type == "circle";
  if (type != "polygon" && !two_points) return std::nullopt;
  Ring points = points_of(shape);
  if (two_points ? points.size() != 2 : points.size() < 3) {
    throw Error(fmt::format("a {} has {}; expected {}", type, counted(points.size(), "point"),
                            two_points ? "2" : "3 or more"));
  }
  if (type == "polygon") return points;
  const auto [a, b] = std::pair(points[0], points[1]);
  if (type == "circle") {
    const double radius = std::hypot(b.x - a.x, b.y - a.y);
    return ellipse(a, radius, radius);
  }
  return rectangle(std::min(a.x, b.x), std::min(a.y, b.y), std::max(a.x, b.x), std::max(a.y, b.y));
}

}  // namespace

DrawnSet parse_labelme(std::string_view text) {
  const Json document = parse_json(text);
  DrawnSet set;
  DrawnPicture picture;
  if (const Json* path = find_field(document, "imagePath"))
    picture.file = text_of(*path, "imagePath");
  std::ranges::replace(picture.file, '\\', '/');
  const Json *height = find_field(document, "imageHeight"),
             *width = find_field(document, "imageWidth");
  if (height != nullptr && width != nullptr) {
    const PictureSides sides = picture_sides(*height, *width);
    picture.height = sides.height;
    picture.width = sides.width;
  }
  const Json* data = find_field(document, "imageData");
  picture.embedded =
      data != nullptr && data->is_string() && !data->get_ref<const std::string&>().empty();
  std::map<std::string, int> left_out;
  for_each_entry(list_field(document, "shapes"), "shape", [&](const Json& shape) {
    const Json* type_field = find_field(shape, "shape_type");
    const std::string type = type_field ? text_of(*type_field, "shape_type") : "polygon";
    DrawnObject object{.class_name = text_field(shape, "label")};
    if (const Json* group = find_field(shape, "group_id"))
      object.group = text_of(*group, "group_id");
    std::optional<Ring> outline = outline_of(shape, type);
    if (!outline) {
      ++left_out[type];
      return;
    }
    object.polygons.push_back({std::move(*outline)});
    if (std::ranges::find(set.classes, object.class_name, &ClassInfo::name) == set.classes.end()) {
      set.classes.push_back({object.class_name, {}});
    }
    picture.objects.push_back(std::move(object));
  });
  for (const auto& [type, count] : left_out) {
    set.notes.push_back(
        fmt::format("{} of type \"{}\" left out: it covers no pixels that we know of",
                    counted(count, "shape"), type));
  }
  set.pictures.push_back(std::move(picture));
  return set;
}

std::string labelme_picture(std::string_view text) {
  const Json document = parse_json(text);
  const Json& data = field(document, "imageData");
  if (!data.is_string()) throw Error("\"imageData\" is no text");
  std::string_view base64 = data.get_ref<const std::string&>();
  if (base64.starts_with("data:")) base64.remove_prefix(base64.find(',') + 1);  // or 0: no base64
  try {
    return base64_decoded(base64);
  } catch (const Error& error) {
    throw Error(fmt::format("\"imageData\" {}", error.what()));
  }
}

}  // namespace segmentum
