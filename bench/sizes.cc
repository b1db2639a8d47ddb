// Times one model on square pictures of one size, cut into tiles where the memory limit asks for
// it, by the protocol of bench/compare.py. `bench_sizes MODEL --size 4096 --repeats 3`
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <string>

#include "bench/program.h"
#include "bench/repetitions.h"
#include "infer/make_segmenter.h"
#include "infer/network.h"
#include "profile/signature.h"
#include "segmentum/segmenter.h"

namespace segmentum {
int benchmark(int argc, char** argv) {
  CLI::App app{"Times a model on pictures of one size; one line of JSON for each repetition."};
  std::string model;
  SegmenterOptions options;
  int size = 512, repeats = 0, memory_mb = 1024;
  app.add_option("MODEL", model, "a .segmentum file")->required();
  app.add_option("--size", size, "height and width of the picture")->capture_default_str();
  app.add_option("--threads", options.threads)->capture_default_str();
  app.add_option("--memory", memory_mb, "MB of activations before tiles are cut")
      ->capture_default_str();
  app.add_option("--repeats", repeats,
                 "repeat so often, then stop; 0: once for every line \"run\" of standard input")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  options.memory_limit_bytes = static_cast<std::size_t>(memory_mb) << 20;
  const Segmenter segmenter = Segmenter::load(model, options);
  const Image picture = signature_picture(0, size, size, segmenter.input_channels());
  segmenter.segment(picture);  // packs weights, touches memory
  const int tiles = network_of(segmenter)->tiled_inference().grid(size, size).count();
  const std::size_t pixels = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  serve_repetitions(
      fmt::format("\"tiles\":{},\"picture_bytes\":{}", tiles,
                  pixels * (static_cast<std::size_t>(picture.channels()) + sizeof(std::uint16_t))),
      repeats, [&] { segmenter.segment(picture); });
  return 0;
}

}  // namespace segmentum
