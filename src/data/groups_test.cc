#include "data/groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segmentum {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

std::vector<Sample> pictures(const std::vector<std::string>& paths) {
  std::vector<Sample> samples;
  for (const std::string& path : paths) samples.push_back({.image = path});
  return samples;
}

/// The group of picture `i` as a split is drawn; empty if it is drawn by itself.
std::string group(const std::vector<std::string>& paths, std::size_t i = 0) {
  std::vector<Sample> samples = pictures(paths);
  assign_groups(group_readings(samples), samples);
  return samples[i].group;
}

TEST(Groups, AWordForAPersonBeforeTheSide) {
  std::vector<std::string> eyes;
  for (int patient = 0; patient < 6; ++patient) {
    for (const char* side : {"L", "R"}) {
      eyes.push_back("images/patient0" + std::to_string(patient) + "_" + side + ".png");
    }
  }
  const auto readings = group_readings(pictures(eyes));
  ASSERT_THAT(readings, SizeIs(1));  // the first part of names groups alike
  EXPECT_EQ(readings[0].by, "the word \"patient\"");
  EXPECT_TRUE(readings[0].known_word);
  EXPECT_EQ(readings[0].count, 6u);
  EXPECT_EQ(group(eyes, 0), "patient00");
  EXPECT_EQ(group(eyes, 1), "patient00");
  eyes.emplace_back("images/overview.png");  // one name without switches nothing off
  EXPECT_EQ(group(eyes, 0), "patient00");
  EXPECT_EQ(group(eyes, 12), "");
}

/// `plates` plates with 6 wells of 2 sites each.
std::vector<std::string> wells(const std::string& plate, int plates) {
  std::vector<std::string> names;
  for (int p = 0; p < plates; ++p) {
    for (int well = 0; well < 6; ++well) {
      for (int site = 0; site < 2; ++site) {
        names.push_back(plate + std::to_string(p) + "_A0" + std::to_string(well) + "_s" +
                        std::to_string(site) + ".tif");
      }
    }
  }
  return names;
}

TEST(Groups, PlatesHoldWells) {
  EXPECT_EQ(group(wells("plate", 4)), "plate0");
  const auto readings = group_readings(pictures(wells("P", 4)));
  ASSERT_THAT(readings, SizeIs(2));  // the coarsest first, the other to ask about
  EXPECT_EQ(readings[0].by, "the first part of their names");
  EXPECT_EQ(readings[0].count, 4u);
  EXPECT_EQ(readings[1].by, "what stands before the last number of their names");
  EXPECT_EQ(readings[1].count, 24u);
  EXPECT_EQ(group(wells("P", 4)), "P0");
}

TEST(Groups, TwoPlatesAreTooFewButShown) {
  const auto readings = group_readings(pictures(wells("plate", 2)));
  ASSERT_THAT(readings, SizeIs(2));
  EXPECT_EQ(readings[0].count, 2u);
  EXPECT_FALSE(readings[0].divides);
  EXPECT_EQ(group(wells("plate", 2)), "plate0_A00");
}

TEST(Groups, NamesOfSequencesAsInCamVid) {
  const std::vector<std::string> street = {"train/0001TP_006690.png", "train/0001TP_006720.png",
                                           "val/0016E5_04350.png",    "val/0016E5_04380.png",
                                           "test/Seq05VD_f00000.png", "test/Seq05VD_f00030.png",
                                           "test/0006R0_f00930.png",  "train/0006R0_f00960.png"};
  const auto readings = group_readings(pictures(street));
  ASSERT_THAT(readings, SizeIs(1));
  EXPECT_EQ(readings[0].count, 4u);
  EXPECT_EQ(readings[0].groups[4], "Seq05VD");
  EXPECT_EQ(readings[0].groups[6], readings[0].groups[7]);  // folders of splits count for nothing
}

TEST(Groups, WordsStandBehindOtherPartsAndInFolders) {
  EXPECT_EQ(group({"a_seq_1_0.png", "b_seq_1_1.png", "a_seq_2_0.png", "a_seq_2_1.png",
                   "a_seq_3_0.png", "a_seq_3_1.png"}),
            "seq_1");
  EXPECT_EQ(group({"Donor A/1/x.png", "Donor A/2/x.png", "Donor B/1/x.png", "Donor B/2/x.png",
                   "Donor C/1/x.png", "Donor C/2/x.png"}),
            "Donor A");
  // A donor has several plates: persons go first.
  EXPECT_EQ(group({"plate1_donor1_a.png", "plate2_donor1_a.png", "plate1_donor2_a.png",
                   "plate2_donor2_a.png", "plate1_donor3_a.png", "plate2_donor3_a.png"}),
            "donor1");
}

TEST(Groups, FoldersAndSeries) {
  EXPECT_EQ(group({"t/A1_001.png", "t/A1_002.png", "t/B_f01.png", "t/B_f02.png", "t/C_3.png",
                   "t/C_4.png"}),
            "t/A1");
  EXPECT_EQ(group({"images/p1/001.png", "images/p1/002.png", "images/p2/001.png",
                   "images/p2/002.png", "images/p3/001.png", "images/p3/002.png"}),
            "p1");
  const auto sides =
      pictures({"p1/L_1.png", "p1/L_2.png", "p1/R_1.png", "p1/R_2.png", "p2/L_1.png", "p2/L_2.png",
                "p2/R_1.png", "p2/R_2.png", "p3/L_1.png", "p3/L_2.png"});
  EXPECT_EQ(group_readings(sides).front().groups[0], "p1");
}

TEST(Groups, NamesWithoutSeriesShowNone) {
  EXPECT_THAT(group_readings(pictures({"0.png", "1.png", "2.png", "3.png", "4.png", "5.png"})),
              IsEmpty());
  EXPECT_THAT(group_readings(pictures({"a_1.png", "b_2.png", "c_3.png", "d_4.png"})), IsEmpty());
  EXPECT_THAT(
      group_readings(pictures({"plant001_rgb.png", "plant002_rgb.png", "plant003_rgb.png"})),
      IsEmpty());
  EXPECT_THAT(group_readings(pictures({"case_01.png", "case_02.png", "case_03.png"})), IsEmpty());
  // Names of kinds are no identifiers.
  EXPECT_THAT(group_readings(pictures({"good/good (1).png", "good/good (2).png", "bad/bad (1).png",
                                       "bad/bad (2).png", "odd/odd (1).png", "odd/odd (2).png"})),
              IsEmpty());
}

}  // namespace
}  // namespace segmentum
