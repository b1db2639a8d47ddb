// Pictures and label maps in and out of files, for applications that have no other means.
#pragma once

#include <cstdint>
#include <string>

#include "segmentum/classes.h"
#include "segmentum/image.h"

namespace segmentum {

/// The first picture of a PNG, JPEG or TIFF file, upright, in the file's own channels and depth.
/// Throws Error naming the file.
Image load_picture(const std::string& path);

/// A PNG file of a u8 or u16 picture of 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels.
/// Throws Error naming the file.
void save_picture(const std::string& path, const ImageView& picture);

/// A PNG file whose values are the class indices, shown in the classes' colours: 8-bit palette up
/// to 255 classes with 255 for ignored pixels, else 16-bit grey with 65535.
/// Throws Error naming the file, or if a label is no class.
void save_labels(const std::string& path, const LabelMap& labels,
                 const std::vector<ClassInfo>& classes);

/// Pictures that would take more bytes than this when decoded are refused from their header, in
/// the whole process: 4 GiB unless this said otherwise. Throws Error unless positive.
void limit_pictures(std::int64_t bytes);

}  // namespace segmentum
