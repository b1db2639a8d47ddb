// The text of annotation files, from the objects of label maps.
//
// Polygons run along the edges of pixels, so reading them back gives exactly the same pixels.
// Formats without holes or parts get one ring that runs to them and back; see joined_ring.
#pragma once

#include <string>
#include <vector>

#include "annotations/region.h"
#include "segmentum/classes.h"

namespace segmentum {

/// What is said of one picture.
struct AnnotatedPicture {
  std::string file;  // as the annotations are to name it
  int height = 0;
  int width = 0;
  std::vector<LabelledObject> objects;  // ignored ones are of the class kIgnoreClassName
};

/// How ignored pixels are called where a format has no word for them; readers ignore them again.
inline constexpr const char* kIgnoreClassName = "__ignore__";

enum class CocoShape : std::uint8_t { runs, polygons };

/// COCO's JSON of many pictures, which are added one by one. Classes are the categories 1, 2, ...
class CocoText {
 public:
  CocoText(const std::vector<ClassInfo>& classes, CocoShape shape)
      : classes_(classes), shape_(shape) {}
  void add(const AnnotatedPicture& picture);
  std::string text() const;

 private:
  std::string segmentation(const Region& region, const AnnotatedPicture& picture) const;

  const std::vector<ClassInfo>& classes_;
  CocoShape shape_;
  bool ignores_ = false;
  std::size_t pictures_ = 0, annotations_ = 0;
  std::string images_text_, annotations_text_;
};

/// LabelMe's JSON: parts of one object are shapes of one group_id.
std::string labelme_text(const AnnotatedPicture& picture, const std::vector<ClassInfo>& classes);

/// GeoJSON with holes, in pixels; classes and colours as QuPath names them.
std::string geojson_text(const AnnotatedPicture& picture, const std::vector<ClassInfo>& classes);

/// YOLO's lines; ignored objects are left out. Class numbers are `number_of_class` of the label, -1
/// for one that is not written.
std::string yolo_text(const AnnotatedPicture& picture, const std::vector<int>& number_of_class);

/// A text as JSON has it, in quotes; bytes that are no UTF-8 become U+FFFD.
std::string json_string(const std::string& text);

}  // namespace segmentum
