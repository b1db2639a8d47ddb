// How far equal trainings with other seeds lie apart.
#pragma once

#include <span>

namespace segmentum {

struct Spread {
  int count = 0;
  double mean = 0;
  double deviation = 0;  // sample standard deviation (over count - 1); 0 of one value
  double low = 0;
  double high = 0;
};

Spread spread_of(std::span<const double> values);

}  // namespace segmentum
