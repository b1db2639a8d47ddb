#include "metrics/score_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

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
