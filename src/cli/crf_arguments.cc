#include "cli/crf_arguments.h"

#include <fmt/format.h>

#include "cli/arguments.h"
#include "graph/operators.h"
#include "model_file/crf_json.h"

namespace segmentum {
namespace {

constexpr Limits kSigma{1e-3, 1e6};
constexpr Limits kWeight{0, 1e6};

void replace(float& number, const std::optional<double>& given) {
  if (given) number = static_cast<float>(*given);
}

}  // namespace

void CrfArguments::declare(Arguments& arguments) {
  arguments.option(iterations_, "--iterations", {0, CrfSettings::kMostIterations},
                   "mean-field steps (default: 10)");
  arguments.option(bilateral_weight_, "--bilateral-weight", kWeight,
                   "pull between near pixels of like colour (default: 10)");
  arguments.option(bilateral_sigma_, "--bilateral-sigma", kSigma,
                   "how near, in pixels (default: 80)");
  arguments.option(colour_sigma_, "--colour-sigma", kSigma,
                   "how alike, in levels of 255 (default: 13)");
  arguments.option(spatial_weight_, "--spatial-weight", kWeight,
                   "pull between neighbours of any colour (default: 3)");
  arguments.option(spatial_sigma_, "--spatial-sigma", kSigma, "how near, in pixels (default: 3)");
  arguments.option(normalisation_, "--normalisation", "NAME",
                   "of the kernels: symmetric, before, after or none (default: symmetric)");
}

CrfSettings CrfArguments::over(CrfSettings base) const {
  if (iterations_) base.iterations = static_cast<int>(*iterations_);
  replace(base.bilateral_weight, bilateral_weight_);
  replace(base.bilateral_sigma_px, bilateral_sigma_);
  replace(base.bilateral_sigma_colour, colour_sigma_);
  replace(base.spatial_weight, spatial_weight_);
  replace(base.spatial_sigma_px, spatial_sigma_);
  if (!normalisation_.empty()) {
    const auto normalisation = normalisation_of(normalisation_);
    if (!normalisation) {
      throw UsageError(fmt::format(
          "--normalisation is \"{}\"; expected symmetric, before, after or none", normalisation_));
    }
    base.normalisation = *normalisation;
  }
  return base;
}

BoundaryTolerance tolerance_argument(const std::string& text) {
  if (text.empty()) return {};
  try {
    return BoundaryTolerance::parse(text);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

void tell_of_crf(const Segmenter& segmenter, ProgressSink& progress) {
  if (segmenter.has_crf_layer() && segmenter.options().tile > 0) {
    progress.message(
        "--tile is not used: the network has a CRF inside, by which every pixel sees the whole "
        "picture");
  }
  if (!segmenter.options().crf) return;
  progress.message(fmt::format(
      "CRF: {} ({})", crf_text(segmenter.crf_settings()),
      segmenter.has_crf_settings()
          ? "from the model file"
          : "the defaults; segmentum crf-search finds out whether others suit this model"));
  tell_of_second_crf(segmenter, progress);
}

void tell_of_second_crf(const Segmenter& segmenter, ProgressSink& progress) {
  if (!segmenter.has_crf_layer()) return;
  progress.message(
      "warning: the network has a CRF inside (model.crf=rnn); this one is a second, on top of it");
}

JsonObject json_of(const CrfSettings& settings) {
  JsonObject json;
  json.set("iterations", settings.iterations);
  const std::pair<const char*, float> numbers[] = {
      {"bilateral_weight", settings.bilateral_weight},
      {"bilateral_sigma_px", settings.bilateral_sigma_px},
      {"bilateral_sigma_colour", settings.bilateral_sigma_colour},
      {"spatial_weight", settings.spatial_weight},
      {"spatial_sigma_px", settings.spatial_sigma_px}};
  for (const auto& [name, number] : numbers) json.set(name, static_cast<double>(number));
  return json.set("normalisation", normalisation_name(settings.normalisation));
}

}  // namespace segmentum
