#include "graph/parameter_store.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "base/random.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// FNV-1a: a stable number for a name.
std::uint64_t name_key(const std::string& name) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (unsigned char letter : name) hash = (hash ^ letter) * 0x100000001b3u;
  return hash;
}

/// Of the last layers in the published FCN and DeepLab.
constexpr double kSmallDeviation = 0.01;

void fill_normal(Tensor& weight, RandomStream& random, double deviation) {
  for (float& value : weight.values()) value = static_cast<float>(deviation * random.normal());
}

void fill_he_normal(Tensor& weight, RandomStream& random) {
  const Shape& shape = weight.shape();
  const double fan_in = static_cast<double>(shape.count()) / static_cast<double>(shape[0]);
  fill_normal(weight, random, std::sqrt(2.0 / fan_in));
}

/// Bilinear interpolation as a kernel: Long et al., CVPR 2015. Channel i feeds channel i alone.
void fill_bilinear(Tensor& weight) {
  const Shape& shape = weight.shape();
  const auto tap = [](std::int64_t i, std::int64_t size) {
    const std::int64_t half = (size + 1) / 2;
    const double factor = static_cast<double>(half);
    const double centre = size % 2 == 1 ? factor - 1 : factor - 0.5;
    return 1 - std::abs(static_cast<double>(i) - centre) / factor;
  };
  for (std::int64_t o = 0; o < shape[0]; ++o) {
    const std::int64_t i = shape[1] == 1 ? 0 : o;
    if (i >= shape[1]) break;
    for (std::int64_t y = 0; y < shape[2]; ++y) {
      for (std::int64_t x = 0; x < shape[3]; ++x) {
        weight(o, i, y, x) = static_cast<float>(tap(y, shape[2]) * tap(x, shape[3]));
      }
    }
  }
}

/// One at the centre of the kernel, from channel i to channel i.
void fill_identity(Tensor& weight) {
  const Shape& shape = weight.shape();
  for (std::int64_t o = 0; o < shape[0]; ++o) {
    const std::int64_t i = shape[1] == 1 ? 0 : o;
    if (i < shape[1]) weight(o, i, shape[2] / 2, shape[3] / 2) = 1;
  }
}

/// Zero from channel i to channel i, else one.
void fill_potts(Tensor& costs) {
  const Shape& shape = costs.shape();
  const std::int64_t each = shape.count() / (shape[0] * shape[1]);
  for (std::int64_t pair = 0; pair < shape[0] * shape[1]; ++pair) {
    const bool same = pair / shape[1] == pair % shape[1];
    std::fill_n(costs.data() + pair * each, each, same ? 0.0f : 1.0f);
  }
}

}  // namespace

ParameterStore::ParameterStore() {
  static std::atomic<std::uint64_t> next{0};
  id_ = next++;
}

void ParameterStore::add(const std::string& name, ParameterRole role, Tensor value) {
  if (!parameters_.try_emplace(name, Parameter{role, std::move(value), 0}).second) {
    throw Error("parameter " + name + " stands twice");
  }
}

const ParameterStore::Parameter& ParameterStore::at(const std::string& name) const {
  const auto found = parameters_.find(name);
  if (found == parameters_.end()) throw Error("parameter " + name + " is missing");
  return found->second;
}

Tensor& ParameterStore::change(const std::string& name) {
  Parameter& parameter = const_cast<Parameter&>(at(name));
  ++parameter.version;
  return parameter.value;
}

std::int64_t ParameterStore::count() const {
  std::int64_t sum = 0;
  for (const auto& [name, parameter] : parameters_) sum += parameter.value.shape().count();
  return sum;
}

ParameterStore ParameterStore::clone() const {
  ParameterStore copy;
  for (const auto& [name, parameter] : parameters_) {
    copy.add(name, parameter.role, parameter.value.clone());
  }
  return copy;
}

ParameterStore initialise(const Graph& graph, std::uint64_t seed) {
  ParameterStore store;
  for (const ParameterSpec& spec : graph.parameters) {
    Tensor value(spec.shape);
    switch (spec.init) {
      case Init::he_normal: {
        RandomStream random(seed ^ name_key(spec.name), 0, 0);
        fill_he_normal(value, random);
        break;
      }
      case Init::zeros:
        break;
      case Init::ones:
        std::ranges::fill(value.values(), 1.0f);
        break;
      case Init::bilinear:
        fill_bilinear(value);
        break;
      case Init::small_normal: {
        RandomStream random(seed ^ name_key(spec.name), 0, 0);
        fill_normal(value, random, kSmallDeviation);
        break;
      }
      case Init::identity:
        fill_identity(value);
        break;
      case Init::potts:
        fill_potts(value);
        break;
    }
    store.add(spec.name, spec.role, std::move(value));
  }
  return store;
}

void require_parameters(const Graph& graph, const ParameterStore& parameters) {
  std::string wrong;
  for (const ParameterSpec& spec : graph.parameters) {
    if (!parameters.contains(spec.name)) {
      wrong += (wrong.empty() ? "" : ", ") + spec.name + " is missing";
    } else if (const Shape& have = parameters.value(spec.name).shape(); have != spec.shape) {
      wrong += (wrong.empty() ? "" : ", ") + spec.name + " is " + have.to_string() + ", expected " +
               spec.shape.to_string();
    }
  }
  if (!wrong.empty()) throw Error("the parameters do not fit the network: " + wrong);
}

}  // namespace segmentum
