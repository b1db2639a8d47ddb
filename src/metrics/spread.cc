#include "metrics/spread.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace segmentum {

Spread spread_of(std::span<const double> values) {
  Spread spread{.count = static_cast<int>(values.size())};
  if (values.empty()) return spread;
  spread.mean = std::accumulate(values.begin(), values.end(), 0.0) / spread.count;
  spread.low = *std::ranges::min_element(values);
  spread.high = *std::ranges::max_element(values);
  double squares = 0;
  for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
  if (spread.count > 1) spread.deviation = std::sqrt(squares / (spread.count - 1));
  return spread;
}

}  // namespace segmentum
