#include "losses/loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/threads.h"
#include "losses/box_loss.h"
#include "losses/softmax_kernel.h"
#include "segmentum/error.h"
#include "segmentum/image.h"

namespace segmentum {
namespace {

using Labels = std::span<const std::uint16_t>;

// Pixels whose terms are summed by one thread. Sums of blocks are added in the order of the blocks,
// so the bits do not depend on who computed them; 512 pixels of 21 classes fit the L2 cache.
constexpr int kBlockPixels = 512;

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
  const std::int64_t plane = shape.h() * shape.w();
  const std::int64_t blocks = (plane + kBlockPixels - 1) / kBlockPixels;
  std::vector<double> sums(shape.n() * blocks);
  parallel_for(static_cast<std::int64_t>(sums.size()), [&](std::int64_t i) {
    const std::int64_t pixel = i % blocks * kBlockPixels;
    const auto pixels = static_cast<int>(std::min<std::int64_t>(kBlockPixels, plane - pixel));
    sums[i] = term(Block{i / blocks, pixel, pixels});
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

LossResult nothing_to_learn(TensorView gradient, std::int64_t labelled) {
  if (gradient.data) std::ranges::fill(gradient.values(), 0.0f);
  return {0.0, labelled};
}

// The loss of one block times the weights; writes its gradient.
double softmax_block(PixelBlock<const float> logits, const PixelWeights& weights,
                     std::int64_t first_pixel, PixelBlock<float> gradient, double scale) {
  const std::uint16_t* labels = weights.targets.labels.data() + first_pixel;
  std::array<float, kBlockPixels> maximum, sum, factor;
  softmax_sums(logits, gradient, maximum.data(), sum.data());
  double loss = 0;
  for (int i = 0; i < logits.pixels; ++i) {
    const double share = weights.share(first_pixel + i);
    factor[i] = static_cast<float>(share * scale) / sum[i];
    if (share == 0) {
      factor[i] = 0;
      continue;
    }
    const double true_logit = logits.data[labels[i] * logits.plane + i];
    loss += share * (std::log(static_cast<double>(sum[i])) + (maximum[i] - true_logit));
  }
  if (!gradient.data) return loss;
  scale_pixels(gradient, factor.data());
  for (int i = 0; i < logits.pixels; ++i) {
    const double share = weights.share(first_pixel + i);
    if (share != 0)
      gradient.data[labels[i] * gradient.plane + i] -= static_cast<float>(share * scale);
  }
  return loss;
}

}  // namespace

LossResult cross_entropy(ConstTensorView logits, const Targets& targets, const LossOptions& options,
                         TensorView gradient, float scale) {
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
                         scale);
  });
  return {loss, weights.labelled};
}

LossResult binary_cross_entropy(ConstTensorView logits, const Targets& targets,
                                const LossOptions& options, TensorView gradient, float scale) {
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
      sum += share * (std::max(-z, 0.0) + std::log1p(e));
      const double wrong = z >= 0 ? e / (1 + e) : 1 / (1 + e);  // 1 - p(true side)
      if (gradient.data) {
        gradient.data[i] = static_cast<float>(share * scale * (labels[i] == 1 ? -wrong : wrong));
      }
    }
    return sum;
  });
  return {loss, weights.labelled};
}

LossResult segmentation_loss(ConstTensorView logits, const Targets& targets,
                             const LossOptions& options, TensorView gradient, float scale) {
  if (options.boxes) return box_loss(logits, targets.labels, gradient, scale);
  const bool one_class = logits.shape.rank() == 4 && logits.shape.c() == 1;
  return one_class ? binary_cross_entropy(logits, targets, options, gradient, scale)
                   : cross_entropy(logits, targets, options, gradient, scale);
}

}  // namespace segmentum
