// What the tests of infer/ share.
#pragma once

#include <string>

#include "base/random.h"
#include "model_file/model.h"

namespace segmentum {

/// A network of a few channels with random weights, which reads RGB and knows three classes, or two
/// with `logits` = 1.
inline Model tiny_model(const std::string& architecture, int logits = 3) {
  GraphBuilder g(architecture);
  const ValueId image = g.input("image", {.channels = 3});
  const ValueId padded = g.pad("padded", image, {.mode = PadMode::mirror, .multiple = 4});
  const auto block = [&](const std::string& name, ValueId x, int channels) {
    const ValueId conv = g.conv(name, x, {.channels = channels, .kernel = 3, .padding = 1});
    return g.relu(name + "_relu", g.batch_norm(name + "_norm", conv));
  };
  const ValueId one = block("one", padded, 4);
  const ValueId two = block("two", g.max_pool("pool_one", one), 6);
  const ValueId three = block("three", g.max_pool("pool_two", two), 8);
  const ValueId up_two = g.transposed_conv("up_two", three, {.channels = 6});
  const ValueId back_two = block("back_two", g.concat("join_two", {two, up_two}), 6);
  const ValueId up_one = g.resize("up_one", back_two, {.scale = 2});
  const ValueId back_one = block("back_one", g.concat("join_one", {one, up_one}), 5);
  const ValueId head = g.conv("head", back_one, {.channels = logits});
  g.output("logits", g.crop_like("logits", head, image));
  Model model;
  model.graph = std::move(g).build();
  model.parameters = initialise(model.graph, 11);
  model.classes = {{"sky", {70, 130, 180}}, {"road", {128, 64, 128}}};
  if (logits == 3) model.classes.push_back({"tree", {107, 142, 35}});
  return model;
}

/// RGB pixels from a seed.
inline Image noise_picture(int height, int width, std::uint64_t seed = 5) {
  Image image(height, width, 3);
  RandomStream random(seed, 0, 0);
  auto* sample = image.row<std::uint8_t>(0);
  for (int i = 0; i < height * width * 3; ++i) sample[i] = static_cast<std::uint8_t>(random.bits());
  return image;
}

inline Image mirrored_picture(const Image& image) {
  Image result(image.height(), image.width(), 3);
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) {
      for (int c = 0; c < 3; ++c) {
        result.row<std::uint8_t>(y)[3 * x + c] =
            image.row<std::uint8_t>(y)[3 * (image.width() - 1 - x) + c];
      }
    }
  }
  return result;
}

}  // namespace segmentum
