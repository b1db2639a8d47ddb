#include "models/up_setting.h"

namespace segmentum {

SettingInfo up_setting(const std::string& what) {
  return {"up", "bilinear", "bilinear | nearest | bilinear_conv | nearest_conv | transpose | fixed",
          "how " + what +
              " are magnified: a resize, with a 3x3 convolution behind it or without; or a "
              "transposed convolution of each channel that starts as bilinear, learnt or fixed "
              "(published: bilinear)"};
}

UpsampleOptions up_choice(const Settings& settings) {
  auto up = settings.choice<UpsampleOptions>(
      "up", {{"bilinear", {.how = Upsampling::bilinear}},
             {"nearest", {.how = Upsampling::nearest}},
             {"bilinear_conv", {.how = Upsampling::bilinear, .conv = true}},
             {"nearest_conv", {.how = Upsampling::nearest, .conv = true}},
             {"transpose", {.how = Upsampling::transpose, .each_channel = true}},
             {"fixed", {.how = Upsampling::fixed, .each_channel = true}}});
  up.align_corners = aligned_corners(settings, up.how, "bilinear and bilinear_conv");
  return up;
}

bool aligned_corners(const Settings& settings, Upsampling how,
                     const std::string& bilinear_choices) {
  const bool aligned = settings.flag("align_corners");
  if (aligned && how != Upsampling::bilinear) {
    settings.throw_expected("align_corners", "false with up = " + settings.values().at("up") +
                                                 ", or up = " + bilinear_choices);
  }
  return aligned;
}

}  // namespace segmentum
