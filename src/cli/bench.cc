// segmentum bench: where the time of a network goes, layer by layer, against what this machine can
// do; and one number for what it computes.
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/counted.h"
#include "base/threads.h"
#include "cli/arguments.h"
#include "cli/json_object.h"
#include "cli/network_request.h"
#include "data/scenes.h"
#include "engine/executor.h"
#include "graph/analysis.h"
#include "image/preprocess.h"
#include "infer/box_segmenter.h"
#include "infer/make_segmenter.h"
#include "infer/network.h"
#include "model_file/model.h"
#include "models/registry.h"
#include "profile/layer_table.h"
#include "profile/signature.h"

namespace segmentum {
namespace {

constexpr int kSide = 512;

struct Request {
  NetworkRequest network;
  int batch = 1;
  int threads = 0;
  int repeats = 9;
  bool train = false;
  bool lean = false;
  bool exact = false;
  bool signature = false;
  std::string json;
};

/// The model of the file, or the architecture with the weights that a training begins with.
Model open(const NetworkRequest& request) {
  if (request.is_file()) {
    request.refuse_options_of_architectures();
    return load_model(request.what);
  }
  UntrainedNetwork network = build_untrained(request);
  Model model;
  model.parameters = initialise(network.graph, 1);
  model.graph = std::move(network.graph);
  model.boxes = network.boxes;
  const auto channels = static_cast<std::size_t>(network.input_channels);
  model.preprocess = {.mean = std::vector<float>(channels, ModelOptions::kUsualMean),
                      .std = std::vector<float>(channels, ModelOptions::kUsualDeviation)};
  const int background = network.boxes || network.classes == 1 ? 1 : 0;  // has no logits
  for (int k = 0; k < network.classes + background; ++k) {
    model.classes.push_back({.name = fmt::format("class {}", k)});
  }
  return model;
}

/// The object that a network on boxes sees in the whole picture.
LabelMap labels_of_box(BoxSegmenter& segmenter, const Image& picture) {
  LabelMap labels(picture.height(), picture.width());
  const Box whole{0, 0, static_cast<double>(picture.width()),
                  static_cast<double>(picture.height())};
  const Mask mask = segmenter.segment(picture, whole, 1);
  for (int y = 0; y < mask.height; ++y) {
    for (int x = 0; x < mask.width; ++x) {
      labels(mask.top + y, mask.left + x) = mask(y, x) ? 1 : 0;
    }
  }
  return labels;
}

std::string signature_of(const Request& request) {
  Model model = open(request.network);
  const int channels = model.preprocess.channels();
  const SegmenterOptions options{.exact = request.exact, .threads = request.threads};
  if (model.boxes) {
    BoxSegmenter segmenter(std::move(model), options);
    return label_signature(channels,
                           [&](const Image& picture) { return labels_of_box(segmenter, picture); });
  }
  const Segmenter segmenter = make_segmenter(std::move(model), options);
  return label_signature(channels,
                         [&](const Image& picture) { return segmenter.segment(picture); });
}

/// Generated scenes, since the time of a CRF depends on how many colours there are; where they do
/// not fit, the pictures of the signature.
void fill(TensorView batch, const Preprocess& preprocess) {
  const auto height = static_cast<int>(batch.shape.h()), width = static_cast<int>(batch.shape.w());
  for (std::int64_t n = 0; n < batch.shape.n(); ++n) {
    const Image picture =
        batch.shape.c() == 3
            ? generate_scene(1, static_cast<std::uint32_t>(n), {.height = height, .width = width})
                  .image
            : signature_picture(static_cast<int>(n), height, width, preprocess.channels());
    to_tensor(picture, preprocess, batch, n);
  }
}

struct Profile {
  Shape input;
  std::vector<LayerTime> layers;
  std::vector<std::string> reference_steps;
  std::size_t plan_bytes = 0;
  MachineBest best;
};

Profile profile(const Request& request) {
  Model model = open(request.network);
  if (!request.train) model = optimised(std::move(model));
  Profile result;
  result.input = request.network.input_shape(model.preprocess.channels(), model.boxes, kSide);
  result.input[0] = request.batch;
  const std::vector<Shape> inputs(model.graph.inputs.size(), result.input);
  const Analysis analysis = analyse(model.graph, inputs);
  const auto plan =
      make_cpu_executor({.exact = request.exact})
          ->plan(model.graph, model.parameters, inputs,
                 {.mode = request.train ? Mode::train : Mode::infer, .lean = request.lean});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    fill(plan->input(static_cast<int>(i)), model.preprocess);
  }
  plan->profile();  // packs weights, touches memory
  std::vector<std::vector<StepTime>> runs;
  for (int i = 0; i < request.repeats; ++i) runs.push_back(plan->profile());
  result.layers = layer_times(runs, model.graph, analysis);
  result.reference_steps = reference_steps(runs.front());
  result.plan_bytes = plan->memory_bytes();
  result.best = measure_machine();
  return result;
}

void print(const Profile& profile, const Request& request) {
  std::cout << fmt::format("{}, {}{}, {}, {}\n\n", request.network.what,
                           request.train ? "training" : "inference",
                           request.lean ? " with little memory" : "", profile.input.to_string(),
                           counted(threads(), "thread"))
            << layer_table(profile.layers, profile.best, request.repeats);
  for (const std::string& step : profile.reference_steps) {
    std::cout << "on reference loops: " << step << '\n';
  }
  std::cout << fmt::format("\nmemory of the plan: {:.1f} MB\n",
                           static_cast<double>(profile.plan_bytes) / 1e6);
}

JsonObject json_of(const LayerTime& layer, const MachineBest& best, double floor) {
  return JsonObject()
      .set("name", layer.name)
      .set("pass", layer.pass == Pass::forward ? "forward" : "backward")
      .set("output", layer.shape)
      .set("kernels", layer.kernels)
      .set("seconds", layer.seconds)
      .set("gflop", layer.gflop)
      .set("gbytes", layer.gbytes)
      .set("fma_share", layer.fma_share(best))
      .set("memory_share", layer.memory_share(best))
      .set("floor_seconds", floor);
}

JsonObject json_of(const Profile& profile, const Request& request) {
  const MachineBest& best = profile.best;
  std::vector<JsonObject> layers;
  for (const LayerTime& layer : profile.layers) {
    layers.push_back(json_of(layer, best, layer.floor_seconds(best)));
  }
  const LayerTime total = total_time(profile.layers);
  return JsonObject()
      .set("network", request.network.what)
      .set("mode", request.train ? "train" : "infer")
      .set("lean", request.lean)
      .set("input", profile.input.to_string())
      .set("threads", threads())
      .set("repeats", request.repeats)
      .set("machine", JsonObject()
                          .set("vectors", best.vectors)
                          .set("fma_gflops", best.fma_gflops)
                          .set("copy_gbytes", best.copy_gbytes)
                          .set("triad_gbytes", best.triad_gbytes))
      .set("layers", layers)
      .set("seconds", total.seconds)
      .set("gflop", total.gflop)
      .set("fma_share", total.fma_share(best))
      .set("floor_seconds", floor_seconds(profile.layers, best))
      .set("plan_bytes", static_cast<std::int64_t>(profile.plan_bytes))
      .set("reference_steps", profile.reference_steps);
}

int run(const Request& request) {
  if (request.lean && !request.train) throw UsageError("--lean is for --train");
  set_threads(request.threads);
  JsonObject json;
  if (!request.signature) {
    const Profile result = profile(request);
    print(result, request);
    json = json_of(result, request);
  }
  const std::string signature = signature_of(request);
  std::cout << (request.signature ? "" : "signature: ") << signature << '\n';
  write_json(request.json, json.set("signature", signature));
  return 0;
}

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  request->network.declare(
      arguments, "of the picture (default: 512x512, or the side of what is read of a box)");
  arguments.option(request->batch, "--batch", {1, 4096}, "pictures at a time (default: 1)");
  arguments.option(request->repeats, "--repeats", {1, 100000},
                   "runs; of each step the fastest counts (default: 9)");
  arguments.flag(request->train, "--train", "both passes of a training, instead of inference");
  arguments.flag(request->lean, "--lean", "the training with memory=lean");
  arguments.flag(request->exact, "--exact", "no Winograd: more time, smaller rounding errors");
  arguments.flag(request->signature, "--signature",
                 "only the signature: a hash of the label maps of fixed pictures");
  arguments.threads(request->threads);
  arguments.json(request->json);
  return [request] { return run(*request); };
}

}  // namespace

const Command kBenchCommand{
    "bench", "time of every layer of a network against this machine's best, and a signature",
    "  segmentum bench unet --set width=64 --size 256x256 --threads 1\n"
    "  segmentum bench runs/first/best.segmentum --json layers.json\n"
    "  segmentum bench deeplab_v3plus --set backbone=mobilenet_v2 --train --batch 4\n"
    "  segmentum bench --signature runs/first/best.segmentum\n",
    declare, true};

}  // namespace segmentum
