// Times ONNX Runtime on an ONNX file, by the protocol of bench/compare.py.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <string>

#include "base/random.h"
#include "bench/program.h"
#include "bench/repetitions.h"
#include "interop/onnx/onnx_runtime.h"
#include "segmentum/error.h"
#include "tensor/tensor.h"

namespace segmentum {

int benchmark(int argc, char** argv) {
  CLI::App app{"Times ONNX Runtime, where there is one (SEGMENTUM_ONNXRUNTIME), on an ONNX file."};
  std::string file;
  int size = 512, batch = 1, threads = 2, repeats = 0;
  app.add_option("FILE", file, "an ONNX file: image [N,3,H,W] to logits")->required();
  app.add_option("--size", size, "height and width of the pictures")->capture_default_str();
  app.add_option("--batch", batch, "pictures at a time")->capture_default_str();
  app.add_option("--threads", threads)->capture_default_str();
  app.add_option("--repeats", repeats, "repeat so often, then stop; 0: as compare.py says")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const auto runtime = find_onnx_runtime();
  if (runtime == nullptr) {
    throw Error("there is no libonnxruntime.so.1; name one in SEGMENTUM_ONNXRUNTIME");
  }
  Tensor image({batch, 3, size, size});
  RandomStream random(1, 0, 0);
  for (float& value : image.values()) value = static_cast<float>(random.normal());
  const std::int64_t start_rss = rss_bytes();
  const auto session = runtime->open(file, threads);
  const auto once = [&] { session->run("image", image.view(), "logits"); };
  once();
  serve_repetitions(fmt::format("\"ready\":true,\"version\":\"{}\",\"start_rss_bytes\":{}",
                                runtime->version(), start_rss),
                    repeats, once);
  return 0;
}

}  // namespace segmentum
