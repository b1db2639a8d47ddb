#include "engine/cpu/recomputation.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

namespace segmentum::cpu {
namespace {

constexpr double kMoveWork = 16;       // moving a float takes as long as so many multiply-adds
constexpr double kWorthMemory = 1.05;  // so much more memory is worth less work
constexpr double kCheap = 0.015;       // of the work of a step of training
constexpr double kTrainWork = 3;       // of a forward pass, for both
constexpr int kBudgets = 32;
constexpr int kSweeps = 4;

int count_of(const std::vector<Step>& steps) {
  return static_cast<int>(steps.size());
}

const Step& at(const std::vector<Step>& steps, int i) {
  return steps[static_cast<std::size_t>(i)];
}

/// First to last moment at which a buffer must hold its values.
struct Stay {
  int first = -1, last = -1;

  void touch(int time) {
    if (first < 0) first = time;
    last = time;
  }
};

/// `cuts` with one more, or without it if it is among them.
std::vector<int> toggled(std::vector<int> cuts, int cut) {
  const auto place = std::ranges::lower_bound(cuts, cut);
  if (place != cuts.end() && *place == cut) {
    cuts.erase(place);
  } else {
    cuts.insert(place, cut);
  }
  return cuts;
}

}  // namespace

ForwardCuts::ForwardCuts(const Program& program)
    : program_(program), touches_(program.buffers.size()) {
  for (int i = 0; i < count_of(program.forward); ++i) {
    double moved = 0;
    for (int buffer : at(program.forward, i).buffers) {
      Touches& touches = touches_[static_cast<std::size_t>(buffer)];
      if (touches.first_forward < 0) touches.first_forward = i;
      touches.last_forward = i;
      moved += static_cast<double>(program.buffers[static_cast<std::size_t>(buffer)].floats);
    }
    work_.push_back(at(program.forward, i).work + kMoveWork * moved);
  }
  for (int i = 0; i < count_of(program.backward); ++i) {
    for (int buffer : at(program.backward, i).buffers) {
      Touches& touches = touches_[static_cast<std::size_t>(buffer)];
      if (touches.first_backward < 0) touches.first_backward = i;
    }
  }
}

/// Buffers that one segment alone touches in the forward pass, but the last; whole steps at a time:
/// a step that makes anything that is kept does not run again, so all that it makes is kept.
std::vector<bool> ForwardCuts::dropped_by(std::span<const int> segments) const {
  const int last = segments.back();
  std::vector<bool> dropped(touches_.size(), false);
  for (std::size_t i = 0; i < touches_.size(); ++i) {
    const Buffer& b = program_.buffers[i];
    if (touches_[i].first_forward < 0 || b.persistent || b.given || b.kept || b.noted) continue;
    const int segment = segments[static_cast<std::size_t>(touches_[i].first_forward)];
    dropped[i] =
        segment != last && segment == segments[static_cast<std::size_t>(touches_[i].last_forward)];
  }
  const auto stays = [&](int buffer) {
    const auto i = static_cast<std::size_t>(buffer);
    return !dropped[i] && !program_.buffers[i].noted;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (const Step& step : program_.forward) {
      if (!step.once && std::ranges::none_of(step.writes, stays)) continue;
      for (int buffer : step.writes) {
        changed |= dropped[static_cast<std::size_t>(buffer)];
        dropped[static_cast<std::size_t>(buffer)] = false;
      }
    }
  }
  return dropped;
}

Recomputation ForwardCuts::recomputation(std::span<const int> cuts) const {
  const int steps = count_of(program_.forward);
  std::vector<int> segments(static_cast<std::size_t>(steps), 0);  // by step
  for (int i = 0, segment = 0; i < steps; ++i) {
    while (segment < static_cast<int>(cuts.size()) &&
           cuts[static_cast<std::size_t>(segment)] <= i) {
      ++segment;
    }
    segments[static_cast<std::size_t>(i)] = segment;
  }
  Recomputation result;
  result.dropped = dropped_by(segments);
  std::vector<bool> needed(touches_.size(), false);
  for (std::size_t i = 0; i < touches_.size(); ++i) {
    needed[i] = result.dropped[i] && touches_[i].first_backward >= 0;
  }
  result.reruns.resize(static_cast<std::size_t>(segments.back()) + 1,
                       {count_of(program_.backward), {}});
  for (int i = steps - 1; i >= 0; --i) {
    const Step& step = at(program_.forward, i);
    const auto is_needed = [&](int b) { return needed[static_cast<std::size_t>(b)]; };
    if (std::ranges::none_of(step.writes, is_needed)) continue;
    Recomputation::Rerun& rerun =
        result.reruns[static_cast<std::size_t>(segments[static_cast<std::size_t>(i)])];
    rerun.steps.push_back(i);
    result.work += work_[static_cast<std::size_t>(i)];
    for (int buffer : step.buffers) {
      const auto b = static_cast<std::size_t>(buffer);
      if (!result.dropped[b]) continue;
      needed[b] = true;
      if (touches_[b].first_backward >= 0) {
        rerun.before = std::min(rerun.before, touches_[b].first_backward);
      }
    }
  }
  std::erase_if(result.reruns, [](const auto& rerun) { return rerun.steps.empty(); });
  for (auto& rerun : result.reruns) std::ranges::reverse(rerun.steps);
  result.floats = most_floats(result);
  return result;
}

std::int64_t ForwardCuts::most_floats(const Recomputation& recomputation) const {
  std::vector<Stay> stays(touches_.size()), again(touches_.size());
  int time = 0;
  const auto run = [&](const Step& step, bool backward) {
    for (int buffer : step.buffers) {
      const auto b = static_cast<std::size_t>(buffer);
      (backward && recomputation.dropped[b] ? again : stays)[b].touch(time);
    }
    ++time;
  };
  std::multimap<int, const Recomputation::Rerun*> reruns;
  for (const auto& rerun : recomputation.reruns) reruns.emplace(rerun.before, &rerun);
  for (const Step& step : program_.forward) run(step, false);
  for (int i = 0; i < count_of(program_.backward); ++i) {
    const auto [begin, end] = reruns.equal_range(i);
    for (auto rerun = begin; rerun != end; ++rerun) {
      for (int step : rerun->second->steps) run(at(program_.forward, step), true);
    }
    run(at(program_.backward, i), true);
  }
  std::vector<std::int64_t> change(static_cast<std::size_t>(time) + 1, 0);
  for (std::size_t b = 0; b < stays.size(); ++b) {
    const Buffer& buffer = program_.buffers[b];
    if (buffer.persistent) stays[b] = {0, time - 1};
    for (const Stay& stay : {stays[b], again[b]}) {
      if (stay.first < 0) continue;
      change[static_cast<std::size_t>(stay.first)] += buffer.floats;
      change[static_cast<std::size_t>(stay.last) + 1] -= buffer.floats;
    }
  }
  std::int64_t live = 0, most = 0;
  for (const std::int64_t step : change) most = std::max(most, live += step);
  return most;
}

/// Cuts where more than `floats` would be dropped since the cut before.
std::vector<int> ForwardCuts::within_budget(double floats) const {
  std::vector<double> made(program_.forward.size(), 0);  // by step, for the backward pass
  for (std::size_t b = 0; b < touches_.size(); ++b) {
    if (touches_[b].first_forward < 0 || touches_[b].first_backward < 0) continue;
    made[static_cast<std::size_t>(touches_[b].first_forward)] +=
        static_cast<double>(program_.buffers[b].floats);
  }
  std::vector<int> cuts;
  double dropped = 0;
  for (std::size_t step = 0; step < made.size(); ++step) {
    if (step > 0 && dropped + made[step] > floats) {
      cuts.push_back(static_cast<int>(step));
      dropped = 0;
    }
    dropped += made[step];
  }
  return cuts;
}

std::vector<int> ForwardCuts::best() const {
  struct Found {
    std::vector<int> cuts;
    std::int64_t floats;
    double work;
  };
  const auto measure = [&](std::vector<int> cuts) {
    const Recomputation r = recomputation(cuts);
    return Found{std::move(cuts), r.floats, r.work};
  };
  Found best = measure({});
  // Tries every cut, there or not, and takes what is `better` than the best so far.
  const auto improve = [&](const auto& better) {
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      bool improved = false;
      for (int cut = 1; cut < count_of(program_.forward); ++cut) {
        const std::vector<int> with = toggled(best.cuts, cut);
        std::vector<Found> tries{measure(with)};
        if (cut > 1) tries.push_back(measure(toggled(with, cut - 1)));  // moves it
        for (Found& found : tries) {
          if (!better(found, best)) continue;
          best = std::move(found);
          improved = true;
        }
      }
      if (!improved) break;
    }
  };
  const auto less = [](const Found& a, const Found& b) {
    return std::tie(a.floats, a.work) < std::tie(b.floats, b.work);
  };
  double all = 0;
  for (std::size_t b = 0; b < touches_.size(); ++b) {
    if (touches_[b].first_forward >= 0 && touches_[b].first_backward >= 0) {
      all += static_cast<double>(program_.buffers[b].floats);
    }
  }
  for (double budget = all, i = 0; i < kBudgets; ++i, budget *= 0.85) {
    Found found = measure(within_budget(budget));
    if (less(found, best)) best = std::move(found);
  }
  improve(less);
  const auto most = static_cast<double>(best.floats) * kWorthMemory;
  improve([&](const Found& a, const Found& b) {
    return a.work < b.work && static_cast<double>(a.floats) <= most;
  });
  return best.cuts;
}

std::vector<int> ForwardCuts::cheap(double share) const {
  const double limit = share * kTrainWork * std::accumulate(work_.begin(), work_.end(), 0.0);
  std::vector<int> cuts(work_.empty() ? 0 : work_.size() - 1);
  std::iota(cuts.begin(), cuts.end(), 1);
  for (Recomputation now = recomputation(cuts);;) {
    double most = 0;
    int best_cut = -1;
    Recomputation best;
    for (const int cut : cuts) {
      Recomputation joined = recomputation(toggled(cuts, cut));
      const auto saved = static_cast<double>(now.floats - joined.floats);
      if (saved <= 0 || joined.work > limit || saved < most * (joined.work - now.work)) continue;
      most = saved / std::max(1.0, joined.work - now.work);
      best_cut = cut;
      best = std::move(joined);
    }
    if (best_cut < 0) return cuts;
    cuts = toggled(std::move(cuts), best_cut);
    now = std::move(best);
  }
}

void recompute_segments(Program& program, bool lean) {
  Recomputation recomputation;
  {
    const ForwardCuts cuts(program);
    recomputation = cuts.recomputation(lean ? cuts.best() : cuts.cheap(kCheap));
  }
  if (recomputation.reruns.empty()) return;
  for (std::size_t b = 0; b < program.buffers.size(); ++b) {
    program.buffers[b].dropped = recomputation.dropped[b];
  }
  std::multimap<int, const Recomputation::Rerun*> reruns;
  for (const auto& rerun : recomputation.reruns) reruns.emplace(rerun.before, &rerun);
  std::vector<Step> backward;
  for (int i = 0; i < count_of(program.backward); ++i) {
    const auto [begin, end] = reruns.equal_range(i);
    for (auto rerun = begin; rerun != end; ++rerun) {
      for (int step : rerun->second->steps) {
        backward.push_back(at(program.forward, step));
        backward.back().kernel += ", again";
        backward.back().again = true;
      }
    }
    backward.push_back(std::move(program.backward[static_cast<std::size_t>(i)]));
  }
  program.backward = std::move(backward);
}

}  // namespace segmentum::cpu
