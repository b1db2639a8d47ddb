#include "image/stored_alpha.h"

#include "image/tiff_reader.h"

namespace segmentum {

bool has_stored_alpha(const std::filesystem::path& path) {
  const int channels = image_size(path).channels;
  if (channels != 2 && channels != 4) return false;
  switch (stored_form(path).format) {
    case FileFormat::png:
      return true;
    case FileFormat::tiff:
      return TiffReader(path).last_is_alpha();
    case FileFormat::jpeg:
      break;
  }
  return false;
}

}  // namespace segmentum
