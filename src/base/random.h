// Random numbers that depend on what they are for, not on who asked first.
#pragma once

#include <array>
#include <cstdint>

namespace segmentum {

/// A counter-based stream: the numbers follow from (seed, epoch, sample) alone, so they are the
/// same for any number of worker threads and after a resume. Philox4x32-10 (Salmon et al., SC
/// 2011).
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint32_t epoch, std::uint32_t sample);

  /// 32 uniform bits.
  std::uint32_t bits();
  /// Uniform in [0, 1).
  double uniform() { return bits() * 0x1p-32; }
  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform integer in [0, n); n >= 1.
  std::uint32_t below(std::uint32_t n) {
    return static_cast<std::uint32_t>((std::uint64_t{bits()} * n) >> 32);
  }
  /// Standard normal (Box-Muller).
  double normal();
  /// True with probability p.
  bool chance(double p) { return uniform() < p; }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int next_ = 4;
  double spare_normal_ = 0;
  bool has_spare_ = false;
};

// Of Philox4x32: what words 0 and 2 are multiplied by, and what a round adds to the key.
inline constexpr int kPhiloxRounds = 10;
inline constexpr std::array<std::uint32_t, 2> kPhiloxFactors{0xD2511F53, 0xCD9E8D57};
inline constexpr std::array<std::uint32_t, 2> kPhiloxKeySteps{0x9E3779B9, 0xBB67AE85};

/// One Philox4x32-10 block: for code that needs the number at a position (dropout masks).
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key);

}  // namespace segmentum
