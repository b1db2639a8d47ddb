#include "metrics/score_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "metrics/detail_table.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

const std::vector<ClassInfo> kClasses = {{"road", {}}, {"Fußweg", {}}, {"sky, far", {}}};

// road: 3 of 4 right; Fußweg: takes road's fourth; sky: absent.
Scores example() {
  ConfusionMatrix matrix(3);
  matrix.add(0, 0, 3);
  matrix.add(0, 1, 1);
  matrix.add(1, 1, 4);
  return scores(matrix);
}

TEST(ScoreTable, AlignsAndDashesWhatIsAbsent) {
  EXPECT_EQ(score_table(example(), kClasses),
            "class, in %               pixels       IoU      Dice  accuracy precision\n"
            "road                       50.00     75.00     85.71     75.00    100.00\n"
            "Fußweg                     50.00     80.00     88.89    100.00     80.00\n"
            "sky, far                       –         –         –         –         –\n"
            "\n"
            "mean IoU                   77.50\n"
            "mean Dice                  87.30\n"
            "mean accuracy              87.50\n"
            "pixel accuracy             87.50\n"
            "frequency-weighted IoU     77.50\n");
}

TEST(ScoreJson, HoldsTheNumbersAndNulls) {
  const auto json = nlohmann::json::parse(score_json(example(), kClasses));
  EXPECT_EQ(json["pixels"], 8);
  EXPECT_DOUBLE_EQ(json["mean_iou"], 0.775);
  EXPECT_EQ(json["classes"][1]["name"], "Fußweg");
  EXPECT_EQ(json["classes"][1]["iou"], 0.8);
  EXPECT_TRUE(json["classes"][2]["iou"].is_null());
}

/// One row of road (0) and Fußweg (1); the prediction's border lies one pixel further right.
constexpr int kWidth = 6;
void fill_row(LabelMap& labels, int first_of_one) {
  for (int x = 0; x < kWidth; ++x) labels(0, x) = x >= first_of_one ? 1 : 0;
}

TEST(BoundaryTable, MeanAndTolerance) {
  LabelMap truth(1, kWidth), prediction(1, kWidth);
  fill_row(truth, 3);
  fill_row(prediction, 4);
  BoundaryCounts counts(3, BoundaryTolerance::pixels(1));
  counts.add(prediction, truth);
  EXPECT_EQ(boundary_table(counts, kClasses),
            "borders, in %                  F precision    recall  F of pictures\n"
            "road                      100.00    100.00    100.00         100.00\n"
            "Fußweg                    100.00    100.00    100.00         100.00\n"
            "sky, far                       –         –         –              –\n"
            "\n"
            "mean boundary F           100.00  within 1 px\n"
            "mean of pictures (BF)     100.00\n");
  const auto json = nlohmann::json::parse(boundary_json(counts, kClasses));
  EXPECT_EQ(json["tolerance"], "1 px");
  EXPECT_EQ(json["mean_f"], 1);
  EXPECT_EQ(json["mean_f_of_pictures"], 1);
  EXPECT_FALSE(json.contains("intervals"));
  EXPECT_EQ(json["classes"][1]["truth_border_pixels"], 1);
  EXPECT_TRUE(json["classes"][2]["f"].is_null());
  EXPECT_THROW(boundary_table(BoundaryCounts(2), kClasses), Error);
}

TEST(BoundaryTable, Intervals) {
  LabelMap truth(1, kWidth);
  fill_row(truth, 3);
  BoundaryCounts counts(3, BoundaryTolerance::pixels(1));
  counts.add(truth, truth);
  const BoundaryIntervals intervals{.mean_f = ScoreInterval{0.5, 1},
                                    .mean_f_of_pictures = ScoreInterval{0.25, 1},
                                    .f = {ScoreInterval{0.125, 1}, {}, {}},
                                    .f_of_pictures = {ScoreInterval{0, 1}, {}, {}}};
  EXPECT_THAT(
      boundary_table(counts, kClasses, &intervals),
      testing::AllOf(
          testing::HasSubstr("         100.00  [12.50, 100.00]  [0.00, 100.00]\nFußweg"),
          testing::HasSubstr("mean boundary F           100.00  [50.00, 100.00]  within 1 px\n"),
          testing::HasSubstr("mean of pictures (BF)     100.00  [25.00, 100.00]\n")));
  const auto json = nlohmann::json::parse(boundary_json(counts, kClasses, &intervals));
  EXPECT_EQ(json["intervals"]["mean_f_of_pictures"][0], 0.25);
  EXPECT_EQ(json["classes"][0]["intervals"]["f"][0], 0.125);
  EXPECT_TRUE(json["classes"][2]["intervals"]["f"].is_null());
}

TEST(TrimapTable, SomeWidthsAsTextAllAsJson) {
  LabelMap truth(1, kWidth), prediction(1, kWidth);
  fill_row(truth, 3);
  fill_row(prediction, 4);
  TrimapCounts counts(3, 6);
  counts.add(prediction, truth);
  // Widths 1, 2 and 3 hold 2, 4 and 6 pixels, one of them wrong.
  EXPECT_EQ(trimap_table(counts),
            "band around borders  pixel accuracy        mean IoU\n"
            "               1 px           50.00           25.00\n"
            "               2 px           75.00           58.33\n"
            "               3 px           83.33           70.83\n"
            "               4 px           83.33           70.83\n"
            "               5 px           83.33           70.83\n");
  const auto json = nlohmann::json::parse(trimap_json(counts));
  ASSERT_EQ(json.size(), 6u);
  EXPECT_EQ(json[5]["width_px"], 6);
  EXPECT_EQ(json[1]["pixels"], 4);
  EXPECT_DOUBLE_EQ(json[1]["pixel_accuracy"], 0.75);
}

TEST(TrimapTable, Intervals) {
  LabelMap truth(1, kWidth);
  fill_row(truth, 3);
  TrimapCounts counts(3, 1);
  counts.add(truth, truth);
  const TrimapIntervals intervals{{ScoreInterval{0.5, 1}}, {ScoreInterval{0.25, 1}}};
  EXPECT_EQ(
      trimap_table(counts, &intervals),
      "band around borders  pixel accuracy        mean IoU  intervals of both\n"
      "               1 px          100.00          100.00  [50.00, 100.00]  [25.00, 100.00]\n");
  const auto json = nlohmann::json::parse(trimap_json(counts, &intervals));
  EXPECT_EQ(json[0]["intervals"]["mean_iou"][0], 0.25);
}

TEST(CalibrationTable, Intervals) {
  Probabilities certain(2, 1, kWidth);
  for (float& p : certain.values()) p = 1;
  CalibrationCounts counts(1);
  counts.add(certain, LabelMap(1, kWidth, 0), LabelMap(1, kWidth, 0));
  const CalibrationIntervals intervals{ScoreInterval{0, 0.125}, ScoreInterval{0, 0.25}};
  EXPECT_THAT(calibration_table(counts, &intervals),
              testing::HasSubstr("(ECE) 0.00 [0.00, 12.50], largest (MCE) 0.00 [0.00, 25.00]; "));
  EXPECT_THAT(calibration_table(counts), testing::HasSubstr("(ECE) 0.00, largest (MCE) 0.00; "));
  const auto json = nlohmann::json::parse(calibration_json(counts, &intervals));
  EXPECT_EQ(json["intervals"]["ece"][1], 0.125);
  EXPECT_FALSE(nlohmann::json::parse(calibration_json(counts)).contains("intervals"));
}

TEST(ScoreCsv, OneLineForEachPicture) {
  EXPECT_EQ(score_csv_header(kClasses),
            "image,pixels,pixel_accuracy,mean_iou,iou road,iou Fußweg,\"iou sky, far\"\n");
  EXPECT_EQ(score_csv_row("a \"b\".png", example()),
            "\"a \"\"b\"\".png\",8,0.875000,0.775000,0.750000,0.800000,\n");
  EXPECT_EQ(score_csv_row("void.png", scores(ConfusionMatrix(2))), "void.png,0,,,,\n");
}

TEST(ScoreTable, NeedsANameForEachClass) {
  EXPECT_THAT([] { score_table(scores(ConfusionMatrix(2)), kClasses); },
              testing::Throws<Error>(testing::Property(
                  &Error::what, testing::HasSubstr("scores of 2 classes but 3 class names"))));
}

}  // namespace
}  // namespace segmentum
