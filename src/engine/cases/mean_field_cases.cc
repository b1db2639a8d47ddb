#include <utility>

#include "engine/cases/case_lists.h"

namespace segmentum {
namespace {

/// Kernels that reach over a small picture of N(0,1) colours.
op::MeanField small_field(int iterations) {
  return {.iterations = iterations,
          .spatial_sigma_px = 1.5f,
          .spatial_weight = 1.5f,
          .bilateral_sigma_px = 4,
          .bilateral_sigma_colour = 20,
          .bilateral_weight = 2,
          .levels = {17.0f}};
}

EngineCase mean_field(const std::string& name, const Shape& scores, const Shape& picture,
                      op::MeanField options) {
  GraphBuilder g(name);
  const ValueId s = g.input("scores", {.channels = static_cast<int>(scores.c())});
  const ValueId p = g.input("picture", {.channels = static_cast<int>(picture.c())});
  g.output("result", g.mean_field("crf", s, p, std::move(options)));
  return {"mean_field_" + name, std::move(g).build(), {scores, picture}, {1}};
}

/// Between layers, and read by two of them; the scores are an output as well.
Graph network_with_mean_field() {
  GraphBuilder g("network");
  const ValueId image = g.input("image", {.channels = 3});
  const ValueId features =
      g.relu("relu", g.conv("conv", image, {.channels = 8, .kernel = 3, .padding = 1}));
  const ValueId scores = g.conv("scores", features, {.channels = 4});
  const ValueId refined = g.mean_field("crf", scores, image, small_field(2));
  g.output("aux", scores);
  g.output("features", g.conv("again", g.concat("joined", {refined, scores}), {.channels = 3}));
  g.output("logits", refined);
  return std::move(g).build();
}

}  // namespace

void add_mean_fields(EngineCases& cases) {
  cases.push_back(mean_field("of_5", {2, 5, 9, 8}, {2, 3, 9, 8}, small_field(3)));
  cases.push_back(mean_field("of_one_channel", {2, 1, 7, 6}, {2, 3, 7, 6}, small_field(3)));
  cases.push_back(mean_field("of_17", {1, 17, 6, 7}, {1, 1, 6, 7}, small_field(2)));
  cases.push_back(mean_field("of_1x1", {3, 3, 1, 1}, {3, 2, 1, 1}, small_field(1)));
  op::MeanField options = small_field(2);
  options.bilateral_weight = 0;
  cases.push_back(mean_field("spatial", {1, 8, 8, 9}, {1, 3, 8, 9}, options));
  options = small_field(2);
  options.spatial_weight = 0;
  options.levels = {17.0f, 0, 5.0f};
  cases.push_back(mean_field("bilateral", {2, 3, 8, 9}, {2, 3, 8, 9}, options));
  for (const auto normalisation :
       {CrfNormalisation::before, CrfNormalisation::after, CrfNormalisation::none}) {
    options = small_field(2);
    options.normalisation = normalisation;
    if (normalisation == CrfNormalisation::none) {  // sums over many pixels
      options.spatial_weight = options.bilateral_weight = 0.25f;
    }
    cases.push_back(mean_field(std::string("normalisation_") + normalisation_name(normalisation),
                               {2, 4, 7, 6}, {2, 3, 7, 6}, options));
  }
  cases.push_back({"mean_field_network", network_with_mean_field(), {{2, 3, 7, 9}}, {0}});
}

}  // namespace segmentum
