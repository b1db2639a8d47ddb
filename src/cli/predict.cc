// segmentum predict: label maps for pictures.
#include "infer/predict_files.h"

#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "base/counted.h"
#include "cli/arguments.h"
#include "cli/crf_arguments.h"
#include "cli/json_object.h"
#include "cli/stop_signal.h"
#include "cli/terminal_progress.h"
#include "infer/predict_boxes.h"

namespace segmentum {
namespace {

struct Request {
  std::string model;
  std::vector<std::string> inputs;
  std::string out;
  std::string values = "index";
  std::string boxes;
  bool overlay = false;
  bool probabilities = false;
  SegmenterOptions segmenter;
  std::string stream = "auto";
  int memory_mb = 1024;
  int stream_over_mb = 512;
  bool resume = false;
  int blend_px = 0;
  int proofs = 0;
  std::string json;
};

Streaming streaming_of(const Request& request) {
  if (request.stream == "auto") return Streaming::automatic;
  if (request.stream == "always") return Streaming::always;
  if (request.stream == "never") return Streaming::never;
  throw UsageError(
      fmt::format("--stream is \"{}\"; expected auto, always or never", request.stream));
}

/// What is said of whole pictures says nothing of boxes.
void check_boxes_alone(const Request& request) {
  const char* other = request.probabilities               ? "--probabilities"
                      : request.values != "index"         ? "--values"
                      : request.segmenter.tile != 0       ? "--tile"
                      : request.segmenter.flip            ? "--flip"
                      : !request.segmenter.scales.empty() ? "--scales"
                      : request.segmenter.crf             ? "--crf"
                      : request.stream == "always"        ? "--stream"
                                                          : nullptr;
  if (other) throw UsageError(fmt::format("{} does not go with --boxes", other));
}

PredictSummary segment(const Request& request, ProgressSink& progress) {
  const PredictOptions options{
      .out = request.out,
      .overlay = request.overlay,
      .probabilities = request.probabilities,
      .source_values = request.values == "source",
      .streaming = request.boxes.empty() ? streaming_of(request) : Streaming::never,
      .stream_over_bytes = std::int64_t{request.stream_over_mb} << 20,
      .resume = request.resume,
      .blend_px = request.blend_px,
      .proofs = request.proofs};
  if (request.boxes.empty()) {
    const Segmenter segmenter = Segmenter::load(request.model, request.segmenter);
    tell_of_crf(segmenter, progress);
    return predict_files(segmenter, request.inputs, options, &progress);
  }
  check_boxes_alone(request);
  const BoxFile boxes = BoxFile::read(request.boxes);
  BoxSegmenter segmenter = BoxSegmenter::load(request.model, request.segmenter);
  return predict_boxes(segmenter, request.inputs, boxes, options, &progress);
}

std::vector<JsonObject> json_of(const std::vector<PredictedFile>& files) {
  std::vector<JsonObject> list;
  for (const PredictedFile& file : files) {
    list.push_back(
        JsonObject().set("input", file.input.string()).set("output", file.output.string()));
  }
  return list;
}

int predict(const Request& request) {
  if (request.values != "index" && request.values != "source") {
    throw UsageError(fmt::format("--values is \"{}\"; expected index or source", request.values));
  }
  if (request.blend_px > 0 && request.proofs > 0) {
    throw UsageError(
        "--proof compares parts cut in another way, which --blend does not promise to "
        "be the same; leave one of them out");
  }
  catch_stop_signals();
  TerminalProgress progress(Screen::standard_error());
  const auto start = std::chrono::steady_clock::now();
  const PredictSummary summary = segment(request, progress);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const std::size_t written = summary.files.size(), failed = summary.failures.size();
  std::cout << fmt::format("{} segmented into {} in {:.1f} s\n", counted(written, "picture"),
                           request.out, seconds.count());
  write_json(request.json, JsonObject()
                               .set("model", request.model)
                               .set("out", request.out)
                               .set("written", static_cast<std::int64_t>(written))
                               .set("files", json_of(summary.files))
                               .set("failures", summary.failures)
                               .set("seconds", seconds.count()));
  if (failed == 0) return 0;
  throw Error(fmt::format("{} of {} failed, each reported above", failed,
                          counted(written + failed, "picture")));
}

constexpr const char* kNames = R"(
Label maps have their pictures' names and lie as these do below the folders that are given. Where
two would be the same file, the later one keeps its ending: im0.png of im0.jpg, then im0.png.png of
im0.png. --json lists the label map of each picture.

Huge pictures are read, segmented and written part by part (--stream): never the whole picture nor
its label map is in memory. The label map is NAME.tif: tiled, compressed, with palette and pyramid
(the most frequent of four pixels), and with the picture's georeference. The result is that of the
whole picture, bit for bit, however it is cut. Interrupted or killed, the same command with
--resume goes on. Tiled TIFF is best; strips, PNG and JPEG are read by rows.
)";

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.operand(request->model, "MODEL", "a .segmentum file");
  arguments.operands(request->inputs, "INPUT", "pictures, folders of pictures, or patterns");
  arguments.required_option(
      request->out, "--out", "DIR",
      "folder for the label maps: NAME.png, palette PNG of the picture's size");
  arguments.flag(request->overlay, "--overlay",
                 "also NAME.overlay.png, the picture under the classes' colours");
  arguments.flag(request->probabilities, "--probabilities",
                 "also NAME.npy, the probability of each class, float32 [K,H,W]");
  arguments.option(request->values, "--values", "index|source",
                   "label maps hold class indices (default), or the data set's own mask values");
  arguments.option(request->boxes, "--boxes", "FILE",
                   "cut the object out of each box: JSON, CSV, VOC's XML or a folder of it; "
                   "NAME.png numbers the boxes, NAME.json tells of each");
  arguments.option(request->segmenter.tile, "--tile", {0, 1e6},
                   "side of the tiles that large pictures are cut into (default: by memory)");
  arguments.flag(request->segmenter.flip, "--flip",
                 "average with the mirrored picture: better, and twice as slow");
  arguments.scales(request->segmenter.scales);
  arguments.flag(
      request->segmenter.crf, "--crf",
      "pull labels to the picture's edges by a dense CRF, with the settings in the model "
      "file (of crf-search, or model.crf=post), else the defaults");
  arguments.option(
      request->stream, "--stream", "auto|always|never",
      "segment part by part: pictures of more than --stream-over (default), all, none");
  arguments.option(request->stream_over_mb, "--stream-over", {0, 1e6},
                   "MB that a picture and its label map would take in memory (default: 512)");
  arguments.option(request->memory_mb, "--memory", {64, 1e6},
                   "MB for the network's values; of a streamed picture for the whole program "
                   "(default: 1024)");
  arguments.flag(request->resume, "--resume",
                 "go on with streamed pictures where an earlier run was broken off");
  arguments.option(request->proofs, "--proof", {0, 1e6},
                   "segment so many parts of each streamed picture again, cut in another way, and "
                   "compare every pixel");
  arguments.option(request->blend_px, "--blend", {0, 4096},
                   "overlap streamed tiles by so many pixels and blend their probabilities: for "
                   "networks that must see the whole picture; the result depends on the tiles");
  arguments.flag(request->segmenter.exact, "--exact",
                 "every convolution as the plain sum of its products, without Winograd's "
                 "algorithm: slower, a tenth of the rounding");
  arguments.threads(request->segmenter.threads);
  arguments.json(request->json);
  arguments.help_footer([] { return std::string(kNames); });
  return [request] {
    request->segmenter.memory_limit_bytes = static_cast<std::size_t>(request->memory_mb) << 20;
    return predict(*request);
  };
}

}  // namespace

const Command kPredictCommand{
    "predict", "label maps for pictures",
    "  segmentum predict runs/first/best.segmentum new/ --out masks --overlay\n"
    "  segmentum predict best.segmentum 'new/*.jpg' a.png --out masks --values source\n"
    "  segmentum predict street.segmentum new/ --crf --out masks\n"
    "  segmentum predict best.segmentum survey.tif --out masks --proof 20\n"
    "  segmentum predict boxes.segmentum new/ --boxes detections.json --out objects\n",
    declare, true};

}  // namespace segmentum
