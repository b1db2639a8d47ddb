#include "annotations/cvat.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <numbers>
#include <pugixml.hpp>

#include "base/counted.h"
#include "data/file_role.h"
#include "data/label_values.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

double number_of(std::string_view text, const char* what) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    throw Error(fmt::format("{} is \"{}\"; expected a number", what, text));
  }
  return value;
}

double number(const pugi::xml_node& node, const char* name) {
  const pugi::xml_attribute attribute = node.attribute(name);
  if (!attribute) throw Error(fmt::format("there is no {}=\"...\"", name));
  return number_of(attribute.value(), name);
}

/// The pieces of `text` between separators.
template <typename Visit>
void for_each_piece(std::string_view text, char separator, const Visit& visit) {
  while (true) {
    const std::size_t end = text.find(separator);
    visit(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

/// points="x,y;x,y;..."
Ring points_of(const pugi::xml_node& shape) {
  Ring ring;
  for_each_piece(shape.attribute("points").value(), ';', [&](std::string_view pair) {
    const std::size_t comma = pair.find(',');
    if (comma == std::string_view::npos) {
      throw Error(fmt::format("points has \"{}\"; expected x,y;x,y;...", pair));
    }
    ring.push_back(checked_point(number_of(pair.substr(0, comma), "x"),
                                 number_of(pair.substr(comma + 1), "y")));
  });
  if (ring.size() < 3)
    throw Error(fmt::format("a polygon has {}; expected 3 or more", counted(ring.size(), "point")));
  return ring;
}

/// Turned about `centre` by rotation="degrees", clockwise as the picture is seen.
Ring turned(Ring ring, Point centre, const pugi::xml_node& shape) {
  if (!shape.attribute("rotation")) return ring;
  const double angle = number(shape, "rotation") * std::numbers::pi / 180;
  for (Point& point : ring) {
    const double x = point.x - centre.x, y = point.y - centre.y;
    point = {centre.x + x * std::cos(angle) - y * std::sin(angle),
             centre.y + x * std::sin(angle) + y * std::cos(angle)};
  }
  return ring;
}

/// Counts of pixels without and with the object, by rows of the box that `mask` states.
Region mask_pixels(const pugi::xml_node& mask, const DrawnPicture& picture) {
  const double left = number(mask, "left"), top = number(mask, "top");
  check_drawn_size(number(mask, "height"), number(mask, "width"));
  const int width = static_cast<int>(number(mask, "width"));
  const int height = static_cast<int>(number(mask, "height"));
  if (!(left >= 0 && top >= 0 && left + width <= picture.width && top + height <= picture.height)) {
    throw Error("the mask lies outside of the picture");
  }
  const std::int64_t pixels = std::int64_t{width} * height;
  std::vector<Span> spans;
  std::int64_t place = 0;
  bool inside = false;
  for_each_piece(mask.attribute("rle").value(), ',', [&](std::string_view piece) {
    const double count = number_of(piece, "rle");
    if (!(count >= 0 && count <= static_cast<double>(pixels - place))) {
      throw Error(fmt::format("rle does not fit the mask's {}x{} pixels", width, height));
    }
    const std::int64_t end = place + static_cast<std::int64_t>(count);
    while (inside && place < end) {
      const std::int64_t row_end = std::min(end, (place / width + 1) * width);
      const int y = static_cast<int>(top) + static_cast<int>(place / width);
      const int x = static_cast<int>(left) + static_cast<int>(place % width);
      spans.push_back({y, x, x + static_cast<int>(row_end - place)});
      place = row_end;
    }
    place = end;
    inside = !inside;
  });
  if (place == pixels) return region_of(std::move(spans));
  throw Error(fmt::format("rle covers {} pixels of the mask's {}x{}", place, width, height));
}

/// False for shapes that cover no pixels.
bool read_shape(const pugi::xml_node& shape, const DrawnPicture& picture, DrawnObject& object) {
  const std::string_view type = shape.name();
  if (type == "polygon") {
    object.polygons.push_back({points_of(shape)});
  } else if (type == "box") {
    const Point a = checked_point(number(shape, "xtl"), number(shape, "ytl"));
    const Point b = checked_point(number(shape, "xbr"), number(shape, "ybr"));
    const Point centre{(a.x + b.x) / 2, (a.y + b.y) / 2};
    object.polygons.push_back({turned(rectangle(a.x, a.y, b.x, b.y), centre, shape)});
  } else if (type == "ellipse") {
    const Point centre = checked_point(number(shape, "cx"), number(shape, "cy"));
    const Point radius = checked_point(number(shape, "rx"), number(shape, "ry"));
    object.polygons.push_back({turned(ellipse(centre, radius.x, radius.y), centre, shape)});
  } else if (type == "mask") {
    object.pixels = mask_pixels(shape, picture);
  } else {
    return false;
  }
  return true;
}

DrawnPicture read_picture(const pugi::xml_node& image, std::map<std::string, int>& left_out) {
  check_drawn_size(number(image, "height"), number(image, "width"));
  DrawnPicture picture{.file = image.attribute("name").value(),
                       .height = static_cast<int>(number(image, "height")),
                       .width = static_cast<int>(number(image, "width")),
                       .split = split_word(lower_case(image.attribute("subset").value()))};
  std::vector<std::pair<double, DrawnObject>> objects;
  int number_of_shape = 0;
  for (const pugi::xml_node& shape : image.children()) {
    if (shape.type() != pugi::node_element || std::string_view(shape.name()) == "tag") continue;
    ++number_of_shape;
    try {
      DrawnObject object{.class_name = shape.attribute("label").value(),
                         .group = shape.attribute("group_id").value()};
      if (object.class_name.empty()) throw Error("there is no label=\"...\"");
      if (!read_shape(shape, picture, object)) {
        ++left_out[shape.name()];
        continue;
      }
      const double depth = shape.attribute("z_order") ? number(shape, "z_order") : 0;
      objects.emplace_back(depth, std::move(object));
    } catch (const Error& error) {
      throw Error(fmt::format("shape {} ({}): {}", number_of_shape, shape.name(), error.what()));
    }
  }
  std::ranges::stable_sort(objects, {}, [](const auto& entry) { return entry.first; });
  for (auto& [depth, object] : objects) picture.objects.push_back(std::move(object));
  return picture;
}

/// meta, then task, job or project, then labels.
std::vector<ClassInfo> listed_classes(const pugi::xml_node& annotations) {
  std::vector<ClassInfo> classes;
  for (const pugi::xml_node& kind : annotations.child("meta").children()) {
    for (const pugi::xml_node& label : kind.child("labels").children("label")) {
      const std::string name = label.child_value("name");
      const bool known = std::ranges::find(classes, name, &ClassInfo::name) != classes.end();
      if (name.empty() || known) continue;
      classes.push_back({name, colour_of_text(label.child_value("color")).value_or(Rgb{})});
    }
  }
  return classes;
}

void add_unlisted_classes(DrawnSet& set) {
  for (const DrawnPicture& picture : set.pictures) {
    for (const DrawnObject& object : picture.objects) {
      if (std::ranges::find(set.classes, object.class_name, &ClassInfo::name) ==
          set.classes.end()) {
        set.classes.push_back({object.class_name, {}});
      }
    }
  }
}

}  // namespace

DrawnSet parse_cvat(std::string_view text) {
  pugi::xml_document document;
  const pugi::xml_parse_result result = document.load_buffer(text.data(), text.size());
  if (!result) {
    throw Error(fmt::format("is not XML: {} (byte {})", result.description(), result.offset));
  }
  const pugi::xml_node annotations = document.child("annotations");
  if (!annotations) throw Error("holds no CVAT annotations: no <annotations>");
  DrawnSet set;
  set.classes = listed_classes(annotations);
  std::map<std::string, int> left_out;
  for (const pugi::xml_node& image : annotations.children("image")) {
    try {
      set.pictures.push_back(read_picture(image, left_out));
    } catch (const Error& error) {
      throw Error(fmt::format("image {} ({}): {}", set.pictures.size() + 1,
                              image.attribute("name").value(), error.what()));
    }
  }
  if (set.pictures.empty()) {
    throw Error("holds no <image>; expected annotations exported as \"CVAT for images 1.1\"");
  }
  for (const auto& [type, count] : left_out) {
    set.notes.push_back(fmt::format("{} left out: <{}> covers no pixels that we know of",
                                    counted(count, "shape"), type));
  }
  add_unlisted_classes(set);
  return set;
}

}  // namespace segmentum
