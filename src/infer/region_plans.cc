#include "infer/region_plans.h"

#include <algorithm>
#include <utility>

#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::size_t kMostPlans = 32;  // tiles of a picture are of nine kinds

/// A network that divides the picture's size by something may be possible at one place only, so a
/// region of each kind is asked for.
bool can_be_cut(const Graph& graph, const Shape& picture, const ConvolutionGrid& grid) {
  const Region middle{{picture.h() / 2, picture.h() / 2 + 1},
                      {picture.w() / 2, picture.w() / 2 + 1}};
  const Region corner{{picture.h() - 1, picture.h()}, {picture.w() - 1, picture.w()}};
  return restricted(graph, picture, "logits", middle, grid) &&
         restricted(graph, picture, "logits", corner, grid);
}

PixelRect rect_of(const Region& region) {
  return {static_cast<int>(region.y.begin), static_cast<int>(region.x.begin),
          static_cast<int>(region.y.size()), static_cast<int>(region.x.size())};
}

}  // namespace

RegionPlans::RegionPlans(Executor& executor, const Graph& graph, ParameterStore& parameters,
                         const Shape& picture)
    : executor_(executor),
      graph_(graph),
      parameters_(parameters),
      picture_(picture),
      possible_(can_be_cut(graph, picture, executor.grid())) {}

std::unique_ptr<Plan> RegionPlans::make(const RestrictedGraph& part,
                                        const std::shared_ptr<Workspace>& workspace) const {
  const Shape input{1, picture_.c(), part.input.y.size(), part.input.x.size()};
  return executor_.plan(part.graph, parameters_, {&input, 1},
                        {.outputs = OutputForm::rows, .workspace = workspace});
}

RestrictedGraph RegionPlans::restricted_to(const PixelRect& part) const {
  const Region wanted{{part.y, part.y + part.height}, {part.x, part.x + part.width}};
  std::optional<RestrictedGraph> result =
      restricted(graph_, picture_, "logits", wanted, executor_.grid());
  if (!result) throw Error("the network must see the whole picture; it cannot be run on a part");
  return *std::move(result);
}

RegionPlans::Ready RegionPlans::plan_for(const PixelRect& part) {
  const RestrictedGraph needed = restricted_to(part);
  auto found = plans_.find(needed.form);
  if (found == plans_.end()) {
    if (plans_.size() >= kMostPlans) plans_.clear();
    found = plans_.emplace(needed.form, make(needed, workspace_)).first;
  }
  return {rect_of(needed.input), found->second.get()};
}

PixelRect RegionPlans::seen_for(const PixelRect& part) const {
  return rect_of(restricted_to(part).input);
}

std::size_t RegionPlans::memory_bytes(const PixelRect& part) const {
  return make(restricted_to(part), std::make_shared<Workspace>())->memory_bytes();
}

int RegionPlans::around_px() const {
  const PixelRect pixel{static_cast<int>(picture_.h() / 2), static_cast<int>(picture_.w() / 2), 1,
                        1};
  const PixelRect seen = seen_for(pixel);
  return std::max(seen.height, seen.width) - 1;
}

}  // namespace segmentum
