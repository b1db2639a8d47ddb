// How far each layer of a network is from what the machine can do, for a person to read.
#pragma once

#include <span>
#include <string>

#include "profile/layer_times.h"

namespace segmentum {

/// A line for each layer and pass: time, GFLOP, GB, shares of the machine's best, the time that the
/// roofline would leave it, kernels; the total; then the layers that reach a quarter of neither
/// peak nor bandwidth, by falling time. `runs`: how many profiles they come from.
std::string layer_table(std::span<const LayerTime> layers, const MachineBest& best, int runs);

}  // namespace segmentum
