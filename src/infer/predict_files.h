// Pictures in, label files out, in a batch where one bad file stops nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "infer/picture_list.h"
#include "segmentum/progress.h"
#include "segmentum/segmenter.h"

namespace segmentum {

/// Which pictures are cut into tiles as they are read, their label maps written part by part
/// (`stream_picture`): NAME.tif instead of NAME.png.
enum class Streaming : std::uint8_t { automatic, always, never };

struct PredictOptions {
  std::filesystem::path out;     // created if missing
  bool overlay = false;          // NAME.overlay.png: the picture under the classes' colours
  double overlay_opacity = 0.5;  // 0 shows the picture alone, 1 the colours alone
  bool probabilities = false;    // NAME.npy: float32 [K,H,W]
  bool source_values = false;    // NAME.png in the values of the training data's own masks
  Streaming streaming = Streaming::automatic;
  /// automatic: pictures that would take more with their label map, in bytes.
  std::int64_t stream_over_bytes = std::int64_t{512} << 20;
  bool resume = false;  // the rest is for streamed pictures: see `StreamOptions`
  int blend_px = 0;
  int proofs = 0;
};

/// Whether a picture is streamed; false where its header cannot be read.
bool is_streamed(const std::filesystem::path& picture, const PredictOptions& options);

/// A picture and what became of it.
struct PredictedFile {
  std::filesystem::path input;
  std::filesystem::path output;  // its label file
};

struct PredictSummary {
  std::vector<PredictedFile> files;   // pictures whose files are all there
  std::vector<std::string> failures;  // one line each, with the file's name
};

/// Where the files of each picture go: below `options.out`, at the picture's relative name with
/// the extension taken off. Where two pictures would share a file, the later one keeps its
/// extension (a.jpg.png), then gets a number. Throws Error if an output would replace one of the
/// pictures.
std::vector<std::filesystem::path> output_stems(std::span<const PictureFile> pictures,
                                                const PredictOptions& options);

/// Segments all pictures that `inputs` name (see `list_pictures`): NAME.png holds the class index
/// of each pixel in the palette of the classes, of exactly the picture's size. Of streamed pictures
/// it is NAME.tif; there is no overlay of them and there are no probabilities.
/// A picture that fails is reported through `progress`, counted and skipped.
/// Throws Error if the inputs name no pictures or outputs would replace them, and WriteError where
/// `options.out` cannot be written, before the first picture or at the one that finds the disk
/// full; Interrupted on request.
PredictSummary predict_files(const Segmenter& segmenter, std::span<const std::string> inputs,
                             const PredictOptions& options, ProgressSink* progress = nullptr);

}  // namespace segmentum
