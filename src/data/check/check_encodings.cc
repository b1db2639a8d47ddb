// How masks are stored and what their values mean: each mask is read as described, or in the first
// of the usual other ways that explains it.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "data/check/checkup.h"
#include "data/check/mask_files.h"
#include "data/label_values.h"

namespace segmentum {
namespace {

using Kind = LabelEncoding::Kind;

constexpr double kNearlyAll = 0.95;
constexpr double kHardly = 0.01;

bool is_known(const CheckedSample& sample) {
  return sample.mask.reading.unknown.count == 0;
}

std::vector<CheckedSample*> readable_masks(Checkup& checkup) {
  std::vector<CheckedSample*> masks;
  for (CheckedSample& sample : checkup.samples) {
    if (sample.has_mask() && sample.mask.readable()) masks.push_back(&sample);
  }
  return masks;
}

/// Forgets how training reads the masks where it misreads even those that are as described: the odd
/// ones have misled it, which makes them errors.
void judge_training(Checkup& checkup, const std::vector<CheckedSample*>& masks) {
  const auto is_misread = [&](const CheckedSample* sample) {
    return is_known(*sample) && disagreement(sample->mask.content, *checkup.in_training,
                                             checkup.dataset.encoding) > kHardly;
  };
  if (checkup.in_training && std::ranges::any_of(masks, is_misread)) checkup.in_training.reset();
}

/// An error where training reads these masks otherwise than they are meant, or cannot.
Severity severity_of(const Checkup& checkup, const CheckedSample& sample,
                     const OtherReading& reading) {
  if (!checkup.in_training || reading.from_alpha) return Severity::error;
  const double different =
      disagreement(sample.mask.content, *checkup.in_training, reading.encoding);
  return different > kHardly ? Severity::error : Severity::warning;
}

/// "0, 1, 255" of the values that no class has, the commonest first.
std::string unknown_values_text(const CheckedSample& sample, const LabelEncoding& encoding) {
  constexpr std::size_t kNamed = 5;
  const MaskContent& mask = sample.mask.content;
  const Histogram& values =
      encoding.kind == Kind::colour && !mask.colours.empty() ? mask.colours : mask.values;
  std::vector<std::pair<std::int64_t, std::uint32_t>> unknown;
  for (const auto& [value, pixels] : values) {
    if (!encoding.to_class.contains(value)) unknown.emplace_back(-pixels, value);
  }
  std::ranges::sort(unknown);
  std::vector<std::string> texts;
  for (const auto& [pixels, value] : unknown) {
    if (texts.size() == kNamed) break;
    texts.push_back(value == kNoMaskValue ? "colours" : label_value_text(value, encoding.kind));
  }
  return fmt::format(
      "{}{} ({:.2f} % of its pixels)", fmt::join(texts, ", "),
      unknown.size() > kNamed ? fmt::format(" and {} more", unknown.size() - kNamed) : "",
      100.0 * static_cast<double>(sample.mask.reading.unknown.count) /
          static_cast<double>(mask.pixels()));
}

// ---- other readings -------------------------------------------------------------------------

/// Findings of masks that are read in another way, one for each way.
class OtherWays {
 public:
  explicit OtherWays(Checkup& checkup) : checkup_(checkup) {}

  void add(CheckedSample& sample, int reading) {
    const OtherReading& way = checkup_.readings[static_cast<std::size_t>(reading)];
    auto [found, fresh] = findings_.try_emplace(reading);
    Finding& finding = found->second;
    if (fresh) {
      finding = {.fault = way.fault, .severity = Severity::warning, .repaired = true};
    }
    finding.severity = std::max(finding.severity, severity_of(checkup_, sample, way));
    finding.add(sample.mask_file());
    sample.remedy.reading = reading;
  }

  void finish(std::size_t masks) {
    for (auto& [reading, finding] : findings_) {
      const OtherReading& way = checkup_.readings[static_cast<std::size_t>(reading)];
      const bool all = static_cast<std::size_t>(finding.count) == masks;
      finding.what =
          fmt::format("{} not encoded as {}: {}", all ? "the masks are" : "some masks are",
                      all && checkup_.described ? "dataset.toml says" : "expected", way.what);
      finding.fix = all && checkup_.described
                        ? "correct `values` in dataset.toml; --fix DIR writes class numbers"
                        : "export them like the others; --fix DIR writes class numbers";
      checkup_.add(std::move(finding));
    }
  }

 private:
  Checkup& checkup_;
  std::map<int, Finding> findings_;
};

/// Whether as described the masks show no class but one, and nothing is unknown.
bool shows_one_class(const Checkup& checkup, const std::vector<CheckedSample*>& masks) {
  std::set<std::size_t> shown;
  for (const CheckedSample* sample : masks) {
    const auto& pixels = sample->mask.reading.class_pixels;
    for (std::size_t k = 0; k < pixels.size(); ++k) {
      if (pixels[k] > 0) shown.insert(k);
    }
  }
  return shown.size() < 2 && checkup.all_samples;
}

/// Whether a reading is meant for a mask that the description explains, too: one of colours is not
/// for palette files, and one that ignores most of the pixels is chance.
bool may_be_meant(const CheckedSample& sample, const OtherReading& reading) {
  if (!is_known(sample)) return true;
  if (reading.encoding.kind == Kind::colour && sample.mask.content.is_palette()) return false;
  return 2 * classes_pixels(reading, sample.mask.content) >= sample.mask.content.pixels();
}

/// The reading that explains nearly all masks where the description does not; -1: none does.
int common_reading(const Checkup& checkup, const std::vector<CheckedSample*>& masks) {
  const auto all = static_cast<double>(masks.size());
  std::vector<const MaskContent*> contents;
  for (const CheckedSample* one : masks) contents.push_back(&one->mask.content);
  const bool fails = !std::ranges::all_of(masks, [](const auto* one) { return is_known(*one); });
  if (!fails && !shows_one_class(checkup, masks)) return Remedy::kAsDescribed;
  for (std::size_t r = 0; r < checkup.readings.size(); ++r) {
    const OtherReading& reading = checkup.readings[r];
    const auto explained = std::ranges::count_if(masks, [&](const auto* one) {
      return explains(reading, one->mask.content) && may_be_meant(*one, reading);
    });
    if (static_cast<double>(explained) < kNearlyAll * all) continue;
    if (!shows_enough(reading, contents)) continue;
    const bool better = std::ranges::any_of(masks, [&](const auto* one) {
      const MaskContent& mask = one->mask.content;
      return fails ? !is_known(*one) && explains(reading, mask) : classes_shown(reading, mask) > 1;
    });
    if (better) return static_cast<int>(r);
  }
  return Remedy::kAsDescribed;
}

/// Grey that says nothing over an alpha channel that does.
bool labels_in_alpha(const CheckedSample& sample) {
  const MaskContent& mask = sample.mask.content;
  return mask.alpha.size() > 1 && mask.values.size() == 1;
}

int reading_that_explains(const Checkup& checkup, const CheckedSample& sample) {
  const bool alpha = labels_in_alpha(sample);
  if (is_known(sample) && !alpha) return Remedy::kAsDescribed;
  for (std::size_t r = 0; r < checkup.readings.size(); ++r) {
    const OtherReading& reading = checkup.readings[r];
    if (reading.from_alpha != alpha) continue;
    const MaskContent* mask = &sample.mask.content;
    if (explains(reading, *mask) && shows_enough(reading, {&mask, 1})) return static_cast<int>(r);
  }
  return Remedy::kAsDescribed;
}

// ---- what remains ---------------------------------------------------------------------------

/// Findings of masks with values that nothing explains.
struct Unexplained {
  Finding lossy{.fault = Fault::jpeg_mask,
                .severity = Severity::error,
                .what =
                    "masks were compressed with loss (JPEG): their values are blurred around "
                    "borders",
                .fix =
                    "export them again as PNG; --fix DIR gives blurred pixels the nearest sure "
                    "label",
                .repaired = true};
  Finding soft{.fault = Fault::soft_edges,
               .severity = Severity::error,
               .what =
                   "masks have soft edges: values between those of the classes, along borders "
                   "only",
               .fix =
                   "export without anti-aliasing, resize masks by nearest neighbour; --fix DIR "
                   "gives soft pixels the nearest sure label",
               .repaired = true};
  Finding colours{.fault = Fault::mixed_encodings,
                  .severity = Severity::error,
                  .what = "masks hold colours, where numbers were expected",
                  .fix = "convert them, or name the colours of the classes in a legend"};
  Finding unknown{
      .fault = Fault::unknown_values,
      .severity = Severity::error,
      .what = "masks hold values that no class has",
      .fix = "add them to a class or to `ignore` in dataset.toml; --fix DIR ignores them",
      .repaired = true};
  std::vector<CheckedSample*> with_unknown;
};

/// More pixels of no class than this are no slips: most likely the values mean something else.
constexpr double kMostUnknown = 0.05;

double unknown_share_of(const CheckedSample& sample) {
  return static_cast<double>(sample.mask.reading.unknown.count) /
         static_cast<double>(sample.mask.content.pixels());
}

/// Whether nothing explains what a mask holds.
bool is_unexplained(const Checkup& checkup, const CheckedSample& sample) {
  return !is_known(sample) && sample.remedy.reading < 0 && !is_lost_in_jpeg(checkup, sample);
}

std::size_t unknown_value_count(const CheckedSample& sample, const LabelEncoding& encoding) {
  const MaskContent& mask = sample.mask.content;
  const Histogram& values =
      encoding.kind == Kind::colour && !mask.colours.empty() ? mask.colours : mask.values;
  return static_cast<std::size_t>(std::ranges::count_if(
      values, [&](const auto& entry) { return !encoding.to_class.contains(entry.first); }));
}

Finding& kind_of_unknown(const Checkup& checkup, const CheckedSample& sample,
                         Unexplained& findings) {
  constexpr std::size_t kFewValues = 4;
  const UnknownPixels& unknown = sample.mask.reading.unknown;
  const LabelEncoding& encoding = checkup.dataset.encoding;
  const auto part = [&](std::int64_t pixels) {
    return static_cast<double>(pixels) / static_cast<double>(unknown.count);
  };
  if (is_jpeg(sample)) return findings.lossy;
  if (encoding.kind == Kind::value && sample.mask.content.colourful) return findings.colours;
  if (unknown_value_count(sample, encoding) < kFewValues) return findings.unknown;
  if (part(unknown.near_edges) < kNearlyAll) return findings.unknown;
  return 4 * unknown.on_edges >= unknown.count ? findings.soft : findings.lossy;
}

/// Whether training knows the values that the masks as meant do not have: it ignores them, or has a
/// threshold between them.
bool training_goes_on(const Checkup& checkup, const CheckedSample& sample) {
  return checkup.in_training && unknown_share(sample.mask.content, *checkup.in_training) == 0;
}

void add_unexplained(Checkup& checkup, CheckedSample& sample, Unexplained& findings) {
  Finding& finding = kind_of_unknown(checkup, sample, findings);
  finding.add(sample.mask_file(unknown_values_text(sample, checkup.dataset.encoding)));
  sample.remedy.fill_unknown = &finding == &findings.lossy || &finding == &findings.soft;
  if (&finding == &findings.unknown) findings.with_unknown.push_back(&sample);
}

/// What values without a class do to a training; too many of them are not to be ignored.
void judge_unknown_values(const std::vector<CheckedSample*>& masks, bool goes_on,
                          Unexplained& findings) {
  Finding& finding = findings.unknown;
  finding.what += goes_on ? "; training ignores them" : "; training stops at the first";
  if (goes_on) finding.severity = Severity::warning;
  std::int64_t unknown = 0, all = 0;
  for (const CheckedSample* sample : findings.with_unknown) {
    unknown += sample->mask.reading.unknown.count;
  }
  for (const CheckedSample* sample : masks) all += sample->mask.content.pixels();
  const double share = static_cast<double>(unknown) / static_cast<double>(all);
  if (share <= kMostUnknown) return;
  finding.severity = Severity::error;
  finding.what += fmt::format(": {:.0f} % of all pixels", 100 * share);
  finding.fix =
      "what do they mean? Say so in dataset.toml, or export the masks anew; --fix DIR leaves out "
      "masks that are full of them";
  for (CheckedSample* sample : findings.with_unknown) {
    if (unknown_share_of(*sample) > kMostUnknown) {
      sample->remedy.left_out = "its mask is full of values that no class has";
    }
  }
}

void finish_unexplained(Checkup& checkup, const std::vector<CheckedSample*>& masks,
                        Unexplained& findings) {
  const bool goes_on = std::ranges::all_of(masks, [&](const auto* one) {
    return !is_unexplained(checkup, *one) || training_goes_on(checkup, *one);
  });
  for (Finding* finding : {&findings.lossy, &findings.soft, &findings.colours}) {
    if (goes_on) finding->severity = Severity::warning;
    checkup.add(std::move(*finding));
  }
  if (findings.unknown.count == 0) return;
  judge_unknown_values(masks, goes_on, findings);
  checkup.add(std::move(findings.unknown));
}

/// Masks of {0,1} beside masks of {0,255}, whatever the description makes of that.
void check_two_conventions(Checkup& checkup, const std::vector<CheckedSample*>& masks) {
  if (checkup.dataset.class_count() > 3 || checkup.dataset.encoding.kind != Kind::value) return;
  std::vector<const CheckedSample*> ones, whites;
  for (const CheckedSample* sample : masks) {
    const Histogram& values = sample->mask.content.values;
    if (sample->remedy.reading >= 0) continue;  // told of already
    if (values.size() != 2 || values.begin()->first != 0) continue;
    if (values.rbegin()->first == 1) ones.push_back(sample);
    if (values.rbegin()->first == 255) whites.push_back(sample);
  }
  if (ones.empty() || whites.empty() || ones.size() + whites.size() < masks.size()) return;
  const auto& fewer = ones.size() < whites.size() ? ones : whites;
  Finding finding{.fault = Fault::zero_one_255,
                  .severity = Severity::error,
                  .what = fmt::format("{} masks hold 0 and 1, {} hold 0 and 255: are 1 and 255 the "
                                      "same class?",
                                      ones.size(), whites.size()),
                  .fix = "make them alike; or put both values into one class in dataset.toml"};
  for (const CheckedSample* sample : fewer) finding.add(sample->mask_file());
  checkup.add(std::move(finding));
}

/// Every mask numbers its own objects 1..n, and the data set takes the numbers for classes.
void check_object_numbers(Checkup& checkup, const std::vector<CheckedSample*>& masks) {
  constexpr std::uint32_t kMany = 8;
  const LabelEncoding& encoding = checkup.dataset.encoding;
  if (encoding.kind != Kind::value || encoding.threshold) return;
  std::set<std::uint32_t> counts;
  Finding finding{.fault = Fault::object_numbers,
                  .severity = Severity::warning,
                  .what =
                      "every mask holds exactly 0..n, with another n: objects seem to be "
                      "numbered, and the numbers are taken for classes",
                  .fix =
                      "to learn all objects as one class, write `threshold = 1` and two classes "
                      "in dataset.toml"};
  for (const CheckedSample* sample : masks) {
    const Histogram& values = sample->mask.content.values;
    const std::uint32_t greatest = values.rbegin()->first;
    if (values.begin()->first != 0 || greatest + 1 != values.size()) return;
    counts.insert(greatest);
    finding.add(sample->mask_file(fmt::format("0..{}", greatest)));
  }
  if (counts.size() >= 3 && *counts.rbegin() >= kMany) checkup.add(std::move(finding));
}

}  // namespace

void check_encodings(Checkup& checkup) {
  const std::vector<CheckedSample*> masks = readable_masks(checkup);
  if (masks.empty() || checkup.dataset.classes.empty()) return;
  judge_training(checkup, masks);
  check_palettes(checkup);
  const int common = common_reading(checkup, masks);
  OtherWays other_ways(checkup);
  Unexplained unexplained;
  for (CheckedSample* sample : masks) {
    if (sample->remedy.reading >= 0 || is_lost_in_jpeg(checkup, *sample)) continue;
    const bool as_most = common >= 0 && explains(checkup.readings[static_cast<std::size_t>(common)],
                                                 sample->mask.content);
    const int reading = as_most ? common : reading_that_explains(checkup, *sample);
    if (reading >= 0) {
      other_ways.add(*sample, reading);
    } else if (!is_known(*sample)) {
      add_unexplained(checkup, *sample, unexplained);
    }
  }
  other_ways.finish(masks.size());
  finish_unexplained(checkup, masks, unexplained);
  check_two_conventions(checkup, masks);
  check_object_numbers(checkup, masks);
  check_mask_files(checkup);
}

}  // namespace segmentum
