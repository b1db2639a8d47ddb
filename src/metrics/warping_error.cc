#include "metrics/warping_error.h"

#include <fmt/format.h>

#include <array>
#include <deque>
#include <vector>

#include "segmentum/error.h"

namespace segmentum {
namespace {

/// A binary map with a frame of zeros around it, so that every pixel has eight neighbours.
class Plane {
 public:
  Plane(int height, int width)
      : stride_(width + 2), values_(static_cast<std::size_t>(height + 2) * (width + 2)) {
    directions_ = {1, 1 - stride_, -stride_, -1 - stride_, -1, stride_ - 1, stride_, stride_ + 1};
  }
  int at(int y, int x) const { return (y + 1) * stride_ + x + 1; }
  bool operator[](int i) const { return values_[static_cast<std::size_t>(i)]; }
  void set(int i, bool value) { values_[static_cast<std::size_t>(i)] = value; }
  const std::array<int, 8>& directions() const { return directions_; }

  unsigned neighbours(int i) const {
    unsigned bits = 0;
    for (unsigned d = 0; d < 8; ++d) bits |= unsigned{(*this)[i + directions_[d]]} << d;
    return bits;
  }

 private:
  int stride_;
  std::vector<std::uint8_t> values_;
  std::array<int, 8> directions_{};
};

}  // namespace

bool is_simple_point(unsigned neighbours) {
  // Yokoi's number of 4-connected neighbourhoods; one: the pixel is on one border only.
  const auto bit = [&](unsigned d) { return neighbours >> (d % 8) & 1U; };
  unsigned number = 0;
  for (unsigned d = 0; d < 8; d += 2) number += bit(d) - bit(d) * bit(d + 1) * bit(d + 2);
  return number == 1;
}

WarpingError warping_error(const LabelMap& prediction, const LabelMap& truth,
                           std::uint16_t interior) {
  const int height = truth.height(), width = truth.width();
  if (prediction.height() != height || prediction.width() != width) {
    throw Error(fmt::format("the prediction is {}x{} but the labels are {}x{}", prediction.width(),
                            prediction.height(), width, height));
  }
  Plane warped(height, width), wanted(height, width);
  std::deque<int> open;
  WarpingError result;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      if (truth(y, x) == kIgnoreLabel) continue;
      const int i = warped.at(y, x);
      warped.set(i, truth(y, x) == interior);
      wanted.set(i, prediction(y, x) == interior);
      ++result.pixels;
      if (warped[i] == wanted[i]) continue;
      ++result.mismatches;
      open.push_back(i);
    }
  }
  while (!open.empty()) {
    const int i = open.front();
    open.pop_front();
    if (warped[i] == wanted[i] || !is_simple_point(warped.neighbours(i))) continue;
    warped.set(i, wanted[i]);
    --result.mismatches;
    for (const int step : warped.directions()) {
      if (warped[i + step] != wanted[i + step]) open.push_back(i + step);
    }
  }
  return result;
}

}  // namespace segmentum
