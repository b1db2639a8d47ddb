// The CRF of plain settings.
#include <cmath>
#include <string>
#include <utility>

#include "crf/number_text.h"
#include "image/sample.h"
#include "segmentum/crf.h"

namespace segmentum {
namespace {

void check_field(float value, bool is_good, const char* name, const char* wanted) {
  if (std::isfinite(value) && is_good) return;
  throw Error(std::string("crf ") + name + " is " + number_text(value) + "; it must be " + wanted);
}

/// One 8-bit level in the samples' own values.
float level(PixelType type) {
  return with_sample_type(type, []<typename T>(T) { return kFullScale<T> / 255.0f; });
}

void check_sizes(const ImageView& picture, int height, int width, const char* what) {
  if (picture.height == height && picture.width == width) return;
  throw Error("the picture is " + std::to_string(picture.width) + "x" +
              std::to_string(picture.height) + " pixels but its " + what + " are " +
              std::to_string(width) + "x" + std::to_string(height) + "; both must be of one size");
}

}  // namespace

void check(const CrfSettings& s) {
  constexpr const char* kPositive = "positive";
  constexpr const char* kAtLeastZero = "0 (without this kernel) or more, at most 1e9";
  if (s.iterations < 0 || s.iterations > CrfSettings::kMostIterations) {
    throw Error("crf iterations are " + std::to_string(s.iterations) + "; 0 to " +
                std::to_string(CrfSettings::kMostIterations) + " are possible");
  }
  check_field(s.spatial_sigma_px, s.spatial_sigma_px > 0, "spatial_sigma_px", kPositive);
  check_field(s.bilateral_sigma_px, s.bilateral_sigma_px > 0, "bilateral_sigma_px", kPositive);
  check_field(s.bilateral_sigma_colour, s.bilateral_sigma_colour > 0, "bilateral_sigma_colour",
              kPositive);
  for (const auto& [weight, name] : {std::pair{s.spatial_weight, "spatial_weight"},
                                     std::pair{s.bilateral_weight, "bilateral_weight"}}) {
    check_field(weight, weight >= 0 && weight <= 1e9f, name, kAtLeastZero);
  }
}

void add_kernels(DenseCrf& crf, const ImageView& picture, const CrfSettings& s) {
  check(s);
  if (s.spatial_weight > 0) {
    crf.add_spatial({.sigma_xy_px = s.spatial_sigma_px},
                    {.weight = s.spatial_weight, .normalisation = s.normalisation});
  }
  if (s.bilateral_weight > 0) {
    const float sigma = s.bilateral_sigma_colour * level(picture.type);
    crf.add_bilateral(picture, {.sigma_xy_px = s.bilateral_sigma_px, .sigma_samples = {sigma}},
                      {.weight = s.bilateral_weight, .normalisation = s.normalisation});
  }
}

DenseCrf make_crf(const ImageView& picture, const Probabilities& probabilities,
                  const CrfSettings& settings, const CrfOptions& options) {
  check(settings);
  check_sizes(picture, probabilities.height(), probabilities.width(), "probabilities");
  DenseCrf crf({.height = picture.height, .width = picture.width}, probabilities.classes(), {},
               options);
  crf.set_unary_probabilities(probabilities);
  add_kernels(crf, picture, settings);
  return crf;
}

DenseCrf make_crf(const ImageView& picture, const LabelMap& labels, const CrfLabels& about,
                  const CrfSettings& settings, const CrfOptions& options) {
  check(settings);
  check_sizes(picture, labels.height(), labels.width(), "labels");
  std::vector<std::uint8_t> ignored;
  if (!about.fill_ignored) {
    for (const std::uint16_t label : labels.labels()) ignored.push_back(label == kIgnoreLabel);
  }
  DenseCrf crf({.height = picture.height, .width = picture.width}, about.classes, ignored, options);
  crf.set_unary_labels(labels.labels(), about.confidence);
  add_kernels(crf, picture, settings);
  return crf;
}

Probabilities apply_crf(const ImageView& picture, const Probabilities& probabilities,
                        const CrfSettings& settings, const CrfOptions& options,
                        ProgressSink* progress) {
  DenseCrf crf = make_crf(picture, probabilities, settings, options);
  crf.infer(settings.iterations, progress);
  return std::move(crf).marginals();
}

}  // namespace segmentum
