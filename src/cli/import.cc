// segmentum import: a checkpoint of PyTorch becomes a model.
#include "interop/import.h"

#include <fmt/format.h>

#include <charconv>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/json_object.h"
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

void print_outcome(const Request& request, const Imported& imported) {
  const Model& model = imported.model;
  const auto line = [](const char* title, const std::string& text) {
    std::cout << fmt::format("  {:<15} {}\n", title, text);
  };
  std::cout << fmt::format("{}: {}, SHA-256 {}...{}\n", request.checkpoint, imported.format,
                           imported.sha256.substr(0, 8),
                           imported.hash_was_promised ? ", as its name promises" : "");
  for (const std::string& note : imported.notes) line("", note);
  line("network", request.architecture);
  for (const auto& [name, value] : imported.found) {
    line("", fmt::format("{}={}, as the checkpoint's names have it", name, value));
  }
  line("parameters", fmt::format("{} tensors taken", imported.match.taken.size()));
  for (const std::string& name : imported.match.adapted) {
    line("", fmt::format("{} adapted to {} input channels", name, model.preprocess.channels()));
  }
  line("classes", fmt::format("{}: {}", model.classes.size(), imported.classes_from));
  line("pre-processing", request.mean.empty() && request.std.empty()
                             ? "RGB in [0,1], ImageNet's mean and deviation"
                             : "RGB in [0,1], mean and deviation as given");
  if (!imported.match.fits()) {
    std::cout << mismatch_table(imported.match)
              << "The network's missing and misshapen parameters were initialised anew, the "
                 "checkpoint's unexpected ones left out: "
              << mismatch_counts(imported.match) << ".\n";
  }
}

std::vector<std::string> names_of(const std::vector<Mismatch>& mismatches) {
  std::vector<std::string> names;
  for (const Mismatch& mismatch : mismatches) names.push_back(mismatch.name);
  return names;
}

JsonObject json_of(const Request& request, const Imported& imported) {
  std::vector<std::string> classes;
  for (const ClassInfo& info : imported.model.classes) classes.push_back(info.name);
  return JsonObject()
      .set("checkpoint", request.checkpoint)
      .set("format", imported.format)
      .set("sha256", imported.sha256)
      .set("architecture", request.architecture)
      .set("settings", imported.model.settings)
      .set("classes", classes)
      .set("taken", imported.match.taken)
      .set("adapted", imported.match.adapted)
      .set("missing", names_of(imported.match.missing))
      .set("unexpected", names_of(imported.match.unexpected))
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

int import(const Request& request) {
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
  arguments.operand(request->checkpoint, "CHECKPOINT",
                    "a .pth file of torch.save, or a safetensors file");
  arguments.option(request->architecture, "--as", "NETWORK",
                   "whose weights these are; segmentum models lists the networks");
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
  arguments.flag(request->list, "--list", "only show the tensors of the checkpoint");
  arguments.json(request->json);
  return [request] { return import(*request); };
}

}  // namespace

const Command kImportCommand{
    "import", "a checkpoint of PyTorch becomes a model",
    "  segmentum import deeplabv3_resnet50_coco-cd0a2569.pth --as deeplabv3_resnet50 --out "
    "deeplab.segmentum\n"
    "  segmentum import best.pth --as unet --set width=64 --classes classes.csv --out "
    "unet.segmentum\n"
    "  segmentum import best.pth --list\n",
    declare};

}  // namespace segmentum
