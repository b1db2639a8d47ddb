#include "train/optimizer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/counted.h"
#include "base/threads.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

// Large enough to hide the loop's cost, small enough to share one big layer between threads.
constexpr std::int64_t kChunk = 1 << 15;

/// A stretch of one tensor: element-wise work is shared out in these, whatever the thread count.
struct Chunk {
  std::size_t tensor = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

template <typename Counts>
std::vector<Chunk> chunks_of(const Counts& counts) {
  std::vector<Chunk> chunks;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    for (std::int64_t begin = 0; begin < counts[i]; begin += kChunk) {
      chunks.push_back({i, begin, std::min(counts[i], begin + kChunk)});
    }
  }
  return chunks;
}

template <typename Map>
auto spans_of(Map& gradients) {
  std::vector<decltype(gradients.begin()->second.values())> spans;
  for (auto& [name, tensor] : gradients) spans.push_back(tensor.values());
  return spans;
}

template <typename Span>
std::vector<Chunk> chunks_of_spans(const std::vector<Span>& spans) {
  std::vector<std::int64_t> counts;
  for (const Span& span : spans) counts.push_back(static_cast<std::int64_t>(span.size()));
  return chunks_of(counts);
}

/// Everything that one parameter's update reads and writes.
struct Update {
  float* value = nullptr;
  const float* gradient = nullptr;
  float* first = nullptr;   // momentum, or the mean of gradients
  float* second = nullptr;  // the mean of their squares
  float decay = 0;
  float lr = 0;
  float step_size = 0;  // adamw: lr / (1 - beta1^t)
};

void sgd(const Update& u, std::int64_t begin, std::int64_t end, float momentum, bool nesterov) {
  for (std::int64_t i = begin; i < end; ++i) {
    const float gradient = u.gradient[i] + u.decay * u.value[i];
    u.first[i] = momentum * u.first[i] + gradient;
    u.value[i] -= u.lr * (nesterov ? gradient + momentum * u.first[i] : u.first[i]);
  }
}

struct AdamFactors {
  float beta1, rest1;  // rest = 1 - beta, rounded once
  float beta2, rest2;
  float epsilon;
  float root_correction;  // sqrt(1 - beta2^t)
};

void adamw(const Update& u, std::int64_t begin, std::int64_t end, const AdamFactors& f) {
  const float keep = 1.0f - u.lr * u.decay;
  for (std::int64_t i = begin; i < end; ++i) {
    const float gradient = u.gradient[i];
    u.first[i] = f.beta1 * u.first[i] + f.rest1 * gradient;
    u.second[i] = f.beta2 * u.second[i] + f.rest2 * gradient * gradient;
    const float root = std::sqrt(u.second[i]) / f.root_correction + f.epsilon;
    u.value[i] = u.value[i] * keep - u.step_size * (u.first[i] / root);
  }
}

std::vector<std::string> state_names(OptimizerKind kind) {
  if (kind == OptimizerKind::sgd) return {"momentum."};
  return {"mean.", "square."};
}

}  // namespace

Optimizer::Optimizer(const OptimizerOptions& options, const ParameterStore& parameters,
                     const PartOptions& parts)
    : options_(options) {
  std::vector<std::string> names;
  for (const auto& entry : parameters.all()) names.push_back(entry.first);
  const Parts network(names);
  for (const auto& [name, parameter] : parameters.all()) {
    if (!is_trainable(parameter.role) || parts.frozen.contains(name)) continue;
    factors_[name] = lr_factor(parts.lr_factors, network, name);
    for (const std::string& prefix : state_names(options_.kind)) {
      state_.emplace(prefix + name, Tensor(parameter.value.shape()));
    }
  }
}

void Optimizer::step(ParameterStore& parameters, const Gradients& gradients, double lr) {
  const std::vector<std::string> prefixes = state_names(options_.kind);
  std::vector<Update> updates;
  std::vector<std::int64_t> counts;
  const auto t = static_cast<double>(steps_ + 1);
  for (const auto& [name, gradient] : gradients) {
    const auto first = state_.find(prefixes.front() + name);
    if (first == state_.end() || first->second.shape() != gradient.shape()) {
      throw Error("the optimizer has no state of shape " + gradient.shape().to_string() +
                  " for the gradient of " + name);
    }
    const bool decays = options_.decay_all || parameters.at(name).role == ParameterRole::weight;
    const double own_lr = lr * factors_.at(name);
    updates.push_back(
        {.value = parameters.change(name).data(),
         .gradient = gradient.data(),
         .first = first->second.data(),
         .second = state_.at(prefixes.back() + name).data(),
         .decay = decays ? static_cast<float>(options_.weight_decay) : 0.0f,
         .lr = static_cast<float>(own_lr),
         .step_size = static_cast<float>(own_lr / (1 - std::pow(options_.beta1, t)))});
    counts.push_back(gradient.shape().count());
  }
  ++steps_;

  const AdamFactors factors{
      .beta1 = static_cast<float>(options_.beta1),
      .rest1 = static_cast<float>(1 - options_.beta1),
      .beta2 = static_cast<float>(options_.beta2),
      .rest2 = static_cast<float>(1 - options_.beta2),
      .epsilon = static_cast<float>(options_.epsilon),
      .root_correction = static_cast<float>(std::sqrt(1 - std::pow(options_.beta2, t)))};
  const std::vector<Chunk> chunks = chunks_of(counts);
  parallel_for(static_cast<std::int64_t>(chunks.size()), [&](std::int64_t i) {
    const Chunk& chunk = chunks[static_cast<std::size_t>(i)];
    const Update& update = updates[chunk.tensor];
    if (options_.kind == OptimizerKind::sgd) {
      sgd(update, chunk.begin, chunk.end, static_cast<float>(options_.momentum), options_.nesterov);
    } else {
      adamw(update, chunk.begin, chunk.end, factors);
    }
  });
}

void Optimizer::restore(std::map<std::string, Tensor> state, std::int64_t steps) {
  for (const auto& [name, tensor] : state_) {
    const auto found = state.find(name);
    if (found == state.end()) throw Error("the optimizer state " + name + " is missing");
    if (found->second.shape() != tensor.shape()) {
      throw Error("the optimizer state " + name + " is " + found->second.shape().to_string() +
                  ", expected " + tensor.shape().to_string());
    }
  }
  if (state.size() != state_.size()) {
    throw Error("the optimizer state holds " + counted(state.size(), "tensor") + ", expected " +
                std::to_string(state_.size()));
  }
  state_ = std::move(state);
  steps_ = steps;
}

double lr_factor(const std::map<std::string, double>& factors, const Parts& parts,
                 const std::string& name) {
  std::optional<std::size_t> closest;
  double chosen = 1;
  for (const auto& [pattern, factor] : factors) {
    const auto exactness = parts.exactness(pattern, name);
    if (!exactness || (closest && *exactness <= *closest)) continue;
    closest = exactness;
    chosen = factor;
  }
  return chosen;
}

double global_norm(const Gradients& gradients) {
  const auto spans = spans_of(gradients);
  const std::vector<Chunk> chunks = chunks_of_spans(spans);
  std::vector<double> sums(chunks.size());
  parallel_for(static_cast<std::int64_t>(chunks.size()), [&](std::int64_t i) {
    const Chunk& chunk = chunks[static_cast<std::size_t>(i)];
    const float* values = spans[chunk.tensor].data();
    double sum = 0;
    for (std::int64_t j = chunk.begin; j < chunk.end; ++j) sum += double{values[j]} * values[j];
    sums[static_cast<std::size_t>(i)] = sum;
  });
  double total = 0;
  for (double sum : sums) total += sum;
  return std::sqrt(total);
}

double clip_gradients(Gradients& gradients, double max_norm) {
  const double norm = global_norm(gradients);
  if (!std::isfinite(norm) || norm <= max_norm) return norm;
  const auto factor = static_cast<float>(max_norm / (norm + 1e-6));
  const auto spans = spans_of(gradients);
  const std::vector<Chunk> chunks = chunks_of_spans(spans);
  parallel_for(static_cast<std::int64_t>(chunks.size()), [&](std::int64_t i) {
    const Chunk& chunk = chunks[static_cast<std::size_t>(i)];
    float* values = spans[chunk.tensor].data();
    for (std::int64_t j = chunk.begin; j < chunk.end; ++j) values[j] *= factor;
  });
  return norm;
}

void clear_gradients(Gradients& gradients) {
  for (auto& [name, gradient] : gradients) std::ranges::fill(gradient.values(), 0.0f);
}

}  // namespace segmentum
