#include "metrics/paired_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "base/threads.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

// Of the random numbers, apart from other uses of a seed.
constexpr std::uint32_t kPermutations = 0x9E47, kDraws = 0xD4A3;

using Pictures = std::span<const PictureCounts>;

void check(Pictures a, Pictures b, const PairedTestOptions& options) {
  if (a.empty() || a.size() != b.size()) {
    throw Error(fmt::format(
        "a paired test of {} and {} pictures; it needs the same pictures, and at least one",
        a.size(), b.size()));
  }
  for (const Pictures& results : {a, b}) {
    for (const PictureCounts& counts : results) {
      if (counts.size() == a.front().size()) continue;
      throw Error(fmt::format("a paired test of results with {} and with {} classes",
                              a.front().size(), counts.size()));
    }
  }
  if (options.permutations < 1 || options.bootstrap.resamples < 1) {
    throw Error(fmt::format("a paired test of {} permutations and {} resamples; it needs 1 of each",
                            options.permutations, options.bootstrap.resamples));
  }
}

void add(PictureCounts& sum, const PictureCounts& counts) {
  for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += counts[k];
}

struct Difference {
  double mean_iou = 0;
  double pixel_accuracy = 0;
};

/// Sums what visit(add_a, add_b) adds, and scores both sums.
template <typename Visit>
Difference difference(std::size_t classes, const Visit& visit) {
  PictureCounts a(classes), b(classes);
  visit(a, b);
  const Scores of_a = scores(a), of_b = scores(b);
  return {of_b.mean_iou - of_a.mean_iou, of_b.pixel_accuracy - of_a.pixel_accuracy};
}

}  // namespace

PairedTest paired_test(Pictures a, Pictures b, const PairedTestOptions& options) {
  check(a, b, options);
  const std::size_t classes = a.front().size(), pictures = a.size();
  const auto observed = difference(classes, [&](PictureCounts& of_a, PictureCounts& of_b) {
    for (std::size_t i = 0; i < pictures; ++i) {
      add(of_a, a[i]);
      add(of_b, b[i]);
    }
  });
  std::vector<char> as_far(static_cast<std::size_t>(options.permutations));
  parallel_for(options.permutations, [&](std::int64_t n) {
    RandomStream random(options.bootstrap.seed, static_cast<std::uint32_t>(n), kPermutations);
    const auto found = difference(classes, [&](PictureCounts& of_a, PictureCounts& of_b) {
      for (std::size_t i = 0; i < pictures; ++i) {
        const bool exchanged = random.chance(0.5);
        add(of_a, exchanged ? b[i] : a[i]);
        add(of_b, exchanged ? a[i] : b[i]);
      }
    });
    as_far[static_cast<std::size_t>(n)] = std::abs(found.mean_iou) >= std::abs(observed.mean_iou);
  });
  const auto resamples = static_cast<std::size_t>(options.bootstrap.resamples);
  std::vector<double> mean_iou(resamples), pixel_accuracy(resamples);
  parallel_for(options.bootstrap.resamples, [&](std::int64_t n) {
    RandomStream random(options.bootstrap.seed, static_cast<std::uint32_t>(n), kDraws);
    const auto found = difference(classes, [&](PictureCounts& of_a, PictureCounts& of_b) {
      for (std::size_t i = 0; i < pictures; ++i) {
        const std::uint32_t drawn = random.below(static_cast<std::uint32_t>(pictures));
        add(of_a, a[drawn]);
        add(of_b, b[drawn]);
      }
    });
    mean_iou[static_cast<std::size_t>(n)] = found.mean_iou;
    pixel_accuracy[static_cast<std::size_t>(n)] = found.pixel_accuracy;
  });
  const auto extreme = static_cast<double>(std::ranges::count(as_far, 1));
  return {.options = options,
          .mean_iou = observed.mean_iou,
          .pixel_accuracy = observed.pixel_accuracy,
          .mean_iou_interval = central_interval(mean_iou, options.bootstrap.level),
          .pixel_accuracy_interval = central_interval(pixel_accuracy, options.bootstrap.level),
          .p_value = (1 + extreme) / (1 + options.permutations)};
}

}  // namespace segmentum
