#include <cstddef>
#include <vector>

#include "report/panel.h"
#include "report/sections.h"

namespace segmentum {
namespace {

constexpr Rgb kErrorColour{222, 33, 48};
constexpr Rgb kStripe{120, 120, 120};
constexpr Rgb kStripeGap{165, 165, 165};

/// Wrong pixels in red over the pale picture; ignored ones are striped grey.
Image draw_errors(const ReportPicture& shown) {
  Image errors(shown.picture.height(), shown.picture.width(), 3);
  for (int y = 0; y < errors.height(); ++y) {
    const auto* from = shown.picture.row<std::uint8_t>(y);
    auto* to = errors.row<std::uint8_t>(y);
    for (int x = 0; x < errors.width(); ++x, from += 3, to += 3) {
      const std::uint16_t truth = shown.truth(y, x);
      // Rec. 601 luma in its upper half: pale, so that red stands out from it.
      const auto grey =
          static_cast<std::uint8_t>(128 + (77 * from[0] + 150 * from[1] + 29 * from[2]) / 512);
      Rgb colour{grey, grey, grey};
      if (truth == kIgnoreLabel) {
        colour = (x + y) / 4 % 2 == 0 ? kStripe : kStripeGap;
      } else if (truth != shown.prediction(y, x)) {
        colour = kErrorColour;
      }
      to[0] = colour.r;
      to[1] = colour.g;
      to[2] = colour.b;
    }
  }
  return errors;
}

void write_panel(HtmlWriter& html, const ReportPicture& shown, const char* caption,
                 const std::string& uri) {
  write_panel(html, shown.name, caption, uri, shown.picture.width(), shown.picture.height());
}

void write_row(HtmlWriter& html, const ReportPicture& shown, const Palette& palette) {
  html.open("div", {{"class", "row"}}).open("h4").text(shown.name);
  html.element("small", "mean IoU " + percent(shown.score) + " %").close();
  html.open("div", {{"class", "panels"}});
  write_panel(html, shown, "source", jpeg_uri(shown.picture));
  write_panel(html, shown, "truth", label_uri(shown.truth, palette));
  write_panel(html, shown, "prediction", label_uri(shown.prediction, palette));
  write_panel(html, shown, "errors", jpeg_uri(draw_errors(shown)));
  html.close().close();
}

/// The colours that occur in the pictures, and no others.
void write_legend(HtmlWriter& html, const EvaluationPart& part, const Palette& palette) {
  SeenLabels seen(part.classes.size());
  for (const auto* pictures : {&part.best, &part.worst}) {
    for (const ReportPicture& shown : *pictures) {
      seen.add(shown.truth);
      seen.add(shown.prediction);
    }
  }
  html.open("p", {{"class", "legend"}});
  write_legend_entries(html, seen, part.classes, palette);
  write_legend_entry(html, kErrorColour, "wrong in errors");
  if (seen.ignored) {
    html.open("span").open("i", {{"class", "swatch striped"}}).close();
    html.text("ignored in errors").close();
  }
  html.close();
}

void write_rows(HtmlWriter& html, const char* heading, const std::vector<ReportPicture>& pictures,
                const Palette& palette) {
  if (pictures.empty()) return;
  html.element("h3", heading);
  for (const ReportPicture& shown : pictures) write_row(html, shown, palette);
}

}  // namespace

void write_pictures(HtmlWriter& html, const EvaluationPart& part) {
  if (part.best.empty() && part.worst.empty()) return;
  const Palette palette = palette_of(part.classes);
  html.open("section", {{"id", "pictures"}}).element("h2", "Pictures");
  write_legend(html, part, palette);
  write_rows(html, "Worst", part.worst, palette);
  write_rows(html, "Best", part.best, palette);
  html.close();
}

}  // namespace segmentum
