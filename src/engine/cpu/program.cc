#include "engine/cpu/program.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace segmentum::cpu {
namespace {

constexpr std::int64_t kAlignFloats = kTensorAlignment / sizeof(float);

struct Life {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  std::int64_t last = -1;

  void touch(std::int64_t step) {
    first = std::min(first, step);
    last = std::max(last, step);
  }
  bool meets(const Life& other) const { return first <= other.last && other.first <= last; }
};

std::vector<Life> lives_of(const Program& program) {
  std::vector<Life> lives(program.buffers.size());
  std::int64_t index = 0;
  for (const auto* steps : {&program.forward, &program.backward}) {
    for (const Step& step : *steps) {
      for (int buffer : step.buffers) lives[static_cast<std::size_t>(buffer)].touch(index);
      ++index;
    }
  }
  for (std::size_t i = 0; i < lives.size(); ++i) {
    const Buffer& buffer = program.buffers[i];
    if (buffer.persistent || buffer.given) lives[i].touch(0);
    if (buffer.persistent || buffer.kept) lives[i].touch(index);
  }
  return lives;
}

}  // namespace

void plan_memory(Program& program) {
  const std::vector<Life> lives = lives_of(program);
  std::vector<std::size_t> order(program.buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater{},
                           [&](std::size_t i) { return program.buffers[i].floats; });
  std::vector<std::size_t> placed;  // by rising offset
  for (std::size_t i : order) {
    Buffer& buffer = program.buffers[i];
    const std::int64_t size = (buffer.floats + kAlignFloats - 1) / kAlignFloats * kAlignFloats;
    std::int64_t offset = 0;
    for (std::size_t other : placed) {
      const Buffer& taken = program.buffers[other];
      if (!lives[i].meets(lives[other])) continue;
      if (offset + size <= taken.offset) break;
      offset = std::max(
          offset, (taken.offset + taken.floats + kAlignFloats - 1) / kAlignFloats * kAlignFloats);
    }
    buffer.offset = offset;
    program.arena_floats = std::max(program.arena_floats, offset + size);
    const auto at = std::ranges::upper_bound(
        placed, offset, {}, [&](std::size_t other) { return program.buffers[other].offset; });
    placed.insert(at, i);
  }
}

}  // namespace segmentum::cpu
