#include "infer/evaluation_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"
#include "base/json_problem.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using Json = nlohmann::json;

/// Other numbers would be rounded in silence.
std::int64_t whole_number(const Json& value) {
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  if (value.is_number_integer() && value >= 0 && value <= kMost) return value.get<std::int64_t>();
  throw Error("counts something that is no whole number");
}

PictureCounts counts_of(const Json& entries, std::size_t classes) {
  PictureCounts counts(classes);
  for (const Json& entry : entries) {
    const auto k = static_cast<std::size_t>(whole_number(entry.at(0)));
    if (k >= classes) {
      throw Error(fmt::format("counts class {}, but there are {} classes", k, classes));
    }
    counts[k] = {whole_number(entry.at(1)), whole_number(entry.at(2)), whole_number(entry.at(3))};
    const ClassCounts& of_class = counts[k];
    constexpr std::int64_t kMostPixels = std::int64_t{1} << 40;  // sums of many stay numbers
    if (of_class.right < 0 || of_class.right > std::min(of_class.truth, of_class.predicted) ||
        std::max(of_class.truth, of_class.predicted) > kMostPixels) {
      throw Error(fmt::format("counts {} right pixels of {} true and {} predicted ones",
                              of_class.right, of_class.truth, of_class.predicted));
    }
  }
  return counts;
}

EvaluationFile parse(const Json& json) {
  EvaluationFile file;
  file.model = json.value("model", "");
  file.data = json.value("data", "");
  file.split = json.value("split", "");
  for (const Json& of_class : json.at("scores").at("classes")) {
    file.classes.push_back(of_class.at("name").get<std::string>());
  }
  for (const Json& image : json.at("images")) {
    file.names.push_back(image.at("name").get<std::string>());
    file.counts.push_back(counts_of(image.at("counts"), file.classes.size()));
  }
  return file;
}

void require_same_classes(const EvaluationFile& a, const EvaluationFile& b) {
  if (a.classes.size() != b.classes.size()) {
    throw Error(
        fmt::format("{} scores {} classes, {} scores {}; only scores of the same classes "
                    "can be compared",
                    a.path, a.classes.size(), b.path, b.classes.size()));
  }
  for (std::size_t k = 0; k < a.classes.size(); ++k) {
    if (a.classes[k] == b.classes[k]) continue;
    throw Error(
        fmt::format("class {} is \"{}\" in {} and \"{}\" in {}; only scores of the same "
                    "classes can be compared",
                    k, a.classes[k], a.path, b.classes[k], b.path));
  }
}

std::int64_t truth_pixels(const PictureCounts& counts) {
  std::int64_t pixels = 0;
  for (const ClassCounts& of_class : counts) pixels += of_class.truth;
  return pixels;
}

void require_same_truth(const std::string& name, const PictureCounts& a, const PictureCounts& b) {
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (a[k].truth == b[k].truth) continue;
    throw Error(
        fmt::format("picture {} has {} true pixels of class {} in one result and {} in the "
                    "other; they were scored against other labels",
                    name, a[k].truth, k, b[k].truth));
  }
}

}  // namespace

std::string image_counts_json(std::span<const ImageScores> images) {
  Json list = Json::array();
  for (const ImageScores& image : images) {
    Json counts = Json::array();
    const std::vector<ClassCounts> of_classes = class_counts(image.scores);
    for (std::size_t k = 0; k < of_classes.size(); ++k) {
      const ClassCounts& of_class = of_classes[k];
      if (of_class.truth + of_class.predicted == 0) continue;
      counts.push_back({k, of_class.truth, of_class.predicted, of_class.right});
    }
    list.push_back({{"name", image.name}, {"counts", std::move(counts)}});
  }
  return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

EvaluationFile read_evaluation(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  try {
    EvaluationFile file = parse(Json::parse(text));
    file.path = path.string();
    return file;
  } catch (const Json::exception& error) {
    throw Error::in_file(path.string(),
                         "is no result of `segmentum eval --json` with its pictures (" +
                             json_problem(error.what()) + "); run that again");
  } catch (const Error& error) {
    throw Error::in_file(path.string(), error.what());
  }
}

EvaluationFile evaluation_file(const Evaluation& evaluation, std::span<const ClassInfo> classes,
                               const std::string& model, const std::string& data,
                               const std::string& split) {
  EvaluationFile file{.path = model, .model = model, .data = data, .split = split};
  for (const ClassInfo& info : classes) file.classes.push_back(info.name);
  for (const ImageScores& image : evaluation.images) file.names.push_back(image.name);
  file.counts = picture_counts(evaluation);
  return file;
}

Comparison compare(EvaluationFile a, EvaluationFile b, const PairedTestOptions& options) {
  require_same_classes(a, b);
  std::map<std::string, const PictureCounts*> of_b;
  for (std::size_t i = 0; i < b.names.size(); ++i) of_b[b.names[i]] = &b.counts[i];
  Comparison result;
  std::vector<PictureCounts> counts_a, counts_b;
  for (std::size_t i = 0; i < a.names.size(); ++i) {
    const auto found = of_b.find(a.names[i]);
    if (found == of_b.end()) {
      result.left_out.push_back(a.names[i]);
      continue;
    }
    require_same_truth(a.names[i], a.counts[i], *found->second);
    counts_a.push_back(a.counts[i]);
    counts_b.push_back(*found->second);
    of_b.erase(found);
    if (truth_pixels(counts_a.back()) == 0) continue;
    result.pictures.push_back(
        {a.names[i], scores(counts_a.back()).mean_iou, scores(counts_b.back()).mean_iou});
  }
  for (const auto& [name, counts] : of_b) result.left_out.push_back(name);
  if (counts_a.empty()) {
    throw Error(fmt::format("{} and {} have no picture in common; compare results on one split",
                            a.path, b.path));
  }
  result.test = paired_test(counts_a, counts_b, options);
  result.a = std::move(a);
  result.b = std::move(b);
  return result;
}

}  // namespace segmentum
