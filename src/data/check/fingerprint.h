// A picture in a kilobyte, to find it again after it was compressed, resized, mirrored or turned.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

#include "segmentum/image.h"

namespace segmentum {

/// How a picture was mirrored or turned: the eight symmetries of a square. Bit 0 exchanges rows and
/// columns, then bit 1 mirrors left and right, then bit 2 top and bottom.
using Symmetry = int;
inline constexpr Symmetry kUnchanged = 0;
inline constexpr int kSymmetries = 8;

/// "mirrored", "turned by 90 degrees"; empty for `kUnchanged`.
std::string symmetry_text(Symmetry symmetry);

/// The whole picture as 32x32 means of its grey values, and the signs of its coarsest cosines.
struct Fingerprint {
  static constexpr int kSide = 32;

  std::array<std::uint8_t, std::size_t{kSide} * kSide> grey{};
  /// For each symmetry the bits of the picture so changed.
  std::array<std::uint64_t, kSymmetries> hashes{};
  /// Deviation of the greys; pictures below `kLeastContrast` look like too many others.
  float contrast = 0;

  static constexpr float kLeastContrast = 2.0f;
  bool tells() const { return contrast >= kLeastContrast; }
};

/// Of any picture; integer types as a screen shows them (`to_rgb`). One bit of a hash says whether
/// one of the 8x8 lowest cosines of the means, without the constant, is above their median
/// (Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, section
/// 3.2.1). O(H*W).
Fingerprint fingerprint(ImageView picture);

/// Bits that differ between `a` and `b` changed by `symmetry`, of 63.
int hash_distance(const Fingerprint& a, const Fingerprint& b, Symmetry symmetry);

/// Root of the mean squared difference between the 32x32 greys of `a` and of `b` changed by
/// `symmetry`, after the gain and offset that fit best; in grey levels of `a`.
double grey_difference(const Fingerprint& a, const Fingerprint& b, Symmetry symmetry);

/// How two pictures differ at a quarter of their size, at most at 64x64, after the gain and offset
/// that fit best.
struct PictureDifference {
  double rms = 0;    // in grey levels
  double worst = 0;  // exceeded by one pixel in 500: what moved
};

/// Of two pictures, the second changed by `symmetry`. O(H*W).
PictureDifference picture_difference(ImageView a, ImageView b, Symmetry symmetry);

/// Whether a difference is that of compression and resizing rather than of another shot. Measured:
/// JPEG of quality 30 and resizing to 70 % leave at most 1.4 and 5.5, other shots of one thing in
/// two splits at least 3.9 and 23.
bool is_same_picture(const PictureDifference& difference);

/// Whether it is that of mild compression: a stricter measure, which frames of a camera that stands
/// still do not pass either (1.2 and 10.6 in CamVid).
bool is_copy(const PictureDifference& difference);

}  // namespace segmentum
