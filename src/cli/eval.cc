// segmentum eval: how well a model does on pictures whose masks are known.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "base/counted.h"
#include "base/file.h"
#include "cli/arguments.h"
#include "cli/box_scores.h"
#include "cli/crf_arguments.h"
#include "cli/json_object.h"
#include "cli/model_report.h"
#include "cli/protocol.h"
#include "cli/stop_signal.h"
#include "cli/terminal_progress.h"
#include "data/inspect.h"
#include "infer/evaluation_file.h"
#include "metrics/detail_table.h"
#include "metrics/score_table.h"

namespace segmentum {
namespace {

constexpr const char* kTrueBoxes = "ground-truth";

struct Request {
  std::string model;
  std::string data;
  std::string split;
  std::string report;
  std::string csv;
  std::string interior;
  bool boundary = false;
  std::string tolerance;
  bool trimap = false;
  bool objects = false;
  bool calibration = false;
  std::string protocol;
  std::optional<std::int64_t> resamples;
  std::optional<std::int64_t> seed;
  std::string boxes;
  SegmenterOptions segmenter;
  std::string json;
};

std::optional<BoundaryTolerance> tolerance_of(const Request& request) {
  if (!request.boundary && request.tolerance.empty()) return std::nullopt;
  return tolerance_argument(request.tolerance);
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

void note_other_names(const std::vector<ClassInfo>& learnt, const Dataset& dataset,
                      ProgressSink& progress) {
  if (learnt.size() != dataset.classes.size()) return;  // an error, which says enough
  for (std::size_t k = 0; k < learnt.size(); ++k) {
    if (learnt[k].name == dataset.classes[k].name) continue;
    progress.message(
        fmt::format("class {} is \"{}\" to the model, \"{}\" in the data set: are they "
                    "the same?",
                    k, learnt[k].name, dataset.classes[k].name));
    return;
  }
}

void print_more_scores(const EvaluationPart& part) {
  std::size_t width = 32;
  for (const auto& [name, score] : part.more_scores) width = std::max(width, name.size() + 2);
  for (const auto& [name, score] : part.more_scores) {
    std::cout << fmt::format("{:<{}}{:.4f}", name, width, score);
    const auto interval = part.more_intervals.find(name);
    if (interval != part.more_intervals.end()) {
      std::cout << fmt::format("  [{:.4f}, {:.4f}]", interval->second.low, interval->second.high);
    }
    std::cout << '\n';
  }
}

template <typename T>
const T* pointer(const std::optional<T>& value) {
  return value ? &*value : nullptr;
}

void print_scores(const EvaluationPart& part) {
  const ScoreIntervals* intervals = pointer(part.intervals);
  std::cout << fmt::format("{}: {}\n\n{}", part.data,
                           counted(part.evaluation.images.size(), "picture"),
                           score_table(scores(part.evaluation.matrix), part.classes, intervals));
  print_more_scores(part);
  if (intervals) {
    std::cout << fmt::format("[low, high]: {:g} % of {} resamples of pictures, seed {}\n",
                             100 * intervals->options.level, intervals->options.resamples,
                             intervals->options.seed);
  }
  if (part.boundary) {
    std::cout << '\n'
              << boundary_table(*part.boundary, part.classes, pointer(part.boundary_intervals));
  }
  if (part.trimap) {
    std::cout << '\n' << trimap_table(*part.trimap, pointer(part.trimap_intervals));
  }
  if (part.sweep) std::cout << '\n' << sweep_table(*part.sweep);
  if (part.objects) std::cout << '\n' << object_table(*part.objects);
  if (part.calibration) {
    std::cout << '\n' << calibration_table(*part.calibration, pointer(part.calibration_intervals));
  }
  if (part.protocol) std::cout << '\n' << protocol_text(part);
}

JsonObject json_of(const Protocol& protocol, const EvaluationPart& part) {
  JsonObject reported;
  for (const auto& [name, value] : protocol_scores(part)) reported.set(name, value);
  JsonObject json;
  json.set("name", protocol.name)
      .set("about", protocol.about)
      .set("source", protocol.source)
      .set("scores", reported);
  const std::string exchanged =
      exchanged_classes(protocol, part.classes, scores(part.evaluation.matrix));
  return exchanged.empty() ? json : json.set("warning", exchanged);
}

void add_intervals(JsonObject& json, const EvaluationPart& part) {
  if (!part.intervals) return;
  JsonObject more;
  for (const auto& [name, interval] : part.more_intervals) {
    more.set_json(name, fmt::format("[{}, {}]", interval.low, interval.high));
  }
  json.set_json("intervals", interval_json(*part.intervals, part.classes))
      .set("more_intervals", more);
}

JsonObject json_of(const EvaluationPart& part, const Request& request, const std::string& split) {
  JsonObject more;
  for (const auto& [name, score] : part.more_scores) more.set(name, score);
  JsonObject json;
  json.set("model", request.model)
      .set("flip", request.segmenter.flip)
      .set("scales", fmt::format("{}", fmt::join(request.segmenter.scales, ",")))
      .set("crf", request.segmenter.crf)
      .set("data", request.data)
      .set("split", split)
      .set("pictures", static_cast<std::int64_t>(part.evaluation.images.size()))
      .set_json("scores", score_json(scores(part.evaluation.matrix), part.classes))
      .set("more_scores", more);
  if (part.boundary) {
    json.set_json("boundary",
                  boundary_json(*part.boundary, part.classes, pointer(part.boundary_intervals)));
  }
  if (part.trimap) {
    json.set_json("trimap", trimap_json(*part.trimap, pointer(part.trimap_intervals)));
  }
  if (part.sweep) json.set_json("thresholds", sweep_json(*part.sweep));
  if (part.objects) json.set_json("objects", object_json(*part.objects));
  if (part.calibration) {
    json.set_json("calibration",
                  calibration_json(*part.calibration, pointer(part.calibration_intervals)));
  }
  add_intervals(json, part);
  if (part.protocol) json.set("protocol", json_of(*part.protocol, part));
  return json.set("failures", part.evaluation.failures)
      .set_json("images", image_counts_json(part.evaluation.images));
}

void write_report_folder(const Request& request, EvaluationPart part) {
  const std::filesystem::path folder = request.report;
  write_image_scores_csv(folder / "images.csv", part.evaluation.images, part.classes);
  write_model_report(folder / "report.html", "Scores of " + request.model, request.model,
                     std::move(part));
  std::cout << "Wrote " << (folder / "report.html").string() << '\n';
}

void check_boxes_alone(const Request& request) {
  const char* other = !request.report.empty()             ? "--report"
                      : !request.csv.empty()              ? "--csv"
                      : !request.interior.empty()         ? "--rand"
                      : tolerance_of(request)             ? "--boundary"
                      : request.trimap                    ? "--trimap"
                      : request.objects                   ? "--objects"
                      : request.calibration               ? "--calibration"
                      : !request.protocol.empty()         ? "--protocol"
                      : request.resamples                 ? "--bootstrap"
                      : request.segmenter.tile != 0       ? "--tile"
                      : request.segmenter.flip            ? "--flip"
                      : !request.segmenter.scales.empty() ? "--scales"
                      : request.segmenter.crf             ? "--crf"
                                                          : nullptr;
  if (other) throw UsageError(fmt::format("{} does not go with --boxes", other));
}

int eval_boxes(const Request& request) {
  check_boxes_alone(request);
  catch_stop_signals();
  BoxSegmenter segmenter = BoxSegmenter::load(request.model, request.segmenter);
  TerminalProgress progress(Screen::standard_error());
  const Dataset dataset = open_dataset(request.data, progress);
  const std::string split = scored_split(dataset, request.split);
  note_other_names(segmenter.classes(), dataset, progress);
  const BoxEvaluation evaluation =
      request.boxes == kTrueBoxes ? evaluate_true_boxes(segmenter, dataset, split, &progress)
                                  : evaluate_scored_boxes(segmenter, dataset, split,
                                                          BoxFile::read(request.boxes), &progress);
  std::cout << fmt::format("{}, split {}: {}, boxes of {}\n\n{}", request.data, split,
                           counted(evaluation.pictures, "picture"), request.boxes,
                           box_score_table(evaluation));
  write_json(request.json, box_scores_json(evaluation)
                               .set("model", request.model)
                               .set("data", request.data)
                               .set("split", split)
                               .set("boxes_of", request.boxes));
  if (evaluation.failures.empty()) return 0;
  const std::size_t failed = evaluation.failures.size();
  throw Error(
      fmt::format("{} of {} failed, each reported above", failed,
                  counted(static_cast<std::size_t>(evaluation.pictures) + failed, "picture")));
}

/// What a protocol fixes cannot be set beside it.
ExtraScores extra_scores(const Request& request) {
  ExtraScores extra{.more = {.boundary = tolerance_of(request),
                             .trimap = request.trimap,
                             .objects = request.objects,
                             .calibration = request.calibration}};
  if (request.resamples) {
    extra.bootstrap =
        BootstrapOptions{.resamples = static_cast<int>(*request.resamples),
                         .seed = static_cast<std::uint64_t>(request.seed.value_or(1))};
  } else if (request.seed) {
    throw UsageError("--seed is that of --bootstrap, which is not given");
  }
  const Protocol* protocol = protocol_argument(request.protocol);
  if (protocol == nullptr) return extra;
  const char* fixed = protocol->boundary && !request.tolerance.empty()  ? "--boundary-tolerance"
                      : protocol->interior && !request.interior.empty() ? "--rand"
                                                                        : nullptr;
  if (fixed) {
    throw UsageError(fmt::format("the protocol {} fixes what {} says ({}); leave one of them out",
                                 protocol->name, fixed, protocol->about));
  }
  apply_protocol(*protocol, extra);
  return extra;
}

int eval(const Request& request) {
  if (!request.boxes.empty()) return eval_boxes(request);
  ExtraScores extra = extra_scores(request);
  if (!request.report.empty()) require_writable_folder(request.report);
  catch_stop_signals();
  const Segmenter segmenter = Segmenter::load(request.model, request.segmenter);
  TerminalProgress progress(Screen::standard_error());
  const Dataset dataset = open_dataset(request.data, progress);
  const std::string split = scored_split(dataset, request.split);
  if (!request.interior.empty()) {
    extra.more.interior = find_class(dataset.classes, request.interior);
  }
  if (extra.protocol) require_protocol(*extra.protocol, dataset, split, progress);
  note_other_names(segmenter.classes(), dataset, progress);
  tell_of_crf(segmenter, progress);
  EvaluationPart part = evaluate_split(segmenter, dataset, request.data, split, extra, progress);
  print_scores(part);
  write_json(request.json, json_of(part, request, split));
  if (!request.csv.empty()) {
    write_image_scores_csv(request.csv, part.evaluation.images, part.classes);
  }
  const std::size_t failed = part.evaluation.failures.size();
  const std::size_t all = part.evaluation.images.size() + failed;
  if (!request.report.empty()) write_report_folder(request, std::move(part));
  if (failed == 0) return 0;
  throw Error(fmt::format("{} of {} failed, each reported above", failed, counted(all, "picture")));
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
  arguments.option(request->protocol, "--protocol", "NAME",
                   "score by the rules of a benchmark, listed below");
  arguments.option(request->resamples, "--bootstrap", {1, 1e5},
                   "intervals of the scores, from N resamples of the pictures (1000 are usual)");
  arguments.option(request->seed, "--seed", {0, 9e15}, "of these resamples (default: 1)");
  arguments.option(request->interior, "--rand", "CLASS",
                   "also how well cells are told apart, the cells being CLASS: Rand errors "
                   "(foreground-restricted, adapted), variation of information, warping error");
  arguments.flag(request->objects, "--objects",
                 "also the precision of objects, connected regions of a class, over IoU 0.50 to "
                 "0.95");
  arguments.flag(request->calibration, "--calibration",
                 "also how sure the network is against how often it is right (ECE); runs it twice");
  arguments.flag(
      request->boundary, "--boundary",
      "also the F score of each class's borders, precision and recall; means over classes, "
      "and over pictures (BF)");
  arguments.option(request->tolerance, "--boundary-tolerance", "PX|PART%",
                   "how far a border may be off, in pixels or as a part of the diagonal (default: "
                   "0.75%); means --boundary too");
  arguments.flag(request->trimap, "--trimap",
                 "also accuracy and mean IoU within 1 to 40 pixels of true borders");
  arguments.option(request->boxes, "--boxes", "ground-truth|FILE",
                   "of a model on boxes: mean IoU of masks in the objects' own boxes, or average "
                   "precision (APr) of masks in a file's scored boxes");
  arguments.option(request->segmenter.tile, "--tile", {0, 1e6},
                   "side of the tiles that large pictures are cut into (default: by memory)");
  arguments.flag(request->segmenter.flip, "--flip",
                 "average with the mirrored picture: better, and twice as slow");
  arguments.scales(request->segmenter.scales);
  arguments.flag(request->segmenter.crf, "--crf",
                 "score labels after a dense CRF (see predict --crf)");
  arguments.flag(request->segmenter.exact, "--exact",
                 "every convolution as the plain sum of its products, without Winograd's "
                 "algorithm: slower, a tenth of the rounding");
  arguments.threads(request->segmenter.threads);
  arguments.json(request->json);
  arguments.help_footer(protocol_help);
  return [request] { return eval(*request); };
}

}  // namespace

const Command kEvalCommand{
    "eval", "scores of a model on labelled pictures",
    "  segmentum eval runs/first/best.segmentum pictures --report scores\n"
    "  segmentum eval cells.segmentum isbi2012 --split val --rand foreground --json scores.json\n"
    "  segmentum eval street.segmentum camvid --protocol camvid11 --bootstrap 1000\n"
    "  segmentum eval street.segmentum camvid --boundary --trimap --json scores.json\n"
    "  segmentum eval boxes.segmentum pictures --boxes detections.json\n",
    declare, true};

}  // namespace segmentum
