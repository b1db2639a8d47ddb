// Times single convolutions, forward and both gradients: our direct kernel, both of Winograd's
// where they can, and the kernel that oneDNN would choose. One thread, processor time: other work
// on the machine moves it little.
#include <fmt/core.h>
#include <hwy/targets.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/threads.h"
#include "bench/program.h"
#include "bench/timing.h"
#include "engine/cpu/conv_pass.h"
#include "engine/cpu/kernels/direct_convolution.h"
#include "engine/cpu/kernels/winograd.h"
#include "engine/cpu/kernels/winograd_gradient.h"
#include "tensor/tensor.h"

namespace segmentum::cpu {
namespace {

struct Layer {
  std::string name;
  ConvGeometry geometry;
};

/// `size` x `size` pixels in and, at stride 1, out: padded as PyTorch's networks are.
Layer layer(int ic, int oc, int kernel, int dilation, int size, int stride = 1) {
  const int padding = dilation * (kernel - 1) / 2;
  const std::int64_t out = (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
  const int after =
      static_cast<int>((out - 1) * stride + dilation * (kernel - 1) + 1 - size - padding);
  return {fmt::format("{}->{} {}x{} d{}{} {}x{}", ic, oc, kernel, kernel, dilation,
                      stride == 1 ? "" : fmt::format(" s{}", stride), size, size),
          {.n = 1,
           .ic = ic,
           .ih = size,
           .iw = size,
           .oc = oc,
           .oh = out,
           .ow = out,
           .kernel = kernel,
           .stride = stride,
           .dilation = dilation,
           .padding = {padding, padding, after, after}}};
}

std::vector<Layer> layers() {
  std::vector<Layer> all{layer(256, 256, 3, 2, 64), layer(512, 512, 3, 2, 65),
                         layer(512, 512, 3, 4, 65), layer(512, 512, 3, 8, 33),
                         layer(512, 512, 3, 8, 65), layer(512, 1024, 3, 12, 41),
                         layer(320, 256, 3, 6, 33), layer(320, 256, 3, 12, 33),
                         layer(512, 512, 3, 2, 33), layer(512, 512, 3, 4, 33)};
  for (const int size : {33, 65}) {
    for (const int rate : {6, 12, 24, 36}) all.push_back(layer(2048, 256, 3, rate, size));
  }
  for (const int channels : {16, 32, 64, 128}) {
    for (const int dilation : {1, 2}) all.push_back(layer(channels, channels, 3, dilation, 128));
  }
  for (const int size : {16, 32, 64, 128}) {
    for (const int channels : {192, 256, 512, 1024}) {
      if (channels * size <= 32 * 1024) all.push_back(layer(channels, channels, 3, 1, size));
    }
  }
  all.push_back(layer(64, 64, 5, 1, 128));
  all.push_back(layer(64, 128, 3, 1, 128, 2));
  all.push_back(layer(128, 256, 1, 1, 128, 2));
  all.push_back(layer(3, 64, 7, 1, 256, 2));
  all.push_back(layer(5, 64, 7, 1, 256, 2));
  all.push_back(layer(1, 64, 7, 1, 256, 2));
  all.push_back(layer(512, 21, 1, 1, 65));
  return all;
}

/// Of the fastest of some runs.
double fastest(double at_least_seconds, const std::function<void()>& work) {
  double best = 1e30;
  const double begin = thread_seconds();
  do {
    const double start = thread_seconds();
    work();
    best = std::min(best, thread_seconds() - start);
  } while (thread_seconds() - begin < at_least_seconds);
  return best;
}

Tensor random(std::int64_t floats, std::uint32_t stream) {
  RandomStream numbers(1, 0, stream);
  Tensor tensor({floats});
  for (float& v : tensor.values()) v = static_cast<float>(numbers.uniform(-1, 1));
  return tensor;
}

/// A blocked value and its memory.
struct Value {
  Tensor memory;
  View view;
  Value(const Shape& shape, std::uint32_t stream)
      : memory(random(shape.n() * image_floats(shape, vector_block()), stream)),
        view{memory.data(), shape, vector_block(), image_floats(shape, vector_block())} {}
};

class ConvolutionBench {
 public:
  ConvolutionBench(const ConvGeometry& g, double seconds)
      : g_(g),
        seconds_(seconds),
        x_({g.n, g.ic, g.ih, g.iw}, 1),
        y_({g.n, g.oc, g.oh, g.ow}, 2),
        weights_(random(g.oc * g.ic * g.taps(), 3)) {}

  /// Seconds of a pass of the direct kernel.
  double direct(ConvPass pass) {
    if (pass == ConvPass::backward_weights) {
      Tensor scratch({direct_gradient_floats(g_)});
      return fastest(seconds_, [&] {
        direct_weight_gradient(g_, x_.view, y_.view, weights_.data(), scratch.data());
      });
    }
    const bool forward = pass == ConvPass::forward;
    const DirectConvolution c = forward ? direct_forward(g_) : direct_data_gradient(g_);
    Tensor packed({direct_weight_floats(c)}), scratch({direct_scratch_floats(c, threads())});
    direct_pack(weights_.data(), c, !forward, packed.data());
    const View &from = forward ? x_.view : y_.view, &to = forward ? y_.view : x_.view;
    return fastest(seconds_,
                   [&] { direct_convolution(c, from, packed.data(), {}, to, scratch.data()); });
  }

  /// Gradients of weights have one form.
  bool has_winograd(ConvPass pass, int tile, bool kept) const {
    return g_.kernel == Size2(3) && g_.stride == Size2(1) &&
           (pass != ConvPass::backward_weights || (tile == 4 && !kept));
  }
  /// `kept`: with weights that were transformed before.
  double winograd(ConvPass pass, int tile, bool kept) {
    if (pass == ConvPass::backward_weights) {
      Tensor scratch({winograd_gradient_floats(g_, threads())});
      return fastest(seconds_, [&] {
        winograd_weight_gradient(g_, x_.view, y_.view, weights_.data(), scratch.data());
      });
    }
    const bool forward = pass == ConvPass::forward;
    const std::int64_t in = forward ? g_.ic : g_.oc, out = forward ? g_.oc : g_.ic;
    const WinogradForm form = kept      ? WinogradForm::transformed
                              : forward ? WinogradForm::plain
                                        : WinogradForm::turned;
    Tensor packed({kept ? winograd_weight_floats(tile, in, out) : 0});
    if (kept) winograd_pack(weights_.data(), tile, g_.oc, g_.ic, !forward, packed.data());
    const WinogradWeights weights{kept ? packed.data() : weights_.data(), form};
    const View &from = forward ? x_.view : y_.view, &to = forward ? y_.view : x_.view;
    const WinogradWindow window{g_.dilation.h, g_.dilation.w, g_.dilation, tile};
    Tensor scratch({winograd_scratch_floats(form, in, to.shape, window, threads())});
    return fastest(seconds_,
                   [&] { winograd_convolution(from, weights, window, {}, to, scratch.data()); });
  }

  /// Of oneDNN's; negative where it has only reference loops.
  double onednn(ConvPass pass, std::string& name) {
    const ConvPassChoice choice = choose_pass(g_, pass, {}, g_.ic <= 3, "layer");
    name = choice.kernel->implementation();
    if (name.starts_with("ref")) return -1;
    Tensor packed({packed_floats(*choice.kernel)});
    Tensor scratch({static_cast<std::int64_t>(choice.kernel->scratch_bytes() / 4 + 1)});
    choice.kernel->pack(weights_.data(), packed.data());
    return fastest(seconds_, [&] {
      choice.kernel->run({.src = x_.memory.data(),
                          .packed = packed.data(),
                          .dst = y_.memory.data(),
                          .scratch = scratch.data()});
      if (pass == ConvPass::backward_weights) {
        choice.kernel->unpack_add(packed.data(), weights_.data());
      }
    });
  }

 private:
  ConvGeometry g_;
  double seconds_;
  Value x_, y_;
  Tensor weights_;
};

void measure(const Layer& l, double seconds) {
  const ConvGeometry& g = l.geometry;
  const double operations = 2e-9 * static_cast<double>(g.n * g.ic * g.oc * g.oh * g.ow * g.taps());
  ConvolutionBench bench(g, seconds);
  const std::pair<ConvPass, const char*> passes[] = {{ConvPass::forward, "forward"},
                                                     {ConvPass::backward_data, "data"},
                                                     {ConvPass::backward_weights, "weights"}};
  for (const auto& [pass, pass_name] : passes) {
    std::string other;
    const double direct = bench.direct(pass), onednn = bench.onednn(pass, other);
    const auto tiles = [&, pass = pass](int tile, bool kept) {
      return bench.has_winograd(pass, tile, kept) ? bench.winograd(pass, tile, kept) : -1;
    };
    const double kept4 = tiles(4, true), kept6 = tiles(6, true);
    const double plain4 = tiles(4, false), plain6 = tiles(6, false);
    const auto speed = [&](double taken) {
      return taken < 0 ? "-" : fmt::format("{:.1f}", operations / taken);
    };
    fmt::print("{:28} {:8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {}\n", l.name, pass_name,
               speed(kept4), speed(plain4), speed(kept6), speed(plain6), speed(direct),
               speed(onednn), other);
    std::fflush(stdout);
  }
}

int measure_layers(int argc, char** argv) {
  CLI::App app{
      "GFLOP/s of single convolutions on one thread, products with padding counted as if "
      "computed."};
  double seconds = 0.2;
  std::string filter;
  app.add_option("--seconds", seconds, "of each measurement, at least")->capture_default_str();
  app.add_option("--layer", filter, "only layers whose name contains this");
  bool without_avx512 = false;
  app.add_flag("--without-avx512", without_avx512, "as on a processor that has AVX2 only");
  CLI11_PARSE(app, argc, argv);
  if (without_avx512) {
    setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1);
    hwy::DisableTargets(HWY_AVX3 | HWY_AVX3_DL);
  }
  set_threads(1);
  fmt::print("{:28} {:8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}\n", "layer", "pass", "F(4,3)",
             "F4 plain", "F(6,3)", "F6 plain", "direct", "oneDNN");
  for (const Layer& l : layers()) {
    if (l.name.find(filter) != std::string::npos) measure(l, seconds);
  }
  return 0;
}

}  // namespace
}  // namespace segmentum::cpu

int segmentum::benchmark(int argc, char** argv) {
  return cpu::measure_layers(argc, argv);
}
