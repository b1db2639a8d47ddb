// COCO's annotations: objects as polygons or run lengths ("instances"), and pictures whose pixels
// hold segment ids ("panoptic").
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "annotations/drawing.h"
#include "image/codec.h"

namespace segmentum {

/// The categories in the order of their ids are the classes; pictures come in the file's order,
/// also those without objects. An object's polygons are united: COCO has no holes. Throws Error.
DrawnSet parse_coco(std::string_view text);

struct PanopticPicture {
  std::string file;      // the picture
  std::string segments;  // the PNG file whose pixels are R + 256 G + 65536 B = segment id
  int height = 0;
  int width = 0;
  struct Segment {
    std::uint16_t label = 0;
    bool crowd = false;
  };
  std::map<std::uint32_t, Segment> by_id;
};

struct PanopticSet {
  std::vector<ClassInfo> classes;  // the categories in the order of their ids
  std::vector<PanopticPicture> pictures;
};

/// Throws Error.
PanopticSet parse_coco_panoptic(std::string_view text);

/// Each segment is an object, but crowds; id 0 is ignored. Throws Error for pixels of another size,
/// and for an id that the annotations do not have.
Labelling panoptic_labelling(const PanopticPicture& picture, const RawMask& segments);

}  // namespace segmentum
