#include "data/check/mask_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "data/label_values.h"

namespace segmentum {
namespace {

using Kind = LabelEncoding::Kind;

/// Whether some values lie nearer to each other than JPEG leaves them.
bool is_dense(const LabelEncoding& encoding) {
  constexpr std::uint32_t kApart = 16;
  std::optional<std::uint32_t> last;
  for (const auto& [value, label] : encoding.to_class) {
    if (last && value - *last < kApart) return encoding.kind == Kind::value && !encoding.threshold;
    last = value;
  }
  return false;
}

/// Index -> colour as most palette files have it.
std::map<std::uint32_t, std::uint32_t> common_palette(const std::vector<CheckedSample>& samples) {
  std::map<std::uint32_t, std::map<std::uint32_t, int>> votes;
  for (const CheckedSample& sample : samples) {
    for (const auto& [index, colour] : sample.mask.content.palette) {
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

}  // namespace

bool is_jpeg(const CheckedSample& sample) {
  return sample.mask.content.form.format == FileFormat::jpeg;
}

bool is_lost_in_jpeg(const Checkup& checkup, const CheckedSample& sample) {
  return is_jpeg(sample) && !sample.mask.content.colourful && is_dense(checkup.dataset.encoding);
}

void check_palettes(Checkup& checkup) {
  const LabelEncoding& encoding = checkup.dataset.encoding;
  if (encoding.kind != Kind::value || encoding.threshold) return;
  const auto palette = common_palette(checkup.samples);
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
  for (CheckedSample& sample : checkup.samples) {
    std::string detail;
    for (const auto& [index, colour] : sample.mask.content.palette) {
      const std::uint32_t own = packed(colour), common = palette.at(index);
      if (own == common || !by_colour.to_class.contains(own)) continue;
      detail = fmt::format("{} is #{:06x} here, #{:06x} elsewhere", index, own, common);
    }
    if (detail.empty()) continue;
    finding.add(sample.mask_file(detail));
    sample.remedy.reading = reading;
  }
  if (finding.count > 0) {
    checkup.readings.push_back({Fault::palette_order, finding.what, std::move(by_colour)});
  }
  checkup.add(std::move(finding));
}

void check_mask_files(Checkup& checkup) {
  const bool cut_anyway = checkup.dataset.encoding.threshold.has_value();
  Finding lost{.fault = Fault::jpeg_mask,
               .severity = Severity::error,
               .what = "masks are JPEG files, which turn numbers of classes into others",
               .fix = "export them again as PNG; --fix DIR leaves them out",
               .repaired = true};
  Finding moved{.fault = Fault::jpeg_mask,
                .severity = Severity::warning,
                .what = "masks are JPEG files, which move borders a little",
                .fix = "export them as PNG"};
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
  for (CheckedSample& sample : checkup.samples) {
    const MaskContent& mask = sample.mask.content;
    if (!sample.has_mask() || !sample.mask.readable() || sample.remedy.reading >= 0) continue;
    if (is_lost_in_jpeg(checkup, sample)) {
      lost.add(sample.mask_file());
      sample.remedy.left_out = "JPEG has turned its classes into others";
    } else if (is_jpeg(sample) && cut_anyway) {
      moved.add(sample.mask_file());
    }
    if (sample.mask.reading.unknown.count > 0) continue;
    if (mask.alpha.size() > 1) alpha.add(sample.mask_file());
    if (mask.type == PixelType::u16 && mask.values.rbegin()->first < 256) {
      wide.add(sample.mask_file());
    }
    if (cut_anyway && !is_jpeg(sample) && mask.values.size() > 2) cut.add(sample.mask_file());
  }
  for (Finding* finding : {&lost, &moved, &alpha, &wide, &cut}) checkup.add(std::move(*finding));
}

}  // namespace segmentum
