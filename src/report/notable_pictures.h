// The pictures that a model segments best and worst, kept while a whole split passes by.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "segmentum/image.h"

namespace segmentum {

/// A picture to show: all three of one size.
struct ReportPicture {
  std::string name;
  Image picture;  // u8 RGB
  LabelMap prediction;
  LabelMap truth;
  double score = 0;  // mean IoU of this picture, at its full size
};

/// The longest side of a picture in a report.
inline constexpr int kReportSide = 480;

/// The same at most `side` pixels wide and high, never enlarged: the picture averaged, labels
/// nearest. The picture becomes u8 RGB, as a screen shows it; its score is left at 0. Throws Error
/// if the three differ in size.
ReportPicture shrunk(const std::string& name, ImageView picture, const LabelMap& prediction,
                     const LabelMap& truth, int side = kReportSide);

/// Keeps the `count` best and worst of all pictures that it is shown, shrunk, so that memory does
/// not grow with the split. Of equal scores the earlier picture counts as the better one.
class NotablePictures {
 public:
  /// Throws Error unless both are positive.
  explicit NotablePictures(int classes, int count = 4);

  /// Fits the visitor of `evaluate`. Pictures whose pixels are all ignored are passed over.
  void add(const std::string& name, ImageView picture, const LabelMap& prediction,
           const LabelMap& truth);

  /// Highest score first; of few pictures the better half.
  std::vector<ReportPicture> best() const;
  /// Lowest score first; of few pictures the worse half: none is both.
  std::vector<ReportPicture> worst() const;

 private:
  int classes_;
  std::size_t count_;
  std::size_t seen_ = 0;
  std::vector<ReportPicture> best_;
  std::vector<ReportPicture> worst_;
};

}  // namespace segmentum
