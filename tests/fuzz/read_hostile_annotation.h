// One text as each kind of annotation: what the fuzzer and the replay of its corpus call.
#pragma once

#include <string>
#include <string_view>

#include "annotations/coco.h"
#include "annotations/cvat.h"
#include "annotations/geojson.h"
#include "annotations/labelme.h"
#include "annotations/yolo.h"
#include "segmentum/error.h"

namespace segmentum {

/// Small pictures are painted too.
inline void paint_small(const DrawnSet& set) {
  constexpr std::int64_t kSmall = 1 << 16;
  for (const DrawnPicture& picture : set.pictures) {
    const std::int64_t pixels = std::int64_t{picture.height} * picture.width;
    if (pixels > 0 && pixels <= kSmall)
      paint(picture, picture.height, picture.width, set.classes, Overlap::smaller);
  }
}

/// The first letter of `text` says as what the rest is read. Returns false if it is refused.
inline bool read_hostile_annotation(std::string_view text) {
  if (text.empty()) return false;
  const char kind = text.front();
  text.remove_prefix(1);
  try {
    switch (kind) {
      case 'c':
        paint_small(parse_coco(text));
        return true;
      case 'p':
        parse_coco_panoptic(text);
        return true;
      case 'l': {
        const DrawnSet set = parse_labelme(text);
        paint_small(set);
        if (set.pictures.front().embedded) labelme_picture(text);
        return true;
      }
      case 'g':
        paint_small(parse_geojson(text));
        return true;
      case 'x':
        paint_small(parse_cvat(text));
        return true;
      case 'y':
        for (const DrawnObject& object : parse_yolo(text, {"a", "b"}, 7, 9)) {
          fill_polygon(object.polygons.front(), 7, 9);
        }
        return true;
      case 'n':
        parse_yolo_names(text);
        return true;
      case 'r':
        decode_runs({.height = 5, .width = 7, .counts = counts_of_text(text)});
        return true;
      default:
        return false;
    }
  } catch (const Error&) {
    return false;
  }
}

}  // namespace segmentum
