#include "data/label_scheme.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segmentum {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

MaskSurvey survey_of(std::map<std::uint32_t, std::int64_t> pixels,
                     LabelEncoding::Kind kind = LabelEncoding::Kind::value) {
  MaskSurvey survey{.kind = kind, .masks = 10, .pixels = std::move(pixels)};
  for (const auto& [value, count] : survey.pixels) survey.all_pixels += count;
  return survey;
}

std::vector<std::string> names(const LabelScheme& scheme) {
  std::vector<std::string> result;
  for (const ClassInfo& info : scheme.classes) result.push_back(info.name);
  return result;
}

TEST(LabelScheme, ZeroAnd255AreTwoClassesWithoutIgnore) {
  const LabelScheme scheme = decide_labels(survey_of({{0, 50}, {255, 50}}), {}, {});
  EXPECT_THAT(names(scheme), ElementsAre("background", "foreground"));
  EXPECT_THAT(scheme.encoding.to_class, ElementsAre(Pair(0, 0), Pair(255, 1)));
  EXPECT_FALSE(scheme.encoding.threshold);
  EXPECT_THAT(scheme.obstacles, IsEmpty());
}

TEST(LabelScheme, TwoNamesForZeroAnd255) {
  const Legend legend{.file = "classes.txt",
                      .entries = {{.value = 0, .name = "membrane"}, {.value = 1, .name = "cell"}}};
  const LabelScheme scheme = decide_labels(survey_of({{0, 50}, {255, 50}}), legend, {});
  EXPECT_THAT(names(scheme), ElementsAre("membrane", "cell"));
  EXPECT_EQ(scheme.encoding.to_class.at(255), 1);
}

TEST(LabelScheme, A255BesideSmallValuesIsIgnored) {
  const LabelScheme scheme = decide_labels(survey_of({{0, 50}, {1, 30}, {255, 5}}), {}, {});
  EXPECT_THAT(names(scheme), ElementsAre("background", "foreground"));
  EXPECT_THAT(scheme.encoding.to_class,
              ElementsAre(Pair(0, 0), Pair(1, 1), Pair(255, kIgnoreLabel)));
  EXPECT_EQ(scheme.encoding.ignore_value, 255u);
}

TEST(LabelScheme, A255AmongSpreadValuesIsAClass) {
  const LabelScheme scheme = decide_labels(survey_of({{0, 50}, {128, 30}, {255, 5}}), {}, {});
  EXPECT_THAT(names(scheme), ElementsAre("class_0", "class_128", "class_255"));
  EXPECT_THAT(scheme.questions, Contains(HasSubstr("what are the names of the 3 classes")));
}

TEST(LabelScheme, GapsInDenseValuesAreClassesToo) {
  const LabelScheme scheme = decide_labels(survey_of({{0, 9}, {1, 9}, {2, 9}, {4, 9}}), {}, {});
  EXPECT_THAT(scheme.classes, SizeIs(5));
}

TEST(LabelScheme, SoftMasksGetAThreshold) {
  std::map<std::uint32_t, std::int64_t> pixels{{0, 5000}, {255, 1000}};
  for (std::uint32_t value = 1; value < 255; ++value) pixels[value] = 1;
  const LabelScheme scheme = decide_labels(survey_of(pixels), {}, {});
  EXPECT_EQ(scheme.encoding.threshold, 128);
  EXPECT_THAT(scheme.classes, SizeIs(2));
  EXPECT_THAT(scheme.notes, Contains(HasSubstr("soft (256 grey values")));
}

TEST(LabelScheme, ManyClassesWithIgnoreAreNotSoft) {
  std::map<std::uint32_t, std::int64_t> pixels{{255, 1000}};
  for (std::uint32_t value = 0; value < 60; ++value) pixels[value] = value < 30 ? 1000 : 10;
  const LabelScheme scheme = decide_labels(survey_of(pixels), {}, {});
  EXPECT_FALSE(scheme.encoding.threshold && *scheme.encoding.threshold == 128);
}

TEST(LabelScheme, ObjectNumbersBecomeOneClass) {
  MaskSurvey survey = survey_of(
      {{0, 900}, {1, 10}, {2, 10}, {3, 10}, {4, 10}, {5, 10}, {6, 10}, {7, 10}, {8, 10}, {9, 10}});
  survey.counted_to = {{5, 3}, {7, 4}, {9, 3}};
  const LabelScheme scheme = decide_labels(survey, {}, {});
  EXPECT_EQ(scheme.encoding.threshold, 1);
  EXPECT_THAT(scheme.questions, Contains(HasSubstr("object numbers")));
}

TEST(LabelScheme, LegendNamesValuesAndIgnoresVoid) {
  const Legend legend{
      .file = "classes.csv",
      .entries = {{.value = 0, .numbered = true, .name = "Sky"},
                  {.value = 3, .numbered = true, .name = "Road", .colour = Rgb{1, 2, 3}},
                  {.value = 11, .numbered = true, .name = "Void", .ignore = true}}};
  const LabelScheme scheme =
      decide_labels(survey_of({{0, 50}, {3, 30}, {11, 9}, {12, 1}}), legend, {});
  EXPECT_THAT(names(scheme), ElementsAre("Sky", "Road"));
  EXPECT_EQ(scheme.classes[1].colour, (Rgb{1, 2, 3}));
  EXPECT_THAT(scheme.encoding.to_class,
              ElementsAre(Pair(0, 0), Pair(3, 1), Pair(11, kIgnoreLabel), Pair(12, kIgnoreLabel)));
  EXPECT_EQ(scheme.encoding.ignore_value, 11u);
  EXPECT_THAT(scheme.questions, ElementsAre(HasSubstr("values 12 occur in the masks (1.1 %")));
}

TEST(LabelScheme, NamesWithoutBackgroundStartAtOne) {
  const Legend legend{.file = "labels.txt",
                      .entries = {{.value = 0, .name = "cat"}, {.value = 1, .name = "dog"}}};
  const LabelScheme scheme = decide_labels(survey_of({{0, 50}, {1, 30}, {2, 9}}), legend, {});
  EXPECT_THAT(names(scheme), ElementsAre("background", "cat", "dog"));
  EXPECT_EQ(scheme.encoding.to_class.at(2), 2);
}

TEST(LabelScheme, ColoursByLegendOrOneClassEach) {
  const auto survey =
      survey_of({{0x000000, 50}, {0x804080, 50}, {0xff0000, 5}}, LabelEncoding::Kind::colour);
  const LabelScheme bare = decide_labels(survey, {}, {});
  EXPECT_THAT(names(bare), ElementsAre("colour_000000", "colour_804080", "colour_ff0000"));
  EXPECT_THAT(bare.questions, SizeIs(1));
  const Legend legend{
      .file = "classes.csv",
      .entries = {{.value = 0, .name = "Road", .colour = Rgb{128, 64, 128}},
                  {.value = 1, .name = "Sky", .colour = Rgb{1, 1, 1}},
                  {.value = 2, .name = "Void", .colour = Rgb{0, 0, 0}, .ignore = true}}};
  const LabelScheme scheme = decide_labels(survey, legend, {});
  EXPECT_THAT(scheme.encoding.to_class,
              ElementsAre(Pair(0, kIgnoreLabel), Pair(0x010101, 1), Pair(0x804080, 0),
                          Pair(0xff0000, kIgnoreLabel)));
  EXPECT_THAT(scheme.questions, ElementsAre(HasSubstr("colours #ff0000 occur")));
}

TEST(LabelScheme, VocNamesWhereTheAnnotationsUseThem) {
  const LabelScheme scheme = decide_labels(survey_of({{0, 50}, {8, 9}, {255, 1}}), {}, {"cat"});
  ASSERT_THAT(scheme.classes, SizeIs(21));
  EXPECT_EQ(scheme.classes[8].name, "cat");
}

TEST(LabelScheme, WhatCannotBeTrainedIsSaid) {
  EXPECT_THAT(decide_labels(survey_of({{3, 10}}), {}, {}).obstacles,
              ElementsAre(HasSubstr("only one class")));
  EXPECT_THAT(decide_labels(MaskSurvey{}, {}, {}).obstacles, ElementsAre("there are no masks"));
  std::map<std::uint32_t, std::int64_t> many;
  for (std::uint32_t value = 0; value < 300; ++value) many[value * 7] = 1;
  EXPECT_THAT(decide_labels(survey_of(many), {}, {}).obstacles,
              ElementsAre(HasSubstr("300 different values up to 2093")));
  EXPECT_THAT(decide_labels(survey_of(many, LabelEncoding::Kind::colour), {}, {}).obstacles,
              Contains(HasSubstr("300 colours, too many")));
}

TEST(LabelScheme, ColoursOfSoftEdgesAreNoClasses) {
  std::map<std::uint32_t, std::int64_t> pixels{{0x000000, 5000}, {0x800000, 5000}};
  for (const std::uint32_t red : {0x20u, 0x40u, 0x50u, 0x60u}) pixels[red << 16] = 10;
  MaskSurvey survey = survey_of(pixels, LabelEncoding::Kind::colour);
  EXPECT_THAT(decide_labels(survey, {}, {}).classes, SizeIs(6));  // by themselves they may be
  for (const std::uint32_t red : {0x20u, 0x40u, 0x50u, 0x60u}) survey.blended[red << 16] = 5;
  const LabelScheme scheme = decide_labels(survey, {}, {});
  EXPECT_THAT(names(scheme), ElementsAre("colour_000000", "colour_800000"));
  EXPECT_THAT(scheme.encoding.to_class, SizeIs(2));
  EXPECT_THAT(scheme.questions, Contains(HasSubstr("4 colours lie")));
  survey.blended[0x200000] = 4;  // more of it lies elsewhere, and three may be thin things
  EXPECT_THAT(decide_labels(survey, {}, {}).classes, SizeIs(6));
}

TEST(LabelScheme, OneBackgroundIsEnough) {
  const Legend things{.file = "classes.txt",
                      .entries = {{.value = 0, .name = "date"}, {.value = 1, .name = "fig"}}};
  const auto survey = survey_of({{0, 50}, {1, 30}, {2, 9}});
  EXPECT_THAT(names(decide_labels(survey, things, {})), ElementsAre("background", "date", "fig"));
  const Legend all{.file = "classes.txt",
                   .entries = {{.value = 0, .name = "_background_"}, {.value = 1, .name = "fig"}}};
  const LabelScheme scheme = decide_labels(survey, all, {});
  EXPECT_THAT(names(scheme), ElementsAre("_background_", "fig"));
  EXPECT_EQ(scheme.encoding.to_class.at(2), kIgnoreLabel);
}

}  // namespace
}  // namespace segmentum
