// segmentum import: a checkpoint of PyTorch, or an ONNX file, becomes a model.
#include "interop/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/spelling.h"
#include "cli/arguments.h"
#include "cli/json_object.h"
#include "graph/describe.h"
#include "graph/parts.h"
#include "interop/onnx/import_onnx.h"
#include "interop/onnx/onnx_numbers.h"
#include "interop/pickle.h"
#include "models/registry.h"

namespace segmentum {
namespace {

struct Request {
  std::string checkpoint;
  std::string architecture;
  std::string out;
  std::string classes;
  std::optional<std::int64_t> channels;
  std::vector<std::string> settings;
  std::string mean;
  std::string std;
  bool lenient = false;
  std::string output;
  bool list = false;
  std::string json;
};

/// "0.485,0.456,0.406". Throws UsageError.
std::vector<float> numbers_of(const char* option, const std::string& text) {
  std::vector<float> numbers;
  const char* next = text.data();
  const char* end = next + text.size();
  while (next != end) {
    float number = 0;
    const auto [stop, code] = std::from_chars(next, end, number);
    const bool goes_on = stop != end && *stop == ',' && stop + 1 != end;
    if (code != std::errc() || !(stop == end || goes_on)) {
      throw UsageError(
          fmt::format("{} is \"{}\"; expected a number for each channel, such as "
                      "0.485,0.456,0.406",
                      option, text));
    }
    numbers.push_back(number);
    next = goes_on ? stop + 1 : stop;
  }
  return numbers;
}

int list_tensors(const Request& request) {
  const Checkpoint checkpoint = read_checkpoint(request.checkpoint);
  std::uint64_t total = 0;
  std::vector<JsonObject> tensors;
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    std::cout << fmt::format("{:<56}  {:<9} {}\n", printable(name, 200), name_of(tensor.type),
                             tensor.shape_text());
    total += tensor.count();
    tensors.emplace_back()
        .set("name", name)
        .set("type", std::string(name_of(tensor.type)))
        .set("shape", tensor.shape_text());
  }
  std::cout << fmt::format("{}: {}, {} tensors, {} numbers\n", request.checkpoint,
                           checkpoint.format(), checkpoint.tensors().size(), total);
  for (const std::string& note : checkpoint.notes()) std::cout << "  " << note << '\n';
  write_json(request.json, JsonObject()
                               .set("checkpoint", request.checkpoint)
                               .set("format", checkpoint.format())
                               .set("tensors", tensors));
  return 0;
}

void line(const char* title, const std::string& text) {
  std::cout << fmt::format("  {:<15} {}\n", title, text);
}

std::string counted(std::size_t count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// "aspp, classifier": first words of names, each once.
std::string parts_text(const std::vector<std::string>& names) {
  std::vector<std::string> parts;
  for (const std::string& name : names) {
    const std::string part = printable(part_of(name), 40);
    if (std::ranges::find(parts, part) == parts.end()) parts.push_back(part);
  }
  return joined(parts);
}

void print_parameters(const Match& match, int channels) {
  line("parameters", counted(match.taken.size(), "tensor") + " taken" +
                         (match.backbone_alone  ? ": the backbone alone, from " + match.whose
                          : match.whose.empty() ? ""
                                                : ", by the names of " + match.whose));
  if (match.backbone_alone) {
    line("",
         fmt::format(
             "{} of {} start as initialised{}", counted(match.beyond_backbone.size(), "parameter"),
             parts_text(match.beyond_backbone),
             match.left.empty()
                 ? ""
                 : fmt::format("; {} of the classifier's own left out ({})",
                               counted(match.left.size(), "tensor"), parts_text(match.left))));
    line("", "a start for segmentum train --init, no trained network");
  }
  for (const std::string& name : match.adapted) {
    line("", fmt::format("{} adapted to {}", name,
                         counted(static_cast<std::size_t>(channels), "input channel")));
  }
}

/// "RGB in [0,1], ImageNet's mean and deviation".
std::string preprocess_text(const Preprocess& preprocess, bool given) {
  constexpr int kRgb = 3;
  const int channels = preprocess.channels();
  std::string of = given ? "mean and deviation as given" : "ImageNet's mean and deviation";
  if (channels == 1) {
    of = fmt::format("mean {:.3f}, deviation {:.3f}, {}", preprocess.mean[0], preprocess.std[0],
                     given ? "as given" : "ImageNet's, averaged over RGB");
  } else if (channels != kRgb && !given) {
    of += " of RGB, again and again";
  }
  return (channels == kRgb ? "RGB" : counted(static_cast<std::size_t>(channels), "channel")) +
         " in [0,1], " + of;
}

void print_outcome(const Request& request, const Imported& imported) {
  const Model& model = imported.model;
  std::cout << fmt::format("{}: {}, SHA-256 {}...{}\n", request.checkpoint, imported.format,
                           imported.sha256.substr(0, 8),
                           imported.hash_was_promised ? ", as its name promises" : "");
  for (const std::string& note : imported.notes) line("", note);
  line("network", request.architecture);
  for (const auto& [name, value] : imported.found) {
    line("", fmt::format("{}={}, as the checkpoint's names have it", name, value));
  }
  print_parameters(imported.match, model.preprocess.channels());
  line("classes", fmt::format("{}: {}", model.classes.size(), imported.classes_from));
  line("pre-processing",
       preprocess_text(model.preprocess, !request.mean.empty() || !request.std.empty()));
  if (!imported.match.fits()) {
    std::cout << mismatch_table(imported.match)
              << "The network's missing and misshapen parameters were initialised anew, the "
                 "checkpoint's unexpected ones left out: "
              << mismatch_counts(imported.match) << ".\n";
  }
}

std::vector<std::string> names_of_classes(const Model& model) {
  std::vector<std::string> names;
  for (const ClassInfo& info : model.classes) names.push_back(info.name);
  return names;
}

std::vector<std::string> names_of(const std::vector<Mismatch>& mismatches) {
  std::vector<std::string> names;
  for (const Mismatch& mismatch : mismatches) names.push_back(mismatch.name);
  return names;
}

JsonObject json_of(const Request& request, const Imported& imported) {
  return JsonObject()
      .set("checkpoint", request.checkpoint)
      .set("format", imported.format)
      .set("sha256", imported.sha256)
      .set("architecture", request.architecture)
      .set("settings", imported.model.settings)
      .set("classes", names_of_classes(imported.model))
      .set("taken", imported.match.taken)
      .set("adapted", imported.match.adapted)
      .set("missing", names_of(imported.match.missing))
      .set("unexpected", names_of(imported.match.unexpected))
      .set("backbone_alone", imported.match.backbone_alone)
      .set("beyond_backbone", imported.match.beyond_backbone)
      .set("left", imported.match.left)
      .set("misshapen", names_of(imported.match.misshapen))
      .set("out", request.out);
}

ImportOptions options_of(const Request& request) {
  ImportOptions options{.architecture = request.architecture,
                        .classes_file = request.classes,
                        .mean = numbers_of("--mean", request.mean),
                        .std = numbers_of("--std", request.std),
                        .lenient = request.lenient};
  if (request.channels) options.input_channels = static_cast<int>(*request.channels);
  for (const std::string& setting : request.settings) {
    const auto [key, value] = key_and_value(setting);
    options.settings.insert_or_assign(key, value);
  }
  try {
    build_model(options.architecture, {.settings = options.settings});
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  return options;
}

// --- ONNX files ---

std::string dims_text(const OnnxValueInfo& value) {
  std::string text;
  for (const OnnxDim& dim : value.dims.value_or(std::vector<OnnxDim>())) {
    text += (text.empty() ? "" : ",") +
            (dim.is_known() ? std::to_string(dim.size) : printable(dim.name));
  }
  return "[" + text + "]";
}

/// Inputs, outputs and how many nodes of each operator there are.
int list_onnx(const Request& request) {
  const OnnxFile file(request.checkpoint);
  const OnnxModel& onnx = file.model();
  std::map<std::string, int> operators;
  for (const OnnxNode& node : onnx.nodes) ++operators[printable(node.op)];
  for (const OnnxValueInfo& input : onnx.inputs) {
    line("input", printable(input.name) + " " + dims_text(input));
  }
  for (const OnnxValueInfo& output : onnx.outputs) {
    line("output", printable(output.name) + " " + dims_text(output));
  }
  std::vector<JsonObject> counts;
  for (const auto& [name, count] : operators) {
    std::cout << fmt::format("  {:<22} {}\n", name, count);
    counts.emplace_back().set("name", name).set("nodes", count);
  }
  std::cout << fmt::format("{}: ONNX, {} nodes, {} tensors\n", request.checkpoint,
                           onnx.nodes.size(), onnx.initializers.size());
  write_json(request.json, JsonObject()
                               .set("onnx", request.checkpoint)
                               .set("tensors", static_cast<int>(onnx.initializers.size()))
                               .set("operators", counts));
  return 0;
}

OnnxImportOptions onnx_options_of(const Request& request) {
  const std::pair<bool, const char*> misplaced[] = {{!request.architecture.empty(), "--as"},
                                                    {request.channels.has_value(), "--channels"},
                                                    {!request.settings.empty(), "--set"},
                                                    {request.lenient, "--lenient"}};
  for (const auto& [given, name] : misplaced) {
    if (given)
      throw UsageError(
          fmt::format("an ONNX file brings its own network; {} is for checkpoints", name));
  }
  return {.classes_file = request.classes,
          .mean = numbers_of("--mean", request.mean),
          .std = numbers_of("--std", request.std),
          .output = request.output};
}

int import_onnx(const Request& request) {
  if (request.list) return list_onnx(request);
  const OnnxImportOptions options = onnx_options_of(request);
  if (request.out.empty()) throw UsageError("import needs --out FILE, or --list");
  const ImportedOnnx imported = import_onnx(request.checkpoint, options);
  const Model& model = imported.model;
  save_model(request.out, model);
  std::cout << fmt::format("{}: ONNX of {}, operator set {}, SHA-256 {}...\n", request.checkpoint,
                           imported.producer, imported.opset, imported.sha256.substr(0, 8));
  for (const std::string& note : imported.notes) line("", note);
  line("network", fmt::format("{} nodes, {} numbers", model.graph.nodes.size(),
                              human_number(model.parameters.count())));
  line("classes", fmt::format("{}: {}", model.classes.size(), imported.classes_from));
  line("pre-processing", imported.preprocess_from);
  write_json(request.json, JsonObject()
                               .set("onnx", request.checkpoint)
                               .set("producer", imported.producer)
                               .set("opset", imported.opset)
                               .set("sha256", imported.sha256)
                               .set("notes", imported.notes)
                               .set("classes", names_of_classes(model))
                               .set("out", request.out));
  std::cout << "Wrote " << request.out << '\n';
  return 0;
}

int import(const Request& request) {
  if (is_onnx(request.checkpoint)) return import_onnx(request);
  if (!request.output.empty()) throw UsageError("--output is for ONNX files");
  if (request.list) return list_tensors(request);
  if (request.architecture.empty() || request.out.empty()) {
    throw UsageError(
        "import needs --as NETWORK and --out FILE, or --list; segmentum models lists the networks");
  }
  try {
    const Imported imported = import_checkpoint(request.checkpoint, options_of(request));
    save_model(request.out, imported.model);
    print_outcome(request, imported);
    write_json(request.json, json_of(request, imported));
  } catch (const CheckpointMismatch& error) {
    std::cerr << mismatch_table(error.match);
    throw;
  }
  std::cout << "Wrote " << request.out << '\n';
  return 0;
}

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.operand(request->checkpoint, "FILE",
                    "a .pth file of torch.save, a safetensors file, or an ONNX file");
  arguments.option(request->architecture, "--as", "NETWORK",
                   "whose weights a checkpoint holds; segmentum models lists the networks");
  arguments.option(request->out, "--out", "FILE", "the model to write: NAME.segmentum");
  arguments.option(request->classes, "--classes", "FILE",
                   "names of the classes: dataset.toml, classes.csv, or one name a line");
  arguments.option(request->channels, "--channels", {1, 4096},
                   "input channels; the first convolution is adapted (default: as it is)");
  arguments.settings(request->settings,
                     "a setting of the network, such as width=64; those with a choice are found");
  arguments.option(request->mean, "--mean", "R,G,B",
                   "of the training's pictures, in [0,1] (default: ImageNet's)");
  arguments.option(request->std, "--std", "R,G,B", "deviation, likewise");
  arguments.flag(request->lenient, "--lenient",
                 "take what fits, initialise the rest, and say what that is");
  arguments.option(request->output, "--output", "NAME",
                   "of an ONNX file, the output with the logits (default: the first map)");
  arguments.flag(request->list, "--list",
                 "only show the tensors of a checkpoint, or the operators of an ONNX file");
  arguments.json(request->json);
  return [request] { return import(*request); };
}

}  // namespace

const Command kImportCommand{
    "import", "a checkpoint of PyTorch, or an ONNX file, becomes a model",
    "  segmentum import deeplabv3_resnet50_coco-cd0a2569.pth --as deeplabv3_resnet50 --out "
    "deeplab.segmentum\n"
    "  segmentum import resnet50-0676ba61.pth --as deeplab_v3plus --out start.segmentum\n"
    "  segmentum import best.pth --as unet --set width=64 --classes classes.csv --out "
    "unet.segmentum\n"
    "  segmentum import net.onnx --classes classes.csv --out net.segmentum\n"
    "  segmentum import best.pth --list\n",
    declare};

}  // namespace segmentum
