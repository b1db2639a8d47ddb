// Pictures with labels or probabilities in, labels that follow the pictures' edges out.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "infer/crf_input.h"
#include "segmentum/progress.h"

namespace segmentum {

struct CrfFilesOptions {
  CrfSettings settings;
  LabelTrust trust;
  LabelRule rule;
  bool overlay = false;        // NAME.overlay.png: the picture under the labels' colours
  bool probabilities = false;  // NAME.npy: the CRF's marginals, float32 [K,H,W]
};

/// One picture, what a CRF starts from, and the files' common name without extension.
struct CrfFile {
  std::filesystem::path picture;
  std::filesystem::path input;  // empty: none was found
  std::filesystem::path stem;
  std::filesystem::path labels;  // the result: as a person named it, or stem.png
};

/// Pairs a picture with a file of labels or probabilities, or each picture of a folder with the
/// file of its relative name in another folder: .npy, else .png, .tif or .tiff. Results go below
/// the folder `out`; for one picture `out` may also be the .png file itself. Throws Error if a
/// folder has no pictures, a file is given for a folder, `out` is named as a file of another kind,
/// or a result would replace an input.
std::vector<CrfFile> pair_crf_files(const std::string& pictures, const std::string& inputs,
                                    const std::filesystem::path& out,
                                    const CrfFilesOptions& options);

/// All files that will be read, and all that will be written.
std::vector<std::filesystem::path> crf_inputs(const std::vector<CrfFile>& files);
std::vector<std::filesystem::path> crf_results(const std::vector<CrfFile>& files,
                                               const CrfFilesOptions& options);

struct CrfFilesSummary {
  int written = 0;                    // pictures whose files are all there
  int of_probabilities = 0;           // of them, those that started from probabilities
  std::vector<std::string> failures;  // one line each, with the file's name
};

/// Runs a CRF on every pair and writes NAME.png, in the values of the labels it started from. A
/// pair that fails is reported through `progress`, counted and skipped. Throws Interrupted on
/// request.
CrfFilesSummary run_crf_files(const std::vector<CrfFile>& files, const CrfFilesOptions& options,
                              ProgressSink* progress = nullptr);

}  // namespace segmentum
