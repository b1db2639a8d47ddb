// Pictures and label maps on a page, side by side, and what their colours mean.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "report/html.h"
#include "segmentum/classes.h"
#include "segmentum/image.h"

namespace segmentum {

/// A picture of u8 grey or RGB, or the colours of labels, inside the page.
std::string jpeg_uri(const Image& picture);
std::string label_uri(const LabelMap& labels, const Palette& palette);

/// One of several pictures of `name`, with a caption below; narrow ones are enlarged as squares.
void write_panel(HtmlWriter& html, const std::string& name, const std::string& caption,
                 const std::string& uri, int width, int height);

/// Which labels occur.
struct SeenLabels {
  explicit SeenLabels(std::size_t count) : classes(count) {}
  void add(const LabelMap& labels);

  std::vector<bool> classes;
  bool ignored = false;
};

/// A swatch with its name, for a legend.
void write_legend_entry(HtmlWriter& html, Rgb colour, const std::string& name);

/// The entries of the classes that occur, and of ignored pixels.
void write_legend_entries(HtmlWriter& html, const SeenLabels& seen,
                          std::span<const ClassInfo> classes, const Palette& palette);

}  // namespace segmentum
