#include "train/weight_average.h"

#include <algorithm>
#include <span>
#include <vector>

#include "base/threads.h"
#include "segmentum/error.h"

namespace segmentum {

WeightAverage::WeightAverage(const ParameterStore& parameters, double decay)
    : decay_(decay), average_(parameters.clone()) {
  if (!(decay >= 0 && decay < 1)) {
    throw Error("the decay of the weight average is " + std::to_string(decay) +
                "; it must be at least 0 and below 1, for example 0.999");
  }
}

void WeightAverage::update(const ParameterStore& parameters) {
  const auto t = static_cast<double>(++updates_);
  const auto share = static_cast<float>(1.0 - std::min(decay_, (1.0 + t) / (10.0 + t)));
  struct Pair {
    std::span<float> average;
    std::span<const float> value;
  };
  std::vector<Pair> pairs;
  for (const auto& [name, parameter] : parameters.all()) {
    pairs.push_back({average_.change(name).values(), parameter.value.values()});
  }
  parallel_for(static_cast<std::int64_t>(pairs.size()), [&](std::int64_t i) {
    const Pair& pair = pairs[static_cast<std::size_t>(i)];
    for (std::size_t j = 0; j < pair.average.size(); ++j) {
      pair.average[j] += share * (pair.value[j] - pair.average[j]);
    }
  });
}

void WeightAverage::restore(const ParameterStore& average, std::int64_t updates) {
  for (const auto& [name, parameter] : average.all()) {
    std::ranges::copy(parameter.value.values(), average_.change(name).data());
  }
  updates_ = updates;
}

}  // namespace segmentum
