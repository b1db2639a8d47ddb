#include "data/class_legend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(ClassLegend, CsvWithHeader) {
  const auto entries = parse_legend("id,name,r,g,b\n3,Road,128,64,128\n11,Void,0,0,0\n");
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_EQ(entries[0].value, 3u);
  EXPECT_TRUE(entries[0].numbered);
  EXPECT_EQ(entries[0].name, "Road");
  EXPECT_EQ(entries[0].colour, (Rgb{128, 64, 128}));
  EXPECT_FALSE(entries[0].ignore);
  EXPECT_TRUE(entries[1].ignore);
}

TEST(ClassLegend, NamesAloneCountFromZero) {
  const auto entries = parse_legend("_background_\ndining table\ncat\n");
  ASSERT_THAT(entries, SizeIs(3));
  EXPECT_EQ(entries[1].name, "dining table");
  EXPECT_EQ(entries[2].value, 2u);
  EXPECT_FALSE(entries[2].numbered);
}

TEST(ClassLegend, ColoursBeforeOrAfterTheName) {
  for (const char* text :
       {"64 128 64\tAnimal\n192 0 128\tArchway", "Animal 64 128 64\nArchway 192 0 128",
        "# label:color_rgb:parts:actions\nAnimal:64,128,64::\nArchway:192,0,128::",
        "name,colour\nAnimal,#408040\nArchway,#c00080"}) {
    const auto entries = parse_legend(text);
    ASSERT_THAT(entries, SizeIs(2)) << text;
    EXPECT_EQ(entries[0].name, "Animal");
    EXPECT_EQ(entries[0].colour, (Rgb{64, 128, 64}));
    EXPECT_EQ(entries[1].colour, (Rgb{192, 0, 128})) << text;
  }
}

TEST(ClassLegend, WhatIsNoLegendGivesNone) {
  EXPECT_THAT(parse_legend(""), IsEmpty());
  EXPECT_THAT(parse_legend("1 2\n3 4\n"), IsEmpty());            // no names
  EXPECT_THAT(parse_legend("a 1\nb 1\n"), IsEmpty());            // a value twice
  EXPECT_THAT(parse_legend("a 300 0 0\nb 0 0 0\n"), IsEmpty());  // no colour
  EXPECT_THAT(parse_legend("x.png y.png\nx.png z.png\n" + std::string(80, 'n')), IsEmpty());
}

TEST(ClassLegend, NamesOfWhatIsNoClass) {
  for (const char* name : {"Void", "unlabelled", "_ignore_", "don't care", "Out of ROI"}) {
    EXPECT_TRUE(is_ignore_name(name)) << name;
  }
  for (const char* name : {"background", "other", "avoid", "road"}) {
    EXPECT_FALSE(is_ignore_name(name)) << name;
  }
}

TEST(ClassLegend, AnnotatedNamesAreThoseOfObjectsNotOfParts) {
  const TemporaryFolder folder;
  folder.text("Annotations/1.xml",
              "<annotation><filename>1</filename><object><name>person</name><part><name>head</name>"
              "</part></object><object><name>cat</name></object></annotation>");
  EXPECT_THAT(annotated_names(folder.path()), ElementsAre("cat", "person"));
  EXPECT_THAT(annotated_names(folder / "absent"), IsEmpty());
}

}  // namespace
}  // namespace segmentum
