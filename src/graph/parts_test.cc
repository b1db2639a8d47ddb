#include "graph/parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

Graph small_graph() {
  GraphBuilder g("small");
  ValueId x = g.input("image", {.channels = 1});
  x = g.conv("conv1_1", x, {.channels = 2, .bias = false});
  x = g.batch_norm("bn1_1", x);
  x = g.conv("decoder.0.conv1", x, {.channels = 2});
  g.output("logits", g.conv("head", x, {.channels = 2}));
  return std::move(g).build();
}

TEST(Parts, AreTheFirstWordOfAName) {
  EXPECT_EQ(part_of("encoder.0.conv1.weight"), "encoder");
  EXPECT_EQ(part_of("head.bias"), "head");
  EXPECT_EQ(part_of("fc6"), "fc6");
  EXPECT_EQ(part_of("conv1_1.weight"), "backbone");
  EXPECT_EQ(part_of("bn5_3.running_mean"), "backbone");
  EXPECT_EQ(part_of("conv1.weight"), "conv1");
  EXPECT_EQ(part_of("conv_1.weight"), "conv_1");
  EXPECT_THAT(parts_of(small_graph()), ElementsAre("backbone", "decoder", "head"));
}

TEST(Parts, PatternsMeanPartsFirstWordsOrWildcards) {
  EXPECT_TRUE(matches_pattern("encoder", "encoder.0.conv1.weight"));
  EXPECT_TRUE(matches_pattern("encoder.0", "encoder.0.conv1.weight"));
  EXPECT_TRUE(matches_pattern("encoder.0.conv1.weight", "encoder.0.conv1.weight"));
  EXPECT_FALSE(matches_pattern("encoder.1", "encoder.10.conv1.weight"));
  EXPECT_FALSE(matches_pattern("enc", "encoder.0.conv1.weight"));
  EXPECT_FALSE(matches_pattern("conv1", "encoder.0.conv1.weight"));
  EXPECT_TRUE(matches_pattern("backbone", "conv4_3.bias"));
  EXPECT_TRUE(matches_pattern("conv4_3", "conv4_3.bias"));
  EXPECT_TRUE(matches_pattern("*.bias", "decoder.0.up.bias"));
  EXPECT_FALSE(matches_pattern("*.bias", "decoder.0.up.weight"));
  EXPECT_TRUE(matches_pattern("conv?_1*", "conv3_1.weight"));
  EXPECT_TRUE(matches_pattern("*o*o*", "encoder.conv"));
  EXPECT_FALSE(matches_pattern("*x", "encoder"));
  EXPECT_TRUE(matches_pattern("*", "anything"));
}

TEST(Parts, ListsAreSeparatedByCommasOrSpaces) {
  EXPECT_THAT(pattern_list("backbone, encoder.0  *.bias,"),
              ElementsAre("backbone", "encoder.0", "*.bias"));
  EXPECT_THAT(pattern_list(" "), IsEmpty());
}

TEST(Parts, OnlyLearntParametersAreMeant) {
  EXPECT_THAT(parameters_matching(small_graph(), "backbone"),
              ElementsAre("conv1_1.weight", "bn1_1.weight", "bn1_1.bias"));
  EXPECT_THAT([] { parameters_matching(small_graph(), "decodr"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("no parameter of small is meant by \"decodr\""),
                                         HasSubstr("did you mean \"decoder\"?"),
                                         HasSubstr("its parts are backbone, decoder, head"))));
}

}  // namespace
}  // namespace segmentum
