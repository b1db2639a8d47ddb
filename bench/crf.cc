// Times the dense CRF: from picture and probabilities to marginals, phase by phase, and over sizes
// from 0.1 to 25 megapixels. Medians of runs; processor time tells more where other work is on the
// machine. `bench_crf --help`
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/threads.h"
#include "bench/program.h"
#include "bench/timing.h"
#include "crf/features.h"
#include "crf/lattice_filter.h"
#include "data/scenes.h"
#include "image/codec.h"
#include "image/resize.h"
#include "segmentum/crf.h"

namespace segmentum {
namespace {

struct Arguments {
  std::string picture;
  int width = 500;
  int height = 375;
  int labels = 21;
  int repeats = 9;
  int threads = 0;
  bool sizes = false;
  CrfSettings settings;
};

/// Seconds on the wall, and of the processor over all threads.
struct Time {
  double wall = 0;
  double processor = 0;
};

Time now() {
  return {seconds_of(CLOCK_MONOTONIC), process_seconds()};
}

/// Runs of one piece of work.
class Runs {
 public:
  void add(const std::function<void()>& work) {
    const Time begin = now();
    work();
    const Time end = now();
    wall_.push_back(end.wall - begin.wall);
    processor_.push_back(end.processor - begin.processor);
  }
  Time median() const { return {segmentum::median(wall_), segmentum::median(processor_)}; }

 private:
  std::vector<double> wall_, processor_;
};

Image source_picture(const Arguments& arguments) {
  if (!arguments.picture.empty()) return read_image(arguments.picture);
  return generate_scene(1, 0, {.height = 375, .width = 500}).image;
}

/// What a network would say: a label for each patch of 8 pixels, at odds of e^2 or so.
Probabilities patchy_probabilities(int labels, int height, int width) {
  Probabilities p(labels, height, width);
  std::vector<float> e(labels);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      if (x % 8 == 0) {
        RandomStream patch(1, static_cast<std::uint32_t>(y / 8), static_cast<std::uint32_t>(x / 8));
        float sum = 0;
        for (float& v : e) sum += v = static_cast<float>(std::exp(patch.uniform(0, 3)));
        for (float& v : e) v /= sum;
      }
      for (int k = 0; k < labels; ++k) p.row(k, y)[x] = e[k];
    }
  }
  return p;
}

void print_row(const char* name, const Runs& runs) {
  const Time time = runs.median();
  fmt::print("  {:<44} {:9.2f} {:9.2f}\n", name, time.wall * 1e3, time.processor * 1e3);
}

/// One product with a lattice, in its three phases, as wide as the labels.
void print_product(const char* name, const Features& features, int labels, int repeats) {
  const LatticeFilter filter(features);
  const Lattice& lattice = filter.lattice();
  const int stride = row_stride(labels);
  const auto run = filter.make_run(stride);
  Block<float> rows(features.pixels * stride);
  std::fill_n(rows.data(), rows.count(), 1.0f / static_cast<float>(labels));
  const Bands& bands = filter.bands();
  const auto in_bands = [&](const std::function<void(int)>& body) {
    parallel_for(bands.count(), [&](std::int64_t b) { body(static_cast<int>(b)); });
  };
  Runs splat, blur, slice;
  for (int i = 0; i < repeats; ++i) {
    splat.add([&] {
      in_bands([&](int b) {
        run->clear(b);
        run->splat(b, bands[b], rows.data() + bands[b].begin * stride, nullptr);
      });
    });
    blur.add([&] { run->blur(FilterDirection::forward); });
    slice.add([&] {
      in_bands([&](int b) {
        run->slice(b, bands[b], 0.0f, nullptr, rows.data() + bands[b].begin * stride);
      });
    });
  }
  fmt::print("{}: {} vertices, {:.3f} a pixel; {} counted in each band\n", name, lattice.vertices(),
             static_cast<double>(lattice.vertices()) / static_cast<double>(features.pixels),
             lattice.band_vertices());
  print_row("splat", splat);
  print_row("blur", blur);
  print_row("slice", slice);
}

/// A line of /proc/self/status, in bytes; 0 where there is none.
double status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != key + ":") continue;
    double kibibytes = 0;
    status >> kibibytes;
    return 1024 * kibibytes;
  }
  return 0;
}

/// What a CRF takes at most, beside the picture and the probabilities that it starts from. Done
/// first, while nothing else has left free memory behind.
void print_memory(const Arguments& a, const Image& picture) {
  const CrfSettings& s = a.settings;
  const Probabilities p = patchy_probabilities(a.labels, a.height, a.width);
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak begins anew
  const double before = status_bytes("VmRSS");
  apply_crf(picture, p, s);
  const double taken = status_bytes("VmHWM") - before;
  const CrfSize size{1, a.height, a.width};
  const ActivePixels active(size.pixels(), {});
  const ImageView view = picture;
  const double lattices = static_cast<double>(
      LatticeFilter(spatial_features(size, {.sigma_xy_px = s.spatial_sigma_px}, active)).bytes() +
      LatticeFilter(bilateral_features(size, {&view, 1},
                                       {.sigma_xy_px = s.bilateral_sigma_px,
                                        .sigma_samples = {s.bilateral_sigma_colour}},
                                       active))
          .bytes());
  const double tensor = 4.0 * a.labels * a.height * a.width;
  fmt::print(
      "memory: {:.1f} MB at most, the lattices {:.1f} MB ({:.0f} bytes a pixel), the rest "
      "{:.2f} tensors [K,H,W]\n",
      taken / 1e6, lattices / 1e6, lattices / a.height / a.width, (taken - lattices) / tensor);
}

void print_phases(const Arguments& a, const Image& picture) {
  const Probabilities p = patchy_probabilities(a.labels, a.height, a.width);
  const CrfSettings& s = a.settings;
  const CrfSize size{1, a.height, a.width};
  const SpatialKernel spatial_kernel{.sigma_xy_px = s.spatial_sigma_px};
  const BilateralKernel bilateral_kernel{.sigma_xy_px = s.bilateral_sigma_px,
                                         .sigma_samples = {s.bilateral_sigma_colour}};
  Runs all, unary, spatial, bilateral, start, steps, marginals;
  for (int i = 0; i < a.repeats; ++i) {
    all.add([&] { apply_crf(picture, p, s); });
    DenseCrf crf(size, a.labels);
    unary.add([&] { crf.set_unary_probabilities(p); });
    spatial.add([&] { crf.add_spatial(spatial_kernel, {.weight = s.spatial_weight}); });
    bilateral.add(
        [&] { crf.add_bilateral(picture, bilateral_kernel, {.weight = s.bilateral_weight}); });
    start.add([&] { crf.start(); });
    steps.add([&] {
      for (int k = 0; k < s.iterations; ++k) crf.step();
    });
    marginals.add([&] { crf.marginals(); });
  }
  fmt::print("{:<46} {:>9} {:>9}\n",
             fmt::format("{}x{}, {} labels, {} threads", a.width, a.height, a.labels, threads()),
             "wall, ms", "CPU, ms");
  print_row("from picture to marginals", all);
  print_row("unary from probabilities", unary);
  print_row("spatial lattice and its normalisation", spatial);
  print_row("bilateral lattice and its normalisation", bilateral);
  print_row("start", start);
  print_row(fmt::format("{} iterations", s.iterations).c_str(), steps);
  print_row("marginals", marginals);

  const ActivePixels active(size.pixels(), {});
  const ImageView view = picture;
  print_product("spatial kernel", spatial_features(size, spatial_kernel, active), a.labels,
                a.repeats);
  print_product("bilateral kernel", bilateral_features(size, {&view, 1}, bilateral_kernel, active),
                a.labels, a.repeats);
}

void print_sizes(const Arguments& a, const Image& source) {
  fmt::print("{:>10} {:>12} {:>9} {:>9} {:>14}\n", "pixels", "size", "wall, s", "CPU, s",
             "us CPU a pixel");
  for (const double megapixels : {0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0}) {
    const int height = static_cast<int>(std::lround(std::sqrt(megapixels * 1e6 * 0.75)));
    const int width = static_cast<int>(std::lround(megapixels * 1e6 / height));
    const Image picture = resize(source, height, width, {.antialias = true});
    const Probabilities p = patchy_probabilities(a.labels, height, width);
    Runs runs;
    for (int i = 0; i < (megapixels > 4 ? 1 : a.repeats); ++i) {
      runs.add([&] { apply_crf(picture, p, a.settings); });
    }
    const Time time = runs.median();
    fmt::print("{:>10} {:>12} {:>9.3f} {:>9.3f} {:>14.3f}\n", width * height,
               fmt::format("{}x{}", width, height), time.wall, time.processor,
               time.processor * 1e6 / width / height);
  }
}

}  // namespace

int benchmark(int argc, char** argv) {
  Arguments a;
  CLI::App app("Times the dense CRF.");
  app.add_option("--picture", a.picture, "a picture file; by default a generated scene");
  app.add_option("--width", a.width);
  app.add_option("--height", a.height);
  app.add_option("--labels", a.labels);
  app.add_option("--iterations", a.settings.iterations);
  app.add_option("--repeats", a.repeats, "runs of which the median is shown");
  app.add_option("--threads", a.threads);
  app.add_option("--sigma-spatial", a.settings.spatial_sigma_px, "of the spatial kernel");
  app.add_option("--sigma-xy", a.settings.bilateral_sigma_px, "of the bilateral kernel");
  app.add_option("--sigma-colour", a.settings.bilateral_sigma_colour);
  app.add_flag("--sizes", a.sizes, "0.1 to 25 megapixels instead (7 GB for 21 labels)");
  CLI11_PARSE(app, argc, argv);
  set_threads(a.threads);
  const Image source = source_picture(a);
  if (a.sizes) {
    print_sizes(a, source);
  } else {
    const Image picture = resize(source, a.height, a.width, {.antialias = true});
    print_memory(a, picture);
    print_phases(a, picture);
  }
  return 0;
}

}  // namespace segmentum
