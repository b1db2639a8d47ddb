#include "data/check/other_readings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "data/cityscapes.h"
#include "data/label_values.h"

namespace segmentum {
namespace {

using Kind = LabelEncoding::Kind;
using ToClass = std::map<std::uint32_t, std::uint16_t>;

constexpr int kCityscapesClasses = 19;

/// So many classes are hardly found by chance by readings of which there are a few, or many.
constexpr int kFewByChance = 3, kHardlyByChance = 4;

class Readings {
 public:
  explicit Readings(const Dataset& dataset) : dataset_(dataset), encoding_(dataset.encoding) {}

  std::vector<OtherReading> all() && {
    if (encoding_.kind == Kind::value && !encoding_.threshold) {
      of_wide_files();
      of_cityscapes();
      of_two_classes();
      shifted();
      spread();
      of_grey_colours();
    }
    of_colours();
    if (encoding_.kind == Kind::colour) of_indices();
    of_alpha();
    return std::move(readings_);
  }

 private:
  void add(Fault fault, std::string what, ToClass to_class, Kind kind = Kind::value,
           int least_classes = 1) {
    if (to_class.empty()) return;
    LabelEncoding encoding{.kind = kind, .to_class = std::move(to_class)};
    encoding.ignore_value = unused_value(encoding);
    readings_.push_back({.fault = fault,
                         .what = std::move(what),
                         .encoding = std::move(encoding),
                         .least_classes = std::min(least_classes, dataset_.class_count())});
  }

  /// The described values, each changed by `change`; those that become none are left out.
  template <typename Change>
  ToClass with_values(const Change& change) const {
    ToClass changed;
    for (const auto& [value, label] : encoding_.to_class) {
      const std::optional<std::uint32_t> other = change(value, label);
      if (other) changed.emplace(*other, label);
    }
    return changed;
  }

  void of_wide_files() {
    for (const std::uint32_t factor : {257u, 256u}) {
      add(Fault::wide_mask,
          fmt::format("they hold {} times the value in 16 bits, as 8-bit files become when they "
                      "are scaled up",
                      factor),
          with_values([&](std::uint32_t value, std::uint16_t) -> std::optional<std::uint32_t> {
            return value < 256 ? std::optional(value * factor) : std::nullopt;
          }));
    }
  }

  /// The values of the classes 0, 1, ..., where each has one of its own.
  std::optional<std::vector<std::uint32_t>> value_of_each_class() const {
    std::vector<std::uint32_t> values;
    for (int k = 0; k < dataset_.class_count(); ++k) {
      std::vector<std::uint32_t> found;
      for (const auto& [value, label] : encoding_.to_class) {
        if (label == k) found.push_back(value);
      }
      if (found.size() != 1) return std::nullopt;
      values.push_back(found.front());
    }
    return values;
  }

  void of_cityscapes() {
    const auto values = value_of_each_class();
    if (!values || values->size() != kCityscapesClasses) return;
    ToClass ids, train_ids{{255, kIgnoreLabel}};
    std::vector<std::uint32_t> trained;
    for (std::uint32_t id = 0; id < kCityscapesIds; ++id) {
      ids[id] = cityscapes_train_id(id);
      if (ids[id] != kIgnoreLabel) trained.push_back(id);
    }
    std::vector<std::uint32_t> dense;
    for (std::uint32_t k = 0; k < kCityscapesClasses; ++k) {
      dense.push_back(k);
      train_ids[k] = static_cast<std::uint16_t>(k);
    }
    if (*values == dense) {
      add(Fault::label_ids, "they hold Cityscapes' labelIds (7 is road), not trainIds (0 is road)",
          ids);
    } else if (*values == trained) {
      add(Fault::label_ids, "they hold Cityscapes' trainIds (0 is road), not labelIds (7 is road)",
          train_ids);
    }
  }

  void of_two_classes() {
    const auto values = value_of_each_class();
    if (!values || values->size() != 2 || values->front() != 0) return;
    if (values->back() != 255) {
      add(Fault::zero_one_255,
          fmt::format("they hold 0 and 255, where 255 stands for \"{}\"", dataset_.classes[1].name),
          {{0, 0}, {255, 1}});
    }
    if (values->back() != 1) {
      add(Fault::zero_one_255,
          fmt::format("they hold 0 and 1, where 1 stands for \"{}\"", dataset_.classes[1].name),
          {{0, 0}, {1, 1}});
    }
  }

  void shifted() {
    if (dataset_.class_count() < 3) return;  // of two, "one too high" is any other value
    const auto moved = [&](int by) {
      return with_values(
          [&](std::uint32_t value, std::uint16_t label) -> std::optional<std::uint32_t> {
            if (label == kIgnoreLabel && value >= 255) return value;
            if (by < 0 && value == 0) return std::nullopt;
            return value + static_cast<std::uint32_t>(by);
          });
    };
    const std::string& first = dataset_.classes.front().name;
    if (encoding_.to_class.contains(0)) {
      ToClass up = moved(1);
      up.emplace(255, kIgnoreLabel);
      add(Fault::one_based,
          fmt::format("the labels are one too high: 1 stands for \"{}\", as in programs that count "
                      "from 1",
                      first),
          up, Kind::value, kFewByChance);
    } else {
      add(Fault::zero_based, "the labels are one too low: they count from 0", moved(-1),
          Kind::value, kFewByChance);
    }
  }

  /// The numbers that stand for classes, and for what is ignored beside them.
  ToClass numbers() const {
    ToClass numbers = encoding_.to_class;
    std::erase_if(numbers, [](const auto& entry) {
      return entry.second == kIgnoreLabel && entry.first >= 255;
    });
    if (numbers.contains(0)) return numbers;
    numbers.clear();
    for (int k = 0; k < dataset_.class_count(); ++k) {
      numbers.emplace(static_cast<std::uint32_t>(k), static_cast<std::uint16_t>(k));
    }
    return numbers;
  }

  /// Numbers times `step`; where that is no whole number, programs round it in their own ways.
  static ToClass times(const ToClass& numbers, double step) {
    constexpr double kMost = 65535, kApart = 3;
    const double rounding = step == std::floor(step) ? 0 : step < kApart ? 0.5 : 1;
    ToClass values;
    for (const auto& [number, label] : numbers) {
      const double least = std::max(0.0, std::ceil(number * step - rounding));
      const double most = std::min(kMost, std::floor(number * step + rounding));
      for (double value = least; value <= most; ++value) {
        values.emplace(static_cast<std::uint32_t>(value), label);
      }
    }
    return values;
  }

  void add_times(double step, std::string what, int least_classes) {
    ToClass values = times(numbers(), step);
    values.emplace(255, kIgnoreLabel);
    add(Fault::scaled_values, std::move(what), std::move(values), Kind::value, least_classes);
  }

  /// Numbers spread so that people can tell them apart: over all of 8 or 16 bits, with or without
  /// what is ignored; else by whole steps, the largest first, which explain least.
  void spread() {
    constexpr int kMostStep = 127;
    const int classes = dataset_.class_count();
    if (classes < 3) return;
    const int greatest = static_cast<int>(numbers().rbegin()->first);
    add_times(255.0 / (classes - 1), "the labels are spread over 0..255, as for looking at", 1);
    for (const int parts :
         std::set<int>{classes - 1, classes, classes + 1, greatest, greatest + 1}) {
      for (const double all : {255.0, 256.0, 65535.0}) {
        add_times(all / parts,
                  fmt::format("the labels are spread over 0..{:.0f}, as for looking at",
                              all == 256 ? 255 : all),
                  kFewByChance);
      }
    }
    for (int step = kMostStep; step > 1; --step) {
      add_times(step, fmt::format("the labels are multiplied by {}, as for looking at", step),
                kHardlyByChance);
    }
  }

  void of_grey_colours() {
    ToClass greys;
    for (int k = 0; k < dataset_.class_count(); ++k) {
      greys.emplace(luma(dataset_.classes[static_cast<std::size_t>(k)].colour),
                    static_cast<std::uint16_t>(k));
    }
    if (static_cast<int>(greys.size()) < dataset_.class_count()) return;  // two alike
    const ToClass exact = greys;
    for (const auto& [value, label] : exact) {  // other programs truncate
      if (value > 0) greys.emplace(value - 1, label);
    }
    add(Fault::grey_of_colours,
        "they hold the brightness of the classes' colours: a coloured mask was turned grey", greys);
  }

  void of_colours() {
    ToClass colours, swapped;
    const auto add_colour = [&](Rgb colour, std::uint16_t label) {
      colours.emplace(packed(colour), label);
      swapped.emplace(packed({colour.b, colour.g, colour.r}), label);
    };
    for (std::size_t k = 0; k < dataset_.classes.size(); ++k) {
      add_colour(dataset_.classes[k].colour, static_cast<std::uint16_t>(k));
    }
    const bool different = colours.size() == dataset_.classes.size();
    if (!different) return;
    if (encoding_.kind == Kind::colour) {
      add(Fault::swapped_colours,
          "red and blue are exchanged, as OpenCV does unless told otherwise", swapped,
          Kind::colour);
      return;
    }
    add_colour({224, 224, 192}, kIgnoreLabel);  // VOC's void
    add_colour({0, 0, 0}, kIgnoreLabel);        // unless it is a class
    add(Fault::mixed_encodings, "they hold the classes' colours, where numbers were expected",
        colours, Kind::colour);
    add(Fault::mixed_encodings,
        "they hold the classes' colours with red and blue exchanged, where numbers were expected",
        swapped, Kind::colour);
  }

  void of_indices() {
    ToClass indices{{255, kIgnoreLabel}};
    for (int k = 0; k < dataset_.class_count(); ++k) {
      indices[static_cast<std::uint32_t>(k)] = static_cast<std::uint16_t>(k);
    }
    add(Fault::mixed_encodings, "they hold the numbers of the classes, where colours were expected",
        indices);
  }

  void of_alpha() {
    if (encoding_.kind != Kind::value) return;
    readings_.push_back({.fault = Fault::alpha_mask,
                         .what = "the labels stand in the alpha channel, not in the grey",
                         .encoding = encoding_,
                         .from_alpha = true});
  }

  const Dataset& dataset_;
  const LabelEncoding& encoding_;
  std::vector<OtherReading> readings_;
};

std::optional<std::uint16_t> label_of(std::uint32_t value, const LabelEncoding& encoding) {
  if (value == kNoMaskValue) return std::nullopt;
  if (encoding.threshold) {
    return static_cast<std::uint16_t>(value >= static_cast<std::uint32_t>(*encoding.threshold));
  }
  const auto found = encoding.to_class.find(value);
  return found == encoding.to_class.end() ? std::nullopt : std::optional(found->second);
}

/// The values that an encoding looks at; null where the mask has none.
const Histogram* histogram_for(const MaskContent& mask, Kind kind, bool from_alpha) {
  const Histogram& histogram = from_alpha             ? mask.alpha
                               : kind == Kind::colour ? mask.colours
                                                      : mask.values;
  return histogram.empty() ? nullptr : &histogram;
}

}  // namespace

std::vector<OtherReading> other_readings(const Dataset& dataset) {
  return Readings(dataset).all();
}

double unknown_share(const MaskContent& mask, const LabelEncoding& encoding, bool from_alpha) {
  const Histogram* histogram = histogram_for(mask, encoding.kind, from_alpha);
  if (histogram == nullptr) return 1;
  std::int64_t known = 0;
  for (const auto& [value, pixels] : *histogram) {
    if (label_of(value, encoding)) known += pixels;
  }
  return 1 - static_cast<double>(known) / static_cast<double>(mask.pixels());
}

bool explains(const OtherReading& reading, const MaskContent& mask) {
  constexpr double kMostUnknown = 0.001;
  return unknown_share(mask, reading.encoding, reading.from_alpha) <= kMostUnknown &&
         classes_shown(reading, mask) > 0;
}

bool shows_enough(const OtherReading& reading, std::span<const MaskContent* const> masks) {
  std::set<std::uint16_t> shown;
  for (const MaskContent* mask : masks) {
    const Histogram* values = histogram_for(*mask, reading.encoding.kind, reading.from_alpha);
    if (values == nullptr) continue;
    for (const auto& [value, pixels] : *values) {
      const auto label = label_of(value, reading.encoding);
      if (label && *label != kIgnoreLabel) shown.insert(*label);
    }
    if (static_cast<int>(shown.size()) >= reading.least_classes) return true;
  }
  return false;
}

std::vector<std::int64_t> pixels_of_classes(const OtherReading& reading, const MaskContent& mask,
                                            int classes) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes));
  const Histogram* values = histogram_for(mask, reading.encoding.kind, reading.from_alpha);
  if (values == nullptr) return counts;
  for (const auto& [value, pixels] : *values) {
    const auto label = label_of(value, reading.encoding);
    if (label && *label < classes) counts[*label] += pixels;
  }
  return counts;
}

int classes_shown(const OtherReading& reading, const MaskContent& mask) {
  const Histogram* values = histogram_for(mask, reading.encoding.kind, reading.from_alpha);
  if (values == nullptr) return 0;
  std::set<std::uint16_t> shown;
  for (const auto& [value, pixels] : *values) {
    const auto label = label_of(value, reading.encoding);
    if (label && *label != kIgnoreLabel) shown.insert(*label);
  }
  return static_cast<int>(shown.size());
}

std::int64_t classes_pixels(const OtherReading& reading, const MaskContent& mask) {
  const Histogram* values = histogram_for(mask, reading.encoding.kind, reading.from_alpha);
  if (values == nullptr) return 0;
  std::int64_t sum = 0;
  for (const auto& [value, pixels] : *values) {
    if (label_of(value, reading.encoding).value_or(kIgnoreLabel) != kIgnoreLabel) sum += pixels;
  }
  return sum;
}

double disagreement(const MaskContent& mask, const LabelEncoding& a, const LabelEncoding& b) {
  if (a.kind != b.kind) return 1;
  const Histogram* histogram = histogram_for(mask, a.kind, false);
  if (histogram == nullptr) return 1;
  std::int64_t different = 0;
  for (const auto& [value, pixels] : *histogram) {
    if (label_of(value, a) != label_of(value, b)) different += pixels;
  }
  return static_cast<double>(different) / static_cast<double>(mask.pixels());
}

std::uint32_t luma(Rgb colour) {
  return (299u * colour.r + 587u * colour.g + 114u * colour.b + 500u) / 1000u;
}

}  // namespace segmentum
