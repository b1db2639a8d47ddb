// Boxes around objects: the crop that a network sees of one, and the mask that it gives back. The
// only place where pictures are stretched.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "segmentum/image.h"
#include "tensor/tensor.h"

namespace segmentum {

/// [x0, x1) x [y0, y1) in the pixels of a picture: pixel (y, x) covers [x, x+1) x [y, y+1).
struct Box {
  double x0 = 0;
  double y0 = 0;
  double x1 = 0;
  double y1 = 0;

  double width() const { return x1 - x0; }
  double height() const { return y1 - y0; }
  bool operator==(const Box&) const = default;
};

/// "[12, 3, 40.5, 30)".
std::string to_string(const Box& box);

/// What a network sees of a box: the box grown by `expand` about its centre, stretched to a square.
struct BoxCrop {
  int side_px = 200;
  double expand = 1.2;

  static constexpr int kLeastSide = 32;
  static constexpr int kGreatestSide = 2048;
  static constexpr int kGreatestExpand = 4;
  bool operator==(const BoxCrop&) const = default;
};

/// Throws Error telling what is wrong unless all sides are numbers and the box has an inside.
void check_box(const Box& box);

/// The part of a box that lies in a picture. Throws Error as `check_box`, and if there is none.
Box part_inside(const Box& box, int height, int width);

/// What is cropped of a picture for `box`: its part inside, grown about its centre. It may reach
/// beyond the picture. Throws as `part_inside`.
Box crop_region(const Box& box, const BoxCrop& crop, int height, int width);

struct Flips {
  bool along_x = false;
  bool along_y = false;
};

/// `region` of the picture at [side, side], bilinear; what it shrinks by more than a half is
/// averaged first. Beyond its edges the picture is mirrored. One thread.
Image stretched_crop(ImageView picture, const Box& region, int side, const Flips& flips = {});

/// The same for labels: nearest, kIgnoreLabel beyond the edges.
LabelMap stretched_crop(const LabelMap& labels, const Box& region, int side,
                        const Flips& flips = {});

/// What a pixel of a crop is in training on boxes: in the object or not, where the object's logits
/// are those of channel `k`.
constexpr std::uint16_t box_label(int k, bool in_object) {
  return static_cast<std::uint16_t>(2 * k + (in_object ? 1 : 0));
}

/// Some pixels of a picture: those of a rectangle of it that are marked.
struct Mask {
  int top = 0;
  int left = 0;
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> marks;  // height * width, 1 or 0

  bool operator()(int y, int x) const {
    return marks[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                 static_cast<std::size_t>(x)] != 0;
  }
  std::int64_t area() const;
};

/// The mask at the picture's own resolution: `logits` [1,K,side,side] of a crop of `region`,
/// channel `k` between its pixels bilinearly; marked where it is at least 0, a probability of one
/// half. Covers the pixels of the picture [height, width] whose centres lie in the region.
Mask pasted_mask(ConstTensorView logits, int k, const Box& region, int height, int width);

}  // namespace segmentum
