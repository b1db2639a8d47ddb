// Zheng et al., ICCV 2015, sections 4 and 5.
#include "engine/reference/mean_field.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace segmentum::reference {
namespace {

Planes zeros_like(const Planes& planes) {
  return Planes(planes.size(), std::vector<double>(planes[0].size(), 0.0));
}

/// to += factor * from
void add_scaled(double factor, const std::vector<double>& from, std::vector<double>& to) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * from[i];
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

Planes softmax(const Planes& x) {
  Planes q = zeros_like(x);
  for (std::size_t i = 0; i < x[0].size(); ++i) {
    double largest = x[0][i], sum = 0;
    for (const auto& plane : x) largest = std::max(largest, plane[i]);
    for (std::size_t l = 0; l < x.size(); ++l) sum += q[l][i] = std::exp(x[l][i] - largest);
    for (auto& plane : q) plane[i] /= sum;
  }
  return q;
}

/// dx = q * (dq - sum of q dq over labels)
Planes softmax_backward(const Planes& q, const Planes& dq) {
  Planes dx = zeros_like(q);
  for (std::size_t i = 0; i < q[0].size(); ++i) {
    double mean = 0;
    for (std::size_t l = 0; l < q.size(); ++l) mean += q[l][i] * dq[l][i];
    for (std::size_t l = 0; l < q.size(); ++l) dx[l][i] = q[l][i] * (dq[l][i] - mean);
  }
  return dx;
}

FieldIteration iteration(const PairwiseField& field, const Planes& x) {
  FieldIteration made{softmax(x), {}, zeros_like(x)};
  for (std::size_t m = 0; m < field.kernels.size(); ++m) {
    Planes& spread = made.spread.emplace_back();
    for (std::size_t l = 0; l < x.size(); ++l) {
      spread.push_back(field.kernels[m](made.probabilities[l], FilterDirection::forward));
      add_scaled(field.weights[m][l], spread[l], made.wanted[l]);
    }
  }
  return made;
}

/// The gradient of x before an iteration from that after it; the field's gradients grow.
Planes iteration_backward(const PairwiseField& field, const FieldIteration& made,
                          const Planes& gradient, FieldGradients& sum) {
  const std::size_t labels = gradient.size();
  Planes d_wanted = zeros_like(gradient), d_probabilities = zeros_like(gradient);
  for (std::size_t k = 0; k < labels; ++k) {
    for (std::size_t l = 0; l < labels; ++l) {
      sum.compatibility[k][l] -= dot(gradient[k], made.wanted[l]);
      add_scaled(-field.compatibility[k][l], gradient[k], d_wanted[l]);
    }
  }
  for (std::size_t m = 0; m < field.kernels.size(); ++m) {
    for (std::size_t l = 0; l < labels; ++l) {
      sum.weights[m][l] += dot(d_wanted[l], made.spread[m][l]);
      add_scaled(field.weights[m][l], field.kernels[m](d_wanted[l], FilterDirection::adjoint),
                 d_probabilities[l]);
    }
  }
  return softmax_backward(made.probabilities, d_probabilities);
}

}  // namespace

Planes refined(const PairwiseField& field, const Planes& scores, int iterations,
               std::vector<FieldIteration>* kept) {
  Planes x = scores;
  for (int t = 0; t < iterations; ++t) {
    FieldIteration made = iteration(field, x);
    x = scores;
    for (std::size_t k = 0; k < x.size(); ++k) {
      for (std::size_t l = 0; l < x.size(); ++l) {
        add_scaled(-field.compatibility[k][l], made.wanted[l], x[k]);
      }
    }
    if (kept != nullptr) kept->push_back(std::move(made));
  }
  return x;
}

FieldGradients refined_backward(const PairwiseField& field, const std::vector<FieldIteration>& kept,
                                Planes gradient) {
  FieldGradients sum{zeros_like(gradient), zeros_like(field.weights),
                     zeros_like(field.compatibility)};
  const auto add_to_scores = [&] {
    for (std::size_t l = 0; l < gradient.size(); ++l) {
      add_scaled(1.0, gradient[l], sum.scores[l]);
    }
  };
  for (std::size_t t = kept.size(); t-- > 0;) {
    add_to_scores();  // every iteration starts from the scores
    gradient = iteration_backward(field, kept[t], gradient, sum);
  }
  add_to_scores();
  return sum;
}

}  // namespace segmentum::reference
