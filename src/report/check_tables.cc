#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/counted.h"
#include "data/check/advice.h"
#include "report/check_report.h"
#include "report/sections.h"

namespace segmentum {
namespace {

std::string share_text(std::int64_t part, std::int64_t all) {
  if (part == 0 || all == 0) return "–";
  const double share = 100.0 * static_cast<double>(part) / static_cast<double>(all);
  return share < 0.01 ? "<0.01 %" : fmt::format("{:.2f} %", share);
}

void write_share(HtmlWriter& html, std::int64_t part, std::int64_t all) {
  const double share = all > 0 ? static_cast<double>(part) / static_cast<double>(all) : 0;
  html.element("td", share_text(part, all),
               {{"class", "bar"}, {"style", fmt::format("--part:{:.4f}", share)}});
}

/// The classes to show, commonest first where there are too many.
std::vector<std::size_t> shown_classes(const CheckResult& result) {
  constexpr std::size_t kMost = 40;
  const auto classes = static_cast<std::size_t>(result.checkup.dataset.class_count());
  std::vector<std::size_t> shown(classes);
  std::iota(shown.begin(), shown.end(), std::size_t{0});
  const auto pictures = [&](std::size_t k) { return result.together[k * classes + k]; };
  std::erase_if(shown, [&](std::size_t k) { return pictures(k) == 0; });
  if (shown.size() <= kMost) return shown;
  std::ranges::stable_sort(shown, std::ranges::greater(), pictures);
  shown.resize(kMost);
  std::ranges::sort(shown);
  return shown;
}

}  // namespace

void write_class_shares(HtmlWriter& html, const CheckResult& result) {
  const auto& classes = result.checkup.dataset.classes;
  if (classes.empty() || result.splits.empty()) return;
  html.open("section", {{"id", "classes"}}).element("h2", "Classes");
  html.element("p",
               "Of the labelled pixels of each split, and in how many of its pictures the class "
               "occurs. Ignored pixels count nowhere.",
               {{"class", "note"}});
  html.open("div", {{"class", "wide"}}).open("table", {{"class", "classes"}});
  html.open("thead").open("tr").element("th", "class");
  for (const SplitStatistics& split : result.splits) {
    html.element("th", split.name).element("th", "of " + counted(split.counted, "picture"));
  }
  html.close().close().open("tbody");
  for (std::size_t k = 0; k < classes.size(); ++k) {
    html.open("tr").open("th");
    write_swatch(html, classes[k].colour);
    html.text(classes[k].name).close();
    for (const SplitStatistics& split : result.splits) {
      write_share(html, split.class_pixels[k], split.labelled());
      html.element("td", fmt::format("{}", split.class_pictures[k]), {{"class", "pixels"}});
    }
    html.close();
  }
  html.open("tr").element("th", "ignored");
  for (const SplitStatistics& split : result.splits) {
    html.element("td", share_text(split.ignored, split.labelled() + split.ignored) + " of all");
    html.element("td", "");
  }
  html.close().close().close().close().close();
}

void write_advice(HtmlWriter& html, const CheckResult& result) {
  const std::vector<Advice> advice = imbalance_advice(result);
  if (advice.empty()) return;
  html.open("section", {{"id", "advice"}}).element("h2", "Rare classes: what may help in training");
  html.open("dl");
  for (const Advice& each : advice) {
    html.element("dt", "--set " + each.settings).element("dd", each.why);
  }
  html.close().close();
}

void write_co_occurrence(HtmlWriter& html, const CheckResult& result) {
  const auto& classes = result.checkup.dataset.classes;
  if (classes.size() < 3) return;  // of two, the table above says it
  const std::vector<std::size_t> shown = shown_classes(result);
  if (shown.size() < 2) return;
  html.open("section", {{"id", "together"}}).element("h2", "Classes that occur together");
  html.element("p",
               "Of the pictures that show the class of a row, the percentage that shows the class "
               "of a column. A class that never occurs without another is hard to tell from it.",
               {{"class", "note"}});
  html.open("div", {{"class", "wide"}}).open("table", {{"class", "confusion"}});
  html.open("thead").open("tr").element("th", "shows ↓  also →", {{"class", "corner"}});
  for (const std::size_t k : shown) {
    html.open("th");
    write_swatch(html, classes[k].colour);
    html.element("span", classes[k].name).close();
  }
  html.close().close().open("tbody");
  for (const std::size_t k : shown) {
    const int pictures = result.together[k * classes.size() + k];
    const std::string with = counted(pictures, "picture") + " with " + classes[k].name + ":";
    html.open("tr").open("th").text(classes[k].name);
    write_swatch(html, classes[k].colour);
    html.close();
    for (const std::size_t j : shown) {
      const int both = result.together[k * classes.size() + j];
      const double share = static_cast<double>(both) / pictures;
      html.element("td", both == 0 ? "" : fmt::format("{:.0f}", 100 * share),
                   {{"class", share > 0.6 ? "right strong" : "right"},
                    {"style", fmt::format("--heat:{:.2f}", 0.85 * share)},
                    {"title", fmt::format("{} of {} {} too", both, with, classes[j].name)}});
    }
    html.close();
  }
  html.close().close().close().close();
}

}  // namespace segmentum
