#include "losses/box_loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/threads.h"
#include "image/box.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

void check_arguments(const Shape& shape, std::span<const std::uint16_t> labels,
                     TensorView gradient) {
  if (shape.rank() != 4 ||
      static_cast<std::int64_t>(labels.size()) != shape.n() * shape.h() * shape.w()) {
    throw Error(
        fmt::format("{} labels for logits of {}; the loss of boxes needs [N,K,H,W] and N*H*W",
                    labels.size(), shape.to_string()));
  }
  if (gradient.data && gradient.shape != shape) {
    throw Error("the gradient is " + gradient.shape.to_string() + " but the logits are " +
                shape.to_string());
  }
  const auto known = [&](std::uint16_t label) {
    return label == kIgnoreLabel || label / 2 < shape.c();
  };
  const auto unknown = std::ranges::find_if_not(labels, known);
  if (unknown == labels.end()) return;
  throw Error(
      fmt::format("a pixel of a box has label {}, but there are {} classes of objects: "
                  "labels are 0..{}, or {} for ignored pixels",
                  *unknown, shape.c(), 2 * shape.c() - 1, kIgnoreLabel));
}

/// -log sigmoid(z), and its derivative.
struct Term {
  double value;
  double slope;
};

Term term_of(double z) {
  const double e = std::exp(-std::abs(z));  // the exponent is never positive
  return {std::max(-z, 0.0) + std::log1p(e), -(z >= 0 ? e / (1 + e) : 1 / (1 + e))};
}

}  // namespace

LossResult box_loss(ConstTensorView logits, std::span<const std::uint16_t> labels,
                    TensorView gradient, float scale) {
  const Shape& shape = logits.shape;
  check_arguments(shape, labels, gradient);
  if (gradient.data) std::ranges::fill(gradient.values(), 0.0f);
  const auto ignored = std::ranges::count(labels, kIgnoreLabel);
  const auto pixels = static_cast<std::int64_t>(labels.size()) - ignored;
  if (pixels == 0) return {};
  const double share = 1.0 / static_cast<double>(pixels);

  // Rows are summed in one order, whoever computed them.
  std::vector<double> sums(static_cast<std::size_t>(shape.n() * shape.h()));
  parallel_for(static_cast<std::int64_t>(sums.size()), [&](std::int64_t row) {
    const std::int64_t n = row / shape.h(), y = row % shape.h();
    const std::uint16_t* label = labels.data() + row * shape.w();
    double sum = 0;
    for (std::int64_t x = 0; x < shape.w(); ++x) {
      if (label[x] == kIgnoreLabel) continue;
      const int k = label[x] / 2;
      const bool in_object = label[x] == box_label(k, true);
      const double logit = logits(n, k, y, x);
      const Term term = term_of(in_object ? logit : -logit);
      sum += term.value;
      if (!gradient.data) continue;
      gradient(n, k, y, x) =
          static_cast<float>(share * scale * (in_object ? term.slope : -term.slope));
    }
    sums[static_cast<std::size_t>(row)] = sum;
  });
  return {share * std::accumulate(sums.begin(), sums.end(), 0.0), pixels};
}

}  // namespace segmentum
