// Label maps of pictures that are never in memory as a whole.
#pragma once

#include <cstdint>
#include <filesystem>

#include "segmentum/progress.h"
#include "segmentum/segmenter.h"

namespace segmentum {

struct StreamOptions {
  /// Go on with what a broken run left; a finished file is left alone, but for its proofs.
  bool resume = false;
  bool source_values = false;  // values of the training data's own masks
  /// Pixels by which tiles overlap that are segmented each for itself and blended
  /// (`BlendedLabels`); 0: tiles that give the bits of the whole picture.
  int blend_px = 0;
  /// Parts at random places that are segmented once more, cut in another way, and compared with
  /// the file. Not with `blend_px`, whose result depends on the tiles.
  int proofs = 0;
};

/// Decoded samples and label map of a picture in memory: what decides whether it is streamed.
/// Throws Error if the header cannot be read.
std::int64_t whole_bytes(const std::filesystem::path& picture);

/// Writes the label map of `picture` to `out` (`LabelTiffWriter`): palette of the classes and 255
/// for ignored pixels up to 255 classes, else 16-bit grey and 65535; where a picture is a GeoTIFF,
/// its georeference, and GDAL_NODATA with the value of ignored pixels if the picture has one.
///
/// Tiles are as large as the options of `segmenter` allow: their side is its `tile`, if it is
/// given, else all takes no more than its `memory_limit_bytes`, program and weights included; a
/// network that looks very far around may need more. Throws Error naming a file, where the network
/// must see the whole picture and `blend_px` is 0, where an earlier run left something and `resume`
/// is false, where what it left is of another picture, model or option, where another process
/// writes the same file, and where a proof fails; Interrupted on request: what was written by then
/// is kept for `resume`.
void stream_picture(const Segmenter& segmenter, const std::filesystem::path& picture,
                    const std::filesystem::path& out, const StreamOptions& options = {},
                    ProgressSink* progress = nullptr);

}  // namespace segmentum
