#include "data/augment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <numbers>
#include <optional>
#include <vector>

#include "image/colour.h"
#include "image/warp.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

// Displacements at grid points, interpolated by uniform cubic B-splines: smooth and without
// overshoot (the U-Net paper displaces a coarse grid too, with bicubic interpolation).
class ElasticField {
 public:
  ElasticField(int height, int width, double deviation_px, double spacing_px, RandomStream& random)
      : spacing_(spacing_px),
        columns_(static_cast<int>(width / spacing_px) + 4),
        rows_(static_cast<int>(height / spacing_px) + 4) {
    for (auto* points : {&points_x_, &points_y_}) {
      points->resize(static_cast<std::size_t>(rows_) * columns_);
      for (float& point : *points) point = static_cast<float>(deviation_px * random.normal());
    }
    fill(points_x_, height, width, dx_);
    fill(points_y_, height, width, dy_);
  }

  DisplacementView view() const { return {dx_.data(), dy_.data()}; }

 private:
  struct Weights {
    int first;
    std::array<float, 4> w;
  };

  Weights weights(int pixel) const {
    const double position = (pixel + 0.5) / spacing_;
    const int first = static_cast<int>(position);
    const auto t = static_cast<float>(position - first);
    const float u = 1 - t;
    return {first,
            {u * u * u / 6, (3 * t * t * t - 6 * t * t + 4) / 6,
             (-3 * t * t * t + 3 * t * t + 3 * t + 1) / 6, t * t * t / 6}};
  }

  void fill(const std::vector<float>& points, int height, int width, std::vector<float>& out) {
    std::vector<Weights> across(width);
    for (int x = 0; x < width; ++x) across[x] = weights(x);
    std::vector<float> row(columns_);
    out.resize(static_cast<std::size_t>(height) * width);
    for (int y = 0; y < height; ++y) {
      const Weights down = weights(y);
      const float* p = points.data() + static_cast<std::size_t>(down.first) * columns_;
      for (int i = 0; i < columns_; ++i) {
        row[i] = down.w[0] * p[i] + down.w[1] * p[i + columns_] + down.w[2] * p[i + 2 * columns_] +
                 down.w[3] * p[i + 3 * columns_];
      }
      float* to = out.data() + static_cast<std::size_t>(y) * width;
      for (int x = 0; x < width; ++x) {
        const float* q = row.data() + across[x].first;
        const auto& w = across[x].w;
        to[x] = w[0] * q[0] + w[1] * q[1] + w[2] * q[2] + w[3] * q[3];
      }
    }
  }

  double spacing_;
  int columns_, rows_;
  std::vector<float> points_x_, points_y_;
  std::vector<float> dx_, dy_;
};

// Where a crop's centre may lie along one side of the scaled picture, chosen by `u` in [0,1).
double crop_centre(double scaled_side, int crop_side, double u) {
  const double low = std::min(crop_side / 2.0, scaled_side - crop_side / 2.0);
  const double high = std::max(crop_side / 2.0, scaled_side - crop_side / 2.0);
  return low + (high - low) * u;
}

double whole_pixels(double centre, int crop_side) {
  return std::floor(centre - crop_side / 2.0) + crop_side / 2.0;
}

// A pixel of the picture.
struct Anchor {
  int x, y;
};

// A pixel of a class of the picture, both drawn at random; none where all is ignored.
std::optional<Anchor> draw_anchor(const LabelMap& labels, RandomStream& random) {
  std::map<std::uint16_t, std::uint32_t> pixels;  // of each class
  for (const std::uint16_t label : labels.labels()) ++pixels[label];
  pixels.erase(kIgnoreLabel);
  if (pixels.empty()) return std::nullopt;
  const auto drawn =
      std::next(pixels.begin(), random.below(static_cast<std::uint32_t>(pixels.size())));
  std::uint32_t left = random.below(drawn->second);
  for (std::size_t i = 0;; ++i) {
    if (labels.labels()[i] != drawn->first || left-- > 0) continue;
    const auto width = static_cast<std::size_t>(labels.width());
    return Anchor{static_cast<int>(i % width), static_cast<int>(i / width)};
  }
}

// All that is drawn for one picture, always in the same order.
struct Geometry {
  double scale, turn_radians, centre_u[2], shift[2];
  bool flip_x, flip_y;
  std::optional<Anchor> anchor;
};

// The place in a range of centres, chosen by `u`, that has the anchor in the crop's middle half.
double centre_around(double anchor_px, double scaled_side, int crop_side, double u) {
  const double low = crop_centre(scaled_side, crop_side, 0);
  const double high = crop_centre(scaled_side, crop_side, 1);
  return std::clamp(anchor_px + (u - 0.5) * crop_side / 2, low, high);
}

Geometry draw_geometry(const AugmentOptions& options, RandomStream& random) {
  Geometry g;
  g.scale = random.uniform(options.scale_min, options.scale_max);
  g.flip_x = random.chance(options.flip_horizontal);
  g.flip_y = random.chance(options.flip_vertical);
  g.turn_radians = options.rotation_degrees * random.uniform(-1, 1) * std::numbers::pi / 180;
  for (double& u : g.centre_u) u = random.uniform();
  for (double& shift : g.shift) shift = options.shift * random.uniform(-1, 1);
  return g;
}

// From the pixels of the crop to those of the picture.
Affine to_source(const Geometry& g, int height, int width, int crop_height, int crop_width) {
  double x = crop_centre(width * g.scale, crop_width, g.centre_u[0]);
  double y = crop_centre(height * g.scale, crop_height, g.centre_u[1]);
  if (g.anchor) {
    x = centre_around((g.anchor->x + 0.5) * g.scale, width * g.scale, crop_width, g.centre_u[0]);
    y = centre_around((g.anchor->y + 0.5) * g.scale, height * g.scale, crop_height, g.centre_u[1]);
  }
  x += g.shift[0] * crop_width;
  y += g.shift[1] * crop_height;
  if (g.scale == 1 && g.turn_radians == 0) {
    x = whole_pixels(x, crop_width);
    y = whole_pixels(y, crop_height);
  }
  return Affine::translation(x / g.scale, y / g.scale) * Affine::rotation(g.turn_radians) *
         Affine::scaling((g.flip_x ? -1 : 1) / g.scale, (g.flip_y ? -1 : 1) / g.scale) *
         Affine::translation(-crop_width / 2.0, -crop_height / 2.0);
}

LabelledPicture warp_all(ImageView image, const LabelMap& labels, const LabelMap& instances,
                         const AugmentOptions& options, const std::optional<Anchor>& anchor,
                         RandomStream& random, RandomStream& elastic_random) {
  const int height = options.crop_height > 0 ? options.crop_height : image.height;
  const int width = options.crop_width > 0 ? options.crop_width : image.width;
  Geometry geometry = draw_geometry(options, random);
  geometry.anchor = anchor;
  const Affine affine = to_source(geometry, image.height, image.width, height, width);
  const Border border{.mode = BorderMode::reflect, .values = {}};
  const auto warped = [&](const DisplacementView* displacement) {
    LabelledPicture result{warp(image, height, width, affine, displacement, border),
                           warp_nearest(labels, height, width, affine, displacement)};
    if (!instances.empty()) {
      result.instances = warp_nearest(instances, height, width, affine, displacement);
    }
    return result;
  };
  if (options.elastic_px <= 0) return warped(nullptr);
  const ElasticField field(height, width, options.elastic_px / geometry.scale,
                           options.elastic_spacing_px, elastic_random);
  const DisplacementView displacement = field.view();
  return warped(&displacement);
}

void change_colours(Image& image, const AugmentOptions& options, RandomStream& random,
                    RandomStream& noise_random) {
  const auto factor = [&](double spread) { return 1 + spread * random.uniform(-1, 1); };
  ColourJitter jitter;
  jitter.brightness = factor(options.brightness);
  jitter.contrast = factor(options.contrast);
  jitter.saturation = factor(options.saturation);
  jitter.gamma = factor(options.gamma);
  jitter.hue_turns = options.hue_turns * random.uniform(-1, 1);
  const double blur_px = options.blur_px * random.uniform();
  const double noise = options.noise * random.uniform();
  if (options.brightness > 0 || options.contrast > 0 || options.saturation > 0 ||
      options.gamma > 0 || options.hue_turns > 0) {
    jitter_colours(image, jitter);
  }
  if (blur_px > 0) image = gaussian_blur(image, blur_px);
  if (noise > 0) add_gaussian_noise(image, noise, noise_random);
}

// A stream of its own for what takes a varying count of numbers.
RandomStream branch(RandomStream& random) {
  const std::uint64_t high = random.bits(), low = random.bits();
  return RandomStream(high << 32 | low, random.bits(), random.bits());
}

void check_range(const char* name, double value, double low, double high) {
  if (value >= low && value <= high) return;  // false for NaN
  throw Error(fmt::format("augmentation `{}` is {}; expected {} to {}", name, value, low, high));
}

}  // namespace

void check(const AugmentOptions& options) {
  check_range("crop_height", options.crop_height, 0, 1 << 16);
  check_range("crop_width", options.crop_width, 0, 1 << 16);
  check_range("scale_min", options.scale_min, 0.01, 100);
  check_range("scale_max", options.scale_max, options.scale_min, 100);
  check_range("class_crop", options.class_crop, 0, 1);
  check_range("flip_horizontal", options.flip_horizontal, 0, 1);
  check_range("flip_vertical", options.flip_vertical, 0, 1);
  check_range("rotation_degrees", options.rotation_degrees, 0, 180);
  check_range("shift", options.shift, 0, 1);
  check_range("elastic_px", options.elastic_px, 0, 1000);
  check_range("elastic_spacing_px", options.elastic_spacing_px, 4, 1 << 16);
  check_range("brightness", options.brightness, 0, 1);
  check_range("contrast", options.contrast, 0, 1);
  check_range("saturation", options.saturation, 0, 1);
  check_range("gamma", options.gamma, 0, 0.95);
  check_range("hue_turns", options.hue_turns, 0, 0.5);
  check_range("noise", options.noise, 0, 1);
  check_range("blur_px", options.blur_px, 0, 100);
}

void change_colours(Image& image, const AugmentOptions& options, RandomStream& random) {
  RandomStream noise_random = branch(random);
  change_colours(image, options, random, noise_random);
}

LabelledPicture augment(ImageView image, const LabelMap& labels, const AugmentOptions& options,
                        RandomStream& random, const LabelMap& instances) {
  if (labels.height() != image.height || labels.width() != image.width) {
    throw Error(fmt::format("labels of {}x{} do not fit a picture of {}x{} (width x height)",
                            labels.width(), labels.height(), image.width, image.height));
  }
  RandomStream elastic_random = branch(random);
  RandomStream noise_random = branch(random);
  std::optional<Anchor> anchor;
  if (options.class_crop > 0) {
    RandomStream copy = elastic_random;  // which elastic deformation goes on from as it was
    RandomStream class_random = branch(copy);
    if (class_random.chance(options.class_crop)) anchor = draw_anchor(labels, class_random);
  }
  LabelledPicture result =
      warp_all(image, labels, instances, options, anchor, random, elastic_random);
  change_colours(result.image, options, random, noise_random);
  return result;
}

}  // namespace segmentum
