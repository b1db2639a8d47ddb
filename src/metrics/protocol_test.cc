#include "metrics/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::HasSubstr;

auto error_with(const char* text) {
  return testing::Throws<Error>(testing::Property(&Error::what, HasSubstr(text)));
}

TEST(Protocol, AllSayWhatTheyFix) {
  EXPECT_EQ(protocols().size(), 6U);
  for (const Protocol& protocol : protocols()) {
    SCOPED_TRACE(protocol.name);
    EXPECT_EQ(&find_protocol(protocol.name), &protocol);
    EXPECT_FALSE(protocol.about.empty());
    EXPECT_FALSE(protocol.source.empty());
    EXPECT_FALSE(protocol.reported.empty());
    const auto names = static_cast<int>(protocol.class_names.size());
    EXPECT_TRUE(names == 0 || names == protocol.classes) << names;
  }
  EXPECT_THAT([] { find_protocol("coco"); },
              error_with("there is no protocol \"coco\"; there are voc, camvid11, cityscapes"));
}

TEST(Protocol, AnotherNumberOfClassesIsAnError) {
  const Protocol& camvid = find_protocol("camvid11");
  require_classes(camvid, std::vector<ClassInfo>(11));
  EXPECT_THAT([&] { require_classes(camvid, std::vector<ClassInfo>(12)); },
              error_with("the data set has 12 classes, the protocol camvid11 scores 11"));
}

TEST(Protocol, AnotherSizeIsAnError) {
  const Protocol& camvid = find_protocol("camvid11");
  require_size(camvid, 360, 480, "a.png");
  EXPECT_THAT([&] { require_size(camvid, 720, 960, "a.png"); },
              error_with("is 960x720, the protocol camvid11 is scored at 480x360"));
  require_size(find_protocol("voc"), 7, 5, "a.png");
}

TEST(Protocol, ClassNamesWithoutCaseAndPunctuation) {
  const Protocol& camvid = find_protocol("camvid11");
  std::vector<ClassInfo> classes;
  for (const char* name : {"Sky", "building", "Pole", "road", "PAVEMENT", "Tree", "Sign_Symbol",
                           "fence", "car", "pedestrian", "bicyclist"}) {
    classes.push_back({name, {}});
  }
  EXPECT_EQ(other_class_names(camvid, classes), "");
  std::swap(classes[1], classes[8]);
  EXPECT_THAT(other_class_names(camvid, classes),
              HasSubstr("2 of 11 classes have other names than in the protocol camvid11, such as "
                        "class 1, \"car\" instead of \"building\""));
  EXPECT_EQ(other_class_names(find_protocol("ade20k"), classes), "");
}

// With background and foreground exchanged every score is that of the wrong class.
TEST(Protocol, ClassesInAnotherOrderAreAnError) {
  const Protocol& cells = find_protocol("isbi2012");
  const Protocol& nuclei = find_protocol("dsb2018");
  const auto named = [](const char* first, const char* second) {
    return std::vector<ClassInfo>{{first, {}}, {second, {}}};
  };
  for (const auto& names : {named("Membrane", "cells"), named("borders", "Cell interior")}) {
    require_classes(cells, names);
    EXPECT_EQ(other_class_names(cells, names), "");
  }
  for (const auto& names : {named("background", "nuclei"), named("BG", "Nucleus")}) {
    require_classes(nuclei, names);
    EXPECT_EQ(other_class_names(nuclei, names), "");
  }
  EXPECT_THAT(
      [&] { require_classes(cells, named("cells", "membrane")); },
      error_with("class 0 is \"cells\", but in the protocol isbi2012 class 0 is membrane and "
                 "class 1 is cells; describe the data in that order"));
  EXPECT_THAT(
      [&] { require_classes(cells, named("0", "membranes")); },
      error_with("class 1 is \"membranes\", but in the protocol isbi2012 class 1 is cells"));
  EXPECT_THAT([&] { require_classes(nuclei, named("foreground", "background")); },
              error_with("class 0 is \"foreground\", but in the protocol dsb2018 class 0 is"));
  // Names that say nothing are told of; so is "foreground" where either class may be meant.
  const std::vector<ClassInfo> of_masks = named("background", "foreground");
  require_classes(cells, of_masks);
  EXPECT_THAT(other_class_names(cells, of_masks),
              HasSubstr("class 0, \"background\" instead of \"membrane\": are they the same?"));
  require_classes(nuclei, named("0", "255"));
  EXPECT_THAT(other_class_names(nuclei, named("0", "255")), HasSubstr("2 of 2 classes"));
}

TEST(Protocol, ExchangedClassesShowByTheirShare) {
  const std::vector<ClassInfo> classes{{"background", {}}, {"foreground", {}}};
  const auto note = [&](const char* protocol, std::int64_t of_first, std::int64_t of_second) {
    const std::vector<ClassCounts> counts{{of_first, 0, 0}, {of_second, 0, 0}};
    return exchanged_classes(find_protocol(protocol), classes, scores(counts));
  };
  EXPECT_EQ(note("isbi2012", 22, 78), "");
  EXPECT_THAT(
      note("isbi2012", 78, 22),
      HasSubstr("class 1, \"foreground\", which the protocol isbi2012 takes for cells, covers "
                "22.0 % of the labelled pixels"));
  EXPECT_EQ(note("dsb2018", 50, 50), "");
  EXPECT_THAT(note("dsb2018", 10, 90), HasSubstr("takes for background, covers 10.0 %"));
  EXPECT_EQ(note("dsb2018", 0, 0), "");
  EXPECT_EQ(note("voc", 1, 9), "");
}

}  // namespace
}  // namespace segmentum
