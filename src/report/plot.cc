#include "report/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "report/html.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr int kPageColours = 8;  // classes c0..c7 of the page's style

struct Span {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void include(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  /// A span of nothing or of one value is opened up to one that can be drawn.
  void widen() {
    if (low > high) *this = {0, 1};
    if (low == high) {
      const double room = low == 0 ? 1 : std::abs(low) / 2;
      *this = {low - room, high + room};
    }
  }
};

/// From numbers to pixels of the drawing.
struct Frame {
  Span x, y;  // y in the scale that is drawn: its logarithm on logarithmic plots
  bool logarithmic = false;
  double left = 0, right = 0, top = 0, bottom = 0;

  double scaled(double value) const {
    if (!logarithmic) return value;
    return value > 0 ? std::log10(value) : kNone;
  }
  double pixel_x(double value) const {
    return left + (value - x.low) / (x.high - x.low) * (right - left);
  }
  double pixel_y(double value) const {
    return bottom - (scaled(value) - y.low) / (y.high - y.low) * (bottom - top);
  }
};

Frame frame_of(const Plot& plot) {
  Frame frame{.logarithmic = plot.logarithmic,
              .left = 54,
              .right = plot.width - 14.0,
              .top = 10,
              .bottom = plot.height - 40.0};
  for (const PlotCurve& curve : plot.curves) {
    for (double x : curve.x) frame.x.include(x);
    for (double y : curve.y) frame.y.include(frame.scaled(y));
  }
  if (plot.x_low) frame.x.low = *plot.x_low;
  if (plot.y_low) frame.y.low = frame.scaled(*plot.y_low);
  if (plot.y_high) frame.y.high = frame.scaled(*plot.y_high);
  frame.x.widen();
  frame.y.widen();
  const double room = 0.04 * (frame.y.high - frame.y.low);
  if (!plot.y_low) frame.y.low -= room;
  if (!plot.y_high) frame.y.high += room;
  return frame;
}

/// Values for the ticks of the y axis.
std::vector<double> y_ticks(const Frame& frame) {
  if (!frame.logarithmic) return round_ticks(frame.y.low, frame.y.high, 5);
  std::vector<double> ticks;
  const bool fine = frame.y.high - frame.y.low < 2;  // under two decades: 1, 2, 5
  for (int decade = static_cast<int>(std::floor(frame.y.low)); decade <= frame.y.high; ++decade) {
    for (double digit : {1.0, 2.0, 5.0}) {
      const double value = digit * std::pow(10.0, decade);
      const bool inside = std::log10(value) >= frame.y.low && std::log10(value) <= frame.y.high;
      if (inside && (fine || digit == 1)) ticks.push_back(value);
    }
  }
  return ticks;
}

using Points = std::vector<std::pair<double, double>>;

/// The points to draw, at most `kPlotPoints`: of more, each stretch's lowest and highest value.
Points points_of(const PlotCurve& curve) {
  Points points;
  for (std::size_t i = 0; i < curve.x.size(); ++i) points.emplace_back(curve.x[i], curve.y[i]);
  if (points.size() <= kPlotPoints) return points;
  std::erase_if(points, [](const auto& point) { return !std::isfinite(point.second); });
  constexpr std::size_t kStretches = kPlotPoints / 2;
  Points kept;
  for (std::size_t s = 0; s < kStretches; ++s) {
    const auto begin = points.begin() + static_cast<std::ptrdiff_t>(s * points.size() / kStretches);
    const auto end =
        points.begin() + static_cast<std::ptrdiff_t>((s + 1) * points.size() / kStretches);
    if (begin == end) continue;
    auto [low, high] = std::minmax_element(
        begin, end, [](const auto& a, const auto& b) { return a.second < b.second; });
    if (high < low) std::swap(low, high);
    kept.push_back(*low);
    if (high != low) kept.push_back(*high);
  }
  return kept;
}

std::string colour_style(const PlotCurve& curve) {
  if (!curve.colour) return "";
  return fmt::format(" style=\"--curve:rgb({},{},{})\"", curve.colour->r, curve.colour->g,
                     curve.colour->b);
}

std::string colour_class(const PlotCurve& curve, std::size_t place) {
  return fmt::format("c{}", place % kPageColours) + (curve.faint ? " faint" : "");
}

std::string draw_curve(const Frame& frame, const PlotCurve& curve, std::size_t place) {
  std::string path, dots;
  bool pen_down = false;
  for (const auto& [at, value] : points_of(curve)) {
    const double x = frame.pixel_x(at);
    const double y = frame.pixel_y(value);
    if (!std::isfinite(x) || !std::isfinite(y)) {
      pen_down = false;
      continue;
    }
    path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", x, y);
    if (curve.points) {
      dots += fmt::format(
          "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\"><title>{:.10g}: {:.4g}</title></circle>",
          x, y, at, value);
    }
    pen_down = true;
  }
  return fmt::format("<g class=\"curve {}\"{}><path d=\"{}\"/>{}</g>\n", colour_class(curve, place),
                     colour_style(curve), path, dots);
}

std::string draw_axes(const Plot& plot, const Frame& frame) {
  std::string svg = "<g class=\"grid\">";
  for (double tick : y_ticks(frame)) {
    const double y = frame.pixel_y(tick);
    svg += fmt::format(
        "<path d=\"M{:.1f} {:.1f}H{:.1f}\"/><text x=\"{:.1f}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{}</text>",
        frame.left, y, frame.right, frame.left - 6, y + 4, tick_text(tick));
  }
  for (double tick : round_ticks(frame.x.low, frame.x.high, 6)) {
    const double x = frame.pixel_x(tick);
    svg += fmt::format(
        "<path d=\"M{0:.1f} {1:.1f}v4\"/><text x=\"{0:.1f}\" y=\"{2:.1f}\" "
        "text-anchor=\"middle\">{3}</text>",
        x, frame.bottom, frame.bottom + 16, tick_text(tick));
  }
  svg += fmt::format("<path class=\"axis\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>", frame.left, frame.bottom,
                     frame.right);
  svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"end\">{}</text>", frame.right,
                     plot.height - 8, escape_html(plot.x_label));
  return svg + "</g>\n";
}

std::string draw_marks(const Plot& plot, const Frame& frame) {
  std::string svg;
  for (const PlotMark& mark : plot.marks) {
    const double x = frame.pixel_x(mark.x);
    const double y = frame.pixel_y(mark.y);
    if (!std::isfinite(x) || !std::isfinite(y)) continue;
    const bool at_right = x > (frame.left + frame.right) / 2;
    svg += fmt::format(
        "<g class=\"mark\"><circle cx=\"{0:.1f}\" cy=\"{1:.1f}\" r=\"5\"/>"
        "<text x=\"{2:.1f}\" y=\"{3:.1f}\" text-anchor=\"{4}\">{5}</text></g>\n",
        x, y, x + (at_right ? -8 : 8), std::max(y - 9, frame.top + 8), at_right ? "end" : "start",
        escape_html(mark.text));
  }
  return svg;
}

/// Names and colours under the plot; HTML, because SVG breaks no lines.
std::string legend_of(const Plot& plot) {
  std::string items;
  std::size_t place = 0;
  for (const PlotCurve& curve : plot.curves) {
    if (curve.name.empty()) continue;
    items += fmt::format("<span class=\"{}\"{}><i></i>{}</span>\n", colour_class(curve, place),
                         colour_style(curve), escape_html(curve.name));
    ++place;
  }
  return items.empty() ? "" : "<figcaption>" + items + "</figcaption>\n";
}

void require_pairs(const PlotCurve& curve) {
  if (curve.x.size() == curve.y.size()) return;
  throw Error(fmt::format("curve \"{}\" has {} x and {} y; expected as many of both", curve.name,
                          curve.x.size(), curve.y.size()));
}

}  // namespace

std::string plot_html(const Plot& plot) {
  for (const PlotCurve& curve : plot.curves) require_pairs(curve);
  const Frame frame = frame_of(plot);
  const std::string title = escape_html(plot.title);
  std::string html = fmt::format(
      "<figure class=\"plot\"><h3>{0}</h3>\n"
      "<svg viewBox=\"0 0 {1} {2}\" role=\"img\" aria-label=\"{0}\">\n",
      title, plot.width, plot.height);
  html += draw_axes(plot, frame);
  std::size_t place = 0;
  for (const PlotCurve& curve : plot.curves) {
    html += draw_curve(frame, curve, place);
    place += curve.name.empty() ? 0 : 1;
  }
  return html + draw_marks(plot, frame) + "</svg>\n" + legend_of(plot) + "</figure>\n";
}

std::string sparkline_html(const PlotCurve& curve, int width, int height) {
  require_pairs(curve);
  Frame frame{.y = {0, 1}, .left = 3, .right = width - 3.0, .top = 3, .bottom = height - 3.0};
  for (double x : curve.x) frame.x.include(x);
  frame.x.widen();
  return fmt::format(
             "<svg class=\"sparkline\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
             "role=\"img\" aria-label=\"{2}\">",
             width, height, escape_html(curve.name)) +
         draw_curve(frame, curve, 0) + "</svg>";
}

std::vector<double> round_ticks(double low, double high, int count) {
  if (!(low < high) || count < 1) return {};
  const double least = (high - low) / count;
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  double step = 10 * power;
  for (double digit : {5.0, 2.0, 1.0}) {
    if (digit * power >= least * (1 - 1e-9)) step = digit * power;
  }
  // Ends that miss a tick by rounding alone still get it.
  const auto first = static_cast<std::int64_t>(std::ceil(low / step - 1e-9));
  const auto last = static_cast<std::int64_t>(std::floor(high / step + 1e-9));
  std::vector<double> ticks;
  for (std::int64_t i = first; i <= last; ++i) ticks.push_back(static_cast<double>(i) * step);
  return ticks;
}

std::string tick_text(double value) {
  const double size = std::abs(value);
  if (size >= 1e9 || (size < 1e-3 && size > 0)) return fmt::format("{:.3g}", value);
  if (size >= 1e6) return fmt::format("{:.4g}M", value / 1e6);
  if (size >= 1e3) return fmt::format("{:.4g}k", value / 1e3);
  return fmt::format("{:.4g}", value);
}

std::vector<double> smoothed(std::span<const double> y, double span) {
  const double keep = 1 - 1 / std::max(span, 1.0);
  std::vector<double> result(y.begin(), y.end());
  std::vector<double> weights(y.size());
  double sum = 0, weight = 0;  // over all up to here
  for (std::size_t i = 0; i < y.size(); ++i) {
    sum *= keep;
    weight *= keep;
    if (!std::isfinite(y[i])) continue;
    result[i] = sum += y[i];
    weights[i] = weight += 1;
  }
  sum = weight = 0;  // over all behind
  for (std::size_t i = y.size(); i-- > 0;) {
    sum *= keep;
    weight *= keep;
    if (!std::isfinite(y[i])) continue;
    result[i] = (result[i] + sum) / (weights[i] + weight);
    sum += y[i];
    weight += 1;
  }
  return result;
}

}  // namespace segmentum
