#include "report/check_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "data/check/repair.h"
#include "data/label_values.h"
#include "image/codec.h"
#include "image/colour.h"
#include "image/overlay.h"
#include "image/resize.h"
#include "report/sections.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr int kShownSide = 400;
constexpr std::size_t kNamedOfEach = 8;
constexpr std::size_t kShownOfEach = 3;
constexpr int kQuality = 82;  // of JPEG
constexpr Rgb kUnknownColour{255, 0, 220};

/// At most kShownSide wide and high.
std::pair<int, int> shown_size(int height, int width) {
  const double scale = std::min(1.0, static_cast<double>(kShownSide) / std::max(height, width));
  return {std::max(1, static_cast<int>(height * scale)),
          std::max(1, static_cast<int>(width * scale))};
}

Image shrunk_picture(const Image& picture) {
  const auto [height, width] = shown_size(picture.height(), picture.width());
  return to_rgb(resize(picture, height, width, {.antialias = true}));
}

/// Labels over the picture; those of no class in magenta.
Image marked_overlay(const Image& picture, const LabelMap& labels, const Palette& palette) {
  const LabelMap small = resize_nearest(labels, picture.height(), picture.width());
  LabelMap known = small;
  std::ranges::replace(known.labels(), kUnknownLabel, kIgnoreLabel);
  Image shown = overlay(picture, known, palette, 0.55);
  for (int y = 0; y < shown.height(); ++y) {
    auto* pixel = shown.row<std::uint8_t>(y);
    for (int x = 0; x < shown.width(); ++x, pixel += 3) {
      if (small(y, x) != kUnknownLabel) continue;
      pixel[0] = kUnknownColour.r;
      pixel[1] = kUnknownColour.g;
      pixel[2] = kUnknownColour.b;
    }
  }
  return shown;
}

/// Dark values, as class numbers are, spread so that they can be told apart.
Image shown_mask(const RawMask& mask, const std::filesystem::path& path) {
  if (!mask.palette.empty() || mask.values.channels() >= 3) return shrunk_picture(read_image(path));
  const Palette colours = Palette::voc(256);
  LabelMap values(mask.values.height(), mask.values.width());
  std::vector<std::uint32_t> row;
  bool dark = true;
  for (int y = 0; y < values.height(); ++y) {
    mask_row(mask, LabelEncoding::Kind::value, y, row);
    for (int x = 0; x < values.width(); ++x) {
      const std::uint32_t value = row[static_cast<std::size_t>(x)];
      values(y, x) = static_cast<std::uint16_t>(value % 256);
      dark = dark && (value < 64 || value == 255);
    }
  }
  if (!dark) return shrunk_picture(read_image(path));
  const auto [height, width] = shown_size(values.height(), values.width());
  return draw_labels(resize_nearest(values, height, width), colours);
}

void write_panel(HtmlWriter& html, const Image& picture, const char* caption,
                 const std::string& name) {
  html.open("figure");
  html.empty("img", {{"src", data_uri("image/jpeg", encode_jpeg(picture, kQuality))},
                     {"alt", name + ": " + caption},
                     {"width", fmt::format("{}", picture.width())},
                     {"height", fmt::format("{}", picture.height())}});
  html.element("figcaption", caption).close();
}

/// What can be read of a sample: picture, mask, the one on the other, and after a repair.
void write_sample(HtmlWriter& html, const Checkup& checkup, const CheckedSample& sample,
                  bool repaired) {
  const std::string name = sample.sample.image.generic_string();
  const auto& root = checkup.dataset.root;
  html.open("div", {{"class", "row"}}).open("h4").text(name);
  html.element(
          "small",
          sample.split + (sample.has_mask() ? ", mask " + sample.sample.mask.generic_string() : ""))
      .close();
  html.open("div", {{"class", "panels"}});
  try {
    const Image picture = shrunk_picture(read_image(root / sample.sample.image));
    write_panel(html, picture, "picture", name);
    if (sample.has_mask()) {
      const RawMask mask = read_mask(root / sample.sample.mask);
      write_panel(html, shown_mask(mask, root / sample.sample.mask), "mask file", name);
      const Palette palette = palette_of(checkup.dataset.classes);
      const LabelMap labels = decode_known_labels(mask, checkup.dataset.encoding);
      write_panel(html, marked_overlay(picture, labels, palette),
                  "labels as described; magenta: of no class", name);
      if (repaired && sample.remedy.left_out.empty()) {
        write_panel(html, marked_overlay(picture, repaired_labels(checkup, sample), palette),
                    "as --fix writes them", name);
      }
    }
  } catch (const Error& error) {
    html.element("p", error.what(), {{"class", "note"}});
  }
  html.close().close();
}

const CheckedSample* sample_of(const Checkup& checkup, const FaultyFile& file) {
  for (const CheckedSample& sample : checkup.samples) {
    if (sample.split == file.split && sample.index == file.index) return &sample;
  }
  return nullptr;
}

/// The first of them; the JSON has all.
void write_names(HtmlWriter& html, const std::vector<FaultyFile>& files) {
  if (files.empty()) return;
  html.open("ul");
  const std::size_t named = std::min(kNamedOfEach, files.size());
  for (std::size_t i = 0; i < named; ++i) {
    const FaultyFile& file = files[i];
    html.element("li",
                 file.path.generic_string() + (file.detail.empty() ? "" : ": " + file.detail));
  }
  if (files.size() > named) html.element("li", fmt::format("and {} more", files.size() - named));
  html.close();
}

void write_finding(HtmlWriter& html, const Checkup& checkup, const Finding& finding) {
  const char* severity = severity_name(finding.severity);
  html.open("div", {{"class", std::string("finding fault-") + severity}});
  html.open("h3").element("span", severity, {{"class", "badge"}});
  html.text(fault_name(finding.fault));
  if (finding.count > 0) {
    html.element("small", fmt::format("{} file{}", finding.count, finding.count == 1 ? "" : "s"));
  }
  html.close();
  html.element("p", finding.what);
  if (!finding.fix.empty()) html.element("p", "Fix: " + finding.fix, {{"class", "note"}});
  write_names(html, finding.files);
  std::size_t shown = 0;
  for (const FaultyFile& file : finding.files) {
    if (shown == kShownOfEach) break;
    const CheckedSample* sample = file.index >= 0 ? sample_of(checkup, file) : nullptr;
    if (sample == nullptr) continue;
    write_sample(html, checkup, *sample, finding.repaired);
    ++shown;
  }
  html.close();
}

void write_tile(HtmlWriter& html, const std::string& number, const char* what) {
  html.open("div", {{"class", "tile"}}).element("b", number).element("span", what).close();
}

void write_counts(HtmlWriter& html, const CheckResult& result) {
  html.open("div", {{"class", "tiles"}});
  write_tile(html, grouped(static_cast<std::int64_t>(result.checkup.samples.size())), "pictures");
  write_tile(html, fmt::format("{}", result.count(Severity::error)), "errors");
  write_tile(html, fmt::format("{}", result.count(Severity::warning)), "warnings");
  write_tile(html, fmt::format("{}", result.count(Severity::note)), "notes");
  html.close();
}

}  // namespace

std::string check_report_html(const CheckResult& result, const CheckReport& report) {
  HtmlWriter html;
  open_page(html, report.title);
  html.open("header").element("h1", report.title);
  html.element("p", report.subtitle, {{"class", "note"}}).close();
  write_counts(html, result);
  html.open("section", {{"id", "findings"}}).element("h2", "Findings");
  if (result.checkup.findings.empty()) html.element("p", "Nothing is wrong.");
  for (const Finding& finding : result.checkup.findings) {
    write_finding(html, result.checkup, finding);
  }
  html.close();
  write_class_shares(html, result);
  write_advice(html, result);
  write_co_occurrence(html, result);
  return std::move(html).finish();
}

void write_check_report(const std::filesystem::path& path, const CheckResult& result,
                        const CheckReport& report) {
  write_file(path, check_report_html(result, report));
}

}  // namespace segmentum
