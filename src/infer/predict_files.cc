#include "infer/predict_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/counted.h"
#include "base/file.h"
#include "image/codec.h"
#include "image/overlay.h"
#include "infer/npy.h"
#include "infer/progress_scope.h"
#include "infer/source_mask.h"
#include "infer/stream_picture.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLabels = ".png";
constexpr const char* kStreamedLabels = ".tif";
constexpr const char* kOverlay = ".overlay.png";
constexpr const char* kProbabilities = ".npy";

fs::path with(fs::path stem, const char* ending) {
  return stem += ending;
}

/// All files that a picture with this stem will be given.
std::vector<fs::path> files_of(const fs::path& stem, const PredictOptions& options, bool streamed) {
  if (streamed) return {with(stem, kStreamedLabels)};
  std::vector<fs::path> files{with(stem, kLabels)};
  if (options.overlay) files.push_back(with(stem, kOverlay));
  if (options.probabilities) files.push_back(with(stem, kProbabilities));
  return files;
}

/// "a/b.jpg" -> "a/b", then "a/b.jpg", then "a/b.jpg-2", "a/b.jpg-3", ...
fs::path candidate(const fs::path& name, int attempt) {
  if (attempt == 0) return fs::path(name).replace_extension();
  return attempt == 1 ? name : with(name, ("-" + std::to_string(attempt)).c_str());
}

/// A relative name without the ".." that would lead out of the output folder.
fs::path inside(const fs::path& name) {
  fs::path result;
  for (const fs::path& part : name.lexically_normal().relative_path()) {
    if (part != "..") result /= part;
  }
  return result;
}

/// Labels, and what else was asked for; the label file comes last: where it is, all are.
void predict_file(Segmenter::Context& context, const Segmenter& segmenter,
                  const PictureFile& picture, const fs::path& stem, const PredictOptions& options,
                  ProgressSink* progress) {
  const Image image = read_image(picture.path, {.page = picture.page});
  const Palette palette = palette_of(segmenter.classes());
  if (options.probabilities) {
    const Probabilities p = context.probabilities(image, progress);
    write_npy(with(stem, kProbabilities), {p.classes(), p.height(), p.width()}, p.values());
  }
  const LabelMap labels = context.segment(image, progress);
  if (options.overlay) {
    write_png(with(stem, kOverlay), overlay(image, labels, palette, options.overlay_opacity));
  }
  if (options.source_values) {
    write_source_mask(with(stem, kLabels), labels, segmenter);
  } else {
    write_label_png(with(stem, kLabels), labels, palette);
  }
}

void stream_file(const Segmenter& segmenter, const fs::path& picture, const fs::path& out,
                 const PredictOptions& options, ProgressSink* progress) {
  if (options.overlay || options.probabilities) {
    throw Error::in_file(
        picture.string(),
        std::string("is streamed, and there is no ") +
            (options.overlay ? "overlay" : "file of probabilities") +
            " of pictures that are not in memory; leave that out, or --stream never");
  }
  const StreamOptions streaming{.resume = options.resume,
                                .source_values = options.source_values,
                                .blend_px = options.blend_px,
                                .proofs = options.proofs};
  try {
    stream_picture(segmenter, picture, out, streaming, progress);
  } catch (const WriteError& error) {
    throw WriteError(std::string(error.what()) +
                     "; once that is put right, --resume goes on with the tiles that are done");
  }
}

std::string with_name(const PictureFile& picture, const std::string& what) {
  const std::string file = picture.path.string();
  std::string named = what.starts_with(file) ? what : file + ": " + what;
  if (!picture.stack) return named;
  return fmt::format("{} (page {} of {})", named, picture.page + 1, picture.pages);
}

/// What is said of a file whose first picture alone is segmented.
std::string left_out_pages(const PictureFile& file) {
  return fmt::format("{}: holds {} pictures{}, of which only the first is segmented{}",
                     file.path.string(), file.pages, file.stack ? "" : " of different sizes",
                     file.stack ? ", because it is streamed; --stream never segments all of them"
                                : "; save the others as files of their own to have them, too");
}

/// The pages of stacks are pictures of their own, but of those that are streamed.
std::vector<PictureFile> with_pages(std::vector<PictureFile> files, const PredictOptions& options,
                                    ProgressSink* progress) {
  count_pages(files);
  std::vector<PictureFile> pictures;
  for (PictureFile& file : files) {
    if (file.stack && !is_streamed(file.path, options)) {
      std::ranges::move(pages_of(file), std::back_inserter(pictures));
      continue;
    }
    if (file.pages > 1 && progress) progress->message(left_out_pages(file));
    pictures.push_back(std::move(file));
  }
  return pictures;
}

}  // namespace

bool is_streamed(const fs::path& picture, const PredictOptions& options) {
  if (options.streaming != Streaming::automatic) return options.streaming == Streaming::always;
  try {
    return whole_bytes(picture) > options.stream_over_bytes;
  } catch (const Error&) {
    return false;
  }
}

std::vector<fs::path> output_stems(std::span<const PictureFile> pictures,
                                   const PredictOptions& options) {
  std::set<fs::path> inputs;
  for (const PictureFile& picture : pictures) inputs.insert(resolved_path(picture.path));
  std::set<fs::path> taken;
  std::vector<fs::path> stems;
  for (const PictureFile& picture : pictures) {
    const bool streamed = is_streamed(picture.path, options);
    for (int attempt = 0;; ++attempt) {
      const fs::path stem = options.out / candidate(inside(picture.name), attempt);
      const std::vector<fs::path> files = files_of(stem, options, streamed);
      if (std::ranges::any_of(files, [&](const fs::path& f) { return taken.contains(f); })) {
        continue;
      }
      for (const fs::path& file : files) {
        if (inputs.contains(resolved_path(file))) {
          throw Error::in_file(file.string(),
                               "is one of the pictures and would be replaced by a result; choose "
                               "another folder for the results");
        }
      }
      taken.insert(files.begin(), files.end());
      stems.push_back(stem);
      break;
    }
  }
  return stems;
}

PredictSummary predict_files(const Segmenter& segmenter, std::span<const std::string> inputs,
                             const PredictOptions& options, ProgressSink* progress) {
  PredictSummary summary;
  const std::vector<PictureFile> pictures =
      with_pages(list_pictures(inputs, options.out, &summary.left_out), options, progress);
  const std::vector<fs::path> stems = output_stems(pictures, options);
  require_writable_folder(options.out);
  if (progress && !summary.left_out.empty()) progress->message(left_out_text(summary.left_out));
  Segmenter::Context context = segmenter.make_context();
  if (progress) {
    progress->begin("predict", static_cast<std::int64_t>(pictures.size()), "picture");
  }
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (progress && progress->stop_requested()) throw Interrupted();
    const PictureFile& picture = pictures[i];
    ProgressScope scope(progress);
    ProgressSink* const inner = progress ? &scope : nullptr;
    try {
      const bool streamed = is_streamed(picture.path, options);
      const fs::path labels = with(stems[i], streamed ? kStreamedLabels : kLabels);
      if (streamed) {
        stream_file(segmenter, picture.path, labels, options, inner);
      } else {
        predict_file(context, segmenter, picture, stems[i], options, inner);
      }
      summary.files.push_back({picture.path, labels, picture.stack, picture.page});
    } catch (const Interrupted&) {
      throw;
    } catch (const WriteError& error) {
      throw WriteError(fmt::format("{}; {} of {} are segmented", error.what(), summary.files.size(),
                                   counted(pictures.size(), "picture")));
    } catch (const Error& error) {
      scope.close();
      summary.failures.push_back(with_name(picture, error.what()));
      if (progress) progress->message(summary.failures.back());
    }
    if (progress) progress->update(static_cast<std::int64_t>(i) + 1, picture.name.string());
  }
  if (progress) progress->end();
  return summary;
}

}  // namespace segmentum
