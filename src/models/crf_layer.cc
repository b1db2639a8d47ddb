#include "models/crf_layer.h"

namespace segmentum {
namespace {

enum class CrfChoice { none, post, rnn };

CrfChoice crf_choice(const Settings& settings) {
  return settings.choice<CrfChoice>(
      "crf", {{"none", CrfChoice::none}, {"post", CrfChoice::post}, {"rnn", CrfChoice::rnn}});
}

CrfSettings numbers(const Settings& settings) {
  const auto sigma = [&](const char* name) { return settings.real(name, 0.01f, 10000); };
  const auto weight = [&](const char* name) { return settings.real(name, 0, 1000); };
  return {.iterations = settings.integer("crf_iterations", 1, CrfSettings::kMostIterations),
          .spatial_sigma_px = sigma("crf_spatial_sigma"),
          .spatial_weight = weight("crf_spatial_weight"),
          .bilateral_sigma_px = sigma("crf_bilateral_sigma"),
          .bilateral_sigma_colour = sigma("crf_colour_sigma"),
          .bilateral_weight = weight("crf_bilateral_weight"),
          .normalisation = settings.choice<CrfNormalisation>(
              "crf_normalisation", {{"symmetric", CrfNormalisation::symmetric},
                                    {"before", CrfNormalisation::before},
                                    {"after", CrfNormalisation::after},
                                    {"none", CrfNormalisation::none}})};
}

/// Parts of the full range, by which Preprocess shifts and divides, as 8-bit levels.
std::vector<float> levels_of(const std::vector<float>& parts, float usual) {
  if (parts.empty()) return {255 * usual};
  std::vector<float> levels;
  for (const float part : parts) levels.push_back(255 * part);
  return levels;
}

}  // namespace

std::vector<SettingInfo> crf_settings() {
  return {
      {"crf", "none", "none | post | rnn",
       "a fully connected CRF: rnn: behind the scores, learnt with the network (CRF-as-RNN), so "
       "that every pixel sees the whole picture and there are no tiles; post: the model file "
       "carries its numbers for predict --crf; none: the numbers below say nothing"},
      {"crf_iterations", "5", "1 to 1000", "steps of mean field (post: 10)"},
      {"crf_spatial_sigma", "3", "0.01 to 10000", "pixels that smoothness reaches"},
      {"crf_spatial_weight", "3", "0 to 1000", "of smoothness; 0: without it. rnn learns factors"},
      {"crf_bilateral_sigma", "80", "0.01 to 10000", "pixels that likeness of colours reaches"},
      {"crf_colour_sigma", "13", "0.01 to 10000", "how far like colours are apart, 8-bit levels"},
      {"crf_bilateral_weight", "10", "0 to 1000",
       "of likeness of colours; 0: without it. rnn learns factors"},
      {"crf_normalisation", "symmetric", "symmetric | before | after | none",
       "how kernels are scaled (CRF-as-RNN as published: after)"}};
}

Preset crf_preset() {
  return {"crf", "post", {{"crf_iterations", "10"}}};
}

std::optional<op::MeanField> crf_layer(const ModelOptions& options, const Settings& settings) {
  const CrfSettings crf = numbers(settings);
  if (crf_choice(settings) != CrfChoice::rnn) return std::nullopt;
  return op::MeanField{.iterations = crf.iterations,
                       .spatial_sigma_px = crf.spatial_sigma_px,
                       .spatial_weight = crf.spatial_weight,
                       .bilateral_sigma_px = crf.bilateral_sigma_px,
                       .bilateral_sigma_colour = crf.bilateral_sigma_colour,
                       .bilateral_weight = crf.bilateral_weight,
                       .normalisation = crf.normalisation,
                       .levels = levels_of(options.deviations, ModelOptions::kUsualDeviation),
                       .zero_levels = levels_of(options.means, ModelOptions::kUsualMean)};
}

std::optional<CrfSettings> post_crf(const Settings& settings) {
  if (crf_choice(settings) != CrfChoice::post) return std::nullopt;
  return numbers(settings);
}

ValueId with_crf(GraphBuilder& g, ValueId scores, ValueId image,
                 const std::optional<op::MeanField>& crf) {
  return crf ? g.mean_field("crf", scores, image, *crf) : scores;
}

}  // namespace segmentum
