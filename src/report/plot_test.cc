#include "report/plot.h"

#include <gmock/gmock.h>

#include <limits>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pointwise;

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

TEST(RoundTicks, OneTwoOrFiveTimesAPowerOfTen) {
  EXPECT_THAT(round_ticks(0, 1, 5), Pointwise(DoubleEq(), {0.0, 0.2, 0.4, 0.6, 0.8, 1.0}));
  EXPECT_THAT(round_ticks(0, 10000, 5), ElementsAre(0, 2000, 4000, 6000, 8000, 10000));
  EXPECT_THAT(round_ticks(0.13, 0.48, 5), Pointwise(DoubleEq(), {0.2, 0.3, 0.4}));
  EXPECT_THAT(round_ticks(-3, 4, 5), ElementsAre(-2, 0, 2, 4));
  EXPECT_THAT(round_ticks(3, 17, 5), ElementsAre(5, 10, 15));
  EXPECT_THAT(round_ticks(2, 2, 5), ElementsAre());
}

TEST(TickText, IsShort) {
  EXPECT_EQ(tick_text(0), "0");
  EXPECT_EQ(tick_text(0.1 + 0.2), "0.3");
  EXPECT_EQ(tick_text(-250), "-250");
  EXPECT_EQ(tick_text(1500), "1.5k");
  EXPECT_EQ(tick_text(12e6), "12M");
  EXPECT_EQ(tick_text(2e-5), "2e-05");
}

// d = 1/2: (4 + 4 + 1/4) / 1.75, (2 + 8 + 1/2) / 2, (1 + 4 + 1) / 1.75.
TEST(Smoothed, IsAMeanOverBothSides) {
  EXPECT_THAT(smoothed(std::vector{4.0, 8.0, 1.0}, 2),
              Pointwise(DoubleEq(), {8.25 / 1.75, 5.25, 6 / 1.75}));
  EXPECT_THAT(smoothed(std::vector{4.0, 8.0}, 1), ElementsAre(4, 8));
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(smoothed(std::vector{4.0, kNaN, 4.0}, 2),
              ElementsAre(DoubleEq(4), testing::IsNan(), DoubleEq(4)));
}

// The frame of a 168x150 plot is x 54..154 and y 10..110 from the top: 100 pixels each way.
Plot hundred_pixels() {
  return {.title = "t", .x_label = "step", .y_low = 0, .y_high = 1, .width = 168, .height = 150};
}

TEST(Plot, PutsNumbersWhereTheyBelong) {
  Plot plot = hundred_pixels();
  plot.curves = {{.name = "loss", .x = {0, 25, 200}, .y = {0, 0.75, 1}}};
  EXPECT_THAT(plot_html(plot), HasSubstr("M54.0 110.0L66.5 35.0L154.0 10.0\""));
}

TEST(Plot, LogarithmicAxis) {
  Plot plot = hundred_pixels();
  plot.logarithmic = true;
  plot.y_low = 0.01;
  plot.y_high = 100;
  plot.curves = {{.name = "loss", .x = {0, 1, 2}, .y = {0.01, 1, 0}}};
  const std::string html = plot_html(plot);
  EXPECT_THAT(html, HasSubstr("d=\"M54.0 110.0L104.0 60.0\""));
  for (const char* tick : {">0.01<", ">0.1<", ">1<", ">10<", ">100<"}) {
    EXPECT_THAT(html, HasSubstr(tick));
  }
}

TEST(Plot, GapsWhereNumbersAreMissing) {
  Plot plot = hundred_pixels();
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  plot.curves = {{.name = "iou", .x = {0, 1, 2, 3, 4}, .y = {0, 1, kNaN, 0, 1}}};
  EXPECT_THAT(plot_html(plot), HasSubstr("d=\"M54.0 110.0L79.0 10.0M129.0 110.0L154.0 10.0\""));
}

TEST(Plot, ManyPointsAreThinnedAndKeepTheirExtremes) {
  Plot plot = hundred_pixels();
  PlotCurve curve{.name = "loss"};
  for (int i = 0; i < 100000; ++i) {
    curve.x.push_back(i);
    curve.y.push_back(i == 50000 ? 1.0 : i % 2 == 0 ? 0.25 : 0.5);
  }
  plot.curves = {curve};
  const std::string html = plot_html(plot);
  EXPECT_THAT(html, HasSubstr("L104.0 10.0L"));
  EXPECT_LE(count(html, "L"), kPlotPoints);
  EXPECT_GE(count(html, "L"), kPlotPoints / 2);
}

TEST(Plot, LegendMarksAndEscapes) {
  Plot plot = hundred_pixels();
  plot.title = "a<b";
  plot.curves = {{.name = "road & sky", .x = {0, 1}, .y = {0, 1}, .colour = Rgb{1, 2, 3}},
                 {.name = "", .x = {0, 1}, .y = {1, 0}, .faint = true}};
  plot.marks = {{.x = 1, .y = 1, .text = "<best>"}};
  const std::string html = plot_html(plot);
  EXPECT_THAT(html, HasSubstr("<h3>a&lt;b</h3>"));
  EXPECT_THAT(html, HasSubstr("style=\"--curve:rgb(1,2,3)\"><i></i>road &amp; sky</span>"));
  EXPECT_EQ(count(html, "<i></i>"), 1u);
  EXPECT_THAT(html, HasSubstr("cx=\"154.0\" cy=\"10.0\" r=\"5\""));
  EXPECT_THAT(html, HasSubstr("&lt;best&gt;"));
  EXPECT_THAT(html, HasSubstr("class=\"curve c1 faint\""));
}

TEST(Plot, NothingAndOneValueCanBeDrawn) {
  Plot plot = hundred_pixels();
  EXPECT_THAT(plot_html(plot), Not(HasSubstr("nan")));
  plot.y_low = plot.y_high = {};
  plot.curves = {{.name = "lr", .x = {5}, .y = {0.1}, .points = true}};
  const std::string html = plot_html(plot);
  EXPECT_THAT(html, HasSubstr("cx=\"104.0\" cy=\"60.0\""));
  EXPECT_THAT(html, Not(HasSubstr("nan")));
}

TEST(Plot, RefusesCurvesOfUnequalLengths) {
  Plot plot = hundred_pixels();
  plot.curves = {{.name = "loss", .x = {0, 1}, .y = {0}}};
  EXPECT_THAT(
      [&] { plot_html(plot); },
      testing::ThrowsMessage<Error>("curve \"loss\" has 2 x and 1 y; expected as many of both"));
}

}  // namespace
}  // namespace segmentum
