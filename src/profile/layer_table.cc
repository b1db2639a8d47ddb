#include "profile/layer_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "base/counted.h"

namespace segmentum {
namespace {

constexpr double kEnough = 0.25;

bool is_slow(const LayerTime& layer, const MachineBest& best) {
  return layer.fma_share(best) < kEnough && layer.memory_share(best) < kEnough;
}

std::string heading() {
  return fmt::format("{:<8} {:<34} {:<18} {:>9} {:>8} {:>8} {:>6} {:>6} {:>9}  {}\n", "pass",
                     "layer", "output", "ms", "GFLOP", "GB", "FMA", "memory", "floor ms",
                     "kernels");
}

std::string line(const LayerTime& layer, const MachineBest& best, double floor_seconds) {
  return fmt::format("{:<8} {:<34} {:<18} {:9.3f} {:8.3f} {:8.4f} {:5.0f}% {:5.0f}% {:9.3f}  {}",
                     layer.shape.empty()           ? ""
                     : layer.pass == Pass::forward ? "forward"
                                                   : "backward",
                     layer.name, layer.shape, layer.seconds * 1e3, layer.gflop, layer.gbytes,
                     layer.fma_share(best) * 100, layer.memory_share(best) * 100,
                     floor_seconds * 1e3, layer.kernels);
}

std::string slow_layers(std::span<const LayerTime> layers, const MachineBest& best, double total) {
  std::vector<LayerTime> slow;
  std::ranges::copy_if(layers, std::back_inserter(slow),
                       [&](const LayerTime& layer) { return is_slow(layer, best); });
  if (slow.empty()) return "";
  std::ranges::stable_sort(slow, std::greater{}, &LayerTime::seconds);
  const double seconds = total_time(slow).seconds;
  std::string text =
      fmt::format("\n{} of {} layers reach a quarter of neither: {:.3f} ms, {:.1f}% of the time\n",
                  slow.size(), layers.size(), seconds * 1e3, seconds / total * 100);
  for (const LayerTime& layer : slow) text += line(layer, best, layer.floor_seconds(best)) + "\n";
  return text;
}

}  // namespace

std::string layer_table(std::span<const LayerTime> layers, const MachineBest& best, int runs) {
  std::string text = heading();
  for (const LayerTime& layer : layers) text += line(layer, best, layer.floor_seconds(best)) + "\n";
  const LayerTime total = total_time(layers);
  text += line(total, best, floor_seconds(layers, best));
  text += fmt::format("fastest of {} of each step\n", counted(runs, "run"));
  text += fmt::format(
      "\nthe machine, measured just now: {:.1f} GFLOP/s of multiply-adds ({}), {:.1f} GB/s\n"
      "floor: the time at that peak or bandwidth, whichever is more; Winograd's kernels multiply\n"
      "less than the layer as written, and may be faster\n",
      best.fma_gflops, best.vectors, best.gbytes());
  return text + slow_layers(layers, best, total.seconds);
}

}  // namespace segmentum
