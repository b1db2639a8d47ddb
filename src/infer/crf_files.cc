#include "infer/crf_files.h"

#include <algorithm>
#include <set>
#include <utility>

#include "image/codec.h"
#include "image/overlay.h"
#include "infer/npy.h"
#include "infer/picture_list.h"
#include "infer/predict_files.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

constexpr double kOverlayOpacity = 0.5;

fs::path with(fs::path stem, const char* ending) {
  return stem += ending;
}

std::vector<fs::path> results_of(const fs::path& stem, const CrfFilesOptions& options) {
  std::vector<fs::path> files{with(stem, ".png")};
  if (options.overlay) files.push_back(with(stem, ".overlay.png"));
  if (options.probabilities) files.push_back(with(stem, ".npy"));
  return files;
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

void require_inputs_kept(const std::vector<CrfFile>& files, const CrfFilesOptions& options) {
  std::set<fs::path> inputs;
  for (const CrfFile& file : files) {
    inputs.insert(resolved_path(file.picture));
    if (!file.input.empty()) inputs.insert(resolved_path(file.input));
  }
  for (const CrfFile& file : files) {
    for (const fs::path& result : results_of(file.stem, options)) {
      if (inputs.contains(resolved_path(result))) {
        throw Error::in_file(result.string(),
                             "would be replaced by a result; choose another place for the results");
      }
    }
  }
}

void run_crf_file(const CrfFile& file, const CrfFilesOptions& options) {
  if (file.input.empty()) {
    throw Error::in_file(file.picture.string(),
                         "has no labels or probabilities of its name: .npy, .png, .tif or .tiff");
  }
  const Image picture = read_image(file.picture);
  const CrfInput input = read_crf_input(file.input, options.rule);
  DenseCrf crf = crf_of(picture, input, options.trust, options.settings);
  crf.infer(options.settings.iterations);
  const LabelMap labels = crf.most_likely();
  if (options.probabilities) {
    const Probabilities p = std::move(crf).marginals();
    write_npy(with(file.stem, ".npy"), {p.classes(), p.height(), p.width()}, p.values());
  }
  if (options.overlay) {
    write_png(with(file.stem, ".overlay.png"),
              overlay(picture, labels, palette_of(input), kOverlayOpacity));
  }
  write_labels_like(with(file.stem, ".png"), labels, input);  // last: where it is, all are
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
  if (found.size() == 1 && !folder_in && out.extension() == ".png") {
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
         .stem = stems[i]});
  }
  require_inputs_kept(files, options);
  return files;
}

CrfFilesSummary run_crf_files(const std::vector<CrfFile>& files, const CrfFilesOptions& options,
                              ProgressSink* progress) {
  CrfFilesSummary summary;
  if (progress) progress->begin("crf", static_cast<std::int64_t>(files.size()), "picture");
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (progress && progress->stop_requested()) throw Interrupted();
    try {
      run_crf_file(files[i], options);
      ++summary.written;
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
