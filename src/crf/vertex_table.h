// The vertices of a lattice that are in use, numbered in the order in which they were met.
#pragma once

#include <cstdint>
#include <vector>

namespace segmentum {

/// From the number of a vertex in the whole lattice to its place among those in use. A hash table
/// with open addressing, at most half full.
class VertexTable {
 public:
  static constexpr std::uint32_t kAbsent = 0xffffffff;

  VertexTable() : slots_(std::size_t{1} << kFirstBits) {}

  std::uint32_t find_or_add(std::uint64_t number) {
    for (std::size_t i = slot_of(number);; i = (i + 1) & mask()) {
      if (slots_[i].number == number && slots_[i].place != kAbsent) return slots_[i].place;
      if (slots_[i].place == kAbsent) return add(i, number);
    }
  }
  std::uint32_t find(std::uint64_t number) const {
    for (std::size_t i = slot_of(number);; i = (i + 1) & mask()) {
      if (slots_[i].place == kAbsent || slots_[i].number == number) return slots_[i].place;
    }
  }
  /// The number of each vertex, by place.
  const std::vector<std::uint64_t>& numbers() const { return numbers_; }

 private:
  static constexpr int kFirstBits = 10;
  struct Slot {
    std::uint64_t number = 0;
    std::uint32_t place = kAbsent;
  };

  std::size_t mask() const { return slots_.size() - 1; }
  // Fibonacci hashing: the upper bits of a product with 2^64 over the golden ratio.
  std::size_t slot_of(std::uint64_t number) const {
    return (number * 0x9e3779b97f4a7c15u) >> shift_;
  }
  std::uint32_t add(std::size_t slot, std::uint64_t number) {
    const auto place = static_cast<std::uint32_t>(numbers_.size());
    slots_[slot] = {number, place};
    numbers_.push_back(number);
    if (2 * numbers_.size() > slots_.size()) grow();
    return place;
  }
  void grow() {
    std::vector<Slot> larger(2 * slots_.size());
    slots_.swap(larger);
    --shift_;
    for (std::uint32_t place = 0; place < numbers_.size(); ++place) {
      std::size_t i = slot_of(numbers_[place]);
      while (slots_[i].place != kAbsent) i = (i + 1) & mask();
      slots_[i] = {numbers_[place], place};
    }
  }

  std::vector<Slot> slots_;
  std::vector<std::uint64_t> numbers_;
  int shift_ = 64 - kFirstBits;
};

}  // namespace segmentum
