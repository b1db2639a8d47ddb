#include "data/check/border_contrast.h"

#include <algorithm>
#include <cstdlib>

#include "data/label_values.h"
#include "image/codec.h"
#include "image/colour.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Differences between neighbours, across borders of labels and everywhere.
struct Differences {
  double at_borders = 0, borders = 0;
  double all = 0, count = 0;

  void add(int difference, bool border) {
    all += difference;
    ++count;
    if (!border) return;
    at_borders += difference;
    ++borders;
  }
};

int luma_of(const std::uint8_t* rgb) {
  return (299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2]) / 1000;
}

}  // namespace

double border_contrast(ImageView picture, const LabelMap& labels) {
  if (picture.height != labels.height() || picture.width != labels.width()) {
    throw Error("the picture and its labels differ in size");
  }
  const Image rgb = to_rgb(picture);
  Differences differences;
  for (int y = 0; y < labels.height(); ++y) {
    const auto* row = rgb.row<std::uint8_t>(y);
    const auto* below = y + 1 < labels.height() ? rgb.row<std::uint8_t>(y + 1) : nullptr;
    for (int x = 0; x < labels.width(); ++x) {
      const int here = luma_of(row + 3 * x);
      if (x + 1 < labels.width()) {
        differences.add(std::abs(luma_of(row + 3 * (x + 1)) - here),
                        labels(y, x) != labels(y, x + 1));
      }
      if (below != nullptr) {
        differences.add(std::abs(luma_of(below + 3 * x) - here), labels(y, x) != labels(y + 1, x));
      }
    }
  }
  if (differences.borders == 0 || differences.all == 0) return 0;
  return (differences.at_borders / differences.borders) / (differences.all / differences.count);
}

LabelMap oriented_labels(const LabelMap& labels, int orientation) {
  Image stored(labels.height(), labels.width(), 1, PixelType::u16);
  std::ranges::copy(labels.labels(), stored.row<std::uint16_t>(0));
  const Image shown = oriented(std::move(stored), orientation);
  LabelMap result(shown.height(), shown.width());
  std::copy_n(shown.row<std::uint16_t>(0), result.labels().size(), result.labels().begin());
  return result;
}

TurnedContrast turned_contrast(const Dataset& dataset, const Sample& sample, int orientation) {
  const Image picture = read_image(dataset.root / sample.image);
  const LabelMap labels =
      decode_known_labels(read_mask(dataset.root / sample.mask), dataset.encoding);
  const LabelMap turned = oriented_labels(labels, orientation);
  TurnedContrast contrast{.upright = border_contrast(picture, labels)};
  const bool fits = turned.height() == picture.height() && turned.width() == picture.width();
  if (fits) contrast.as_stored = border_contrast(picture, turned);
  return contrast;
}

}  // namespace segmentum
