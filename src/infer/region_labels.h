// The labels of any part of a huge picture, with the bits that the whole would give.
#pragma once

#include <cstddef>

#include "image/picture_source.h"
#include "infer/network.h"
#include "infer/region_plans.h"

namespace segmentum {

/// Throws Error if the network must see the whole picture. Not thread-safe; what it is made of must
/// outlive it.
class RegionLabels {
 public:
  RegionLabels(Network& network, PictureSource& picture);

  /// The label map of a rectangle, averaged with that of the mirrored picture where the network's
  /// options say so.
  LabelMap labels(const PixelRect& rect);

  /// What `labels` holds in memory while it runs, the picture's own memory included.
  std::size_t memory_bytes(const PixelRect& rect) const;
  /// How many pixels are read beyond a part far from the borders, both sides together.
  int around_px() const { return plans_.around_px(); }

 private:
  const ScoreRows& scores(const PixelRect& rect, bool flipped);

  Network& network_;
  PictureSource& picture_;
  RegionPlans plans_;
};

/// Why the network cannot be run on parts of a picture: "global average pooling (\"NAME\")"; empty
/// where it can.
std::string whole_picture_reader(const Graph& graph);

}  // namespace segmentum
