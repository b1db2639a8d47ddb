#include <array>

#include "report/plot.h"
#include "report/sections.h"

namespace segmentum {
namespace {

Plot trimap_plot(const char* title, double TrimapPoint::*score,
                 std::span<const std::pair<std::string, const TrimapCounts*>> named) {
  Plot plot{.title = title, .x_label = "width of the band in pixels", .x_low = 0};
  for (const auto& [name, counts] : named) {
    PlotCurve curve{.name = name, .points = true};
    for (const TrimapPoint& point : trimap_curve(*counts)) {
      if (point.pixels == 0) continue;
      curve.x.push_back(point.width_px);
      curve.y.push_back(100 * point.*score);
    }
    plot.curves.push_back(std::move(curve));
  }
  return plot;
}

}  // namespace

void write_trimaps(HtmlWriter& html,
                   std::span<const std::pair<std::string, const TrimapCounts*>> named) {
  html.element("h3", "Near borders").open("div", {{"class", "plots"}});
  html.raw(plot_html(trimap_plot("Mean IoU within a band, %", &TrimapPoint::mean_iou, named)));
  html.raw(plot_html(
      trimap_plot("Pixel accuracy within a band, %", &TrimapPoint::pixel_accuracy, named)));
  html.close();
  html.element("p",
               "Counted are the labelled pixels that lie less than the band's width from a pixel "
               "that touches a true border. The outlines of ignored regions are borders here.",
               {{"class", "note"}});
}

}  // namespace segmentum
