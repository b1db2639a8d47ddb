// What the tests of infer/ share.
#pragma once

#include <string>

#include "base/random.h"
#include "model_file/model.h"
#include "models/registry.h"

namespace segmentum {

/// A small network with random weights, which reads RGB and knows three classes, or two
/// with `logits` = 1. `architecture` is "unet" or one of the FCNs.
inline Model tiny_model(const std::string& architecture, int logits = 3, int width = 16) {
  ModelOptions options{
      .input_channels = 3, .classes = logits, .settings = {{"width", std::to_string(width)}}};
  options.settings.emplace(architecture == "unet" ? std::pair("depth", "2")
                                                  : std::pair("fc_channels", "8"));
  Model model;
  model.graph = build_model(architecture, options);
  model.parameters = initialise(model.graph, 11);
  model.settings = resolved_settings(architecture, options);
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
