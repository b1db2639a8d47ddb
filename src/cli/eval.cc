// segmentum eval: how well a model does on pictures whose masks are known.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "cli/arguments.h"
#include "cli/json_object.h"
#include "cli/stop_signal.h"
#include "cli/terminal_progress.h"
#include "data/dataset.h"
#include "infer/evaluate.h"
#include "metrics/rand_error.h"
#include "metrics/score_table.h"

namespace segmentum {
namespace {

struct Request {
  std::string model;
  std::string data;
  std::string split;
  std::string report;
  std::string csv;
  std::string interior;
  SegmenterOptions segmenter;
  std::string json;
};

/// Unless told: the test split, and where there is none, what the best weights were chosen by.
std::string split_of(const Request& request, const Dataset& dataset) {
  if (!request.split.empty()) return request.split;
  return dataset.splits.contains("test") ? "test" : "val";
}

/// A class by its name or its index.
std::uint16_t find_class(const std::vector<ClassInfo>& classes, const std::string& word) {
  std::string known;
  for (std::size_t k = 0; k < classes.size(); ++k) {
    if (classes[k].name == word || std::to_string(k) == word) return static_cast<std::uint16_t>(k);
    known += (known.empty() ? "" : ", ") + classes[k].name;
  }
  throw Error(fmt::format("--rand names the class \"{}\"; there are {}", word, known));
}

/// Means over the pictures that show the class.
class RandMean {
 public:
  void add(const std::optional<RandScores>& scores) {
    if (!scores) return;
    sum_.precision += scores->precision;
    sum_.recall += scores->recall;
    sum_.f_score += scores->f_score;
    sum_.error += scores->error;
    ++count_;
  }
  std::optional<RandScores> mean() const {
    if (count_ == 0) return std::nullopt;
    return RandScores{sum_.precision / count_, sum_.recall / count_, sum_.f_score / count_,
                      sum_.error / count_};
  }

 private:
  RandScores sum_;
  int count_ = 0;
};

std::string image_csv(const Evaluation& evaluation, const std::vector<ClassInfo>& classes) {
  std::string text = score_csv_header(classes);
  for (const ImageScores& image : evaluation.images) {
    text += score_csv_row(image.name, image.scores);
  }
  return text;
}

void note_other_names(const Segmenter& segmenter, const Dataset& dataset, ProgressSink& progress) {
  const std::vector<ClassInfo>& learnt = segmenter.classes();
  for (std::size_t k = 0; k < std::min(learnt.size(), dataset.classes.size()); ++k) {
    if (learnt[k].name == dataset.classes[k].name) continue;
    progress.message(
        fmt::format("class {} is \"{}\" to the model, \"{}\" in the data set: are they "
                    "the same?",
                    k, learnt[k].name, dataset.classes[k].name));
    return;
  }
}

int eval(const Request& request) {
  catch_stop_signals();
  const Dataset dataset = open_dataset(request.data);
  const Segmenter segmenter = Segmenter::load(request.model, request.segmenter);
  const std::vector<ClassInfo>& classes = dataset.classes;
  const std::string split = split_of(request, dataset);
  std::optional<std::uint16_t> interior;
  if (!request.interior.empty()) interior = find_class(classes, request.interior);

  TerminalProgress progress(Screen::standard_error());
  note_other_names(segmenter, dataset, progress);
  RandMean rand;
  const Evaluation evaluation =
      evaluate(segmenter, dataset, split, &progress,
               [&](const Sample&, const Image&, const LabelMap& prediction, const LabelMap& truth) {
                 if (interior) rand.add(rand_scores(prediction, truth, *interior));
               });
  const Scores result = scores(evaluation.matrix);
  std::cout << fmt::format("{} pictures of the split {} of {}\n\n{}", evaluation.images.size(),
                           split, request.data, score_table(result, classes));
  JsonObject json;
  json.set("model", request.model)
      .set("data", request.data)
      .set("split", split)
      .set("pictures", static_cast<std::int64_t>(evaluation.images.size()))
      .set_json("scores", score_json(result, classes))
      .set("failures", evaluation.failures);
  if (const auto mean = rand.mean()) {
    std::cout << fmt::format(
        "foreground-restricted Rand error {:.4f} (F {:.4f}, precision {:.4f}, "
        "recall {:.4f})\n",
        mean->error, mean->f_score, mean->precision, mean->recall);
    json.set("rand_error", mean->error)
        .set("rand_precision", mean->precision)
        .set("rand_recall", mean->recall);
  }
  if (!request.csv.empty()) write_file(request.csv, image_csv(evaluation, classes));
  write_json(request.json, json);
  if (evaluation.failures.empty()) return 0;
  throw Error(fmt::format("{} of {} pictures failed, each told of above",
                          evaluation.failures.size(),
                          evaluation.images.size() + evaluation.failures.size()));
}

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.operand(request->model, "MODEL", "a .segmentum file");
  arguments.operand(request->data, "DATA", "folder or dataset.toml");
  arguments.option(request->split, "--split", "NAME",
                   "which pictures (default: test, or val where there is no test)");
  arguments.option(request->report, "--report", "DIR",
                   "write DIR/report.html and DIR/images.csv, the scores of each picture");
  arguments.option(request->csv, "--csv", "FILE", "write the scores of each picture as CSV");
  arguments.option(request->interior, "--rand", "CLASS",
                   "also the foreground-restricted Rand error, the cells being CLASS");
  arguments.option(request->segmenter.tile, "--tile", {0, 1e6},
                   "side of the tiles that large pictures are cut into (default: by memory)");
  arguments.flag(request->segmenter.flip, "--flip",
                 "average with the mirrored picture: better, and twice as slow");
  arguments.threads(request->segmenter.threads);
  arguments.json(request->json);
  return [request] { return eval(*request); };
}

}  // namespace

const Command kEvalCommand{
    "eval", "scores of a model on labelled pictures",
    "  segmentum eval runs/first/best.segmentum pictures --split test --report scores\n"
    "  segmentum eval cells.segmentum isbi2012 --split val --rand cell --json scores.json\n",
    declare};

}  // namespace segmentum
