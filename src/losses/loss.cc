#include "losses/loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>

#include "losses/box_loss.h"
#include "losses/class_probabilities.h"
#include "losses/hard_pixels.h"
#include "losses/region_losses.h"
#include "losses/softmax_kernel.h"
#include "segmentum/error.h"
#include "segmentum/image.h"

namespace segmentum {
namespace {

using Labels = std::span<const std::uint16_t>;

void check_arguments(ConstTensorView logits, const Targets& targets, const LossOptions& options,
                     TensorView gradient, int label_values) {
  const Shape& shape = logits.shape;
  if (shape.rank() != 4) {
    throw Error("the logits are " + shape.to_string() + "; a loss needs [N,K,H,W]");
  }
  const std::int64_t pixels = shape.n() * shape.h() * shape.w();
  const auto require_one_each = [&](std::size_t count, const char* what) {
    if (static_cast<std::int64_t>(count) == pixels) return;
    throw Error(fmt::format("{} {} for logits of {}, which have {} pixels", count, what,
                            shape.to_string(), pixels));
  };
  require_one_each(targets.labels.size(), "labels");
  if (!targets.added_weights.empty()) require_one_each(targets.added_weights.size(), "weights");
  if (gradient.data && !(gradient.shape == shape)) {
    throw Error("the gradient is " + gradient.shape.to_string() + " but the logits are " +
                shape.to_string());
  }
  const auto& weights = options.class_weights;
  if (!weights.empty() && static_cast<int>(weights.size()) != label_values) {
    throw Error(fmt::format("{} class weights for {} classes", weights.size(), label_values));
  }
  for (float weight : weights) {
    if (!(weight >= 0 && std::isfinite(weight))) {
      throw Error(fmt::format("a class weight is {}; weights are finite and >= 0", weight));
    }
  }
}

[[noreturn]] void reject_label(Labels labels, std::size_t i, const Shape& shape, int label_values) {
  const std::int64_t pixel = static_cast<std::int64_t>(i) % (shape.h() * shape.w());
  throw Error(fmt::format(
      "label {} at x={}, y={} of picture {} of the batch, but there are {} classes: labels are "
      "0..{}, or {} for ignored pixels",
      labels[i], pixel % shape.w(), pixel / shape.w(),
      static_cast<std::int64_t>(i) / (shape.h() * shape.w()), label_values, label_values - 1,
      kIgnoreLabel));
}

// What a pixel counts: the weight of its class and its own, and both over all weights.
struct PixelWeights {
  Targets targets;
  std::vector<double> weight;  // of each class
  double total = 0;            // over the labelled pixels of the batch
  std::int64_t labelled = 0;

  double share(std::int64_t pixel) const {
    const std::uint16_t label = targets.labels[pixel];
    if (label == kIgnoreLabel) return 0;
    if (targets.added_weights.empty()) return weight[label] / total;
    return (weight[label] + targets.added_weights[pixel]) / total;
  }
};

double checked_sum_of_added(const Targets& targets) {
  double sum = 0;
  for (std::size_t i = 0; i < targets.added_weights.size(); ++i) {
    const float added = targets.added_weights[i];
    if (!(added >= 0 && std::isfinite(added))) {
      throw Error(
          fmt::format("the added weight of pixel {} is {}; weights are finite and >= 0", i, added));
    }
    if (targets.labels[i] != kIgnoreLabel) sum += added;
  }
  return sum;
}

PixelWeights weigh_pixels(const Shape& shape, const Targets& targets, const LossOptions& options,
                          int label_values) {
  const Labels labels = targets.labels;
  std::vector<std::int64_t> count(label_values, 0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == kIgnoreLabel) continue;
    if (labels[i] >= label_values) reject_label(labels, i, shape, label_values);
    ++count[labels[i]];
  }
  PixelWeights result{.targets = targets};
  result.total = checked_sum_of_added(targets);
  result.weight.assign(label_values, 1.0);
  std::ranges::copy(options.class_weights, result.weight.begin());
  for (int k = 0; k < label_values; ++k) {
    result.labelled += count[k];
    result.total += static_cast<double>(count[k]) * result.weight[k];
  }
  return result;
}

// Sums term(block) over the blocks of a batch; every block lies within one picture.
struct Block {
  std::int64_t image;
  std::int64_t pixel;  // first one, counted in its picture
  int pixels;
};

template <typename Term>
double sum_over_blocks(const Shape& shape, const Term& term) {
  const std::int64_t blocks = (shape.h() * shape.w() + kBlockPixels - 1) / kBlockPixels;
  std::vector<double> sums(static_cast<std::size_t>(shape.n() * blocks));
  for_each_block(shape, [&](std::int64_t n, std::int64_t first, int pixels) {
    sums[static_cast<std::size_t>(n * blocks + first / kBlockPixels)] =
        term(Block{n, first, pixels});
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

LossResult nothing_to_learn(TensorView gradient, std::int64_t labelled) {
  if (gradient.data) std::ranges::fill(gradient.values(), 0.0f);
  return {0.0, labelled};
}

/// A term of a pixel, and its slope times p: p dTerm/dp for the probability p of the true class.
struct PixelTerm {
  double value;
  double slope;
};

/// What becomes of `surprise`, -log p.
struct CrossEntropyTerm {
  PixelTerm operator()(double surprise) const { return {surprise, -1}; }
};
struct FocalTerm {
  double gamma;

  PixelTerm operator()(double surprise) const {
    const double p = std::exp(-surprise), rest = -std::expm1(-surprise);  // 1 - p
    if (gamma == 0) return {surprise, -1};
    if (rest <= 0) return {0, 0};
    const double factor = std::pow(rest, gamma);
    return {factor * surprise, -factor - gamma * p * (factor / rest) * surprise};
  }
};

// The loss of one block times the weights; writes its gradient.
template <typename Term>
double softmax_block(PixelBlock<const float> logits, const PixelWeights& weights,
                     std::int64_t first_pixel, PixelBlock<float> gradient, double scale,
                     const Term& term) {
  const std::uint16_t* labels = weights.targets.labels.data() + first_pixel;
  std::array<float, kBlockPixels> maximum, sum, factor;
  std::array<double, kBlockPixels> pull;  // towards the true class
  softmax_sums(logits, gradient, maximum.data(), sum.data());
  double loss = 0;
  for (int i = 0; i < logits.pixels; ++i) {
    const double share = weights.share(first_pixel + i);
    pull[i] = 0;
    factor[i] = 0;
    if (share == 0) continue;
    const double true_logit = logits.data[labels[i] * logits.plane + i];
    const PixelTerm of_pixel =
        term(std::log(static_cast<double>(sum[i])) + (maximum[i] - true_logit));
    loss += share * of_pixel.value;
    pull[i] = -of_pixel.slope * share * scale;
    factor[i] = static_cast<float>(pull[i]) / sum[i];
  }
  if (!gradient.data) return loss;
  scale_pixels(gradient, factor.data());
  for (int i = 0; i < logits.pixels; ++i) {
    if (pull[i] != 0) gradient.data[labels[i] * gradient.plane + i] -= static_cast<float>(pull[i]);
  }
  return loss;
}

template <typename Term>
LossResult softmax_loss(ConstTensorView logits, const Targets& targets, const LossOptions& options,
                        TensorView gradient, float scale, const Term& term) {
  const Shape& shape = logits.shape;
  const int classes = shape.rank() == 4 ? static_cast<int>(shape.c()) : 0;
  check_arguments(logits, targets, options, gradient, classes);
  const PixelWeights weights = weigh_pixels(shape, targets, options, classes);
  if (weights.total == 0) return nothing_to_learn(gradient, weights.labelled);

  const std::int64_t plane = shape.h() * shape.w();
  const double loss = sum_over_blocks(shape, [&](const Block& block) {
    const std::int64_t first = block.image * classes * plane + block.pixel;
    float* to = gradient.data ? gradient.data + first : nullptr;
    return softmax_block({logits.data + first, plane, classes, block.pixels}, weights,
                         block.image * plane + block.pixel, {to, plane, classes, block.pixels},
                         scale, term);
  });
  return {loss, weights.labelled};
}

template <typename Term>
LossResult sigmoid_loss(ConstTensorView logits, const Targets& targets, const LossOptions& options,
                        TensorView gradient, float scale, const Term& term) {
  const Shape& shape = logits.shape;
  const Labels labels = targets.labels;
  check_arguments(logits, targets, options, gradient, 2);
  if (shape.c() != 1) {
    throw Error("the logits are " + shape.to_string() + "; binary cross entropy needs [N,1,H,W]");
  }
  const PixelWeights weights = weigh_pixels(shape, targets, options, 2);
  if (weights.total == 0) return nothing_to_learn(gradient, weights.labelled);

  const double loss = sum_over_blocks(shape, [&](const Block& block) {
    const std::int64_t first = block.image * shape.h() * shape.w() + block.pixel;
    double sum = 0;
    for (std::int64_t i = first; i < first + block.pixels; ++i) {
      const double share = weights.share(i);
      if (gradient.data) gradient.data[i] = 0;
      if (share == 0) continue;
      // -log sigmoid(z), z towards the true side; the exponent is never positive.
      const double z = labels[i] == 1 ? logits.data[i] : -logits.data[i];
      const double e = std::exp(-std::abs(z));
      const PixelTerm of_pixel = term(std::max(-z, 0.0) + std::log1p(e));
      sum += share * of_pixel.value;
      const double wrong = z >= 0 ? e / (1 + e) : 1 / (1 + e);  // 1 - p(true side)
      if (gradient.data) {
        const double pull = -of_pixel.slope * share * scale * wrong;
        gradient.data[i] = static_cast<float>(labels[i] == 1 ? -pull : pull);
      }
    }
    return sum;
  });
  return {loss, weights.labelled};
}

bool one_channel(ConstTensorView logits) {
  return logits.shape.rank() == 4 && logits.shape.c() == 1;
}

bool is_of_regions(const LossTerm& term) {
  return term.kind == LossKind::dice || term.kind == LossKind::tversky ||
         term.kind == LossKind::lovasz || term.kind == LossKind::boundary;
}

/// One of the terms that are sums over pixels.
LossResult pixel_loss(LossKind kind, ConstTensorView logits, const Targets& targets,
                      const LossOptions& options, TensorView gradient, float scale) {
  if (kind == LossKind::focal) return focal_loss(logits, targets, options, gradient, scale);
  const auto entropy = [&](const Targets& wanted) {
    return one_channel(logits) ? binary_cross_entropy(logits, wanted, options, gradient, scale)
                               : cross_entropy(logits, wanted, options, gradient, scale);
  };
  if (kind == LossKind::cross_entropy) return entropy(targets);
  const int values = one_channel(logits) ? 2 : static_cast<int>(logits.shape.c());
  check_arguments(logits, targets, options, gradient, values);
  weigh_pixels(logits.shape, targets, options, values);  // throws for labels that are no class
  const double threshold = kind == LossKind::ohem ? options.hard_threshold : 0;
  const std::vector<std::uint16_t> hard =
      hard_labels(logits, targets.labels, threshold, options.hard_share);
  return entropy({hard, targets.added_weights});
}

double region_loss(LossKind kind, const ClassProbabilities& probabilities,
                   const LossOptions& options, TensorView slopes, double weight) {
  if (kind == LossKind::dice) return tversky_loss(probabilities, 0.5, 0.5, slopes, weight);
  if (kind == LossKind::lovasz) return lovasz_loss(probabilities, slopes, weight);
  if (kind == LossKind::boundary) return boundary_loss(probabilities, slopes, weight);
  return tversky_loss(probabilities, options.tversky_alpha, options.tversky_beta, slopes, weight);
}

/// Adds up the terms about regions, and their gradient to what is there.
LossResult region_losses(ConstTensorView logits, const Targets& targets, const LossOptions& options,
                         TensorView gradient, float scale) {
  const int values = one_channel(logits) ? 2 : static_cast<int>(logits.shape.c());
  const PixelWeights weights = weigh_pixels(logits.shape, targets, options, values);
  const ClassProbabilities probabilities(logits, targets.labels);
  Tensor slopes;
  if (gradient.data) slopes = Tensor(probabilities.shape());
  LossResult result{.value = 0, .pixels = weights.labelled};
  for (const LossTerm& term : options.terms) {
    if (!is_of_regions(term)) continue;
    const TensorView to = gradient.data ? slopes.view() : TensorView{};
    result.value += term.weight * region_loss(term.kind, probabilities, options, to, term.weight);
  }
  if (gradient.data) probabilities.add_gradient(slopes, gradient, scale);
  return result;
}

/// Adds up the terms about pixels; writes their gradient.
LossResult pixel_losses(ConstTensorView logits, const Targets& targets, const LossOptions& options,
                        TensorView gradient, float scale) {
  LossResult result;
  bool first = true;
  for (const LossTerm& term : options.terms) {
    if (is_of_regions(term)) continue;
    Tensor own;
    if (gradient.data && !first) own = Tensor(gradient.shape);
    const TensorView to = own.view().data ? own.view() : gradient;
    const LossResult loss = pixel_loss(term.kind, logits, targets, options, to,
                                       scale * static_cast<float>(term.weight));
    result.value += term.weight * loss.value;
    if (first) result.pixels = loss.pixels;
    if (own.view().data) {
      std::ranges::transform(gradient.values(), own.values(), gradient.values().begin(),
                             std::plus<>());
    }
    first = false;
  }
  if (first && gradient.data) std::ranges::fill(gradient.values(), 0.0f);
  return result;
}

}  // namespace

LossResult cross_entropy(ConstTensorView logits, const Targets& targets, const LossOptions& options,
                         TensorView gradient, float scale) {
  return softmax_loss(logits, targets, options, gradient, scale, CrossEntropyTerm{});
}

LossResult binary_cross_entropy(ConstTensorView logits, const Targets& targets,
                                const LossOptions& options, TensorView gradient, float scale) {
  return sigmoid_loss(logits, targets, options, gradient, scale, CrossEntropyTerm{});
}

LossResult focal_loss(ConstTensorView logits, const Targets& targets, const LossOptions& options,
                      TensorView gradient, float scale) {
  if (!(options.focal_gamma >= 0)) {
    throw Error(
        fmt::format("the gamma of a focal loss is {}; it must be 0 or more", options.focal_gamma));
  }
  const FocalTerm term{options.focal_gamma};
  return one_channel(logits) ? sigmoid_loss(logits, targets, options, gradient, scale, term)
                             : softmax_loss(logits, targets, options, gradient, scale, term);
}

std::size_t loss_bytes(const LossOptions& options, const Shape& logits) {
  const auto regions = std::ranges::count_if(options.terms, is_of_regions);
  const std::int64_t sides = std::max<std::int64_t>(logits.c(), 2);
  const std::int64_t pixels = logits.n() * logits.h() * logits.w();
  // Probabilities and their slopes; else the gradient of a second term.
  const std::int64_t floats = regions > 0                ? 2 * sides * pixels
                              : options.terms.size() > 1 ? logits.count()
                                                         : 0;
  return sizeof(float) * static_cast<std::size_t>(floats);
}

LossResult segmentation_loss(ConstTensorView logits, const Targets& targets,
                             const LossOptions& options, TensorView gradient, float scale) {
  if (options.boxes) return box_loss(logits, targets.labels, gradient, scale);
  if (options.terms.empty()) throw Error("a loss without terms; cross_entropy is the usual one");
  const int values = one_channel(logits)        ? 2
                     : logits.shape.rank() == 4 ? static_cast<int>(logits.shape.c())
                                                : 0;
  check_arguments(logits, targets, options, gradient, values);
  LossResult result = pixel_losses(logits, targets, options, gradient, scale);
  if (std::ranges::none_of(options.terms, is_of_regions)) return result;
  const LossResult regions = region_losses(logits, targets, options, gradient, scale);
  result.value += regions.value;
  if (result.pixels == 0) result.pixels = regions.pixels;
  return result;
}

}  // namespace segmentum
