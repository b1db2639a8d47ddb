#include "interop/onnx/onnx_parity.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "engine/executor.h"
#include "image/most_likely.h"
#include "interop/onnx/import_onnx.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::uint64_t kSeed = 1;

std::vector<Size2> sizes_for(const Graph& graph, const OnnxExportOptions& options) {
  if (options.size) return {*options.size};
  std::vector<Size2> sizes;
  for (const Size2 size : {Size2(33, 41), Size2(97, 131), Size2(128, 192), Size2(256, 320)}) {
    const Shape shape{1, graph.node(graph.inputs[0]).channels, size.h, size.w};
    try {
      infer_shapes(graph, {&shape, 1});
      sizes.push_back(size);
    } catch (const Error&) {  // a size that this network rejects
    }
    if (sizes.size() == 2) break;
  }
  if (sizes.empty()) throw Error("the network accepts none of the sizes tried to compare it");
  return sizes;
}

Tensor logits_of(const Graph& graph, const ParameterStore& parameters, const Tensor& input) {
  // An executor only writes to parameters in train mode.
  auto& store = const_cast<ParameterStore&>(parameters);
  const auto plan = make_cpu_executor()->plan(graph, store, {&input.shape(), 1}, {});
  std::ranges::copy(input.values(), plan->input().data);
  plan->forward();
  const ConstTensorView logits = plan->output("logits");
  Tensor result(logits.shape);
  std::ranges::copy(logits.values(), result.data());
  return result;
}

std::vector<std::int64_t> labels_of(ConstTensorView logits) {
  const Shape& s = logits.shape;
  const std::int64_t plane = s.h() * s.w();
  std::vector<std::uint16_t> labels(static_cast<std::size_t>(plane));
  most_likely(logits.data, plane, static_cast<int>(s.c()), static_cast<int>(plane), labels.data());
  return {labels.begin(), labels.end()};
}

void compare_labels(std::span<const std::int64_t> ours, std::span<const std::int64_t> theirs,
                    OnnxParity& parity) {
  if (ours.size() != theirs.size()) throw Error("the file labels another number of pixels");
  parity.pixels = static_cast<std::int64_t>(ours.size());
  for (std::size_t i = 0; i < ours.size(); ++i) parity.changed_pixels += ours[i] != theirs[i];
}

void compare_logits(const Tensor& ours, std::span<const float> theirs, OnnxParity& parity) {
  if (ours.values().size() != theirs.size()) throw Error("the file makes another number of logits");
  const auto [low, high] = std::ranges::minmax(ours.values());
  const double range = std::max<double>(double{high} - double{low}, 1e-30);
  double largest = 0, sum = 0;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    const double difference = std::abs(double{ours.values()[i]} - double{theirs[i]});
    largest = std::isfinite(difference) ? std::max(largest, difference)
                                        : std::numeric_limits<double>::infinity();
    sum += difference;
  }
  parity.largest_difference = largest / range;
  parity.mean_difference = sum / range / static_cast<double>(theirs.size());
  compare_labels(labels_of(ours.view()), labels_of({ours.shape(), theirs.data()}), parity);
}

/// The same picture as the model's network reads it, and as the file does.
struct Pictures {
  Tensor of_model;
  Tensor of_file;
};

Pictures pictures(const Model& model, Size2 size, const OnnxExportOptions& options) {
  const int c = model.graph.node(model.graph.inputs[0]).channels;
  const Shape shape{1, c, size.h, size.w};
  Pictures both{Tensor(shape), Tensor(shape)};
  RandomStream random(kSeed, 0, 0);
  for (std::int64_t i = 0; i < shape.count(); ++i) {
    const auto sample = static_cast<float>(random.uniform(0, kByteSamples));
    const auto channel = static_cast<std::size_t>(i / (shape.h() * shape.w()));
    const Preprocess& p = model.preprocess;
    const float processed = (sample / kByteSamples - p.mean[channel]) / p.std[channel];
    both.of_model.data()[i] = processed;
    both.of_file.data()[i] = options.preprocess ? sample : processed;
  }
  return both;
}

}  // namespace

std::vector<OnnxParity> onnx_parity(const Model& model, const std::filesystem::path& file,
                                    const OnnxExportOptions& options, OnnxRuntime* runtime) {
  std::vector<OnnxParity> all;
  const ImportedOnnx back = import_onnx(file, {});
  const auto session = runtime == nullptr ? nullptr : runtime->open(file);
  const std::string input = model.graph.node(model.graph.inputs[0]).name;
  for (const Size2 size : sizes_for(model.graph, options)) {
    const auto [of_model, of_file] = pictures(model, size, options);
    const Tensor expected = logits_of(model.graph, model.parameters, of_model);
    OnnxParity& own = all.emplace_back(OnnxParity{.reader = "read back", .size = size});
    compare_logits(expected, logits_of(back.model.graph, back.model.parameters, of_file).values(),
                   own);
    if (session == nullptr) continue;
    OnnxParity& theirs =
        all.emplace_back(OnnxParity{.reader = "ONNX Runtime " + runtime->version(), .size = size});
    const RuntimeOutput output =
        session->run(input, of_file.view(), options.argmax ? "labels" : "logits");
    if (options.argmax) {
      compare_labels(labels_of(expected.view()), output.wholes, theirs);
    } else {
      compare_logits(expected, output.reals, theirs);
    }
  }
  return all;
}

}  // namespace segmentum
