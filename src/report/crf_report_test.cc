#include "report/crf_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr int kHeight = 6, kWidth = 10, kEdge = 5;

/// Dark and bright halves; truth follows the edge, probabilities are two pixels off.
CrfReport small_report() {
  CrfReport report{.title = "CRF on <a>",
                   .settings = {.iterations = 7, .bilateral_sigma_px = 10},
                   .classes = {{"dark & deep", {10, 20, 30}}, {"bright", {250, 250, 210}}},
                   .picture_name = "a.png",
                   .picture = Image(kHeight, kWidth, 1),
                   .truth = LabelMap(kHeight, kWidth)};
  for (int y = 0; y < kHeight; ++y) {
    for (int x = kEdge; x < kWidth; ++x) {
      report.picture.row<std::uint8_t>(y)[x] = 200;
      report.truth(y, x) = 1;
    }
  }
  return report;
}

DenseCrf small_crf(const CrfReport& report) {
  Probabilities probabilities(2, kHeight, kWidth);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      probabilities.row(1, y)[x] = x < kEdge + 2 ? 0.3f : 0.7f;
      probabilities.row(0, y)[x] = 1 - probabilities.row(1, y)[x];
    }
  }
  return make_crf(report.picture, probabilities, report.settings);
}

TEST(CrfReport, LooksAtRoundNumbersOfIterationsAndTheLast) {
  DenseCrf crf = small_crf(small_report());
  const CrfCourse course = follow(crf, 7);
  std::vector<int> at;
  for (const auto& labels : course.labels) at.push_back(labels.iterations);
  EXPECT_THAT(at, ElementsAre(0, 1, 2, 5, 7));
  EXPECT_EQ(course.free_energy.size(), 8u);
  EXPECT_EQ(course.change.size(), 7u);
  EXPECT_LT(course.free_energy.back(), course.free_energy.front());
  EXPECT_EQ(course.labels[0].map(0, kEdge), 0);  // as the probabilities have it
  EXPECT_EQ(course.labels[4].map(0, kEdge), 1);
  EXPECT_EQ(course.labels[4].map, crf.most_likely());
  EXPECT_EQ(follow(crf, 0).labels.size(), 1u);
}

TEST(CrfReport, ThePage) {
  CrfReport report = small_report();
  DenseCrf crf = small_crf(report);
  report.course = follow(crf, 7);
  std::string html = crf_report_html(report);
  // Before: of 30 + 30 pixels 12 of the bright half are wrong: IoU 30/42 and 18/30.
  EXPECT_THAT(
      html, AllOf(HasSubstr("CRF on &lt;a&gt;"), HasSubstr("dark &amp; deep"),
                  HasSubstr("before · mean IoU 65.71 %"),
                  HasSubstr("after 7 iterations · mean IoU 100.00 %"), HasSubstr("Free energy"),
                  Not(HasSubstr("Near borders")), Not(HasSubstr("Search")), HasSubstr("</html>")));
  report.trimaps = CrfTrimaps{"3 pictures", TrimapCounts(2), TrimapCounts(2)};
  report.trimaps->before.add(report.course.labels.front().map, report.truth);
  report.trimaps->after.add(report.course.labels.back().map, report.truth);
  report.search = CrfSearch{.before = {.mean_iou = 0.5},
                            .trials = {{{.iterations = 3}, {.mean_iou = 0.25}},
                                       {{.iterations = 4}, {.mean_iou = 0.75, .boundary_f = 1}}}};
  html = crf_report_html(report);
  EXPECT_THAT(html, AllOf(HasSubstr("before, 3 pictures"), HasSubstr("Search: 2 settings"),
                          HasSubstr("has a higher mean IoU than no CRF; it comes first")));
  EXPECT_LT(html.find("75.00"), html.find("25.00"));  // the best comes first
  report.search->before.mean_iou = 0.8;
  EXPECT_THAT(crf_report_html(report), HasSubstr("No setting has a higher mean IoU"));
}

TEST(CrfReport, WithoutTruthThereAreNoScores) {
  CrfReport report = small_report();
  DenseCrf crf = small_crf(report);
  report.course = follow(crf, 1);
  report.truth = {};
  EXPECT_THAT(crf_report_html(report),
              AllOf(HasSubstr("after 1 iteration"), Not(HasSubstr("mean IoU"))));
  report.truth = LabelMap(1, 1);
  EXPECT_THROW(crf_report_html(report), Error);
}

}  // namespace
}  // namespace segmentum
