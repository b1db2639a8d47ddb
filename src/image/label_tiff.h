// Label maps too large for memory: a tiled BigTIFF file that grows region by region, survives the
// end of the program that writes it, and appears under its name when it is whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "image/picture_source.h"
#include "image/tiff_tag.h"

namespace segmentum {

struct LabelTiffForm {
  int height = 0;
  int width = 0;
  PixelType type = PixelType::u8;  // or u16
  std::vector<Rgb> palette;        // of u8: 256 colours; empty: grey
  std::string description;
  std::vector<TiffTag> tags;  // carried over, on the full size alone
};

/// Writes PATH.part, with the places of what it holds in PATH.part.journal; `finish` renames it.
/// Tiles of 256x256 compressed by deflate (level 4), and a pyramid: reduced-resolution pages of
/// half the size each, down to one tile, whose pixel is the most frequent of the four below it (of
/// equals the one that comes first).
///
/// A region that `write` returned from is never lost: its tiles are on the disk before the journal
/// names them, and whatever a broken run left behind them is written over.
class LabelTiffWriter {
 public:
  static constexpr int kTile = 256;

  /// What a run that was broken off said of itself; none if there is no such run.
  static std::optional<std::string> unfinished(const std::filesystem::path& path);
  /// A run that was killed at its very end may leave its journal beside the finished file.
  static void remove_journal(const std::filesystem::path& path);

  /// Begins anew, or where `resume`, goes on with what is there. `identity` is one line that says
  /// what is written, for `unfinished`. Throws Error if files cannot be written or read.
  LabelTiffWriter(const std::filesystem::path& path, LabelTiffForm form,
                  const std::string& identity, bool resume);
  ~LabelTiffWriter();
  LabelTiffWriter(const LabelTiffWriter&) = delete;
  LabelTiffWriter& operator=(const LabelTiffWriter&) = delete;

  /// Whether the region that begins there is written.
  bool has(int y, int x) const;
  /// One channel of the form's type at row `y`, column `x`, multiples of kTile; its sides are too,
  /// or end with the picture. Tiles are compressed on all threads.
  void write(int y, int x, const Image& values);
  /// The pyramid and the directories. Throws Error if a region is missing.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segmentum
