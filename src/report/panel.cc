#include "report/panel.h"

#include <fmt/format.h>

#include "image/codec.h"
#include "image/overlay.h"
#include "report/sections.h"

namespace segmentum {

std::string jpeg_uri(const Image& picture) {
  constexpr int kQuality = 82;
  return data_uri("image/jpeg", encode_jpeg(picture, kQuality));
}

std::string label_uri(const LabelMap& labels, const Palette& palette) {
  return data_uri("image/png", encode_png(draw_labels(labels, palette)));
}

void write_panel(HtmlWriter& html, const std::string& name, const std::string& caption,
                 const std::string& uri, int width, int height) {
  constexpr int kFewPixels = 200;  // wide: drawn enlarged, as squares
  html.open("figure");
  html.empty("img", {{"src", uri},
                     {"alt", name + ": " + caption},
                     {"width", fmt::format("{}", width)},
                     {"height", fmt::format("{}", height)},
                     {"class", width < kFewPixels ? "pixels" : ""}});
  html.element("figcaption", caption).close();
}

void SeenLabels::add(const LabelMap& labels) {
  for (std::uint16_t label : labels.labels()) {
    if (label < classes.size()) classes[label] = true;
    ignored = ignored || label == kIgnoreLabel;
  }
}

void write_legend_entry(HtmlWriter& html, Rgb colour, const std::string& name) {
  html.open("span");
  write_swatch(html, colour);
  html.text(name).close();
}

void write_legend_entries(HtmlWriter& html, const SeenLabels& seen,
                          std::span<const ClassInfo> classes, const Palette& palette) {
  for (std::size_t k = 0; k < classes.size(); ++k) {
    if (seen.classes[k]) write_legend_entry(html, classes[k].colour, classes[k].name);
  }
  if (seen.ignored) write_legend_entry(html, palette.ignore, "ignored in truth");
}

}  // namespace segmentum
