// What annotation files say, whatever their format: pictures, and the objects drawn in each.
//
// The readers beside this file turn one file's text into it. They look at nothing else, and throw
// Error with one line for what they cannot read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "annotations/polygon.h"
#include "annotations/run_lengths.h"
#include "segmentum/classes.h"
#include "segmentum/image.h"

namespace segmentum {

/// One object: the union of its polygons, or run lengths, or pixels, whichever is not empty.
struct DrawnObject {
  std::string class_name;
  std::vector<Polygon> polygons;
  RunLengths runs;
  Region pixels;
  std::string group;   // objects of one group and class are parts of one; empty: by itself
  bool crowd = false;  // many objects at once: of its class, but no single object
};

struct DrawnPicture {
  std::string file;  // as the annotations name it
  int height = 0;    // 0: not said
  int width = 0;
  std::string split;                 // "train", "val", "test"; empty: not said
  std::vector<DrawnObject> objects;  // in the order in which they are painted
  bool embedded = false;             // the annotations hold the picture itself
  std::string annotations;           // the file that they stand in, where that is known
};

struct DrawnSet {
  std::vector<ClassInfo> classes;  // that the file lists; may be empty
  std::vector<DrawnPicture> pictures;
  std::vector<std::string> notes;     // what was left out, one line each
  std::vector<std::string> failures;  // files of a batch that cannot be read, one line each
};

enum class Overlap : std::uint8_t {
  later,    // the object that stands later in the file lies on top
  smaller,  // the one of fewer pixels does
  ignore,   // pixels of two classes are ignored
};

/// A picture's labels, and the number of the object of each pixel: 0 where there is none.
struct Labelling {
  LabelMap labels;
  LabelMap instances;
  std::int64_t overlapping = 0;  // pixels of more than one object
};

/// The label of pixels that no object covers, until it is decided what they are.
inline constexpr std::uint16_t kUncovered = kIgnoreLabel - 1;

/// Paints the objects of a picture of this size. A class has the label of its name in `classes`, or
/// kIgnoreLabel if its name says so (is_ignore_name, "__ignore__"). Throws Error for a name that
/// `classes` does not have, for run lengths of another size and for more than 65533 objects.
Labelling paint(const DrawnPicture& picture, int height, int width,
                const std::vector<ClassInfo>& classes, Overlap overlap);

/// A picture's sides in a file: throws Error for what no picture has, and where its labels would
/// take more than `picture_limit()`.
void check_drawn_size(double height, double width);

/// True for what stands for no object: "background", "_background_".
bool is_background_name(const std::string& name);

}  // namespace segmentum
