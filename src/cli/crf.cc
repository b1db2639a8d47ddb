// segmentum crf: labels or probabilities of any origin, pulled to the edges of their pictures.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "base/counted.h"
#include "base/threads.h"
#include "cli/arguments.h"
#include "cli/crf_arguments.h"
#include "cli/json_object.h"
#include "cli/stop_signal.h"
#include "cli/terminal_progress.h"
#include "image/codec.h"
#include "infer/crf_files.h"
#include "infer/kept_files.h"
#include "model_file/model.h"
#include "report/crf_report.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

struct Request {
  std::string picture;
  std::string input;
  std::string out;
  std::string model;
  std::string report;
  std::string truth;
  CrfArguments numbers;
  CrfFilesOptions options;
  std::optional<double> confidence;
  std::optional<std::int64_t> ignore_value;
  int threads = 0;
  std::string json;
};

CrfFilesOptions options_of(const Request& request) {
  CrfFilesOptions options = request.options;
  CrfSettings base;
  if (!request.model.empty()) {
    const auto stored = load_crf_settings(request.model);
    if (!stored) {
      throw Error::in_file(request.model,
                           "holds no settings of a CRF; segmentum crf-search finds some");
    }
    base = *stored;
  }
  options.settings = request.numbers.over(base);
  if (request.confidence) options.trust.confidence = static_cast<float>(*request.confidence);
  if (request.ignore_value) options.rule.ignore_value = static_cast<int>(*request.ignore_value);
  return options;
}

std::vector<ClassInfo> classes_of(const CrfInput& input) {
  const Palette palette = palette_of(input);
  std::vector<ClassInfo> classes;
  for (std::size_t k = 0; k < palette.colours.size(); ++k) {
    const auto* file = std::get_if<LabelFile>(&input);
    classes.push_back({fmt::format("{}", file ? file->values[k] : k), palette.colours[k]});
  }
  return classes;
}

/// What takes no part in the CRF is not scored either.
void ignore_where(const LabelMap& labels, LabelMap& truth) {
  for (std::size_t i = 0; i < truth.labels().size(); ++i) {
    if (labels.labels()[i] == kIgnoreLabel) truth.labels()[i] = kIgnoreLabel;
  }
}

/// Labels counted without the classes that occur nowhere, for which matrices of [classes, classes]
/// would have no number.
void keep_classes_that_occur(CrfReport& report) {
  std::vector<bool> occurs(report.classes.size(), false);
  const auto for_labels = [&](const auto& body) {
    for (std::uint16_t& label : report.truth.labels()) body(label);
    for (CrfCourse::Labels& step : report.course.labels) {
      for (std::uint16_t& label : step.map.labels()) body(label);
    }
  };
  for_labels([&](std::uint16_t label) {
    if (label != kIgnoreLabel) occurs[label] = true;
  });
  std::vector<std::uint16_t> place(occurs.size(), kIgnoreLabel);
  std::vector<ClassInfo> classes;
  for (std::size_t k = 0; k < occurs.size(); ++k) {
    if (!occurs[k]) continue;
    place[k] = static_cast<std::uint16_t>(classes.size());
    classes.push_back(report.classes[k]);
  }
  for_labels([&](std::uint16_t& label) {
    if (label != kIgnoreLabel) label = place[label];
  });
  report.classes = std::move(classes);
}

void write_page(const Request& request, const CrfFile& file, const CrfFilesOptions& options) {
  const CrfInput input = read_crf_input(file.input, options.rule);
  CrfReport report{.title = "CRF on " + file.picture.filename().string(),
                   .subtitle = fmt::format("Segmentum {}, {:%Y-%m-%d %H:%M}", SEGMENTUM_VERSION,
                                           fmt::localtime(std::time(nullptr))),
                   .settings = options.settings,
                   .classes = classes_of(input),
                   .picture_name = file.picture.filename(),
                   .picture = read_image(file.picture)};
  DenseCrf crf = crf_of(report.picture, input, file.input, options.trust, options.settings);
  report.course = follow(crf, options.settings.iterations);
  if (!request.truth.empty()) {
    report.truth = read_truth(request.truth, input);
    ignore_where(report.course.labels.front().map, report.truth);
  }
  keep_classes_that_occur(report);
  if (!request.truth.empty() && !report.classes.empty()) {
    const LabelMap& before = report.course.labels.front().map;
    const LabelMap& after = report.course.labels.back().map;
    const int classes = static_cast<int>(report.classes.size());
    report.trimaps = CrfTrimaps{"this picture", TrimapCounts(classes), TrimapCounts(classes)};
    report.trimaps->before.add(before, report.truth);
    report.trimaps->after.add(after, report.truth);
  }
  write_crf_report(request.report, report);
  std::cout << "Wrote " << request.report << '\n';
}

void check_usage(const Request& request) {
  if (!request.truth.empty() && request.report.empty()) {
    throw UsageError("--truth is for the page that --report FILE writes");
  }
  if (request.confidence && (*request.confidence <= 0 || *request.confidence >= 1)) {
    throw UsageError(fmt::format(
        "--confidence is {:g}; it must lie between one over the number of classes, which knows "
        "nothing, and 1, both excluded",
        *request.confidence));
  }
}

void check_files(const Request& request, const std::vector<CrfFile>& files,
                 const CrfFilesOptions& options) {
  std::vector<fs::path> inputs = crf_inputs(files), results = crf_results(files, options);
  inputs.insert(inputs.end(), {request.truth, request.model});
  results.insert(results.end(), {request.report, request.json});
  require_inputs_kept(inputs, results);
}

/// Says which options had nothing to say.
void tell_of_label_options(const Request& request, const CrfFilesSummary& summary,
                           ProgressSink& progress) {
  std::vector<std::string> given;
  if (request.confidence) given.emplace_back("--confidence");
  if (request.options.rule.classes > 0) given.emplace_back("--classes");
  if (request.ignore_value) given.emplace_back("--ignore");
  if (request.options.trust.fill_ignored) given.emplace_back("--fill-ignored");
  if (given.empty() || summary.of_probabilities == 0) return;
  progress.message(fmt::format("{} {} labels and said nothing of the probabilities of {} picture{}",
                               fmt::join(given, ", "), given.size() == 1 ? "is for" : "are for",
                               summary.of_probabilities, summary.of_probabilities == 1 ? "" : "s"));
}

int crf(const Request& request) {
  check_usage(request);
  catch_stop_signals();
  const ThreadsInScope scope(request.threads);
  const CrfFilesOptions options = options_of(request);
  const std::vector<CrfFile> files =
      pair_crf_files(request.picture, request.input, request.out, options);
  if (!request.report.empty() && files.size() != 1) {
    throw UsageError(fmt::format("--report shows one picture; {} were given", files.size()));
  }
  check_files(request, files, options);
  TerminalProgress progress(Screen::standard_error());
  const auto start = std::chrono::steady_clock::now();
  const CrfFilesSummary summary = run_crf_files(files, options, &progress);
  tell_of_label_options(request, summary, progress);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::cout << fmt::format("{} of {} refined into {} in {:.1f} s\n", summary.written,
                           counted(files.size(), "picture"), request.out, seconds.count());
  if (!request.report.empty() && summary.failures.empty()) {
    write_page(request, files.front(), options);
  }
  write_json(request.json, JsonObject()
                               .set("settings", json_of(options.settings))
                               .set("out", request.out)
                               .set("written", summary.written)
                               .set("failures", summary.failures)
                               .set("seconds", seconds.count()));
  if (summary.failures.empty()) return 0;
  throw Error(fmt::format("{} of {} failed, each reported above", summary.failures.size(),
                          counted(files.size(), "picture")));
}

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.operand(request->picture, "IMAGE", "a picture, or a folder of pictures");
  arguments.operand(request->input, "LABELS|PROBABILITIES",
                    "a label map (PNG, TIFF or .npy [H,W]), or probabilities (.npy [K,H,W], as "
                    "predict --probabilities writes them, or TIFF of K bands); or a folder of "
                    "them, by the pictures' names");
  arguments.required_option(request->out, "--out", "DIR|FILE.png",
                            "folder for NAME.png, labels in the values they came in; of one "
                            "picture also the file");
  arguments.option(request->confidence, "--confidence", {0, 1},
                   "how likely a label is right (default: 0.7)");
  arguments.option(request->options.rule.classes, "--classes", {1, 65535},
                   "labels are 0..N-1 (default: every value that occurs)");
  arguments.option(request->ignore_value, "--ignore", {-1, 65535},
                   "value of pixels without a label, -1 for none (default: 255, of 16 bits 65535; "
                   "none in a mask of 0 and 255)");
  arguments.flag(request->options.trust.fill_ignored, "--fill-ignored",
                 "label pixels without a label by what is around them: from scribbles, say");
  request->numbers.declare(arguments);
  arguments.option(request->model, "--model", "MODEL",
                   "take the settings of a CRF that a model file holds");
  arguments.flag(request->options.overlay, "--overlay",
                 "also NAME.overlay.png, the picture under the labels' colours");
  arguments.flag(request->options.probabilities, "--probabilities",
                 "also NAME.npy, the CRF's marginals, float32 [K,H,W]");
  arguments.option(request->report, "--report", "FILE",
                   "a page that shows the course of the inference on one picture");
  arguments.option(request->truth, "--truth", "MASK", "the true labels, for scores on that page");
  arguments.threads(request->threads);
  arguments.json(request->json);
  return [request] { return crf(*request); };
}

}  // namespace

const Command kCrfCommand{
    "crf", "labels or probabilities pulled to the edges of their pictures",
    "  segmentum crf photo.jpg labels.png --out refined.png --confidence 0.8\n"
    "  segmentum crf photos/ probabilities/ --out refined --overlay\n"
    "  segmentum crf photo.jpg p.npy --out refined.png --report crf.html --truth mask.png\n",
    declare, true};

}  // namespace segmentum
