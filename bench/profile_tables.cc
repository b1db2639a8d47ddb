#include "bench/profile_tables.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <string>

#include "bench/timing.h"

namespace segmentum {
namespace {

/// All runs have the same steps in the same order.
std::vector<StepTime> median_steps(const std::vector<std::vector<StepTime>>& runs) {
  std::vector<StepTime> steps = runs.front();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    std::vector<double> seconds;
    for (const auto& run : runs) seconds.push_back(run[i].seconds);
    steps[i].seconds = median(std::move(seconds));
  }
  return steps;
}

const char* name_of(Pass pass) {
  return pass == Pass::forward ? "forward" : "backward";
}

void print_kernels(const std::vector<StepTime>& steps, double total) {
  struct Kernel {
    std::string name;
    int steps = 0;
    double seconds = 0;
  };
  std::map<std::string, Kernel> by_name;
  for (const StepTime& step : steps) {
    const std::string name = fmt::format("{:<9} {}", name_of(step.pass), step.kernel);
    Kernel& kernel = by_name.try_emplace(name, Kernel{name}).first->second;
    ++kernel.steps;
    kernel.seconds += step.seconds;
  }
  std::vector<Kernel> kernels;
  for (const auto& [name, kernel] : by_name) kernels.push_back(kernel);
  std::ranges::stable_sort(kernels, std::greater{}, &Kernel::seconds);

  fmt::print("\n{:>9} {:>6} {:>6}  {}\n", "ms", "share", "steps", "pass      kernel");
  for (const Kernel& kernel : kernels) {
    fmt::print("{:9.2f} {:5.1f}% {:6}  {}\n", kernel.seconds * 1e3, kernel.seconds / total * 100,
               kernel.steps, kernel.name);
  }
}

void print_slowest(std::vector<StepTime> steps, double total, int top) {
  std::ranges::stable_sort(steps, std::greater{}, &StepTime::seconds);
  if (top < static_cast<int>(steps.size())) steps.resize(static_cast<std::size_t>(top));
  fmt::print("\n{:>9} {:>6}  {:<9} {:<22} {}\n", "ms", "share", "pass", "node", "kernel");
  for (const StepTime& step : steps) {
    fmt::print("{:9.2f} {:5.1f}%  {:<9} {:<22} {}\n", step.seconds * 1e3,
               step.seconds / total * 100, name_of(step.pass), step.node, step.kernel);
  }
}

void print_multiplying_nodes(const std::vector<StepTime>& steps, const Graph& graph,
                             const Analysis& analysis) {
  std::map<std::string, double> forward, backward;
  std::map<std::string, std::string> ends;  // of nodes that run with others: where they are counted
  for (const StepTime& step : steps) {
    for (const std::string& other : step.within) ends[other] = step.node;
    (step.pass == Pass::forward ? forward : backward)[step.node] += step.seconds;
  }
  fmt::print("\n{:<22} {:<16} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "node", "output", "GFLOP", "fwd ms",
             "GFLOP/s", "bwd ms", "GFLOP/s");
  std::map<std::string, double> work;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const std::string& name = graph.nodes[i].name;
    work[ends.contains(name) ? ends[name] : name] +=
        2e-9 * static_cast<double>(analysis.nodes[i].multiply_adds);
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const std::string& name = graph.nodes[i].name;
    const double gflop = work[name];
    if (gflop == 0) continue;
    fmt::print("{:<22} {:<16} {:9.3f} {:9.2f} {:9.1f}", name, analysis.nodes[i].shape.to_string(),
               gflop, forward[name] * 1e3, gflop / forward[name]);
    if (backward.contains(name)) {  // two products: for the weights and for the input
      fmt::print(" {:9.2f} {:9.1f}", backward[name] * 1e3, 2 * gflop / backward[name]);
    }
    fmt::print("\n");
  }
}

}  // namespace

void print_profile(const std::vector<std::vector<StepTime>>& runs, const Graph& graph,
                   const Analysis& analysis, int top) {
  const std::vector<StepTime> steps = median_steps(runs);
  double total = 0;
  for (const StepTime& step : steps) total += step.seconds;
  fmt::print("{} steps, {:.2f} ms; medians of {} runs\n", steps.size(), total * 1e3, runs.size());
  print_kernels(steps, total);
  print_slowest(steps, total, top);
  print_multiplying_nodes(steps, graph, analysis);
}

}  // namespace segmentum
