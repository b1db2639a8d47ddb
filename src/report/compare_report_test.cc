#include "report/compare_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segmentum {
namespace {

using testing::AllOf;
using testing::HasSubstr;

EvaluationFile result(const std::string& path, const PictureCounts& one, const PictureCounts& two) {
  return {.path = path,
          .model = {},
          .data = {},
          .split = {},
          .classes = {"<sky>"},
          .names = {"one", "two & more"},
          .counts = {one, two}};
}

/// IoU of the split: 15/20 and 19/20.
Comparison small_comparison() {
  return compare(result("a.json", {{10, 10, 10}}, {{10, 5, 5}}),
                 result("b.json", {{10, 10, 10}}, {{10, 9, 9}}), {.permutations = 20});
}

TEST(CompareReport, SaysWhichIsBetterAndWhere) {
  const Comparison comparison = small_comparison();
  const std::string html = compare_report_html({.title = "A and B", .comparison = comparison});
  EXPECT_THAT(html, AllOf(HasSubstr("<b>75.00<small>%"), HasSubstr("<b>95.00<small>%"),
                          HasSubstr("<b>+20.00<small>points"), HasSubstr("two &amp; more"),
                          HasSubstr("&lt;sky&gt;"), HasSubstr("+40.00")));
  EXPECT_LT(html.rfind("two &amp; more"), html.rfind(">one<"));  // the most changed first
}

TEST(CompareReport, ShowsPictures) {
  LabelMap truth(2, 2), wrong(2, 2, 1);
  const ReportPicture of_a{.name = "two & more",
                           .picture = Image(2, 2, 3),
                           .prediction = wrong,
                           .truth = truth,
                           .score = 0.5};
  const std::string html =
      compare_report_html({.title = "t",
                           .comparison = small_comparison(),
                           .classes = {{"<sky>", {1, 2, 3}}, {"road", {4, 5, 6}}},
                           .changed = {{.a = of_a, .prediction_b = truth, .score_b = 0.9}}});
  EXPECT_THAT(html, AllOf(HasSubstr("mean IoU 50.00 → 90.00 %"), HasSubstr("only B is right"),
                          HasSubstr("difference</figcaption>")));
}

TEST(CompareReport, MostChangedOfEqualsTheFirst) {
  EXPECT_THAT(most_changed({{"a", 0.5, 0.6}, {"b", 0.9, 0.5}, {"c", 0.1, 0.1}, {"d", 0.25, 0.25}}),
              testing::ElementsAre(1, 0, 2, 3));
}

TEST(CompareReport, Verdicts) {
  PairedTest test{.mean_iou = 0.02, .p_value = 0.01};
  EXPECT_THAT(verdict(test), AllOf(HasSubstr("B is better by 2.00 points"),
                                   HasSubstr("more than chance"), HasSubstr("in 1 of 100")));
  test = {.mean_iou = -0.01, .p_value = 0.4};
  EXPECT_THAT(verdict(test), AllOf(HasSubstr("A is better by 1.00"), HasSubstr("may be chance")));
  EXPECT_THAT(verdict({}), HasSubstr("the same mean IoU"));
}

}  // namespace
}  // namespace segmentum
