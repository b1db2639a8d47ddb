#include "profile/signature.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

#include "base/random.h"

namespace segmentum {
namespace {

struct Size {
  int height, width;
};
// Multiples of nothing; one smaller than what most networks divide by, one with a long side.
constexpr std::array kSizes{Size{13, 29}, Size{67, 51}, Size{45, 131}};

constexpr int kCell = 11;  // side of the shapes' grid, in pixels

class Fnv {
 public:
  void add(std::uint32_t number) {
    for (int byte = 0; byte < 4; ++byte) {
      hash_ = (hash_ ^ ((number >> (8 * byte)) & 0xff)) * 0x100000001b3u;
    }
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

/// 0 to 255 at a corner of the grid.
int corner(int index, int row, int column, int channel) {
  const auto word = [](int number) { return static_cast<std::uint32_t>(number); };
  return static_cast<int>(
      philox({word(row), word(column), word(channel), word(index)}, {1, 2})[0] >> 24);
}

}  // namespace

Image signature_picture(int index, int height, int width, int channels) {
  Image picture(height, width, channels);
  RandomStream grain(3, static_cast<std::uint32_t>(index), 0);
  for (int y = 0; y < height; ++y) {
    const int row = y / kCell, down = y % kCell;
    for (int x = 0; x < width; ++x) {
      const int column = x / kCell, across = x % kCell;
      for (int c = 0; c < channels; ++c) {
        const int above = corner(index, row, column, c) * (kCell - across) +
                          corner(index, row, column + 1, c) * across;
        const int below = corner(index, row + 1, column, c) * (kCell - across) +
                          corner(index, row + 1, column + 1, c) * across;
        const int smooth = (above * (kCell - down) + below * down) / (kCell * kCell);
        const int value = smooth * 7 / 8 + static_cast<int>(grain.below(32));
        picture.row<std::uint8_t>(y)[x * channels + c] = static_cast<std::uint8_t>(value);
      }
    }
  }
  return picture;
}

std::string label_signature(int channels, const std::function<LabelMap(const Image&)>& segment) {
  Fnv hash;
  for (std::size_t i = 0; i < kSizes.size(); ++i) {
    const LabelMap labels = segment(
        signature_picture(static_cast<int>(i), kSizes[i].height, kSizes[i].width, channels));
    hash.add(static_cast<std::uint32_t>(labels.height()));
    hash.add(static_cast<std::uint32_t>(labels.width()));
    for (const std::uint16_t label : labels.labels()) hash.add(label);
  }
  return fmt::format("{:016x}", hash.value());
}

}  // namespace segmentum
