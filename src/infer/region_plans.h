// Plans that compute one region of a picture's scores and no more on the way than it needs.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "engine/executor.h"
#include "graph/restrict.h"
#include "image/picture_source.h"

namespace segmentum {

/// For pictures of one size. Parts at the same distance from the picture's borders, out of their
/// reach or not, share a plan; all plans share one workspace. Not thread-safe. What it is made of
/// must outlive it.
class RegionPlans {
 public:
  RegionPlans(Executor& executor, const Graph& graph, ParameterStore& parameters,
              const Shape& picture);

  /// Whether the network can be cut at all, or must see the picture whole. Where it cannot, all
  /// below throw Error.
  bool possible() const { return possible_; }

  struct Ready {
    PixelRect seen;  // of the picture: what the plan's input holds
    Plan* plan;      // its rows of "logits" are of the part alone; valid until the next call
  };
  Ready plan_for(const PixelRect& part);

  /// What `plan_for` would read of the picture.
  PixelRect seen_for(const PixelRect& part) const;
  /// What it would have in memory while it runs; no memory is taken.
  std::size_t memory_bytes(const PixelRect& part) const;
  /// How many pixels are read beyond a part far from the borders, both sides together.
  int around_px() const;

 private:
  RestrictedGraph restricted_to(const PixelRect& part) const;
  std::unique_ptr<Plan> make(const RestrictedGraph& part,
                             const std::shared_ptr<Workspace>& workspace) const;

  Executor& executor_;
  const Graph& graph_;
  ParameterStore& parameters_;
  Shape picture_;
  bool possible_;
  std::shared_ptr<Workspace> workspace_ = std::make_shared<Workspace>();
  std::map<std::vector<int>, std::unique_ptr<Plan>> plans_;  // by `RestrictedGraph::form`
};

}  // namespace segmentum
