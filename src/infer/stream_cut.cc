#include "infer/stream_cut.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "image/label_tiff.h"
#include "infer/band_labels.h"
#include "infer/blended_labels.h"
#include "infer/region_labels.h"

namespace segmentum {
namespace {

constexpr int kStep = LabelTiffWriter::kTile;
constexpr int kPartPixels = 1 << 21;  // that a kill may cost, about
// What the program takes beside the network: itself, its libraries, oneDNN's kernels.
constexpr std::size_t kProgramBytes = std::size_t{80} << 20;
// Weights are held as they are and packed once. Where 3x3 kernels are few, packed ones are 64
// numbers for nine; where they are many, they are not packed.
constexpr std::size_t kPackedTimes = 8;
constexpr std::size_t kMostPackedBytes = std::size_t{20} << 20;

int round_up(int size, int multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

/// At most, with packed copies.
std::size_t weight_bytes(const ParameterStore& parameters) {
  std::size_t sum = 0;
  for (const auto& [name, parameter] : parameters.all()) {
    const std::size_t plain = parameter.value.values().size_bytes();
    sum += plain + std::max(plain, std::min(kPackedTimes * plain, kMostPackedBytes));
  }
  return sum;
}

}  // namespace

std::size_t memory_left(Network& network) {
  const std::size_t taken = kProgramBytes + weight_bytes(network.parameters());
  const std::size_t limit = network.options().memory_limit_bytes;
  return limit > taken ? limit - taken : 0;
}

namespace {

/// A cut and what it costs.
struct Offer {
  StreamCut cut;
  double pixels_read = 0;
};

Offer offer_of_tiles(Network& network, PictureSource& picture, int blend_px) {
  std::optional<RegionLabels> exact;
  if (blend_px == 0) exact.emplace(network, picture);
  const int around = exact ? exact->around_px() : blend_px;
  const TileGrid grid =
      choose_grid({.height = picture.size().height,
                   .width = picture.size().width,
                   .multiple = kStep,
                   .around_px = around,
                   .memory_bytes = memory_left(network),
                   .bytes_of = [&](const PixelRect& part) {
                     return exact ? exact->memory_bytes(part)
                                  : BlendedLabels::memory_bytes(network, picture, part, blend_px);
                   }});
  return {{grid}, pixels_read(grid, around)};
}

TileGrid columns_of(const ImageSize& size, int columns) {
  const int rows = std::clamp(kPartPixels / columns / kStep * kStep, kStep, 4 * kStep);
  return {size.height, size.width, std::min(rows, round_up(size.height, kStep)), columns};
}

/// As few columns as memory allows, in bands of the least rows; none where the network cannot go by
/// bands, or where the picture would be decoded anew for each column.
std::optional<Offer> offer_of_bands(Network& network, PictureSource& picture) {
  const int rows =
      network.options().flip ? 0 : BandPlan::unit(network.graph(), network.executor().grid());
  if (rows == 0) return std::nullopt;
  const ImageSize& size = picture.size();
  const std::size_t memory = memory_left(network);
  for (const int columns : equal_sides(size.width, kStep)) {
    if (picture.by_rows() && columns < size.width) break;
    const TileGrid grid = columns_of(size, columns);
    const PixelRect middle = grid.middle();
    const auto bands = BandLabels::make(network, picture, {middle.x, middle.x + middle.width}, rows,
                                        std::make_shared<Workspace>());
    if (!bands) break;
    if (bands->memory_bytes(grid) > memory) continue;
    return Offer{{grid, rows}, static_cast<double>(bands->pixels_read()) * grid.count_across()};
  }
  return std::nullopt;
}

}  // namespace

std::string StreamCut::text() const {
  const std::string parts = fmt::format("parts of {}x{}", grid.rows, grid.columns);
  return band_rows == 0 ? parts : fmt::format("{} in bands of {}", parts, band_rows);
}

std::optional<StreamCut> StreamCut::parse(const std::string& text, int height, int width) {
  StreamCut cut{{.height = height, .width = width}};
  std::sscanf(text.c_str(), "parts of %dx%d in bands of %d", &cut.grid.rows, &cut.grid.columns,
              &cut.band_rows);
  if (cut.grid.rows < 1 || cut.grid.columns < 1 || cut.band_rows < 0 || cut.text() != text) {
    return std::nullopt;
  }
  return cut;
}

StreamCut choose_cut(Network& network, PictureSource& picture, int blend_px) {
  const ImageSize& size = picture.size();
  if (const int tile = network.options().tile; tile > 0) {
    const int side = round_up(std::min(tile, std::max(size.height, size.width)), kStep);
    return {{size.height, size.width, side, side}};
  }
  const Offer tiles = offer_of_tiles(network, picture, blend_px);
  if (tiles.cut.grid.count() == 1 || blend_px > 0) return tiles.cut;
  const std::optional<Offer> bands = offer_of_bands(network, picture);
  return bands && bands->pixels_read < tiles.pixels_read ? bands->cut : tiles.cut;
}

}  // namespace segmentum
