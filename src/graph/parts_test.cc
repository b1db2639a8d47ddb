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
  EXPECT_EQ(part_of("bn6_1.weight"), "bn6_1");
  EXPECT_EQ(part_of("conv1.weight"), "conv1");
  EXPECT_EQ(part_of("conv_1.weight"), "conv_1");
  EXPECT_THAT(Parts(small_graph()).names(), ElementsAre("backbone", "decoder", "head"));
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

// What a pattern means in a network of these parameters, and how exactly.
TEST(Parts, EveryNetworkWithABackboneHasAHead) {
  const Parts named({"backbone.conv.weight", "aspp.weight", "head.weight"});
  EXPECT_EQ(named.exactness("backbone", "backbone.conv.weight"), 8u);
  EXPECT_EQ(named.exactness("head", "head.weight"), 4u);
  EXPECT_EQ(named.exactness("head", "aspp.weight"), std::nullopt);  // there is a part of that name

  const Parts vgg({"features.0.weight", "fc6.weight", "score.bias"});
  EXPECT_EQ(vgg.exactness("backbone", "features.0.weight"), 0u);
  EXPECT_EQ(vgg.exactness("backbone", "fc6.weight"), std::nullopt);
  EXPECT_EQ(vgg.exactness("head", "fc6.weight"), 0u);
  EXPECT_EQ(vgg.exactness("head", "score.bias"), 0u);
  EXPECT_EQ(vgg.exactness("head", "features.0.weight"), std::nullopt);

  const Parts unet({"encoder.0.weight", "decoder.0.weight", "head.bias"});
  EXPECT_EQ(unet.exactness("backbone", "encoder.0.weight"), 0u);
  EXPECT_EQ(unet.exactness("head", "decoder.0.weight"), std::nullopt);

  const Parts other({"conv1.weight", "conv2.weight"});
  EXPECT_EQ(other.exactness("head", "conv2.weight"), std::nullopt);  // head of what?
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
