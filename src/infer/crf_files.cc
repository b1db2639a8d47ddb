#include "infer/crf_files.h"

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <utility>

#include "base/counted.h"
#include "base/file.h"
#include "image/codec.h"
#include "image/overlay.h"
#include "infer/kept_files.h"
#include "infer/npy.h"
#include "infer/picture_list.h"
#include "infer/predict_files.h"
#include "infer/stop_only.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

constexpr double kOverlayOpacity = 0.5;

fs::path with(fs::path stem, const char* ending) {
  return stem += ending;
}

bool has_extension(const fs::path& path, std::initializer_list<const char*> extensions) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char letter) { return std::tolower(letter); });
  return std::ranges::any_of(extensions, [&](const char* one) { return extension == one; });
}

/// Whether `out` is the file of one picture's labels; a folder otherwise.
bool names_a_file(const fs::path& out, const std::string& pictures) {
  std::error_code code;
  if (fs::is_directory(out, code)) return false;
  const bool png = has_extension(out, {".png"});
  if (!png &&
      !has_extension(out, {".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".npy"})) {
    return false;
  }
  if (!png) {
    throw Error::in_file(out.string(),
                         "is no PNG file's name; labels are written as PNG: expected a name that "
                         "ends in .png, or a folder");
  }
  if (fs::is_directory(pictures, code)) {
    throw Error::in_file(out.string(), "is a file's name, but " + pictures +
                                           " is a folder; expected a folder for its results");
  }
  return true;
}

/// The file of this name in the folder, whose numbers say most; empty where there is none.
fs::path input_named(const fs::path& folder, const fs::path& name) {
  for (const char* extension : {".npy", ".png", ".tif", ".tiff"}) {
    fs::path path = folder / fs::path(name).replace_extension(extension);
    std::error_code code;
    if (fs::is_regular_file(path, code)) return path;
  }
  return {};
}

/// Whether it started from probabilities.
bool run_crf_file(const CrfFile& file, const CrfFilesOptions& options, ProgressSink& progress) {
  if (file.input.empty()) {
    throw Error::in_file(file.picture.string(),
                         "has no labels or probabilities of its name: .npy, .png, .tif or .tiff");
  }
  const Image picture = read_image(file.picture);
  const CrfInput input = read_crf_input(file.input, options.rule);
  DenseCrf crf = crf_of(picture, input, file.input, options.trust, options.settings);
  crf.infer(options.settings.iterations, &progress);
  const LabelMap labels = crf.most_likely();
  if (options.probabilities) {
    const Probabilities p = std::move(crf).marginals();
    write_npy(with(file.stem, ".npy"), {p.classes(), p.height(), p.width()}, p.values());
  }
  if (options.overlay) {
    write_png(with(file.stem, ".overlay.png"),
              overlay(picture, labels, palette_of(input), kOverlayOpacity));
  }
  write_labels_like(file.labels, labels, input);  // last: where it is, all are
  return std::holds_alternative<Probabilities>(input);
}

std::string with_name(const fs::path& file, const std::string& what) {
  return what.starts_with(file.string()) ? what : file.string() + ": " + what;
}

/// An error names the file that it is about; most come from one of the two.
std::string told_of(const CrfFile& file, const std::string& what) {
  if (!file.input.empty() && what.starts_with(file.input.string())) return what;
  return with_name(file.picture, what);
}

}  // namespace

std::vector<CrfFile> pair_crf_files(const std::string& pictures, const std::string& inputs,
                                    const fs::path& out, const CrfFilesOptions& options) {
  std::error_code code;
  const bool folder_in = fs::is_directory(pictures, code);
  const bool folder_of_inputs = fs::is_directory(inputs, code);
  if (folder_in && !folder_of_inputs) {
    throw Error::in_file(inputs, "is no folder, but " + pictures +
                                     " is; expected a folder of labels or probabilities");
  }
  if (folder_in && resolved_path(pictures) == resolved_path(inputs)) {
    throw Error::in_file(pictures,
                         "holds both; expected pictures and labels in folders of their own");
  }
  const std::string listed[] = {pictures};
  const std::vector<PictureFile> found = list_pictures(listed, out);
  std::vector<fs::path> stems;
  const bool one_file = names_a_file(out, pictures);
  if (one_file && found.size() > 1) {
    throw Error::in_file(out.string(), "is one file's name for " +
                                           counted(found.size(), "picture") +
                                           "; expected a folder for their results");
  }
  if (one_file) {
    stems.push_back(fs::path(out).replace_extension());
  } else {
    stems = output_stems(
        found, {.out = out, .overlay = options.overlay, .probabilities = options.probabilities});
  }
  std::vector<CrfFile> files;
  for (std::size_t i = 0; i < found.size(); ++i) {
    files.push_back(
        {.picture = found[i].path,
         .input = folder_of_inputs ? input_named(inputs, found[i].name) : fs::path(inputs),
         .stem = stems[i],
         .labels = one_file ? out : with(stems[i], ".png")});
  }
  require_inputs_kept(crf_inputs(files), crf_results(files, options));
  return files;
}

std::vector<fs::path> crf_inputs(const std::vector<CrfFile>& files) {
  std::vector<fs::path> inputs;
  for (const CrfFile& file : files) {
    inputs.push_back(file.picture);
    inputs.push_back(file.input);
  }
  return inputs;
}

std::vector<fs::path> crf_results(const std::vector<CrfFile>& files,
                                  const CrfFilesOptions& options) {
  std::vector<fs::path> results;
  for (const CrfFile& file : files) {
    results.push_back(file.labels);
    if (options.overlay) results.push_back(with(file.stem, ".overlay.png"));
    if (options.probabilities) results.push_back(with(file.stem, ".npy"));
  }
  return results;
}

CrfFilesSummary run_crf_files(const std::vector<CrfFile>& files, const CrfFilesOptions& options,
                              ProgressSink* progress) {
  CrfFilesSummary summary;
  StopOnly stop(progress);
  if (progress) progress->begin("crf", static_cast<std::int64_t>(files.size()), "picture");
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (progress && progress->stop_requested()) throw Interrupted();
    try {
      if (run_crf_file(files[i], options, stop)) ++summary.of_probabilities;
      ++summary.written;
    } catch (const Interrupted&) {
      throw;
    } catch (const WriteError&) {
      throw;
    } catch (const Error& error) {
      summary.failures.push_back(told_of(files[i], error.what()));
      if (progress) progress->message(summary.failures.back());
    }
    if (progress) progress->update(static_cast<std::int64_t>(i) + 1, files[i].picture.filename());
  }
  if (progress) progress->end();
  return summary;
}

}  // namespace segmentum
