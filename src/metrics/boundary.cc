#include "metrics/boundary.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "base/threads.h"
#include "metrics/confusion_matrix.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

double checked(double value, const char* what) {
  if (std::isfinite(value) && value >= 0) return value;
  throw Error(fmt::format("a boundary tolerance of {} {}; expected 0 or more", value, what));
}

struct Offset {
  int dy, dx;
};

/// All steps no longer than `radius`, the shortest first.
std::vector<Offset> disc(double radius, int height, int width) {
  const auto reach = [&](int side) {
    return static_cast<int>(std::min(std::floor(radius), side - 1.0));
  };
  const int down = reach(height), across = reach(width);
  const auto length = [](const Offset& o) {
    return std::int64_t{o.dy} * o.dy + std::int64_t{o.dx} * o.dx;
  };
  std::vector<Offset> offsets;
  for (int dy = -down; dy <= down; ++dy) {
    for (int dx = -across; dx <= across; ++dx) {
      if (static_cast<double>(length({dy, dx})) <= radius * radius) offsets.push_back({dy, dx});
    }
  }
  std::ranges::stable_sort(offsets, {}, length);
  return offsets;
}

/// The class of each border pixel; `kIgnoreLabel` elsewhere.
LabelMap borders_of(const LabelMap& labels, const LabelMap& truth) {
  LabelMap borders(labels.height(), labels.width(), kIgnoreLabel);
  parallel_for(labels.height(), [&](std::int64_t i) {
    const int y = static_cast<int>(i);
    for (int x = 0; x < labels.width(); ++x) {
      if (truth(y, x) == kIgnoreLabel) continue;
      const auto differs = [&](int v, int u) {
        return v >= 0 && v < labels.height() && u >= 0 && u < labels.width() &&
               truth(v, u) != kIgnoreLabel && labels(v, u) != labels(y, x);
      };
      if (differs(y - 1, x) || differs(y + 1, x) || differs(y, x - 1) || differs(y, x + 1)) {
        borders(y, x) = labels(y, x);
      }
    }
  });
  return borders;
}

bool near(const LabelMap& borders, int y, int x, std::uint16_t label,
          std::span<const Offset> offsets) {
  return std::ranges::any_of(offsets, [&](const Offset& o) {
    const int v = y + o.dy, u = x + o.dx;
    return v >= 0 && v < borders.height() && u >= 0 && u < borders.width() &&
           borders(v, u) == label;
  });
}

/// Calls count(label, matched) for every border pixel of rows [from, to).
template <typename Count>
void match(const LabelMap& borders, const LabelMap& others, int from, int to,
           std::span<const Offset> offsets, const Count& count) {
  for (int y = from; y < to; ++y) {
    for (int x = 0; x < borders.width(); ++x) {
      const std::uint16_t label = borders(y, x);
      if (label != kIgnoreLabel) count(label, near(others, y, x, label, offsets));
    }
  }
}

std::optional<double> ratio(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

BoundaryClassScores scores_of(const BorderPixels& counts) {
  BoundaryClassScores one{.precision = ratio(counts.predicted_right, counts.predicted),
                          .recall = ratio(counts.truth_found, counts.truth)};
  if (one.precision || one.recall) {
    const double p = one.precision.value_or(0), r = one.recall.value_or(0);
    one.f = p + r > 0 ? 2 * p * r / (p + r) : 0;
  }
  return one;
}

/// A mean of what there was.
class Mean {
 public:
  void add(double value) {
    sum_ += value;
    ++count_;
  }
  std::optional<double> value() const {
    if (count_ == 0) return std::nullopt;
    return sum_ / count_;
  }

 private:
  double sum_ = 0;
  int count_ = 0;
};

void add_to(std::vector<BorderPixels>& sum, const std::vector<BorderPixels>& more) {
  for (std::size_t k = 0; k < sum.size(); ++k) {
    sum[k].truth += more[k].truth;
    sum[k].truth_found += more[k].truth_found;
    sum[k].predicted += more[k].predicted;
    sum[k].predicted_right += more[k].predicted_right;
  }
}

}  // namespace

BoundaryTolerance BoundaryTolerance::pixels(double px) {
  BoundaryTolerance tolerance;
  tolerance.value_ = checked(px, "px");
  tolerance.of_diagonal_ = false;
  return tolerance;
}

BoundaryTolerance BoundaryTolerance::of_diagonal(double part) {
  BoundaryTolerance tolerance;
  tolerance.value_ = checked(part, "of the diagonal");
  return tolerance;
}

BoundaryTolerance BoundaryTolerance::parse(const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, number);
  const std::string unit(stop, end);
  if (code == std::errc() && std::isfinite(number) && number >= 0) {
    if (unit.empty() || unit == "px") return pixels(number);
    if (unit == "%") return of_diagonal(number / 100);
  }
  throw Error(
      fmt::format("a boundary tolerance is \"{}\"; expected pixels, such as 3, or a part "
                  "of the diagonal, such as 0.75%",
                  text));
}

double BoundaryTolerance::in_pixels(int height, int width) const {
  return of_diagonal_ ? value_ * std::hypot(height, width) : value_;
}

std::string BoundaryTolerance::text() const {
  return of_diagonal_ ? fmt::format("{:.6g} % of the diagonal", 100 * value_)
                      : fmt::format("{:.6g} px", value_);
}

BoundaryCounts::BoundaryCounts(int classes, const BoundaryTolerance& tolerance)
    : tolerance_(tolerance) {
  if (classes < 1) throw Error(fmt::format("borders of {} classes; it needs 1", classes));
  counts_.resize(static_cast<std::size_t>(classes));
}

void BoundaryCounts::add(const LabelMap& prediction, const LabelMap& truth) {
  require_comparable(prediction, truth, static_cast<int>(counts_.size()));
  const LabelMap predicted = borders_of(prediction, truth), real = borders_of(truth, truth);
  const std::vector<Offset> offsets =
      disc(tolerance_.in_pixels(truth.height(), truth.width()), truth.height(), truth.width());
  constexpr int kRows = 32;  // in one stripe: each has counts of its own
  const int stripes = (truth.height() + kRows - 1) / kRows;
  std::vector<std::vector<BorderPixels>> counts(static_cast<std::size_t>(stripes));
  parallel_for(stripes, [&](std::int64_t i) {
    auto& own = counts[static_cast<std::size_t>(i)];
    own.resize(counts_.size());
    const int from = static_cast<int>(i) * kRows, to = std::min(from + kRows, truth.height());
    match(predicted, real, from, to, offsets, [&](std::uint16_t label, bool matched) {
      ++own[label].predicted;
      own[label].predicted_right += matched;
    });
    match(real, predicted, from, to, offsets, [&](std::uint16_t label, bool matched) {
      ++own[label].truth;
      own[label].truth_found += matched;
    });
  });
  std::vector<BorderPixels> picture(counts_.size());
  for (const auto& stripe : counts) add_to(picture, stripe);
  add_to(counts_, picture);
  pictures_.push_back(std::move(picture));
}

BoundaryCounts& BoundaryCounts::operator+=(const BoundaryCounts& other) {
  if (other.counts_.size() != counts_.size() || other.tolerance_ != tolerance_) {
    throw Error(fmt::format(
        "borders of {} classes within {} and of {} classes within {} cannot be added",
        counts_.size(), tolerance_.text(), other.counts_.size(), other.tolerance_.text()));
  }
  add_to(counts_, other.counts_);
  const std::vector<std::vector<BorderPixels>> more = other.pictures_;  // other may be this
  pictures_.insert(pictures_.end(), more.begin(), more.end());
  return *this;
}

BoundaryScores scores(const BoundaryCounts& counts) {
  std::vector<std::uint32_t> all(counts.pictures().size());
  std::iota(all.begin(), all.end(), 0U);
  return scores(counts, all);
}

BoundaryScores scores(const BoundaryCounts& counts, std::span<const std::uint32_t> pictures) {
  const std::size_t classes = counts.classes().size();
  std::vector<BorderPixels> sums(classes);
  std::vector<Mean> of_class(classes);
  Mean of_pictures;
  for (const std::uint32_t i : pictures) {
    const std::vector<BorderPixels>& picture = counts.pictures().at(i);
    add_to(sums, picture);
    Mean of_picture;
    for (std::size_t k = 0; k < classes; ++k) {
      if (picture[k].truth == 0) continue;
      const double f = *scores_of(picture[k]).f;
      of_picture.add(f);
      of_class[k].add(f);
    }
    if (const auto mean = of_picture.value()) of_pictures.add(*mean);
  }
  BoundaryScores result{.classes = {}, .mean_f = {}, .mean_f_of_pictures = of_pictures.value()};
  Mean mean;
  for (std::size_t k = 0; k < classes; ++k) {
    result.classes.push_back(scores_of(sums[k]));
    result.classes.back().f_of_pictures = of_class[k].value();
    if (result.classes.back().f) mean.add(*result.classes.back().f);
  }
  result.mean_f = mean.value();
  return result;
}

}  // namespace segmentum
