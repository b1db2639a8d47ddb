// Our depthwise convolution beside oneDNN's, layer by layer and pass by pass, on one thread in
// processor time (so that other work on the machine counts little). `bench_depthwise [REPEATS]`
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/threads.h"
#include "bench/program.h"
#include "bench/timing.h"
#include "engine/cpu/kernels/depthwise.h"
#include "engine/cpu/onednn_convolution.h"
#include "tensor/tensor.h"

namespace segmentum::cpu {
namespace {

struct Layer {
  std::string name;
  std::int64_t channels, size;
  int kernel, stride, dilation;

  ConvGeometry geometry() const {
    const int pad = dilation * (kernel - 1) / 2;
    const std::int64_t out = (size + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1;
    const int end = static_cast<int>((out - 1) * stride + dilation * (kernel - 1) + 1 - size - pad);
    return {.n = 1,
            .ic = channels,
            .ih = size,
            .iw = size,
            .oc = channels,
            .oh = out,
            .ow = out,
            .kernel = kernel,
            .stride = stride,
            .dilation = dilation,
            .padding = {pad, pad, end, end},
            .groups = static_cast<int>(channels)};
  }
};

const std::vector<Layer> kLayers{
    {"MobileNetV2", 96, 112, 3, 1, 1},
    {"MobileNetV2", 96, 112, 3, 2, 1},
    {"MobileNetV2", 576, 32, 3, 1, 1},
    {"MobileNetV3", 960, 33, 5, 1, 2},
    {"Xception", 728, 33, 3, 1, 1},
    {"ASPP", 2048, 33, 3, 1, 12},
    {"decoder", 304, 129, 3, 1, 1},
    {"MobileNetV2, 512x512", 96, 256, 3, 2, 1},
    {"MobileNetV3, 512x512", 64, 256, 3, 2, 1},
};

Tensor random_values(std::int64_t count) {
  Tensor values({count});
  RandomStream random(1, 0, 0);
  for (float& v : values.values()) v = static_cast<float>(random.uniform(-1, 1));
  return values;
}

/// One layer, one pass, two programs that read and write the same memory.
class Comparison {
 public:
  Comparison(const Layer& layer, ConvPass pass)
      : layer_(layer),
        g_(layer.geometry()),
        pass_(pass),
        x_(random_values(image_floats(x_shape(), vector_block()))),
        y_(random_values(image_floats(y_shape(), vector_block()))),
        weights_(random_values(g_.oc * g_.kernel.h * g_.kernel.w)),
        packed_({depthwise_weight_floats(g_.oc, g_.kernel)}),
        scratch_({depthwise_scratch_floats(y(), g_.kernel)}),
        theirs_(Convolution::make(g_, pass, {}, vector_block(), vector_block(), false)) {
    depthwise_pack(weights_.data(), g_.oc, g_.kernel, packed_.data());
    if (!theirs_) {
      theirs_ = Convolution::make(g_, pass, {}, 1, 1, false);
      plain_ = true;
    }
    if (!theirs_) theirs_ = Convolution::make(g_, pass, {}, 1, 1, true);
    their_weights_ = Tensor({static_cast<std::int64_t>(theirs_->packed_bytes() / 4 + 1)});
    their_scratch_ = Tensor({static_cast<std::int64_t>(theirs_->scratch_bytes() / 4 + 1)});
    if (pass != ConvPass::backward_weights) theirs_->pack(weights_.data(), their_weights_.data());
  }

  void print(int repeats) {
    run_ours(), run_theirs();
    double a = 1e30, b = 1e30;  // the fastest of all: what each can do, whoever else is there
    for (int i = 0; i < repeats; ++i) {
      a = std::min(a, timed([&] { run_ours(); }));
      if (i == 0 || b < 20 * a) b = std::min(b, timed([&] { run_theirs(); }));
    }
    const double gflop =
        2e-9 * static_cast<double>(g_.oc * g_.oh * g_.ow * g_.kernel.h * g_.kernel.w);
    const double gbytes = 4e-9 * static_cast<double>(x_shape().count() + y_shape().count());
    fmt::print(
        "{:<21} {:>5} {:>4} {}x{} s{} d{:<3} {:<17} {:8.3f} {:8.1f} {:7.1f} {:9.3f} {:6.2f}  "
        "{}{}\n",
        layer_.name, g_.oc, g_.ih, g_.kernel.h, g_.kernel.w, g_.stride.h, g_.dilation.h,
        name_of(pass_), a * 1e3, gflop / a, gbytes / a, b * 1e3, b / a, theirs_->implementation(),
        plain_ ? " (plain)" : "");
  }

 private:
  static const char* name_of(ConvPass pass) {
    switch (pass) {
      case ConvPass::forward:
        return "forward";
      case ConvPass::backward_data:
        return "data gradient";
      case ConvPass::backward_weights:
        return "weight gradient";
    }
    return "";
  }
  static double timed(const std::function<void()>& work) {
    const double begin = thread_seconds();
    work();
    return thread_seconds() - begin;
  }

  Shape x_shape() const { return {g_.n, g_.ic, g_.ih, g_.iw}; }
  Shape y_shape() const { return {g_.n, g_.oc, g_.oh, g_.ow}; }
  View view(const Tensor& memory, const Shape& shape) const {
    return {const_cast<float*>(memory.data()), shape, vector_block(),
            image_floats(shape, vector_block())};
  }
  View x() const { return view(x_, x_shape()); }
  View y() const { return view(y_, y_shape()); }

  void run_ours() {
    const DepthwiseWindow window{g_.kernel, g_.stride, g_.dilation, g_.padding};
    switch (pass_) {
      case ConvPass::forward:
        return depthwise_convolution(x(), packed_.data(), window, {}, y());
      case ConvPass::backward_data:
        return depthwise_transposed(y(), packed_.data(), window, {}, x());
      case ConvPass::backward_weights:
        return depthwise_weight_gradient(x(), y(), window, weights_.data(), nullptr,
                                         scratch_.data());
    }
  }
  void run_theirs() {
    theirs_->run({.src = x_.data(),
                  .packed = their_weights_.data(),
                  .dst = y_.data(),
                  .scratch = their_scratch_.data()});
  }

  Layer layer_;
  ConvGeometry g_;
  ConvPass pass_;
  Tensor x_, y_, weights_, packed_, scratch_;
  std::unique_ptr<Convolution> theirs_;
  bool plain_ = false;
  Tensor their_weights_, their_scratch_;
};

}  // namespace
}  // namespace segmentum::cpu

int segmentum::benchmark(int argc, char** argv) {
  using namespace cpu;
  set_threads(1);
  const int repeats = argc > 1 ? std::max(1, std::atoi(argv[1])) : 9;
  fmt::print("{:<21} {:>5} {:>4} {:<11} {:<17} {:>8} {:>8} {:>7} {:>9} {:>6}  {}\n", "layer",
             "chan", "size", "kernel", "pass", "ms", "GFLOP/s", "GB/s", "oneDNN ms", "ratio",
             "oneDNN's kernel");
  for (const Layer& layer : kLayers) {
    for (const ConvPass pass :
         {ConvPass::forward, ConvPass::backward_data, ConvPass::backward_weights}) {
      Comparison(layer, pass).print(repeats);
    }
  }
  return 0;
}
