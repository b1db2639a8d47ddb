#include "annotations/annotation_text.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

#include "annotations/polygon.h"
#include "annotations/run_lengths.h"

namespace segmentum {
namespace {

const std::string& name_of(std::uint16_t label, const std::vector<ClassInfo>& classes) {
  static const std::string kIgnore = kIgnoreClassName;
  return label == kIgnoreLabel ? kIgnore : classes[label].name;
}

/// "1, 2, 3, 4"; corners on pixel edges are whole numbers.
std::string flat_points(const Ring& ring) {
  std::string text;
  for (const Point& point : ring) {
    fmt::format_to(std::back_inserter(text), "{}{}, {}", text.empty() ? "" : ", ", point.x,
                   point.y);
  }
  return text;
}

/// "[[1, 2], [3, 4]]"
std::string point_pairs(const Ring& ring) {
  std::string text;
  for (const Point& point : ring) {
    fmt::format_to(std::back_inserter(text), "{}[{}, {}]", text.empty() ? "" : ", ", point.x,
                   point.y);
  }
  return "[" + text + "]";
}

/// The length of the UTF-8 character that `text` begins with; 0 if it begins with none.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = byte(0) < 0x80   ? 1
                             : byte(0) < 0xC2 ? 0
                             : byte(0) < 0xE0 ? 2
                             : byte(0) < 0xF0 ? 3
                             : byte(0) < 0xF5 ? 4
                                              : 0;
  if (length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Too long for what they say, surrogates, and beyond U+10FFFF.
  const bool wrong = (byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xED && byte(1) > 0x9F) ||
                     (byte(0) == 0xF0 && byte(1) < 0x90) || (byte(0) == 0xF4 && byte(1) > 0x8F);
  return wrong ? 0 : length;
}

/// Closed, as GeoJSON has rings.
Ring closed(Ring ring) {
  ring.push_back(ring.front());
  return ring;
}

std::string geojson_rings(const Outline& outline) {
  std::string text = point_pairs(closed(outline.outer));
  for (const Ring& hole : outline.holes) text += ", " + point_pairs(closed(hole));
  return "[" + text + "]";
}

std::string geojson_geometry(const std::vector<Outline>& outlines) {
  if (outlines.size() == 1) {
    return fmt::format(R"({{"type": "Polygon", "coordinates": {}}})",
                       geojson_rings(outlines.front()));
  }
  std::string polygons;
  for (const Outline& outline : outlines) {
    polygons += (polygons.empty() ? "" : ", ") + geojson_rings(outline);
  }
  return fmt::format(R"({{"type": "MultiPolygon", "coordinates": [{}]}})", polygons);
}

}  // namespace

std::string json_string(const std::string& text) {
  std::string quoted = "\"";
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = character_length(rest);
    const char c = rest.front();
    if (length == 0) {
      quoted += "\xEF\xBF\xBD";
    } else if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(quoted), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      quoted += rest.substr(0, length);
    }
    rest.remove_prefix(length == 0 ? 1 : length);
  }
  return quoted + "\"";
}

std::string CocoText::segmentation(const Region& region, const AnnotatedPicture& picture) const {
  if (shape_ == CocoShape::runs) {
    const RunLengths runs = encode_runs(region, picture.height, picture.width);
    return fmt::format(R"({{"size": [{}, {}], "counts": {}}})", picture.height, picture.width,
                       json_string(counts_text(runs.counts)));
  }
  std::string polygons;
  for (const Outline& outline : trace_outlines(region)) {
    polygons +=
        fmt::format("{}[{}]", polygons.empty() ? "" : ", ", flat_points(joined_ring({outline})));
  }
  return "[" + polygons + "]";
}

void CocoText::add(const AnnotatedPicture& picture) {
  ++pictures_;
  fmt::format_to(std::back_inserter(images_text_),
                 "{}\n  {{\"id\": {}, \"file_name\": {}, \"height\": {}, \"width\": {}}}",
                 pictures_ == 1 ? "" : ",", pictures_, json_string(picture.file), picture.height,
                 picture.width);
  for (const LabelledObject& object : picture.objects) {
    const bool ignored = object.label == kIgnoreLabel;
    ignores_ = ignores_ || ignored;
    const RegionBounds box = bounds_of(object.region);
    ++annotations_;
    fmt::format_to(std::back_inserter(annotations_text_),
                   "{}\n  {{\"id\": {}, \"image_id\": {}, \"category_id\": {}, \"iscrowd\": 0, "
                   "\"area\": {}, \"bbox\": [{}, {}, {}, {}], \"segmentation\": {}}}",
                   annotations_ == 1 ? "" : ",", annotations_, pictures_,
                   ignored ? classes_.size() + 1 : object.label + std::size_t{1},
                   pixel_count(object.region), box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0,
                   segmentation(object.region, picture));
  }
}

std::string CocoText::text() const {
  std::string categories;
  for (std::size_t k = 0; k < classes_.size(); ++k) {
    const Rgb colour = classes_[k].colour;
    fmt::format_to(std::back_inserter(categories),
                   "{}\n  {{\"id\": {}, \"name\": {}, \"color\": [{}, {}, {}]}}", k == 0 ? "" : ",",
                   k + 1, json_string(classes_[k].name), colour.r, colour.g, colour.b);
  }
  if (ignores_) {
    fmt::format_to(std::back_inserter(categories), ",\n  {{\"id\": {}, \"name\": \"{}\"}}",
                   classes_.size() + 1, kIgnoreClassName);
  }
  return fmt::format("{{\"categories\": [{}],\n\"images\": [{}],\n\"annotations\": [{}]}}\n",
                     categories, images_text_, annotations_text_);
}

std::string labelme_text(const AnnotatedPicture& picture, const std::vector<ClassInfo>& classes) {
  std::string shapes;
  int groups = 0;
  for (const LabelledObject& object : picture.objects) {
    const std::vector<Outline> outlines = trace_outlines(object.region);
    const std::string group = outlines.size() > 1 ? std::to_string(++groups) : "null";
    for (const Outline& outline : outlines) {
      fmt::format_to(std::back_inserter(shapes),
                     "{}\n  {{\"label\": {}, \"points\": {}, \"group_id\": {}, \"shape_type\": "
                     "\"polygon\", \"flags\": {{}}}}",
                     shapes.empty() ? "" : ",", json_string(name_of(object.label, classes)),
                     point_pairs(joined_ring({outline})), group);
    }
  }
  return fmt::format(
      "{{\"version\": \"5.0.1\", \"flags\": {{}}, \"shapes\": [{}],\n\"imagePath\": {}, "
      "\"imageData\": null, \"imageHeight\": {}, \"imageWidth\": {}}}\n",
      shapes, json_string(picture.file), picture.height, picture.width);
}

std::string geojson_text(const AnnotatedPicture& picture, const std::vector<ClassInfo>& classes) {
  std::string features;
  for (const LabelledObject& object : picture.objects) {
    const Rgb colour =
        object.label == kIgnoreLabel ? Palette().ignore : classes[object.label].colour;
    fmt::format_to(
        std::back_inserter(features),
        "{}\n  {{\"type\": \"Feature\", \"geometry\": {}, \"properties\": {{\"objectType\": "
        "\"annotation\", \"classification\": {{\"name\": {}, \"color\": [{}, {}, {}]}}}}}}",
        features.empty() ? "" : ",", geojson_geometry(trace_outlines(object.region)),
        json_string(name_of(object.label, classes)), colour.r, colour.g, colour.b);
  }
  return fmt::format(
      "{{\"type\": \"FeatureCollection\", \"image\": {}, \"height\": {}, \"width\": "
      "{},\n\"features\": "
      "[{}]}}\n",
      json_string(picture.file), picture.height, picture.width, features);
}

std::string yolo_text(const AnnotatedPicture& picture, const std::vector<int>& number_of_class) {
  std::string text;
  for (const LabelledObject& object : picture.objects) {
    if (object.label == kIgnoreLabel || number_of_class[object.label] < 0) continue;
    fmt::format_to(std::back_inserter(text), "{}", number_of_class[object.label]);
    for (const Point& point : joined_ring(trace_outlines(object.region))) {
      // Nine digits are a thousandth of a pixel in pictures of a million pixels a side.
      fmt::format_to(std::back_inserter(text), " {:.9g} {:.9g}", point.x / picture.width,
                     point.y / picture.height);
    }
    text += '\n';
  }
  return text;
}

}  // namespace segmentum
