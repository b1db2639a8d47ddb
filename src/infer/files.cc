#include "segmentum/files.h"

#include "image/codec.h"

namespace segmentum {

Image load_picture(const std::string& path) {
  return read_image(path);
}

void save_picture(const std::string& path, const ImageView& picture) {
  write_png(path, picture);
}

void save_labels(const std::string& path, const LabelMap& labels,
                 const std::vector<ClassInfo>& classes) {
  write_label_png(path, labels, palette_of(classes));
}

void limit_pictures(std::int64_t bytes) {
  set_picture_limit(bytes);
}

}  // namespace segmentum
