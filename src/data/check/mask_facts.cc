#include "data/check/mask_facts.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>

#include "data/label_values.h"

namespace segmentum {
namespace {

using Kind = LabelEncoding::Kind;

void count(std::uint32_t value, std::int64_t pixels, Histogram& histogram) {
  const auto found = histogram.find(value);
  if (found != histogram.end()) {
    found->second += pixels;
  } else if (histogram.size() < kMostCounted) {
    histogram.emplace(value, pixels);
  }
}

/// Counts in runs, because masks are made of them.
void count_row(const std::vector<std::uint32_t>& row, Histogram& histogram) {
  for (std::size_t x = 0; x < row.size();) {
    std::size_t end = x;
    while (end < row.size() && row[end] == row[x]) ++end;
    count(row[x], static_cast<std::int64_t>(end - x), histogram);
    x = end;
  }
}

Histogram count_all(const RawMask& mask, Kind kind) {
  Histogram histogram;
  std::vector<std::uint32_t> row;
  for (int y = 0; y < mask.values.height(); ++y) {
    mask_row(mask, kind, y, row);
    count_row(row, histogram);
  }
  return histogram;
}

template <typename T>
Histogram count_channel(const Image& image, int channel) {
  Histogram histogram;
  std::vector<std::uint32_t> row(static_cast<std::size_t>(image.width()));
  for (int y = 0; y < image.height(); ++y) {
    const T* pixel = image.row<T>(y) + channel;
    for (std::uint32_t& value : row) {
      value = static_cast<std::uint32_t>(*pixel);
      pixel += image.channels();
    }
    count_row(row, histogram);
  }
  return histogram;
}

Histogram count_alpha(const Image& image) {
  const bool has_alpha = image.channels() == 2 || image.channels() == 4;
  if (!has_alpha || image.type() == PixelType::f32) return {};
  return image.type() == PixelType::u8 ? count_channel<std::uint8_t>(image, image.channels() - 1)
                                       : count_channel<std::uint16_t>(image, image.channels() - 1);
}

/// The labels that blocks of 8x8 pixels show, so that what lies near two of them is found quickly.
class LabelBlocks {
 public:
  explicit LabelBlocks(const LabelMap& labels)
      : rows_((labels.height() + kSide - 1) / kSide),
        columns_((labels.width() + kSide - 1) / kSide),
        seen_(static_cast<std::size_t>(rows_) * columns_, kNone) {
    for (int y = 0; y < labels.height(); ++y) {
      for (int x = 0; x < labels.width(); ++x) {
        if (labels(y, x) != kUnknownLabel) join(labels(y, x), at(y / kSide, x / kSide));
      }
    }
  }

  /// Whether the block of a pixel and those around it show two labels.
  bool several_near(int y, int x) const {
    std::uint32_t seen = kNone;
    for (int row = std::max(y / kSide - 1, 0); row <= std::min(y / kSide + 1, rows_ - 1); ++row) {
      for (int column = std::max(x / kSide - 1, 0); column <= std::min(x / kSide + 1, columns_ - 1);
           ++column) {
        join(seen_[static_cast<std::size_t>(row) * columns_ + column], seen);
      }
    }
    return seen == kSeveral;
  }

 private:
  static constexpr int kSide = 8;
  static constexpr std::uint32_t kNone = 0x10000, kSeveral = 0x10001;

  static void join(std::uint32_t label, std::uint32_t& seen) {
    if (label == kNone || label == seen) return;
    seen = seen == kNone ? label : kSeveral;
  }
  std::uint32_t& at(int row, int column) {
    return seen_[static_cast<std::size_t>(row) * columns_ + column];
  }

  int rows_;
  int columns_;
  std::vector<std::uint32_t> seen_;
};

/// Whether two different labels lie within 3 pixels.
bool between_labels(const LabelMap& labels, int y, int x) {
  constexpr int kReach = 3;
  std::uint16_t first = kUnknownLabel;
  for (int row = std::max(y - kReach, 0); row <= std::min(y + kReach, labels.height() - 1); ++row) {
    for (int column = std::max(x - kReach, 0); column <= std::min(x + kReach, labels.width() - 1);
         ++column) {
      const std::uint16_t label = labels(row, column);
      if (label == kUnknownLabel || label == first) continue;
      if (first != kUnknownLabel) return true;
      first = label;
    }
  }
  return false;
}

UnknownPixels find_unknown(const LabelMap& labels) {
  UnknownPixels unknown;
  unknown.count = std::ranges::count(labels.labels(), kUnknownLabel);
  if (unknown.count == 0) return unknown;
  const LabelBlocks blocks(labels);
  for (int y = 0; y < labels.height(); ++y) {
    for (int x = 0; x < labels.width(); ++x) {
      if (labels(y, x) != kUnknownLabel || !blocks.several_near(y, x)) continue;
      ++unknown.near_edges;
      unknown.on_edges += between_labels(labels, y, x);
    }
  }
  return unknown;
}

/// FNV-1a over the labels and the width.
std::uint64_t digest_of(const LabelMap& labels) {
  constexpr std::uint64_t kPrime = 0x100000001b3u;
  std::uint64_t digest = 0xcbf29ce484222325u ^ static_cast<std::uint64_t>(labels.width());
  for (const std::uint16_t label : labels.labels()) digest = (digest ^ label) * kPrime;
  return digest;
}

}  // namespace

std::int64_t MaskReading::labelled() const {
  return std::accumulate(class_pixels.begin(), class_pixels.end(), std::int64_t{0});
}

int MaskReading::only_class() const {
  const auto shown = [](std::int64_t pixels) { return pixels > 0; };
  if (std::ranges::count_if(class_pixels, shown) != 1) return -1;
  return static_cast<int>(std::ranges::find_if(class_pixels, shown) - class_pixels.begin());
}

MaskContent mask_content(const RawMask& mask, const StoredForm& form) {
  const Image& image = mask.values;
  MaskContent content{.form = form,
                      .height = image.height(),
                      .width = image.width(),
                      .channels = image.channels(),
                      .type = image.type()};
  content.values = count_all(mask, Kind::value);
  content.colourful = image.channels() >= 3 && content.values.contains(kNoMaskValue);
  if (content.colourful || !mask.palette.empty()) content.colours = count_all(mask, Kind::colour);
  content.alpha = count_alpha(image);
  if (!mask.palette.empty()) {
    for (const auto& [index, pixels] : content.values) {
      if (index < mask.palette.size()) content.palette[index] = mask.palette[index];
    }
  }
  return content;
}

MaskReading mask_reading(const RawMask& mask, const LabelEncoding& encoding, int classes) {
  const LabelMap labels = decode_known_labels(mask, encoding);
  MaskReading reading{.class_pixels = std::vector<std::int64_t>(static_cast<std::size_t>(classes))};
  for (const std::uint16_t label : labels.labels()) {
    if (label < reading.class_pixels.size()) ++reading.class_pixels[label];
    reading.ignored += label == kIgnoreLabel;
  }
  reading.unknown = find_unknown(labels);
  const auto pixels = static_cast<std::int64_t>(labels.labels().size());
  if (encoding.kind == Kind::value && !encoding.threshold && pixels <= kMostForSteps) {
    reading.steps = count_steps(mask, labels);
  }
  reading.digest = digest_of(labels);
  return reading;
}

}  // namespace segmentum
