// Times the dense CRF: from picture and probabilities to marginals, phase by phase, and over sizes
// from 0.1 to 25 megapixels. Medians of runs, wall clock. `bench_crf --help`
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/threads.h"
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

double seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double median_seconds(int repeats, const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) times.push_back(seconds(work));
  return median(times);
}

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

void print_phase(const char* name, double time, double total) {
  fmt::print("  {:<34} {:9.2f} ms {:5.1f} %\n", name, time * 1e3, 100 * time / total);
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
  std::vector<double> splat, blur, slice;
  for (int i = 0; i < repeats; ++i) {
    splat.push_back(seconds([&] {
      in_bands([&](int b) {
        run->clear(b);
        run->splat(b, bands[b], rows.data() + bands[b].begin * stride, nullptr);
      });
    }));
    blur.push_back(seconds([&] { run->blur(FilterDirection::forward); }));
    slice.push_back(seconds([&] {
      in_bands([&](int b) {
        run->slice(b, bands[b], 0.0f, nullptr, rows.data() + bands[b].begin * stride);
      });
    }));
  }
  fmt::print(
      "  {:<10} {:8} vertices ({:.2f} a pixel), {:8} in bands; splat {:6.2f}, blur {:6.2f}, "
      "slice {:6.2f} ms\n",
      name, lattice.vertices(),
      static_cast<double>(lattice.vertices()) / static_cast<double>(features.pixels),
      lattice.band_vertices(), median(splat) * 1e3, median(blur) * 1e3, median(slice) * 1e3);
}

void print_phases(const Arguments& a, const Image& picture) {
  const Probabilities p = patchy_probabilities(a.labels, a.height, a.width);
  const CrfSettings& s = a.settings;
  const CrfSize size{1, a.height, a.width};
  const double total = median_seconds(a.repeats, [&] { apply_crf(picture, p, s); });
  fmt::print("{}x{}, {} labels, {} iterations, {} threads: {:.1f} ms from picture to marginals\n",
             a.width, a.height, a.labels, s.iterations, threads(), total * 1e3);

  std::vector<double> unary, spatial, bilateral, start, steps, marginals;
  for (int i = 0; i < a.repeats; ++i) {
    DenseCrf crf(size, a.labels);
    unary.push_back(seconds([&] { crf.set_unary_probabilities(p); }));
    spatial.push_back(seconds([&] {
      crf.add_spatial({.sigma_xy_px = s.spatial_sigma_px}, {.weight = s.spatial_weight});
    }));
    bilateral.push_back(seconds([&] {
      crf.add_bilateral(
          picture,
          {.sigma_xy_px = s.bilateral_sigma_px, .sigma_samples = {s.bilateral_sigma_colour}},
          {.weight = s.bilateral_weight});
    }));
    start.push_back(seconds([&] { crf.start(); }));
    steps.push_back(seconds([&] {
      for (int k = 0; k < s.iterations; ++k) crf.step();
    }));
    marginals.push_back(seconds([&] { crf.marginals(); }));
  }
  print_phase("unary from probabilities", median(unary), total);
  print_phase("spatial lattice, normalisation", median(spatial), total);
  print_phase("bilateral lattice, normalisation", median(bilateral), total);
  print_phase("start", median(start), total);
  print_phase("all iterations", median(steps), total);
  print_phase("marginals", median(marginals), total);

  const ActivePixels active(size.pixels(), {});
  const ImageView view = picture;
  fmt::print("One product of each kernel:\n");
  print_product("spatial", spatial_features(size, {.sigma_xy_px = s.spatial_sigma_px}, active),
                a.labels, a.repeats);
  print_product("bilateral",
                bilateral_features(size, {&view, 1},
                                   {.sigma_xy_px = s.bilateral_sigma_px,
                                    .sigma_samples = {s.bilateral_sigma_colour}},
                                   active),
                a.labels, a.repeats);
}

void print_sizes(const Arguments& a, const Image& source) {
  fmt::print("{:>10} {:>12} {:>10} {:>14}\n", "pixels", "size", "s", "us a pixel");
  for (const double megapixels : {0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0}) {
    const int height = static_cast<int>(std::lround(std::sqrt(megapixels * 1e6 * 0.75)));
    const int width = static_cast<int>(std::lround(megapixels * 1e6 / height));
    const Image picture = resize(source, height, width, {.antialias = true});
    const Probabilities p = patchy_probabilities(a.labels, height, width);
    const int repeats = megapixels > 4 ? 1 : a.repeats;
    const double time = median_seconds(repeats, [&] { apply_crf(picture, p, a.settings); });
    fmt::print("{:>10} {:>12} {:>10.3f} {:>14.3f}\n", width * height,
               fmt::format("{}x{}", width, height), time, time * 1e6 / width / height);
  }
}

}  // namespace
}  // namespace segmentum

int main(int argc, char** argv) {
  using namespace segmentum;
  Arguments a;
  CLI::App app("Times the dense CRF.");
  app.add_option("--picture", a.picture, "a picture file; by default a generated scene");
  app.add_option("--width", a.width);
  app.add_option("--height", a.height);
  app.add_option("--labels", a.labels);
  app.add_option("--iterations", a.settings.iterations);
  app.add_option("--repeats", a.repeats, "runs of which the median is shown");
  app.add_option("--threads", a.threads);
  app.add_option("--sigma-xy", a.settings.bilateral_sigma_px, "of the bilateral kernel");
  app.add_option("--sigma-colour", a.settings.bilateral_sigma_colour);
  app.add_flag("--sizes", a.sizes, "0.1 to 25 megapixels instead (7 GB for 21 labels)");
  CLI11_PARSE(app, argc, argv);
  set_threads(a.threads);
  const Image source = source_picture(a);
  if (a.sizes) {
    print_sizes(a, source);
  } else {
    print_phases(a, resize(source, a.height, a.width, {.antialias = true}));
  }
}
