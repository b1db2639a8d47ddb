#include "engine/plan_cache.h"

#include <algorithm>

namespace segmentum {
namespace {

constexpr std::size_t kMostPlans = 6;  // the tiles of one picture have at most four sizes

}  // namespace

PlanCache::PlanCache(Executor& executor, const Graph& graph, ParameterStore& parameters,
                     std::size_t memory_limit_bytes)
    : executor_(executor),
      graph_(graph),
      parameters_(parameters),
      memory_limit_bytes_(memory_limit_bytes) {}

Plan& PlanCache::plan_for(const Shape& input) {
  const auto found = std::ranges::find(entries_, input, &Entry::input);
  if (found != entries_.end()) {
    std::rotate(found, found + 1, entries_.end());
    return *entries_.back().plan;
  }
  make_room_for(input);
  entries_.push_back(
      {input, executor_.plan(graph_, parameters_, {&input, 1}, {.outputs = OutputForm::rows})});
  return *entries_.back().plan;
}

/// Memory goes with the number of pixels, so the plan used last tells what the next one will take.
void PlanCache::make_room_for(const Shape& input) {
  if (entries_.empty()) return;
  const Entry& last = entries_.back();
  const double expected = static_cast<double>(last.plan->memory_bytes()) *
                          static_cast<double>(input.count()) /
                          static_cast<double>(last.input.count());
  double held = 0;
  for (const Entry& entry : entries_) held += static_cast<double>(entry.plan->memory_bytes());
  while (!entries_.empty() && (entries_.size() >= kMostPlans ||
                               held + expected > static_cast<double>(memory_limit_bytes_))) {
    held -= static_cast<double>(entries_.front().plan->memory_bytes());
    entries_.erase(entries_.begin());
  }
}

}  // namespace segmentum
