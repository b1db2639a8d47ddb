// The result of an evaluation as a file, picture by picture, to be compared with another one.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "infer/evaluate.h"
#include "metrics/paired_comparison.h"

namespace segmentum {

/// The pictures of an evaluation as JSON: [{"name", "counts": [[class, truth, predicted, right],
/// ...]}], in pixels, without classes that neither occur nor are predicted.
std::string image_counts_json(std::span<const ImageScores> images);

/// What `segmentum eval --json` wrote.
struct EvaluationFile {
  std::string path;
  std::string model, data, split;
  std::vector<std::string> classes;
  std::vector<std::string> names;     // of pictures
  std::vector<PictureCounts> counts;  // of the same
};

/// Throws Error naming the file where it is no such result.
EvaluationFile read_evaluation(const std::filesystem::path& path);

/// The same of an evaluation that was just made.
EvaluationFile evaluation_file(const Evaluation& evaluation, std::span<const ClassInfo> classes,
                               const std::string& model, const std::string& data,
                               const std::string& split);

/// Two results on the same pictures.
struct ComparedPicture {
  std::string name;
  double a = 0, b = 0;  // mean IoU of the picture
};
struct Comparison {
  EvaluationFile a, b;
  PairedTest test;
  std::vector<ComparedPicture> pictures;  // by name of a; without those that are ignored as a whole
  std::vector<std::string> left_out;      // names that only one of the two has
};

/// Pairs pictures by name. Throws Error if classes differ or the two have no picture in common.
Comparison compare(EvaluationFile a, EvaluationFile b, const PairedTestOptions& options);

}  // namespace segmentum
