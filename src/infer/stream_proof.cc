#include "infer/stream_proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/random.h"
#include "image/picture_source.h"
#include "infer/stop_only.h"
#include "infer/stream_cut.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr int kLeastSide = 256;  // below which parts are not made smaller for memory

int value_at(const Image& image, int y, int x) {
  return image.type() == PixelType::u8 ? image.row<std::uint8_t>(y)[x]
                                       : image.row<std::uint16_t>(y)[x];
}

void compare(const PixelRect& part, const Image& again, const Image& stored,
             const std::filesystem::path& file) {
  std::int64_t different = 0;
  PixelRect first{};
  for (int y = 0; y < part.height; ++y) {
    for (int x = 0; x < part.width; ++x) {
      if (value_at(again, y, x) == value_at(stored, y, x)) continue;
      if (different++ == 0) first = {part.y + y, part.x + x, 1, 1};
    }
  }
  if (different == 0) return;
  throw Error::in_file(
      file.string(),
      fmt::format("the proof failed: {} of the {}x{} pixels from row {}, column {} differ when "
                  "they are cut in another way, the first at row {}, column {}",
                  different, part.width, part.height, part.y, part.x, first.y, first.x));
}

}  // namespace

/// Of half the grid's size or less, as memory allows: their seams, their borders and their place
/// among the engine's groups of pixels are others than those of the file's parts.
std::vector<PixelRect> StreamProof::places(Network& network, const RegionLabels& exact,
                                           const TileGrid& grid) const {
  int rows = std::max(grid.rows / 2, 1), columns = std::max(grid.columns / 2, 1);
  const std::size_t memory = memory_left(network);
  const auto middle = [&] { return TileGrid{grid.height, grid.width, rows, columns}.middle(); };
  while (std::max(rows, columns) > kLeastSide && exact.memory_bytes(middle()) > memory) {
    (rows > columns ? rows : columns) /= 2;
  }
  RandomStream random(seed, 0, 0);
  const auto below = [&](int count) {
    return static_cast<int>(random.below(static_cast<std::uint32_t>(count)));
  };
  std::vector<PixelRect> result;
  for (int i = 0; i < parts; ++i) {
    const int height = std::min(grid.height, std::max(rows + 1 - i % 3, 1));
    const int width = std::min(grid.width, std::max(columns + 1 - i % 2, 1));
    const int y = below(grid.height - height + 1), x = below(grid.width - width + 1);
    result.push_back({y, x, height, width});
  }
  std::ranges::sort(result, {}, &PixelRect::y);  // for pictures that are read by rows
  return result;
}

std::int64_t StreamProof::run(Network& network, RegionLabels& exact, const TileGrid& grid,
                              const StoredValues& values, const std::filesystem::path& file,
                              ProgressSink* progress) const {
  const std::unique_ptr<PictureSource> stored = open_mask(file);
  if (progress) progress->begin("prove " + file.filename().string(), parts, "part");
  std::int64_t pixels = 0, done = 0;
  for (const PixelRect& part : places(network, exact, grid)) {
    if (progress && progress->stop_requested()) throw Interrupted();
    compare(part, values.image_of(exact.labels(part)), stored->read(part), file);
    pixels += std::int64_t{part.height} * part.width;
    if (progress) progress->update(++done, "");
  }
  if (progress) progress->end();
  return pixels;
}

}  // namespace segmentum
