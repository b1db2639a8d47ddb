#include "annotations/run_lengths.h"

#include <fmt/format.h>

#include <algorithm>

#include "segmentum/error.h"

namespace segmentum {
namespace {

/// A bit for each pixel of a rectangle, by columns.
class ColumnBits {
 public:
  explicit ColumnBits(const RegionBounds& bounds)
      : bounds_(bounds),
        height_(bounds.y1 - bounds.y0),
        bits_(static_cast<std::size_t>(height_) * static_cast<std::size_t>(bounds.x1 - bounds.x0)) {
  }

  std::vector<bool>::reference at(int y, int x) {
    return bits_[static_cast<std::size_t>(x - bounds_.x0) * static_cast<std::size_t>(height_) +
                 static_cast<std::size_t>(y - bounds_.y0)];
  }

 private:
  RegionBounds bounds_;
  int height_;
  std::vector<bool> bits_;
};

/// Pixels begin <= place < end, counted by columns, that are inside of the object.
struct Run {
  std::int64_t begin, end;
};

std::vector<Run> column_runs(const Region& region, int height) {
  const RegionBounds bounds = bounds_of(region);
  ColumnBits bits(bounds);
  for (const Span& span : region) {
    for (int x = span.x0; x < span.x1; ++x) bits.at(span.y, x) = true;
  }
  std::vector<Run> runs;
  for (int x = bounds.x0; x < bounds.x1; ++x) {
    for (int y = bounds.y0; y < bounds.y1; ++y) {
      if (!bits.at(y, x)) continue;
      const std::int64_t place = std::int64_t{x} * height + y;
      if (!runs.empty() && runs.back().end == place) {
        ++runs.back().end;
      } else {
        runs.push_back({place, place + 1});
      }
    }
  }
  return runs;
}

/// Throws Error unless the counts cover exactly the picture.
std::vector<Run> checked_runs(const RunLengths& runs) {
  const std::int64_t pixels = std::int64_t{runs.height} * runs.width;
  std::vector<Run> inside;
  std::int64_t place = 0;
  for (std::size_t i = 0; i < runs.counts.size(); ++i) {
    const std::int64_t count = runs.counts[i];
    if (count < 0 || count > pixels - place) {
      throw Error(fmt::format("its run lengths do not fit {}x{} pixels (width x height)",
                              runs.width, runs.height));
    }
    if (i % 2 == 1 && count > 0) inside.push_back({place, place + count});
    place += count;
  }
  if (place == pixels) return inside;
  throw Error(fmt::format("its run lengths cover {} pixels, but {}x{} (width x height) has {}",
                          place, runs.width, runs.height, pixels));
}

/// The columns that runs touch, and the rows where each of them lies in one column.
RegionBounds bounds_of_runs(const std::vector<Run>& runs, int height) {
  RegionBounds bounds{.y0 = height, .x0 = static_cast<int>(runs.front().begin / height)};
  for (const Run& run : runs) {
    const bool one_column = run.begin / height == (run.end - 1) / height;
    bounds.y0 = std::min(bounds.y0, one_column ? static_cast<int>(run.begin % height) : 0);
    bounds.y1 =
        std::max(bounds.y1, one_column ? static_cast<int>((run.end - 1) % height) + 1 : height);
    bounds.x1 = static_cast<int>((run.end - 1) / height) + 1;
  }
  return bounds;
}

constexpr int kBitsInDigit = 5;
constexpr int kMostDigits = 10;  // of a number of 50 bits, far more than pixels in a picture
constexpr std::int64_t kDigitMask = (1 << kBitsInDigit) - 1;
constexpr std::int64_t kSignBit = 1 << (kBitsInDigit - 1);
constexpr std::int64_t kMoreFollow = 1 << kBitsInDigit;
constexpr char kFirstDigit = '0';
constexpr std::int64_t kMostPixels = std::int64_t{1} << 40;

/// The number at the beginning of `text`, which it is taken from.
std::int64_t take_number(std::string_view& text) {
  std::int64_t number = 0;
  for (int digits = 0; digits < kMostDigits; ++digits) {
    if (text.empty()) throw Error("its compressed counts end in the middle of a number");
    const std::int64_t digit = text.front() - kFirstDigit;
    if (digit < 0 || digit >= 2 * kMoreFollow) {
      throw Error("its compressed counts hold a letter that COCO's never do");
    }
    text.remove_prefix(1);
    number |= (digit & kDigitMask) << (kBitsInDigit * digits);
    if ((digit & kMoreFollow) != 0) continue;
    const bool negative = (digit & kSignBit) != 0;
    return negative ? number - (std::int64_t{1} << (kBitsInDigit * (digits + 1))) : number;
  }
  throw Error("its compressed counts hold a number that is too long");
}

}  // namespace

RunLengths encode_runs(const Region& region, int height, int width) {
  RunLengths runs{.height = height, .width = width};
  std::int64_t place = 0;
  for (const Run& run : column_runs(region, height)) {
    runs.counts.push_back(run.begin - place);
    runs.counts.push_back(run.end - run.begin);
    place = run.end;
  }
  const std::int64_t rest = std::int64_t{height} * width - place;
  if (rest > 0 || runs.counts.empty()) runs.counts.push_back(rest);
  return runs;
}

Region decode_runs(const RunLengths& runs) {
  const std::vector<Run> inside = checked_runs(runs);
  if (inside.empty()) return {};
  const RegionBounds bounds = bounds_of_runs(inside, runs.height);
  ColumnBits bits(bounds);
  for (const Run& run : inside) {
    for (std::int64_t place = run.begin; place < run.end; ++place) {
      bits.at(static_cast<int>(place % runs.height), static_cast<int>(place / runs.height)) = true;
    }
  }
  Region region;
  for (int y = bounds.y0; y < bounds.y1; ++y) {
    for (int x = bounds.x0; x < bounds.x1; ++x) {
      if (!bits.at(y, x)) continue;
      if (!region.empty() && region.back().y == y && region.back().x1 == x) {
        ++region.back().x1;
      } else {
        region.push_back({y, x, x + 1});
      }
    }
  }
  return region;
}

std::string counts_text(const std::vector<std::int64_t>& counts) {
  std::string text;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    std::int64_t number = counts[i] - (i > 2 ? counts[i - 2] : 0);
    for (bool more = true; more;) {
      std::int64_t digit = number & kDigitMask;
      number >>= kBitsInDigit;  // keeps the sign
      more = (digit & kSignBit) != 0 ? number != -1 : number != 0;
      if (more) digit |= kMoreFollow;
      text += static_cast<char>(kFirstDigit + digit);
    }
  }
  return text;
}

std::vector<std::int64_t> counts_of_text(std::string_view text) {
  std::vector<std::int64_t> counts;
  while (!text.empty()) {
    const std::size_t i = counts.size();
    const std::int64_t count = take_number(text) + (i > 2 ? counts[i - 2] : 0);
    if (count < 0 || count > kMostPixels)
      throw Error("its compressed counts hold a count of no picture");
    counts.push_back(count);
  }
  return counts;
}

}  // namespace segmentum
