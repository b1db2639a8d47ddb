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

}  // namespace
}  // namespace segmentum
