// Sizes of a value at every probe: what the translators of resizes and of frames share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "interop/onnx/translation.h"

namespace segmentum {

using Sizes = std::vector<Size2>;

inline constexpr std::int64_t kLargestSide = std::int64_t{1} << 30;

/// "64x96 -> 128x192, 97x131 -> 194x262": what no rule was found for.
std::string sizes_text(const Sizes& from, const Sizes& to);

/// Which axes of the file's value are rows and columns. Throws OnnxRefusal where there are none.
std::pair<std::size_t, std::size_t> plane_axes(const Step& s, const Seen& x);

/// Pixels on a side. Throws Error beyond 1 to kLargestSide.
int side_of(std::int64_t extent);

}  // namespace segmentum
