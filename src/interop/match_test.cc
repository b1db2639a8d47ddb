#include "interop/match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "interop/testing.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// The network of the golden checkpoints: conv 2x2 and a batch norm, under PyTorch's names.
Graph tiny_graph(int channels = 3, int filters = 2, const std::string& norm = "bn") {
  GraphBuilder g("tiny");
  const ValueId image = g.input("image", {.channels = channels});
  const ValueId padded = g.pad("padded", image, {.mode = PadMode::mirror, .multiple = 2});
  const ValueId x = g.conv("conv", padded, {.channels = filters, .kernel = 2});
  g.output("logits", g.batch_norm(norm, x));
  return std::move(g).build();
}

Checkpoint tiny() {
  return read_checkpoint(golden_checkpoint("tiny_zip.pth"));
}

TEST(Match, AllThereIsAFit) {
  const Checkpoint checkpoint = tiny();
  const Match found = match(checkpoint, tiny_graph());
  EXPECT_TRUE(found.fits());
  EXPECT_EQ(found.taken.size(), 6u);
  EXPECT_THAT(found.adapted, IsEmpty());
  const ParameterStore store = matched_parameters(checkpoint, tiny_graph(), found, 0);
  EXPECT_THAT(store.value("conv.bias").values(), ElementsAre(100, 101));
  EXPECT_EQ(store.at("bn.running_var").role, ParameterRole::running_var);
  EXPECT_EQ(store.value("conv.weight").values()[23], 23);
}

TEST(Match, NamesAndShapesSideBySide) {
  const Match found = match(tiny(), tiny_graph(3, 5, "norm"));
  EXPECT_EQ(mismatch_counts(found), "4 missing, 4 unexpected, 2 misshapen");
  EXPECT_EQ(mismatch_table(found),
            "  the network has                 the checkpoint has\n"
            "  conv.weight 5x3x2x2             conv.weight 2x3x2x2  (misshapen)\n"
            "  conv.bias 5                     conv.bias 2  (misshapen)\n"
            "  norm.weight 5  (missing)        bn.bias 2  (unexpected)\n"
            "  norm.bias 5  (missing)          bn.running_mean 2  (unexpected)\n"
            "  norm.running_mean 5  (missing)  bn.running_var 2  (unexpected)\n"
            "  norm.running_var 5  (missing)   bn.weight 2  (unexpected)\n");
}

TEST(Match, LongTablesAreCut) {
  const std::string table = mismatch_table(match(tiny(), tiny_graph(3, 5, "norm")), 1);
  EXPECT_THAT(table, AllOf(HasSubstr("... and 1 more"), HasSubstr("(misshapen)"),
                           HasSubstr("... and 3 more"), Not(HasSubstr("running"))));
}

TEST(Match, WhatDoesNotFitIsInitialised) {
  const Checkpoint checkpoint = tiny();
  const Graph graph = tiny_graph(3, 2, "norm");
  const Match found = match(checkpoint, graph);
  EXPECT_THAT(found.taken, ElementsAre("conv.weight", "conv.bias"));
  const ParameterStore store = matched_parameters(checkpoint, graph, found, 0);
  EXPECT_THAT(store.value("conv.bias").values(), ElementsAre(100, 101));
  EXPECT_THAT(store.value("norm.weight").values(), ElementsAre(1, 1));
}

// conv.weight counts up: filter 0 is 0..3 for red, 4..7 for green, 8..11 for blue.
TEST(Match, FirstConvolutionsAreAdapted) {
  const Checkpoint checkpoint = tiny();
  const auto adapted = [&](int channels) {
    const Graph graph = tiny_graph(channels);
    const Match found = match(checkpoint, graph);
    EXPECT_TRUE(found.fits());
    EXPECT_THAT(found.adapted, ElementsAre("conv.weight"));
    ParameterStore store = matched_parameters(checkpoint, graph, found, 0);
    return std::move(store.change("conv.weight"));
  };
  const Tensor grey = adapted(1);
  EXPECT_EQ(grey.shape(), Shape({2, 1, 2, 2}));
  EXPECT_THAT(grey.values(), ElementsAre(12, 15, 18, 21, 48, 51, 54, 57));
  const Tensor two = adapted(2);  // red and green, times 3/2
  EXPECT_THAT(std::span(two.values()).first(8), ElementsAre(0, 1.5, 3, 4.5, 6, 7.5, 9, 10.5));
  const Tensor four = adapted(4);  // red, green, blue, red, times 3/4
  EXPECT_THAT(std::span(four.values()).subspan(8, 8),
              ElementsAre(6, 6.75, 7.5, 8.25, 0, 0.75, 1.5, 2.25));
  // A second convolution of other input channels is misshapen.
  GraphBuilder g("second");
  const ValueId image = g.input("image", {.channels = 3});
  const ValueId x = g.conv("first", image, {.channels = 4});
  g.output("logits", g.conv("conv", x, {.channels = 2, .kernel = 2}));
  EXPECT_EQ(match(checkpoint, std::move(g).build()).misshapen.size(), 1u);
}

TEST(Match, OtherTypesOfNumberAreMisshapen) {
  const auto path = std::filesystem::path(testing::TempDir()) / "interop_types.safetensors";
  const BasicTensor<std::int64_t> whole({2});
  const Tensor weight({2, 3, 2, 2});
  write_safetensors(
      path, std::vector<NamedTensor>{{"conv.weight", weight.view()}, {"conv.bias", whole.view()}});
  const Match found = match(read_checkpoint(path), tiny_graph());
  ASSERT_EQ(found.misshapen.size(), 1u);
  EXPECT_EQ(found.misshapen[0].checkpoint, "2 int64");
  std::filesystem::remove(path);
}

TEST(Match, NumbersThatAreNotFinite) {
  const auto path = std::filesystem::path(testing::TempDir()) / "interop_nan.safetensors";
  ParameterStore store = initialise(tiny_graph(), 1);
  store.change("conv.bias").values()[1] = NAN;
  write_parameters(path, store);
  const Checkpoint checkpoint = read_checkpoint(path);
  const Match found = match(checkpoint, tiny_graph());
  EXPECT_THAT(
      complaint([&] { matched_parameters(checkpoint, tiny_graph(), found, 0); }),
      AllOf(HasSubstr("interop_nan.safetensors: tensor \"conv.bias\" has 1 number that is not "
                      "finite"),
            Not(HasSubstr("numbers"))));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace segmentum
