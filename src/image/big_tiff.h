// The frame of BigTIFF files that we write: where everything stands that is no pixel. Private to
// image/. libtiff is not asked, since a file of its that is broken off has no directory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "image/label_tiff.h"

namespace segmentum {

/// One page: its tiles, row by row.
struct TiffLevel {
  int height = 0;
  int width = 0;
  std::vector<std::uint64_t> offsets;
  std::vector<std::uint64_t> bytes;
};

/// The first bytes of a file, in the machine's byte order; at `kBigTiffFirstPage` the offset of the
/// first directory is to be written.
std::string big_tiff_start();
inline constexpr std::uint64_t kBigTiffFirstPage = 8;

/// Appends a page's directory by `append`, which returns where its bytes begin, and returns the
/// directory's own place. `next`: that of the page after it, or 0.
std::uint64_t append_big_tiff_page(const LabelTiffForm& form, const TiffLevel& level, int tile,
                                   bool reduced, std::uint64_t next,
                                   const std::function<std::uint64_t(const std::string&)>& append);

}  // namespace segmentum
