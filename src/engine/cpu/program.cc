#include "engine/cpu/program.h"

#include <algorithm>
#include <limits>

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

/// A buffer while it holds something, and where its place is written down.
struct Stay {
  std::int64_t floats;
  Life life;
  std::int64_t* offset;
};

std::vector<Stay> stays_of(Program& program) {
  std::vector<Life> lives(program.buffers.size()), second(program.buffers.size());
  std::int64_t index = 0;
  for (const auto* steps : {&program.forward, &program.backward}) {
    for (const Step& step : *steps) {
      for (int buffer : step.buffers) {
        const auto i = static_cast<std::size_t>(buffer);
        const bool again = steps == &program.backward && program.buffers[i].dropped;
        (again ? second : lives)[i].touch(index);
      }
      ++index;
    }
  }
  std::vector<Stay> stays;
  for (std::size_t i = 0; i < lives.size(); ++i) {
    Buffer& buffer = program.buffers[i];
    if (buffer.persistent || buffer.given) lives[i].touch(0);
    if (buffer.persistent || buffer.kept) lives[i].touch(index);
    stays.push_back({buffer.floats, lives[i], &buffer.offset});
    if (second[i].last >= 0) stays.push_back({buffer.floats, second[i], &buffer.again});
  }
  return stays;
}

}  // namespace

void plan_memory(Program& program) {
  std::vector<Stay> stays = stays_of(program);
  std::ranges::stable_sort(stays, std::greater{}, &Stay::floats);
  std::vector<const Stay*> placed;  // by rising offset
  for (const Stay& stay : stays) {
    const std::int64_t size = (stay.floats + kAlignFloats - 1) / kAlignFloats * kAlignFloats;
    std::int64_t offset = 0;
    for (const Stay* taken : placed) {
      if (!stay.life.meets(taken->life)) continue;
      if (offset + size <= *taken->offset) break;
      offset = std::max(offset, (*taken->offset + taken->floats + kAlignFloats - 1) / kAlignFloats *
                                    kAlignFloats);
    }
    *stay.offset = offset;
    program.arena_floats = std::max(program.arena_floats, offset + size);
    const auto at = std::ranges::upper_bound(placed, offset, {},
                                             [](const Stay* other) { return *other->offset; });
    placed.insert(at, &stay);
  }
}

}  // namespace segmentum::cpu
