#include "data/scenes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/file.h"
#include "base/threads.h"
#include "data/scene_street.h"
#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using scene::Canvas;
using scene::Colour;

void check(const SceneOptions& options) {
  if (options.height < 16 || options.width < 16) {
    throw Error(fmt::format("a scene of {}x{} px; a street needs at least 16x16", options.width,
                            options.height));
  }
  for (double strength :
       {options.objects, options.variety, options.light, options.blur, options.noise}) {
    if (!(strength >= 0 && strength <= 10)) {
      throw Error(fmt::format("a scene option is {}; strengths lie between 0 and 10", strength));
    }
  }
}

// How the camera records the light that falls in.
struct Exposure {
  Colour gain;           // tint and brightness
  float vignette = 0;    // darkening in the corners
  float patchiness = 0;  // of the light
  scene::Point patches;  // place in the noise
  float blur = 0;        // weight of each neighbour, 0..1/3
  float noise = 0;       // deviation, of 255
};

Exposure choose_exposure(RandomStream& random, const SceneOptions& options) {
  const auto uniform = [&](double low, double high) {
    return static_cast<float>(random.uniform(low, high));
  };
  const auto light = static_cast<float>(options.light);
  Exposure exposure;
  const float brightness = std::exp(light * uniform(-0.25, 0.18));
  const float warmth = light * uniform(-0.07, 0.07);
  exposure.gain = Colour{1 + warmth, 1, 1 - warmth} * brightness;
  exposure.vignette = light * uniform(0, 0.35);
  exposure.patchiness = light * uniform(0.1, 0.4);
  exposure.patches = {uniform(0, 8), uniform(0, 8)};
  exposure.blur = std::min(static_cast<float>(options.blur) * uniform(0, 0.18), 1.0f / 3);
  exposure.noise = static_cast<float>(options.noise) * uniform(1.5, 6);
  return exposure;
}

std::vector<Colour> lit_pixels(const Canvas& canvas, const Exposure& exposure) {
  const int height = canvas.height(), width = canvas.width();
  std::vector<Colour> pixels;
  pixels.reserve(static_cast<std::size_t>(height) * width);
  for (int y = 0; y < height; ++y) {
    const float v = (y + 0.5f) / static_cast<float>(height) * 2 - 1;
    for (int x = 0; x < width; ++x) {
      const float u = (x + 0.5f) / static_cast<float>(width) * 2 - 1;
      const float patch =
          scene::fractal_noise(u * 0.4f + exposure.patches.x, v * 0.4f + exposure.patches.y);
      const float light =
          (1 - exposure.vignette * (u * u + v * v) / 2) * (1 + exposure.patchiness * patch);
      pixels.push_back(canvas.pixel(y, x) * exposure.gain * light);
    }
  }
  return pixels;
}

// A [w, 1-2w, w] blur of one axis: `count` lines of `length` pixels, `step` apart within a line.
void blur_lines(std::vector<Colour>& pixels, int count, int line_step, int length, int step,
                float weight) {
  for (int line = 0; line < count; ++line) {
    Colour* p = pixels.data() + static_cast<std::ptrdiff_t>(line) * line_step;
    Colour before = p[0];
    for (int i = 0; i < length; ++i, p += step) {
      const Colour here = *p, after = i + 1 < length ? p[step] : here;
      *p = here * (1 - 2 * weight) + (before + after) * weight;
      before = here;
    }
  }
}

// Nearly normal with deviation 1: the sum of four bytes has mean 510 and deviation 147.8.
float quick_normal(RandomStream& random) {
  const std::uint32_t bits = random.bits();
  const std::uint32_t sum = (bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24);
  return (static_cast<float>(sum) - 510) / 147.8f;
}

Image develop(const Canvas& canvas, const Exposure& exposure, RandomStream& random) {
  const int height = canvas.height(), width = canvas.width();
  std::vector<Colour> pixels = lit_pixels(canvas, exposure);
  blur_lines(pixels, height, width, width, 1, exposure.blur);
  blur_lines(pixels, width, 1, height, width, exposure.blur);
  Image image(height, width, 3);
  auto* sample = image.row<std::uint8_t>(0);
  for (const Colour& pixel : pixels) {
    for (float value : {pixel.r, pixel.g, pixel.b}) {
      const float noisy = value * 255 + exposure.noise * quick_normal(random);
      *sample++ = static_cast<std::uint8_t>(std::clamp(noisy + 0.5f, 0.0f, 255.0f));
    }
  }
  return image;
}

std::string classes_csv() {
  std::string text = "id,name,r,g,b\n";
  const std::vector<ClassInfo> classes = scene_classes();
  for (std::size_t k = 0; k < classes.size(); ++k) {
    const auto& [name, colour] = classes[k];
    text += fmt::format("{},{},{},{},{}\n", k, name, colour.r, colour.g, colour.b);
  }
  return text;
}

// Where the files of a scene lie, relative to the data set.
struct ScenePaths {
  std::string image, mask;
};

ScenePaths scene_paths(const std::string& split, std::int64_t number) {
  return {fmt::format("{0}/scene_{1:05}.png", split, number),
          fmt::format("{0}annot/scene_{1:05}.png", split, number)};
}

// A stretch of the series that becomes one split.
struct Split {
  std::string name;
  std::int64_t first = 0, count = 0;  // in the series
};

std::array<Split, 3> splits_of(const SceneCounts& counts) {
  const std::int64_t train = counts.train, val = counts.val, test = counts.test;
  std::array<Split, 3> splits = {
      {{"train", 0, train}, {"val", train, val}, {"test", train + val, test}}};
  for (const Split& split : splits) {
    if (split.count < 0) {
      throw Error(fmt::format("{} scenes for {}; 0 or more are possible", split.count, split.name));
    }
  }
  return splits;
}

void write_scene(const std::filesystem::path& folder, const ScenePaths& paths, const Scene& scene) {
  Palette palette;
  for (const ClassInfo& info : scene_classes()) palette.colours.push_back(info.colour);
  write_png(folder / paths.image, scene.image);
  write_label_png(folder / paths.mask, scene.labels, palette);
}

void write_list(const std::filesystem::path& folder, const Split& split) {
  std::string list;
  for (std::int64_t i = 0; i < split.count; ++i) {
    const ScenePaths paths = scene_paths(split.name, i);
    list += paths.image + ' ' + paths.mask + '\n';
  }
  write_file(folder / (split.name + ".txt"), list);
}

}  // namespace

std::vector<ClassInfo> scene_classes() {
  return {{"sky", {70, 130, 180}},      {"building", {90, 80, 80}}, {"road", {128, 64, 128}},
          {"pavement", {244, 35, 232}}, {"tree", {107, 142, 35}},   {"car", {0, 0, 200}},
          {"pole", {250, 170, 30}},     {"person", {220, 20, 60}}};
}

Scene generate_scene(std::uint64_t seed, std::uint32_t index, const SceneOptions& options) {
  check(options);
  RandomStream random(seed, 0, index);
  const scene::Camera camera = scene::choose_camera(random, options.height, options.width);
  const scene::Weather weather = scene::choose_weather(random, options.variety);
  const scene::Street street = scene::choose_street(random);
  Canvas canvas(options.height, options.width);
  scene::paint_street({canvas, camera, weather, street, random, options.variety}, options.objects);
  const Exposure exposure = choose_exposure(random, options);
  return {develop(canvas, exposure, random), canvas.labels()};
}

void write_scenes(const std::filesystem::path& folder, const SceneCounts& counts,
                  std::uint64_t seed, const SceneOptions& options, ProgressSink* progress) {
  check(options);
  constexpr std::int64_t kBatch = 16;  // scenes between two reports of progress
  const std::array<Split, 3> splits = splits_of(counts);
  const std::int64_t total = splits.back().first + splits.back().count;
  if (progress) progress->begin("generating scenes", total, "scene");
  for (const Split& split : splits) {
    for (std::int64_t start = 0; start < split.count; start += kBatch) {
      if (progress && progress->stop_requested()) throw Interrupted();
      const std::int64_t batch = std::min(kBatch, split.count - start);
      parallel_for(batch, [&](std::int64_t i) {
        const auto index = static_cast<std::uint32_t>(split.first + start + i);
        write_scene(folder, scene_paths(split.name, start + i),
                    generate_scene(seed, index, options));
      });
      if (progress) progress->update(split.first + start + batch, "");
    }
    write_list(folder, split);
  }
  write_file(folder / "classes.csv", classes_csv());
  if (progress) progress->end();
}

}  // namespace segmentum
