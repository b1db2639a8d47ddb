#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "image/codec.h"
#include "report/sections.h"

namespace segmentum {
namespace {

constexpr int kTableClasses = 32;  // more are drawn as a picture: nobody reads thousands of cells
constexpr std::size_t kMistakes = 10;

/// The counts with the part of its row that each is.
struct RowShares {
  explicit RowShares(const ConfusionMatrix& counts) : matrix(counts) {
    for (int truth = 0; truth < counts.classes(); ++truth) {
      std::int64_t sum = 0;
      for (int k = 0; k < counts.classes(); ++k) sum += counts(truth, k);
      row_sums.push_back(sum);
    }
  }
  bool present(int truth) const { return row_sums[static_cast<std::size_t>(truth)] > 0; }
  double operator()(int truth, int prediction) const {
    return static_cast<double>(matrix(truth, prediction)) /
           static_cast<double>(row_sums[static_cast<std::size_t>(truth)]);
  }

  const ConfusionMatrix& matrix;
  std::vector<std::int64_t> row_sums;
};

/// How strongly a cell is coloured, 0..1; the root makes mistakes of a few percent visible.
double strength(double share, bool right) {
  return right ? 0.85 * share : 0.9 * std::sqrt(share);
}

std::string cell_text(double share) {
  if (share <= 0) return "";
  return share < 0.005 ? "·" : fmt::format("{:.0f}", 100 * share);
}

void write_cell(HtmlWriter& html, const RowShares& shares, int truth, int prediction,
                std::span<const ClassInfo> classes) {
  if (!shares.present(truth)) {
    html.element("td", "–", {{"class", "none"}});
    return;
  }
  const double share = shares(truth, prediction);
  if (share <= 0) {
    html.element("td", "");
    return;
  }
  const bool right = truth == prediction;
  const double ink = strength(share, right);
  const std::string about = fmt::format("{} predicted as {}: {} pixels, {:.2f} %",
                                        classes[static_cast<std::size_t>(truth)].name,
                                        classes[static_cast<std::size_t>(prediction)].name,
                                        grouped(shares.matrix(truth, prediction)), 100 * share);
  html.element("td", cell_text(share),
               {{"class", std::string(right ? "right" : "wrong") + (ink > 0.55 ? " strong" : "")},
                {"style", fmt::format("--heat:{:.2f}", ink)},
                {"title", about}});
}

void write_table(HtmlWriter& html, const RowShares& shares, std::span<const ClassInfo> classes) {
  html.open("div", {{"class", "wide"}}).open("table", {{"class", "confusion"}});
  html.open("thead").open("tr").element("th", "true ↓  predicted →", {{"class", "corner"}});
  for (const ClassInfo& info : classes) {
    html.open("th", {{"scope", "col"}}).open("span").text(info.name).close();
    write_swatch(html, info.colour);
    html.close();
  }
  html.close().close().open("tbody");
  for (int truth = 0; truth < shares.matrix.classes(); ++truth) {
    const ClassInfo& info = classes[static_cast<std::size_t>(truth)];
    html.open("tr").open("th", {{"scope", "row"}}).text(info.name);
    write_swatch(html, info.colour);
    html.close();
    for (int k = 0; k < shares.matrix.classes(); ++k) write_cell(html, shares, truth, k, classes);
    html.close();
  }
  html.close().close().close();
}

/// One pixel for each cell, in the colours of the table.
void write_picture(HtmlWriter& html, const RowShares& shares) {
  const int classes = shares.matrix.classes();
  Image cells(classes, classes, 4);
  for (int truth = 0; truth < classes; ++truth) {
    auto* pixel = cells.row<std::uint8_t>(truth);
    for (int k = 0; k < classes; ++k, pixel += 4) {
      const bool right = truth == k;
      const double ink = shares.present(truth) ? strength(shares(truth, k), right) : 0;
      const Rgb colour = right ? Rgb{37, 99, 235} : Rgb{217, 83, 25};
      pixel[0] = colour.r;
      pixel[1] = colour.g;
      pixel[2] = colour.b;
      pixel[3] = static_cast<std::uint8_t>(255 * ink + 0.5);
    }
  }
  html.empty("img", {{"class", "matrix"},
                     {"alt", "confusion matrix: rows are true classes, columns predicted ones"},
                     {"src", data_uri("image/png", encode_png(cells))}});
}

struct Mistake {
  int truth = 0;
  int prediction = 0;
  std::int64_t pixels = 0;
};

std::vector<Mistake> commonest_mistakes(const ConfusionMatrix& matrix) {
  std::vector<Mistake> mistakes;
  for (int truth = 0; truth < matrix.classes(); ++truth) {
    for (int k = 0; k < matrix.classes(); ++k) {
      if (truth != k && matrix(truth, k) > 0) mistakes.push_back({truth, k, matrix(truth, k)});
    }
  }
  std::ranges::stable_sort(mistakes, std::ranges::greater(), &Mistake::pixels);
  mistakes.resize(std::min(mistakes.size(), kMistakes));
  return mistakes;
}

void write_mistakes(HtmlWriter& html, const RowShares& shares, std::span<const ClassInfo> classes) {
  const std::vector<Mistake> mistakes = commonest_mistakes(shares.matrix);
  std::int64_t wrong = 0;
  for (int k = 0; k < shares.matrix.classes(); ++k) {
    wrong += shares.row_sums[static_cast<std::size_t>(k)] - shares.matrix(k, k);
  }
  if (mistakes.empty() || shares.matrix.classes() < 3) return;
  html.element("h3", "Commonest mistakes").open("ol", {{"class", "mistakes"}});
  for (const Mistake& mistake : mistakes) {
    const ClassInfo& truth = classes[static_cast<std::size_t>(mistake.truth)];
    const ClassInfo& taken = classes[static_cast<std::size_t>(mistake.prediction)];
    html.open("li");
    write_swatch(html, truth.colour);
    html.text(truth.name + " taken for ");
    write_swatch(html, taken.colour);
    html.text(fmt::format("{}: {:.1f} % of {}, {:.1f} % of all errors", taken.name,
                          100 * shares(mistake.truth, mistake.prediction), truth.name,
                          100 * static_cast<double>(mistake.pixels) / static_cast<double>(wrong)));
    html.close();
  }
  html.close();
}

}  // namespace

void write_confusion(HtmlWriter& html, const ConfusionMatrix& matrix,
                     std::span<const ClassInfo> classes) {
  const RowShares shares(matrix);
  html.open("section", {{"id", "confusion"}}).element("h2", "Confusion matrix");
  html.element("p",
               "Of the true pixels of each row's class, how many percent were predicted as each "
               "column's class. Blue: right. Orange: wrong. A dot: less than half a percent.",
               {{"class", "note"}});
  if (matrix.classes() <= kTableClasses) {
    write_table(html, shares, classes);
  } else {
    write_picture(html, shares);
  }
  write_mistakes(html, shares, classes);
  html.close();
}

}  // namespace segmentum
