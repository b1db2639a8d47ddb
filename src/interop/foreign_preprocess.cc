#include "interop/foreign_preprocess.h"

#include <string>

#include "base/counted.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr int kRgb = 3;

std::vector<float> spread(const std::vector<float>& values, int channels) {
  const auto size = static_cast<int>(values.size());
  if (size == channels) return values;
  if (size != kRgb) {
    throw Error("mean and deviation are of " + counted(size, "channel") + "; the network reads " +
                std::to_string(channels));
  }
  if (channels == 1) return {(values[0] + values[1] + values[2]) / 3};
  std::vector<float> result;
  for (int c = 0; c < channels; ++c) result.push_back(values[static_cast<std::size_t>(c % size)]);
  return result;
}

}  // namespace

Preprocess foreign_preprocess(const std::vector<float>& mean, const std::vector<float>& std,
                              int channels) {
  return {.mean = spread(mean.empty() ? std::vector{0.485f, 0.456f, 0.406f} : mean, channels),
          .std = spread(std.empty() ? std::vector{0.229f, 0.224f, 0.225f} : std, channels)};
}

}  // namespace segmentum
