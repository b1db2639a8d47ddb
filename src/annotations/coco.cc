#include "annotations/coco.h"

#include <algorithm>
#include <unordered_map>

#include "annotations/json_fields.h"
#include "data/label_values.h"

namespace segmentum {
namespace {

struct Categories {
  std::vector<ClassInfo> classes;
  std::map<std::int64_t, std::uint16_t> label_of;  // by category id

  std::uint16_t label(std::int64_t id) const {
    const auto found = label_of.find(id);
    if (found != label_of.end()) return found->second;
    throw Error(fmt::format("its category_id {} is not among the categories", id));
  }
};

Rgb colour_of(const Json& category, Rgb usual) {
  const Json* colour = find_field(category, "color");
  if (colour == nullptr || !colour->is_array() || colour->size() != 3) return usual;
  std::uint32_t number = 0;
  for (const Json& part : *colour) {
    const std::int64_t value = integer_of(part, "color");
    if (value < 0 || value > 255) return usual;
    number = number << 8 | static_cast<std::uint32_t>(value);
  }
  return unpacked(number);
}

/// Two categories of one name are one class.
Categories read_categories(const Json& document) {
  std::map<std::int64_t, const Json*> by_id;
  for_each_entry(list_field(document, "categories"), "category", [&](const Json& category) {
    if (!by_id.emplace(integer_field(category, "id"), &category).second) {
      throw Error("its id is that of another category");
    }
  });
  if (by_id.size() >= kUncovered) throw Error(fmt::format("lists {} categories", by_id.size()));
  const Palette usual = Palette::voc(static_cast<int>(by_id.size()));
  Categories categories;
  for (const auto& [id, category] : by_id) {
    std::string name = text_field(*category, "name");
    const auto same = std::ranges::find(categories.classes, name, &ClassInfo::name);
    categories.label_of[id] = static_cast<std::uint16_t>(same - categories.classes.begin());
    if (same != categories.classes.end()) continue;
    const Rgb colour = colour_of(*category, usual.colours[categories.classes.size()]);
    categories.classes.push_back({std::move(name), colour});
  }
  return categories;
}

Ring ring_of(const Json& numbers) {
  if (!numbers.is_array() || numbers.size() % 2 != 0) {
    throw Error("a polygon is expected to be a list of x, y pairs");
  }
  Ring ring;
  for (std::size_t i = 0; i < numbers.size(); i += 2) {
    ring.push_back(checked_point(number_of(numbers[i], "x"), number_of(numbers[i + 1], "y")));
  }
  return ring;
}

RunLengths runs_of(const Json& segmentation) {
  const Json& size = list_field(segmentation, "size");
  if (size.size() != 2) throw Error("\"size\" is expected to be [height, width]");
  const auto [height, width] = picture_sides(size[0], size[1]);
  RunLengths runs{.height = height, .width = width};
  const Json& counts = field(segmentation, "counts");
  if (counts.is_string()) {
    runs.counts = counts_of_text(counts.get<std::string>());
  } else if (counts.is_array()) {
    for (const Json& count : counts) runs.counts.push_back(integer_of(count, "counts"));
  } else {
    throw Error("\"counts\" is neither a list nor a text");
  }
  if (runs.counts.empty()) throw Error("\"counts\" is empty");
  return runs;
}

void read_segmentation(const Json& segmentation, DrawnObject& object) {
  if (segmentation.is_object()) {
    object.runs = runs_of(segmentation);
    return;
  }
  if (!segmentation.is_array()) throw Error("\"segmentation\" is neither polygons nor run lengths");
  for (const Json& polygon : segmentation) {
    Ring ring = ring_of(polygon);
    // Some tools leave lines and empty lists behind, which cover nothing.
    if (ring.size() >= 3) object.polygons.push_back({std::move(ring)});
  }
}

bool flag(const Json& object, const char* name) {
  const Json* value = find_field(object, name);
  if (value == nullptr) return false;
  return value->is_boolean() ? value->get<bool>() : integer_of(*value, name) != 0;
}

/// The pictures in the file's order, and their places by id.
std::unordered_map<std::string, std::size_t> read_pictures(const Json& document,
                                                           std::vector<DrawnPicture>& pictures) {
  std::unordered_map<std::string, std::size_t> by_id;
  for_each_entry(list_field(document, "images"), "image", [&](const Json& image) {
    if (!by_id.emplace(text_field(image, "id"), pictures.size()).second) {
      throw Error("its id is that of another image");
    }
    const auto [height, width] = picture_sides(field(image, "height"), field(image, "width"));
    pictures.push_back({.file = text_field(image, "file_name"), .height = height, .width = width});
  });
  return by_id;
}

std::size_t place_of(const std::unordered_map<std::string, std::size_t>& by_id,
                     const Json& annotation) {
  const std::string id = text_field(annotation, "image_id");
  const auto found = by_id.find(id);
  if (found != by_id.end()) return found->second;
  throw Error(fmt::format("its image_id {} is not among the images", id));
}

}  // namespace

DrawnSet parse_coco(std::string_view text) {
  const Json document = parse_json(text);
  Categories categories = read_categories(document);
  DrawnSet set;
  const auto by_id = read_pictures(document, set.pictures);
  std::size_t without = 0;
  for_each_entry(list_field(document, "annotations"), "annotation", [&](const Json& annotation) {
    DrawnPicture& picture = set.pictures[place_of(by_id, annotation)];
    const std::uint16_t label = categories.label(integer_field(annotation, "category_id"));
    DrawnObject object{.class_name = categories.classes[label].name,
                       .crowd = flag(annotation, "iscrowd")};
    if (const Json* segmentation = find_field(annotation, "segmentation")) {
      read_segmentation(*segmentation, object);
    }
    if (object.polygons.empty() && object.runs.counts.empty()) {
      ++without;
      return;
    }
    picture.objects.push_back(std::move(object));
  });
  if (without > 0) {
    set.notes.push_back(
        fmt::format("{} of the annotations have no segmentation and are left out", without));
  }
  set.classes = std::move(categories.classes);
  return set;
}

PanopticSet parse_coco_panoptic(std::string_view text) {
  const Json document = parse_json(text);
  Categories categories = read_categories(document);
  std::vector<DrawnPicture> pictures;
  const auto by_id = read_pictures(document, pictures);
  PanopticSet set;
  for_each_entry(list_field(document, "annotations"), "annotation", [&](const Json& annotation) {
    const DrawnPicture& picture = pictures[place_of(by_id, annotation)];
    PanopticPicture made{.file = picture.file,
                         .segments = text_field(annotation, "file_name"),
                         .height = picture.height,
                         .width = picture.width};
    for_each_entry(list_field(annotation, "segments_info"), "segment", [&](const Json& segment) {
      const std::int64_t id = integer_field(segment, "id");
      if (id < 1 || id > 0xFFFFFF)
        throw Error(fmt::format("its id is {}; expected 1 to 16777215", id));
      made.by_id[static_cast<std::uint32_t>(id)] = {
          categories.label(integer_field(segment, "category_id")), flag(segment, "iscrowd")};
    });
    set.pictures.push_back(std::move(made));
  });
  set.classes = std::move(categories.classes);
  return set;
}

Labelling panoptic_labelling(const PanopticPicture& picture, const RawMask& segments) {
  const Image& pixels = segments.values;
  if (pixels.height() != picture.height || pixels.width() != picture.width) {
    throw Error(fmt::format("is {}x{}, but the annotations say {}x{} (width x height)",
                            pixels.width(), pixels.height(), picture.width, picture.height));
  }
  if (pixels.channels() < 3 || pixels.type() != PixelType::u8) {
    throw Error("is no 8-bit RGB picture, which panoptic segments are");
  }
  struct Painted {
    std::uint16_t label, number;
  };
  std::map<std::uint32_t, Painted> known{{0, {kIgnoreLabel, 0}}};
  std::uint16_t objects = 0;
  for (const auto& [id, segment] : picture.by_id) {
    if (!segment.crowd && objects == kUncovered - 1) throw Error("holds too many segments");
    known[id] = {segment.label, segment.crowd ? std::uint16_t{0} : ++objects};
  }
  Labelling labelling{LabelMap(picture.height, picture.width),
                      LabelMap(picture.height, picture.width)};
  for (int y = 0; y < picture.height; ++y) {
    const auto* pixel = pixels.row<std::uint8_t>(y);
    for (int x = 0; x < picture.width; ++x, pixel += pixels.channels()) {
      const std::uint32_t id =
          pixel[0] | std::uint32_t{pixel[1]} << 8 | std::uint32_t{pixel[2]} << 16;
      const auto found = known.find(id);
      if (found == known.end()) {
        throw Error(fmt::format(
            "holds the segment {} at x={} y={}, which the annotations do not have", id, x, y));
      }
      labelling.labels(y, x) = found->second.label;
      labelling.instances(y, x) = found->second.number;
    }
  }
  return labelling;
}

}  // namespace segmentum
