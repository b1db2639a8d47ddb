// How good labels are near the borders of objects, where a coarse network errs first.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "metrics/confusion_matrix.h"
#include "segmentum/image.h"

namespace segmentum {

/// Confusion matrices of the bands ("trimaps") of 1, 2, ... pixels around the true borders, all in
/// one pass over each picture.
///
/// A pixel touches a border if a neighbour (of four) has another label; ignored pixels are one
/// label more here, because data sets draw them along the outlines of objects. The band of width w
/// holds the pixels that lie less than w pixels from one that touches a border: width 1 is the
/// pixels that touch. Distances are Euclidean and exact. Ignored pixels are in a band but are not
/// counted.
/// Kohli, Ladicky and Torr, CVPR 2008; Chen et al., DeepLab, ICLR 2015, section 5.2.
class TrimapCounts {
 public:
  /// Throws Error unless both are positive.
  explicit TrimapCounts(int classes, int widest_px = 40);

  /// Throws Error as ConfusionMatrix::add. O(H*W).
  void add(const LabelMap& prediction, const LabelMap& truth);
  /// Takes the other's pictures behind its own. Throws Error if classes or widths differ.
  TrimapCounts& operator+=(const TrimapCounts& other);

  int widest_px() const { return static_cast<int>(rings_.size()); }
  /// Everything counted within this width. Throws Error unless it is in 1..widest.
  ConfusionMatrix band(int width_px) const;

  int classes() const { return rings_.front().classes(); }
  /// What the scores of one picture follow from: pixels in the band of this width and in no
  /// narrower one. Classes that neither are nor were predicted there are left out.
  struct RingCounts {
    int width_px = 0;
    int label = 0;
    ClassCounts counts;
  };
  /// In the order in which they were added.
  const std::vector<std::vector<RingCounts>>& pictures() const { return pictures_; }

 private:
  std::vector<ConfusionMatrix> rings_;  // [w - 1]: in the band of width w, but in no narrower one
  std::vector<std::vector<RingCounts>> pictures_;
};

/// One point of the curve; `pixels` is 0 where a band holds none.
struct TrimapPoint {
  int width_px = 0;
  std::int64_t pixels = 0;
  double pixel_accuracy = 0;
  double mean_iou = 0;
};

/// Scores of every width from 1 up.
std::vector<TrimapPoint> trimap_curve(const TrimapCounts& counts);

/// The same of some of the pictures, by their numbers; one may come several times.
std::vector<TrimapPoint> trimap_curve(const TrimapCounts& counts,
                                      std::span<const std::uint32_t> pictures);

}  // namespace segmentum
