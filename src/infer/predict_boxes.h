// Pictures and boxes in, a mask for each box out, in a batch where one bad file stops nothing.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "data/box_file.h"
#include "infer/box_segmenter.h"
#include "infer/predict_files.h"

namespace segmentum {

/// Segments the boxes that `boxes` lists for each picture that `inputs` name (see `list_pictures`):
///   NAME.png   16-bit grey of the picture's size, the number of the box whose mask a pixel is in,
///              from 1 in the file's order, or 0. Where masks overlap, the best score is on top, of
///              equals (or without scores) the smallest.
///   NAME.json  {"image": ..., "width": ..., "height": ..., "boxes": [{"id": 1, "box": [x0, y0, x1,
///              y1], "class": ..., "score": ..., "area": ...}]}; score only if given, area in
///              pixels of the whole mask
/// and with `options.overlay` NAME.overlay.png. Of the options, `out` and the overlay's count.
/// A picture that fails, by a bad box or otherwise, is reported through `progress`, counted and
/// skipped. Throws Error if the inputs name no pictures, `boxes` names none of them or a class that
/// the model does not know, or outputs would replace inputs; Interrupted on request.
PredictSummary predict_boxes(BoxSegmenter& segmenter, std::span<const std::string> inputs,
                             const BoxFile& boxes, const PredictOptions& options,
                             ProgressSink* progress = nullptr);

}  // namespace segmentum
