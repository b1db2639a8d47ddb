// segmentum export: a model as an ONNX file, and proof that it computes the same.
#include "interop/onnx/export_onnx.h"

#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/threads.h"
#include "cli/arguments.h"
#include "cli/json_object.h"
#include "interop/onnx/onnx_parity.h"
#include "model_file/model.h"

namespace segmentum {
namespace {

struct Request {
  std::string model;
  std::string out;
  int opset = OnnxExportOptions().opset;
  std::string size;
  bool argmax = false;
  bool preprocess = false;
  bool fold = false;
  bool all_outputs = false;
  bool no_check = false;
  int threads = 0;
  std::string json;
};

OnnxExportOptions options_of(const Request& request) {
  OnnxExportOptions options{.opset = request.opset,
                            .argmax = request.argmax,
                            .preprocess = request.preprocess,
                            .fold_batch_norm = request.fold,
                            .all_outputs = request.all_outputs};
  if (request.argmax && request.all_outputs) {
    throw UsageError("--argmax and --all-outputs exclude each other; give one");
  }
  if (!request.size.empty()) {
    const auto [h, w] = height_and_width("--size", request.size);
    options.size = Size2(h, w);
  }
  return options;
}

std::string line_of(const OnnxParity& parity) {
  std::string text = fmt::format("  {:<22} {:>9}: ", parity.reader,
                                 fmt::format("{}x{}", parity.size.h, parity.size.w));
  if (parity.largest_difference) {
    text += fmt::format("logits differ by at most {:.1e} of their range, {:.1e} on average; ",
                        *parity.largest_difference, *parity.mean_difference);
  }
  return text + fmt::format("{} of {} labels changed\n", parity.changed_pixels, parity.pixels);
}

JsonObject json_of(const OnnxParity& parity) {
  return JsonObject()
      .set("reader", parity.reader)
      .set("size", fmt::format("{}x{}", parity.size.h, parity.size.w))
      .set("largest_difference", parity.largest_difference)
      .set("mean_difference", parity.mean_difference)
      .set("pixels", parity.pixels)
      .set("changed_pixels", parity.changed_pixels);
}

/// Compares the file with the model and says how they differ. Throws Error if they do too much.
std::vector<OnnxParity> check(const Request& request, const Model& model,
                              const OnnxExportOptions& options) {
  if (request.no_check) return {};
  const auto runtime = find_onnx_runtime();
  auto all = onnx_parity(model, request.out, options, runtime.get());
  for (const OnnxParity& parity : all) std::cout << line_of(parity);
  if (runtime == nullptr) {
    std::cout
        << "  (no ONNX Runtime to compare with: SEGMENTUM_ONNXRUNTIME may name its library)\n";
  }
  for (const OnnxParity& parity : all) {
    if (parity.largest_difference && !(*parity.largest_difference <= kOnnxTolerance)) {
      throw Error::in_file(request.out,
                           fmt::format("what {} makes of it differs by {:.1e} of the logits' "
                                       "range; at most {:.0e} were expected",
                                       parity.reader, *parity.largest_difference, kOnnxTolerance));
    }
  }
  return all;
}

int run(const Request& request) {
  const OnnxExportOptions options = options_of(request);
  set_threads(request.threads);
  const Model model = load_model(request.model);
  const auto files = export_onnx(request.out, model, options);
  std::vector<std::string> names;
  for (const auto& file : files) names.push_back(file.string());
  const std::string takes = request.preprocess ? "samples 0 to 255" : "pre-processed samples";
  const std::string sizes =
      options.size ? fmt::format("one picture of {}x{}", options.size->h, options.size->w)
                   : "any number of pictures of any size";
  std::cout << fmt::format("Wrote {}: operator set {}, {}, {}\n", fmt::join(names, " and "),
                           options.opset, sizes, takes);
  const auto parities = check(request, model, options);
  std::vector<JsonObject> compared;
  for (const OnnxParity& parity : parities) compared.push_back(json_of(parity));
  write_json(request.json, JsonObject()
                               .set("model", request.model)
                               .set("files", names)
                               .set("opset", options.opset)
                               .set("compared", compared));
  return 0;
}

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.operand(request->model, "MODEL", "a .segmentum file");
  arguments.operand(request->out, "FILE", "the ONNX file to write: NAME.onnx");
  arguments.option(request->opset, "--opset", {kLowestOnnxOpset, kHighestOnnxOpset},
                   "version of ONNX's operators (default: 17)");
  arguments.option(request->size, "--size", "HxW",
                   "fix the picture's size, for readers without arithmetic on shapes such as "
                   "OpenCV (default: any size)");
  arguments.flag(request->argmax, "--argmax", "write labels [N,H,W] instead of logits");
  arguments.flag(request->preprocess, "--preprocess",
                 "the file reads samples 0..255 and does the rest itself");
  arguments.flag(request->fold, "--fold", "make batch norms part of the convolutions before them");
  arguments.flag(request->all_outputs, "--all-outputs", "auxiliary outputs too");
  arguments.flag(request->no_check, "--no-check",
                 "do not read the file back and compare it with the model");
  arguments.threads(request->threads);
  arguments.json(request->json);
  return [request] { return run(*request); };
}

}  // namespace

const Command kExportCommand{
    "export", "a model as an ONNX file, checked against it",
    "  segmentum export runs/first/best.segmentum best.onnx\n"
    "  segmentum export best.segmentum labels.onnx --argmax --preprocess --opset 13\n"
    "  segmentum export best.segmentum fixed.onnx --size 512x512 --fold\n",
    declare, true};

}  // namespace segmentum
