// Curves as inline SVG: axes with round numbers, a legend, and colours that follow the page.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "segmentum/image.h"

namespace segmentum {

/// One curve. Values that are not finite leave a gap.
struct PlotCurve {
  std::string name;           // in the legend; empty: not shown there
  std::vector<double> x;      // ascending
  std::vector<double> y;      // as many
  std::optional<Rgb> colour;  // none: the page's own, by how many named curves come before
  bool faint = false;         // pale: the data of a smoothed curve
  bool points = false;        // a dot at each value
};

/// A point worth a name, such as the best score.
struct PlotMark {
  double x = 0;
  double y = 0;
  std::string text;
};

struct Plot {
  std::string title;
  std::string x_label;
  std::vector<PlotCurve> curves;
  std::vector<PlotMark> marks;
  std::optional<double> x_low;  // left end of the x axis; none: from the data
  std::optional<double> y_low;  // ends of the y axis; none: from the data
  std::optional<double> y_high;
  bool logarithmic = false;  // y axis; values of 0 and below leave a gap
  int width = 560;           // in CSS pixels; the picture scales with its box
  int height = 280;
};

/// The plot as one <figure> of title, inline <svg> and legend; it refers to nothing but classes of
/// the page's style. Curves of many points are drawn with at most `kPlotPoints`, keeping their
/// lowest and highest values. Throws Error if a curve's x and y differ in number.
std::string plot_html(const Plot& plot);

inline constexpr std::size_t kPlotPoints = 600;

/// A curve of the size of a word, without axes: y in [0,1] from bottom to top.
std::string sparkline_html(const PlotCurve& curve, int width = 160, int height = 28);

/// Round numbers in [low, high], 1, 2 or 5 times a power of ten apart: at most `count` + 1 of them,
/// and at least 2 where `count` is 5 or more. Empty unless `low` < `high`.
std::vector<double> round_ticks(double low, double high, int count);

/// A number as short as an axis wants it: 0.25, 1.5k, 12M, 2e-05.
std::string tick_text(double value);

/// The mean over both neighbourhoods with weights that fall exponentially, so that it does not lag:
/// s_i = sum_j d^|i-j| y_j / sum_j d^|i-j| with d = 1 - 1/span. A span of 1 changes nothing. Values
/// that are not finite are passed over. O(n).
std::vector<double> smoothed(std::span<const double> y, double span);

}  // namespace segmentum
