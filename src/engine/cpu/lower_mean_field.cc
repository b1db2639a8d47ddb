// Mean field: the lattices are made in the forward pass, the spatial one once for the plan, and
// live until the backward pass, outside of the planned memory.
#include <algorithm>

#include "base/threads.h"
#include "crf/lattice_filter.h"
#include "engine/cpu/kernels/label_rows.h"
#include "engine/cpu/lowering.h"
#include "engine/cpu/pairwise_field.h"
#include "engine/mean_field_points.h"

namespace segmentum::cpu {
namespace {

// A single channel scores label 1 beside a label 0 of score 0; a gradient goes to the one, and
// against the other.
constexpr LabelRows kScores{.single = 0, .beyond = kNoScore};
constexpr LabelRows kDifferences{.single = -1, .beyond = 0};

std::shared_ptr<const Kernel> lattice_kernel(const op::MeanField& o, const Features& points,
                                             int labels) {
  const CrfTerm term{.normalisation = o.normalisation};
  return std::make_shared<const Kernel>(std::make_unique<LatticeFilter>(points), term, labels);
}

}  // namespace

/// What both passes of a mean field share.
class MeanFieldState {
 public:
  MeanFieldState(const op::MeanField& o, const Shape& shape,
                 std::vector<const ParameterStore::Parameter*> parameters)
      : o_(o),
        shape_(shape),
        labels_(mean_field_labels(static_cast<int>(shape.c()))),
        parameters_(std::move(parameters)),
        fields_(static_cast<std::size_t>(shape.n())) {}

  int iterations() const { return o_.iterations; }
  int labels() const { return labels_; }
  int stride() const { return row_stride(labels_); }
  std::int64_t pixels() const { return shape_.h() * shape_.w(); }
  std::int64_t row_floats() const { return pixels() * stride(); }  // of one picture

  PairwiseCosts costs() const {
    std::vector<std::vector<float>> weights;
    for (const float weight : kernel_weights()) {
      const auto factors = parameters_[weights.size()]->value.values();
      weights.emplace_back(factors.begin(), factors.end());
      for (float& factor : weights.back()) factor *= weight;
    }
    return {labels_, weights, parameters_.back()->value.data()};
  }

  /// Of the kernels there are.
  std::vector<float> kernel_weights() const {
    std::vector<float> weights{o_.spatial_weight, o_.bilateral_weight};
    std::erase(weights, 0.0f);
    return weights;
  }

  /// Makes the kernels of picture `n`.
  PairwiseField& make_field(ConstTensorView pictures, std::int64_t n) {
    std::vector<std::shared_ptr<const Kernel>> kernels;
    if (o_.spatial_weight > 0) kernels.push_back(spatial_);
    if (o_.bilateral_weight > 0) {
      kernels.push_back(lattice_kernel(o_, bilateral_points(o_, pictures, n), labels_));
    }
    return *(field(n) = std::make_unique<PairwiseField>(std::move(kernels), labels_));
  }
  void make_spatial_kernel() {
    if (o_.spatial_weight == 0 || spatial_) return;
    spatial_ = lattice_kernel(o_, spatial_points(o_, shape_.h(), shape_.w()), labels_);
  }
  std::unique_ptr<PairwiseField>& field(std::int64_t n) {
    return fields_[static_cast<std::size_t>(n)];
  }

  /// What it holds outside of the plan's arena: the spatial kernel from the first pass on, the
  /// others from a training's forward pass to its backward one.
  std::size_t bytes() const {
    std::size_t sum = spatial_ ? spatial_->bytes() : 0;
    for (const auto& field : fields_) {
      if (!field) continue;
      for (const auto& kernel : field->kernels()) {
        if (kernel != spatial_) sum += kernel->bytes();
      }
    }
    return sum;
  }

  /// body(n) for every picture: side by side where they are too small to be shared out.
  template <typename Body>
  void for_pictures(const Body& body) const {
    if (Bands(pixels()).count() == 1) return parallel_for(shape_.n(), body);
    for (std::int64_t n = 0; n < shape_.n(); ++n) body(n);
  }

 private:
  op::MeanField o_;
  Shape shape_;
  int labels_;
  std::vector<const ParameterStore::Parameter*> parameters_;
  std::shared_ptr<const Kernel> spatial_;
  std::vector<std::unique_ptr<PairwiseField>> fields_;
};

namespace {

std::vector<const ParameterStore::Parameter*> parameters_of(const Lowering& l, ValueId id) {
  std::vector<const ParameterStore::Parameter*> parameters;
  for (int i = 0; i < static_cast<int>(l.node(id).parameters.size()); ++i) {
    parameters.push_back(&l.parameter(id, i));
  }
  return parameters;
}

std::vector<float*> gradients_of(Lowering& l, ValueId id) {
  std::vector<float*> gradients;
  for (int i = 0; i < static_cast<int>(l.node(id).parameters.size()); ++i) {
    gradients.push_back(l.parameter_gradient(id, i));
  }
  return gradients;
}

PairwiseSums no_sums(const PairwiseCosts& costs) {
  return PairwiseSums(costs.weights.size(),
                      std::vector<double>(static_cast<std::size_t>(costs.rows.count()), 0.0));
}

/// The gradients of factors and compatibility from the sums of a picture.
void add_cost_gradients(const MeanFieldState& state, const PairwiseCosts& costs,
                        const PairwiseSums& sums, const std::vector<float*>& gradients) {
  const int labels = state.labels(), stride = state.stride();
  const std::vector<float> kernel_weights = state.kernel_weights();
  std::vector<double> compatibility(static_cast<std::size_t>(labels) * labels, 0.0);
  for (std::size_t m = 0; m < sums.size(); ++m) {
    std::vector<double> weights(static_cast<std::size_t>(labels), 0.0);
    for (int k = 0; k < labels; ++k) {
      for (int l = 0; l < labels; ++l) {
        const std::int64_t at = std::int64_t{k} * stride + l;
        const double sum = sums[m][static_cast<std::size_t>(at)];
        weights[static_cast<std::size_t>(l)] -= static_cast<double>(costs.rows[at]) * sum;
        compatibility[static_cast<std::size_t>(k) * labels + l] -=
            static_cast<double>(costs.weights[m][l]) * sum;
      }
    }
    for (int l = 0; l < labels; ++l) {
      gradients[m][l] += static_cast<float>(static_cast<double>(kernel_weights[m]) *
                                            weights[static_cast<std::size_t>(l)]);
    }
  }
  for (std::size_t i = 0; i < compatibility.size(); ++i) {
    gradients.back()[i] += static_cast<float>(compatibility[i]);
  }
}

}  // namespace

void lower(Lowering& l, ValueId id, const op::MeanField& o) {
  const Slot scores = l.value_in(l.node(id).inputs[0], vector_block());
  const Slot picture = l.dense_value_in(l.node(id).inputs[1], 1);
  const Slot y = l.value(id);
  const auto state = std::make_shared<MeanFieldState>(o, y.shape, parameters_of(l, id));
  const bool keeps = l.training() && l.wants_gradient(id);
  const std::int64_t kept_floats = o.iterations * state->row_floats();  // of one picture
  const int kept = keeps ? l.new_buffer(y.shape.n() * kept_floats) : -1;
  l.keep_arrays(id, kept);
  l.keep_field(id, state);
  l.count_memory([state] { return state->bytes(); });
  l.step(id, "mean field", {scores.buffer, picture.buffer, y.buffer, kept}, [=](const Frame& f) {
    const PairwiseCosts costs = state->costs();
    state->make_spatial_kernel();
    state->for_pictures([&](std::int64_t n) {
      const auto read = [&](PixelRange range, float* rows) {
        load_label_rows(f.view(scores), n, range, kScores, rows);
      };
      const auto write = [&](PixelRange range, const float* rows) {
        store_label_rows(rows, range, kDifferences, f.view(y), n, Store::replace);
      };
      state->make_field({picture.shape, f.view(picture).data}, n)
          .forward(costs, read, state->iterations(),
                   keeps ? f.floats(kept) + n * kept_floats : nullptr, write);
      if (!keeps) state->field(n).reset();
    });
  });
}

void lower_backward(Lowering& l, ValueId id, const op::MeanField&) {
  const ValueId input = l.node(id).inputs[0];
  const bool for_scores = l.wants_gradient(input), for_costs = l.learns(id);
  if (!for_scores && !for_costs) return;
  const auto state = l.field(id);
  const Slot dy = l.gradient(id);
  const int kept = l.arrays(id);
  const std::int64_t kept_floats = state->iterations() * state->row_floats();
  Lowering::Target target{};
  if (for_scores) target = l.gradient_target(input, vector_block());
  const std::vector<float*> gradients = for_costs ? gradients_of(l, id) : std::vector<float*>();
  l.step(id, "mean field backward", {dy.buffer, kept, target.slot.buffer}, [=](const Frame& f) {
    const PairwiseCosts costs = state->costs();
    std::vector<PairwiseSums> sums(static_cast<std::size_t>(dy.shape.n()), no_sums(costs));
    state->for_pictures([&](std::int64_t n) {
      const auto read = [&](PixelRange range, float* rows) {
        load_label_rows(f.view(dy), n, range, kDifferences, rows);
      };
      const auto add = [&](PixelRange range, const float* rows, bool first) {
        if (!for_scores) return;
        store_label_rows(rows, range, kScores, f.view(target.slot), n,
                         target.add || !first ? Store::add : Store::replace);
      };
      state->field(n)->backward(costs, f.floats(kept) + n * kept_floats, state->iterations(), read,
                                add, for_costs ? &sums[static_cast<std::size_t>(n)] : nullptr);
      state->field(n).reset();
    });
    if (!for_costs) return;
    for (const PairwiseSums& of_picture : sums) {
      add_cost_gradients(*state, costs, of_picture, gradients);
    }
  });
  if (for_scores) l.finish(target);
}

}  // namespace segmentum::cpu
