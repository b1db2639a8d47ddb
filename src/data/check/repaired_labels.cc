#include <algorithm>
#include <limits>

#include "data/check/border_contrast.h"
#include "data/check/label_steps.h"
#include "data/check/repair.h"
#include "data/label_values.h"
#include "image/resize.h"

namespace segmentum {
namespace {

using Kind = LabelEncoding::Kind;

/// As far as JPEG blurs, or a soft brush.
constexpr int kFillReach = 16;

/// The alpha channel as a mask of its own.
RawMask alpha_of(const RawMask& mask) {
  const Image& from = mask.values;
  RawMask alpha{Image(from.height(), from.width(), 1, from.type()), {}};
  const std::size_t bytes = sample_bytes(from.type());
  const std::size_t pixel = bytes * from.channels();
  const std::size_t count = static_cast<std::size_t>(from.height()) * from.width();
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(from.data() + (i + 1) * pixel - bytes, bytes, alpha.values.data() + i * bytes);
  }
  return alpha;
}

int squared_distance(std::uint32_t a, std::uint32_t b) {
  const Rgb p = unpacked(a), q = unpacked(b);
  const int r = p.r - q.r, g = p.g - q.g, blue = p.b - q.b;
  return r * r + g * g + blue * blue;
}

/// Widens an encoding to what lies near its values or colours, where nothing else is as near.
class Nearest {
 public:
  explicit Nearest(const LabelEncoding& encoding) : encoding_(encoding) {
    int least = std::numeric_limits<int>::max();
    for (auto a = encoding.to_class.begin(); a != encoding.to_class.end(); ++a) {
      for (auto b = std::next(a); b != encoding.to_class.end(); ++b) {
        least = std::min(least, distance(a->first, b->first));
      }
    }
    // Squared: a quarter of the way to the nearest other value.
    limit_ = encoding.to_class.size() < 2 ? 0 : least / 16;
  }

  std::uint16_t operator()(std::uint32_t value) {
    const auto [found, added] = known_.try_emplace(value, kUnknownLabel);
    if (!added || value == kNoMaskValue) return found->second;
    for (const auto& [other, label] : encoding_.to_class) {
      if (distance(value, other) <= limit_) found->second = label;
    }
    return found->second;
  }

 private:
  int distance(std::uint32_t a, std::uint32_t b) const {
    if (encoding_.kind == Kind::colour) return squared_distance(a, b);
    const std::int64_t difference = std::int64_t{a} - b;
    return static_cast<int>(
        std::min<std::int64_t>(difference * difference, std::numeric_limits<int>::max()));
  }

  const LabelEncoding& encoding_;
  int limit_ = 0;
  std::map<std::uint32_t, std::uint16_t> known_;
};

LabelMap nearest_labels(const RawMask& mask, const LabelEncoding& encoding) {
  LabelMap labels(mask.values.height(), mask.values.width());
  Nearest nearest(encoding);
  std::vector<std::uint32_t> row;
  for (int y = 0; y < labels.height(); ++y) {
    mask_row(mask, encoding.kind, y, row);
    std::ranges::transform(row, labels.row(y), [&](std::uint32_t value) { return nearest(value); });
  }
  return labels;
}

/// The encoding that fits a lossy mask: of colours where it holds those instead of values.
const LabelEncoding& lossy_encoding(const Checkup& checkup, const MaskContent& content) {
  if (checkup.dataset.encoding.kind == Kind::value && content.colourful) {
    for (const OtherReading& reading : checkup.readings) {
      if (reading.encoding.kind == Kind::colour) return reading.encoding;
    }
  }
  return checkup.dataset.encoding;
}

LabelMap labels_of(const Checkup& checkup, const CheckedSample& sample, const RawMask& mask) {
  const Remedy& remedy = sample.remedy;
  if (remedy.reading >= 0) {
    const OtherReading& reading = checkup.readings[static_cast<std::size_t>(remedy.reading)];
    return decode_known_labels(reading.from_alpha ? alpha_of(mask) : mask, reading.encoding);
  }
  if (remedy.fill_unknown && !checkup.dataset.encoding.threshold) {
    return nearest_labels(mask, lossy_encoding(checkup, sample.mask.content));
  }
  return decode_known_labels(mask, checkup.dataset.encoding);
}

}  // namespace

LabelMap repaired_labels(const Checkup& checkup, const CheckedSample& sample) {
  const Remedy& remedy = sample.remedy;
  const auto& path = remedy.own_mask.empty() ? sample.sample.mask : remedy.own_mask;
  const RawMask mask = read_mask(checkup.dataset.root / path);
  LabelMap labels = labels_of(checkup, sample, mask);
  if (remedy.fill_ramps) forget_ramps(mask, labels);
  fill_unknown(labels, remedy.fill_ramps || remedy.fill_unknown ? kFillReach : 0);
  if (remedy.turn_mask != 1) labels = oriented_labels(labels, remedy.turn_mask);
  const ImageSize& size = sample.picture.size;
  const bool fits = labels.height() == size.height && labels.width() == size.width;
  return fits ? labels : resize_nearest(labels, size.height, size.width);
}

}  // namespace segmentum
