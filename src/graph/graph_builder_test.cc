#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "graph/graph.h"
#include "graph/graph_json.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::HasSubstr;

struct Repeated {
  GraphBuilder g{"test"};
  ValueId image = g.input("image", {.channels = 2});
  ValueId other = g.input("other", {.channels = 2});
  ValueId constant = g.conv("constant", other, {.channels = 3});
  ValueId conv = g.conv("conv", image, {.channels = 3});
  ValueId aside = g.softmax("aside", conv);
  ValueId norm = g.batch_norm("norm", conv);
  ValueId sum = g.add("sum", norm, constant);
};

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// conv, norm and sum stand again; "constant" does not depend on the image and "aside" is not
// needed.
TEST(GraphBuilder, RepeatSharesParameters) {
  Repeated r;
  const ValueId half = r.g.resize("half", r.image, {.scale = 1, .divisor = 2});
  const ValueId again = r.g.repeat("_half", r.image, r.sum, half);
  r.g.output("a", r.sum);
  r.g.output("b", again);
  const Graph graph = std::move(r.g).build();
  EXPECT_EQ(graph.parameters.size(), 2u + 2u + 4u);  // constant, conv, norm
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.name);
  EXPECT_THAT(names, testing::ElementsAre("image", "other", "constant", "conv", "aside", "norm",
                                          "sum", "half", "conv_half", "norm_half", "sum_half"));
  EXPECT_EQ(graph.node(again).inputs, (std::vector<ValueId>{again - 1, r.constant}));
  EXPECT_EQ(graph.node(again - 2).inputs, std::vector<ValueId>{half});
  EXPECT_EQ(graph.node(again - 2).parameters, graph.node(r.conv).parameters);
  EXPECT_EQ(graph.node(again - 1).parameters, graph.node(r.norm).parameters);
  EXPECT_EQ(to_json(graph_from_json(to_json(graph))), to_json(graph));
}

TEST(GraphBuilder, RepeatTellsWhatCannotBe) {
  Repeated r;
  EXPECT_EQ(error_of([&] { r.g.repeat("_2", r.conv, r.constant, r.conv); }),
            "\"constant\" does not depend on \"conv\", so nothing can be repeated from there");
  EXPECT_THAT(error_of([&] { r.g.repeat("_2", r.sum, r.conv, r.sum); }),
              HasSubstr("\"conv\" does not depend on \"sum\""));
  EXPECT_EQ(error_of([&] { r.g.repeat("_2", r.image, r.sum, r.conv); }),
            "what is repeated from \"image\" reads 2 channels; \"conv\" has 3");
}

TEST(GraphBuilder, MaximumWantsEqualChannels) {
  Repeated r;
  EXPECT_THAT(error_of([&] { r.g.maximum("larger", r.image, r.conv); }),
              HasSubstr("\"larger\" (maximum) joins values of 2 and 3 channels"));
}

}  // namespace
}  // namespace segmentum
