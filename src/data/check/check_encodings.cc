// How masks are stored and what their values mean: each mask is read as described, or in the first
// of the usual other ways that explains it.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/check/checkup.h"
#include "data/label_values.h"

namespace segmentum {
namespace {

using Kind = LabelEncoding::Kind;

constexpr double kNearlyAll = 0.95;

std::vector<CheckedSample*> readable_masks(Checkup& checkup) {
  std::vector<CheckedSample*> masks;
  for (CheckedSample& sample : checkup.samples) {
    if (sample.has_mask() && sample.mask.readable()) masks.push_back(&sample);
  }
  return masks;
}

bool is_known(const CheckedSample& sample) {
  return sample.mask.reading.unknown.count == 0;
}

/// An error where training reads these masks otherwise than they are meant, or cannot.
Severity severity_of(const Checkup& checkup, const CheckedSample& sample,
                     const OtherReading& reading) {
  constexpr double kHardly = 0.01;
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
  return shown.size() < 2 && checkup.whole;
}

/// The reading that explains nearly all masks where the description does not; -1: none does.
int common_reading(const Checkup& checkup, const std::vector<CheckedSample*>& masks) {
  const auto all = static_cast<double>(masks.size());
  const bool fails = !std::ranges::all_of(masks, [](const auto* one) { return is_known(*one); });
  if (!fails && !shows_one_class(checkup, masks)) return Remedy::kAsDescribed;
  for (std::size_t r = 0; r < checkup.readings.size(); ++r) {
    const OtherReading& reading = checkup.readings[r];
    const auto explained = std::ranges::count_if(
        masks, [&](const auto* one) { return explains(reading, one->mask.content); });
    if (static_cast<double>(explained) < kNearlyAll * all) continue;
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
    if (reading.from_alpha && !alpha) continue;
    if (explains(reading, sample.mask.content)) return static_cast<int>(r);
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
      .what = "masks hold values that no class has; training stops at the first",
      .fix = "add them to a class or to `ignore` in dataset.toml; --fix DIR ignores them",
      .repaired = true};
};

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
  const bool jpeg = sample.mask.content.form.format == FileFormat::jpeg;
  const auto part = [&](std::int64_t pixels) {
    return static_cast<double>(pixels) / static_cast<double>(unknown.count);
  };
  if (encoding.kind == Kind::value && sample.mask.content.colourful) {
    return jpeg ? findings.lossy : findings.colours;
  }
  if (jpeg) return findings.lossy;
  if (unknown_value_count(sample, encoding) < kFewValues) return findings.unknown;
  if (part(unknown.on_edges) >= kNearlyAll) return findings.soft;
  return part(unknown.near_edges) >= kNearlyAll ? findings.lossy : findings.unknown;
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
}

void finish_unexplained(Checkup& checkup, const std::vector<CheckedSample*>& masks,
                        Unexplained& findings) {
  const bool goes_on = std::ranges::all_of(masks, [&](const auto* one) {
    return is_known(*one) || one->remedy.reading >= 0 || training_goes_on(checkup, *one);
  });
  for (Finding* finding : {&findings.lossy, &findings.soft, &findings.colours, &findings.unknown}) {
    if (goes_on) finding->severity = Severity::warning;
    checkup.add(std::move(*finding));
  }
}

// ---- files --------------------------------------------------------------------------------------

/// Files whose pixels are read without trouble but say something of how they were made.
void check_known_files(Checkup& checkup, const std::vector<CheckedSample*>& masks) {
  Finding jpeg{.fault = Fault::jpeg_mask,
               .severity = Severity::warning,
               .what = "masks are JPEG files, which move borders and make values between classes",
               .fix = "export them as PNG",
               .repaired = true};
  Finding alpha{.fault = Fault::alpha_mask,
                .severity = Severity::warning,
                .what = "masks are partly transparent; alpha is not looked at",
                .fix = "flatten them; is the hidden part right?"};
  Finding wide{.fault = Fault::wide_mask,
               .severity = Severity::note,
               .what = "masks are stored in 16 bits although their values fit 8",
               .fix = ""};
  Finding cut{.fault = Fault::soft_edges,
              .severity = Severity::note,
              .what = fmt::format("masks are soft and cut at the threshold {}",
                                  checkup.dataset.encoding.threshold.value_or(0)),
              .fix = ""};
  for (const CheckedSample* sample : masks) {
    const MaskContent& mask = sample->mask.content;
    if (sample->remedy.reading >= 0 || !is_known(*sample)) continue;
    if (mask.form.format == FileFormat::jpeg) jpeg.add(sample->mask_file());
    if (mask.alpha.size() > 1) alpha.add(sample->mask_file());
    if (mask.type == PixelType::u16 && mask.values.rbegin()->first < 256) {
      wide.add(sample->mask_file());
    }
    if (checkup.dataset.encoding.threshold && mask.values.size() > 2) cut.add(sample->mask_file());
  }
  for (Finding* finding : {&jpeg, &alpha, &wide, &cut}) checkup.add(std::move(*finding));
}

/// Index -> colour as most palette files have it.
std::map<std::uint32_t, std::uint32_t> common_palette(const std::vector<CheckedSample*>& masks) {
  std::map<std::uint32_t, std::map<std::uint32_t, int>> votes;
  for (const CheckedSample* sample : masks) {
    for (const auto& [index, colour] : sample->mask.content.palette) {
      ++votes[index][packed(colour)];
    }
  }
  std::map<std::uint32_t, std::uint32_t> palette;
  for (const auto& [index, colours] : votes) {
    palette[index] =
        std::ranges::max_element(colours, {}, [](const auto& vote) { return vote.second; })->first;
  }
  return palette;
}

/// Palette files whose colours have other numbers than in the rest: converted with a palette made
/// for each file.
void check_palettes(Checkup& checkup, const std::vector<CheckedSample*>& masks) {
  const LabelEncoding& encoding = checkup.dataset.encoding;
  if (encoding.kind != Kind::value || encoding.threshold) return;
  const auto palette = common_palette(masks);
  LabelEncoding by_colour{.kind = Kind::colour};
  for (const auto& [index, colour] : palette) {
    const auto label = encoding.to_class.find(index);
    if (label == encoding.to_class.end()) continue;
    if (!by_colour.to_class.emplace(colour, label->second).second) return;  // two alike
  }
  Finding finding{.fault = Fault::palette_order,
                  .severity = Severity::error,
                  .what = "palette files do not agree: the same colours have other numbers in some",
                  .fix = "write all masks with one palette; --fix DIR reads these by their colours",
                  .repaired = true};
  const auto reading = static_cast<int>(checkup.readings.size());
  for (CheckedSample* sample : masks) {
    std::string detail;
    for (const auto& [index, colour] : sample->mask.content.palette) {
      const std::uint32_t own = packed(colour), common = palette.at(index);
      if (own == common || !by_colour.to_class.contains(own)) continue;
      detail = fmt::format("{} is #{:06x} here, #{:06x} elsewhere", index, own, common);
    }
    if (detail.empty()) continue;
    finding.add(sample->mask_file(detail));
    sample->remedy.reading = reading;
  }
  if (finding.count > 0) {
    checkup.readings.push_back({Fault::palette_order, finding.what, std::move(by_colour)});
  }
  checkup.add(std::move(finding));
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
  check_palettes(checkup, masks);
  const int common = common_reading(checkup, masks);
  OtherWays other_ways(checkup);
  Unexplained unexplained;
  for (CheckedSample* sample : masks) {
    if (sample->remedy.reading >= 0) continue;
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
  check_known_files(checkup, masks);
}

}  // namespace segmentum
