// How fast this machine trains a network: a few steps on noise, timed.
#pragma once

#include "configure/rules.h"
#include "engine/executor.h"
#include "graph/graph.h"
#include "train/config.h"

namespace segmentum {

/// Times a few steps of training `graph` on one crop of `crop` x `crop` pixels of noise, with the
/// current number of threads; the first, which makes kernels, is not counted. Nothing of it enters
/// a training. Takes about three such steps, and at most a second more.
Pace measure_pace(const Graph& graph, int crop, const OptimizerOptions& optimizer,
                  Executor& executor);

}  // namespace segmentum
